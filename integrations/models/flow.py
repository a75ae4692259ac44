"""Flows, and the places where pulls resume."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from integrations.models.connection import Connection


class Flow(models.Model):
    """Source connection × destination connection × record type, switched on or off."""

    source = models.ForeignKey(Connection, models.PROTECT, related_name="flows_out")
    destination = models.ForeignKey(Connection, models.PROTECT, related_name="flows_in")
    record_type = models.CharField(max_length=20)
    enabled = models.BooleanField(default=True)
    settings = models.JSONField(default=dict, blank=True)
    last_delivered_at = models.DateTimeField(null=True, blank=True, editable=False)
    woken_at = models.DateTimeField(null=True, blank=True, editable=False)
    pump_until = models.DateTimeField(null=True, blank=True, editable=False)
    pump_token = models.UUIDField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    history = HistoricalRecords(excluded_fields=["woken_at", "pump_until", "pump_token", "last_delivered_at"])

    class Meta:
        ordering = ["source", "destination", "record_type"]
        constraints = [models.UniqueConstraint(fields=["source", "destination", "record_type"], name="one_flow_per_pair_and_type")]

    def __str__(self) -> str:
        return f"{self.source.name} → {self.destination.name}: {self.record_type}"


class Checkpoint(models.Model):
    """Where a pull resumes. A poll lives for ever, a backfill or a repair has an end."""

    class Purpose(models.TextChoices):
        POLL = "poll", "Poll"
        BACKFILL = "backfill", "Backfill"
        REPAIR = "repair", "Gap repair"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        PAUSED = "paused", "Paused"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="checkpoints")
    reader = models.CharField(max_length=30)
    purpose = models.CharField(max_length=10, choices=Purpose)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    cursor = models.TextField(blank=True)
    window_from = models.DateTimeField()
    window_to = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(db_index=True)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    read_count = models.BigIntegerField(default=0)
    record_count = models.BigIntegerField(default=0)
    failed_count = models.BigIntegerField(default=0)
    total = models.BigIntegerField(null=True, blank=True)
    faults = models.PositiveIntegerField(default=0)
    note = models.CharField(max_length=300, blank=True)
    error = models.CharField(max_length=500, blank=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["connection", "reader"], condition=Q(purpose="poll"), name="one_poll_per_reader"),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} of {self.reader} at {self.connection_id}"
