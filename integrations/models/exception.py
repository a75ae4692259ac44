"""Exceptions: open questions for a person, each with the deliveries that wait for its answer."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from integrations.models.connection import Connection
from integrations.models.flow import Flow
from integrations.models.kinds import kind_choices
from integrations.models.outbox import Delivery

SHOWN = Q(state="open", snoozed_until__isnull=True)  # what people see among the open questions


class SyncException(models.Model):
    """One question; everything that waits for the same answer hangs on it."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        RESOLVED = "resolved", "Resolved"
        IGNORED = "ignored", "Ignored"

    connection = models.ForeignKey(Connection, models.CASCADE, null=True, blank=True, related_name="exceptions")
    flow = models.ForeignKey(Flow, models.CASCADE, null=True, blank=True, related_name="exceptions")
    kind = models.CharField(max_length=30, choices=kind_choices)
    subject = models.CharField(max_length=200)
    title = models.CharField(max_length=300)
    detail = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    occurrences = models.PositiveIntegerField(default=1)
    first_seen = models.DateTimeField(db_default=Now())
    last_seen = models.DateTimeField(db_default=Now())
    assignee = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    resolved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    resolved_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=500, blank=True)
    snoozed_until = models.DateTimeField(null=True, blank=True)  # open, but not shown among the open ones until then
    snooze_limit = models.PositiveIntegerField(null=True, blank=True)  # seen so often it comes back before that
    former = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="later")  # the same question, settled before
    returned = models.PositiveSmallIntegerField(default=0, db_default=0)  # how often it came back
    waiting_count = models.PositiveIntegerField(default=0, db_default=0)  # deliveries that wait, as of `weighed_at`
    waiting_value = models.DecimalField(max_digits=20, decimal_places=3, default=0, db_default=0)  # the largest amount of one currency
    waiting_values = models.JSONField(default=dict, db_default={})  # {currency: net value of the orders that wait, as text}
    weighed_at = models.DateTimeField(null=True, blank=True)  # null = something changed since

    class Meta:
        verbose_name = "exception"
        constraints = [
            models.UniqueConstraint(
                fields=["flow", "kind", "subject"], condition=Q(state="open", flow__isnull=False), name="one_open_question_per_flow"
            ),
            models.UniqueConstraint(
                fields=["connection", "kind", "subject"],
                condition=Q(state="open", flow__isnull=True),
                name="one_open_question_per_connection",
            ),
        ]
        indexes = [
            models.Index(fields=["-last_seen"], name="exception_latest"),
            models.Index(fields=["state", "kind", "-last_seen"], name="exception_list"),
            models.Index(fields=["state", "-last_seen"], name="exception_recent"),
            models.Index(fields=["state", "flow", "-last_seen"], name="exception_flow"),
            models.Index(fields=["-last_seen"], condition=SHOWN, name="exception_shown"),
            models.Index(fields=["-waiting_value", "-waiting_count", "-id"], condition=SHOWN, name="exception_by_value"),
            models.Index(fields=["-first_seen"], condition=SHOWN, name="exception_new"),
            models.Index(fields=["assignee", "-last_seen"], condition=SHOWN, name="exception_of_person"),
            models.Index(fields=["-last_seen"], condition=SHOWN & Q(returned__gt=0), name="exception_returned"),
            models.Index(fields=["snoozed_until"], condition=Q(state="open", snoozed_until__isnull=False), name="exception_snoozed"),
            models.Index(F("weighed_at").asc(nulls_first=True), condition=Q(state="open", flow__isnull=False), name="exception_to_weigh"),
            models.Index(fields=["flow", "kind", "subject", "-id"], condition=~Q(state="open"), name="exception_former"),
            models.Index(fields=["subject"], name="exception_subject"),
        ]

    def __str__(self) -> str:
        return self.title


class Hold(models.Model):
    """One delivery waiting for one exception; a delivery goes out when its last hold is gone."""

    exception = models.ForeignKey(SyncException, models.CASCADE, related_name="holds", db_index=False)  # one hold a pair begins with it
    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="holds")
    since = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["exception", "delivery"], name="one_hold_per_question_and_delivery")]

    def __str__(self) -> str:
        return f"{self.delivery_id} waits for {self.exception_id}"


class ExceptionComment(models.Model):
    """What somebody wrote about an exception."""

    exception = models.ForeignKey(SyncException, models.CASCADE, related_name="comments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    at = models.DateTimeField(auto_now_add=True)
    text = models.TextField()

    class Meta:
        ordering = ["at"]

    def __str__(self) -> str:
        return self.text[:60]
