"""The consent ledger: every statement about a channel, with its source and time; nothing is overwritten."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from mapping.consent import Statement
from mapping.records import ConsentState


class ConsentStatement(models.Model):
    """One statement about one channel of one person: as a connection reported it, or (`told`) as we told it to that connection.

    `contact_key` is the address or number itself, normalised (e-mail in small letters, phone in E.164): it is one person over all sources.
    """

    class State(models.TextChoices):
        GRANTED = "granted", "Granted"
        WITHDRAWN = "withdrawn", "Withdrawn"
        UNKNOWN = "unknown", "Never asked"
        SUPPRESSED = "suppressed", "Must not be written to"

    connection = models.ForeignKey("integrations.Connection", models.CASCADE, related_name="+", db_index=False)
    contact_key = models.CharField(max_length=255)
    channel = models.CharField(max_length=20)
    state = models.CharField(max_length=10, choices=State)
    stated_at = models.DateTimeField(null=True, blank=True)
    source = models.CharField(max_length=100, blank=True)
    policy = models.CharField(max_length=200, blank=True, db_default="")
    explicit = models.BooleanField(default=False)
    from_history = models.BooleanField(db_default=False)  # never heard but in a backfill
    told = models.BooleanField(db_default=False)
    keeps_time = models.BooleanField(db_default=False)  # of a telling: the destination keeps the time that it is told
    delivery_id = models.BigIntegerField(null=True, blank=True)  # that told it: each entry of a person at a destination is told for itself
    record_key = models.CharField(max_length=200, blank=True, db_default="")  # the person at that connection
    recorded_at = models.DateTimeField(db_default=Now())  # first heard, or first told
    seen_at = models.DateTimeField(db_default=Now())  # last heard, or last told
    as_of = models.DateTimeField(null=True, blank=True)  # the version of the record that showed it
    is_news = models.BooleanField(db_default=False)  # the other sides were not looked at yet

    class Meta:
        indexes = [
            models.Index(fields=["contact_key", "channel"], name="consent_of_contact"),
            models.Index(fields=["connection", "record_key"], name="consent_of_record"),
            models.Index(fields=["id"], condition=models.Q(is_news=True), name="consent_news"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "contact_key", "channel", "told", "state", "stated_at", "delivery_id"],
                nulls_distinct=False,
                name="one_statement_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.channel}: {self.state}"

    def value(self, *, confirmed: bool = False, place: str = "") -> Statement:
        """The statement as a plain value."""
        return Statement(
            channel=self.channel, state=ConsentState(self.state), stated_at=self.stated_at, source=self.source, explicit=self.explicit,
            policy=self.policy, connection=self.connection_id, place=place, person=self.record_key, history=self.from_history,
            told=self.told, noted_at=self.recorded_at, seen_at=self.seen_at, as_of=self.as_of, confirmed=confirmed,
            keeps_time=self.keeps_time,
        )  # fmt: skip
