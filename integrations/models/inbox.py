"""The inbox: verified messages as they came."""

from __future__ import annotations

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from integrations.models.connection import Connection


class InboxEvent(models.Model):
    """A verified incoming message, stored before it was acknowledged and processed once."""

    class State(models.TextChoices):
        NEW = "new", "Waiting"
        DONE = "done", "Processed"
        FAILED = "failed", "Could not be read"
        IGNORED = "ignored", "Nothing to do"

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="inbox_events", db_index=False)
    topic = models.CharField(max_length=100)
    dedup_key = models.CharField(max_length=200)
    body = models.TextField()
    hint = models.BooleanField(default=False)
    object_key = models.CharField(max_length=100, blank=True)
    lane = models.PositiveSmallIntegerField(default=0, db_default=0)
    received_at = models.DateTimeField(db_default=Now())
    occurred_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.NEW, db_default="new")
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    due_at = models.DateTimeField(db_default=Now())
    lease_until = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True, db_default="")

    class Meta:
        verbose_name = "inbox event"
        constraints = [models.UniqueConstraint(fields=["connection", "dedup_key"], name="one_inbox_event_per_message")]
        indexes = [
            models.Index(fields=["connection", "lane", "id"], condition=Q(state="new"), name="inbox_waiting"),
            models.Index(fields=["-id"], condition=Q(state="failed"), name="inbox_failed"),
            models.Index(fields=["connection", "object_key"], name="inbox_object"),
            BrinIndex(fields=["received_at"], name="inbox_received"),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.pk}"
