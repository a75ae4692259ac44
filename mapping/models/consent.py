"""The consent ledger: every statement about a channel, with its source and time; nothing is overwritten."""

from __future__ import annotations

from django.db import models

from mapping.consent import Statement
from mapping.records import ConsentState


class ConsentStatement(models.Model):
    """One statement of one person about one channel, as one connection reported it."""

    class State(models.TextChoices):
        GRANTED = "granted", "Granted"
        WITHDRAWN = "withdrawn", "Withdrawn"
        UNKNOWN = "unknown", "Never asked"

    connection = models.ForeignKey("integrations.Connection", models.CASCADE, related_name="+")
    contact_key = models.CharField(max_length=255)
    channel = models.CharField(max_length=20)
    state = models.CharField(max_length=10, choices=State)
    stated_at = models.DateTimeField(null=True, blank=True)
    source = models.CharField(max_length=100, blank=True)
    explicit = models.BooleanField(default=False)
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["connection", "contact_key", "channel", "stated_at"], name="consent_of_contact")]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "contact_key", "channel", "state", "stated_at"], nulls_distinct=False, name="one_statement_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.channel}: {self.state}"

    def value(self) -> Statement:
        """The statement as a plain value."""
        return Statement(
            channel=self.channel, state=ConsentState(self.state), stated_at=self.stated_at, source=self.source, explicit=self.explicit
        )
