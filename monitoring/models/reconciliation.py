"""Reconciliation: comparisons of both ends of a flow, what each of them has seen, and every drift once."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from integrations.models import Delivery, Flow, SyncException
from monitoring.reconcile.causes import aspect_choices, cause_choices


class Reconciliation(models.Model):
    """One comparison of a flow over a window; its cursor says where it goes on, after a pause or a crash."""

    class Level(models.TextChoices):
        RECORDS = "records", "Record by record"
        COUNTS = "counts", "Counts by day"

    class Basis(models.TextChoices):
        CHANGED = "changed", "Changed in the window"
        PLACED = "placed", "Placed in the window"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        PAUSED = "paused", "Paused"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    flow = models.ForeignKey(Flow, models.CASCADE, related_name="reconciliations")
    level = models.CharField(max_length=10, choices=Level, default=Level.RECORDS)
    basis = models.CharField("records", max_length=10, choices=Basis, default=Basis.CHANGED)
    window_from = models.DateTimeField()
    window_to = models.DateTimeField()
    nightly = models.BooleanField(default=False)
    grace_seconds = models.PositiveIntegerField(default=1800)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    stage = models.CharField(max_length=12, default="destination")
    cursor = models.TextField(blank=True)
    due_at = models.DateTimeField(db_default=Now())
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    note = models.CharField(max_length=300, blank=True)
    error = models.CharField(max_length=500, blank=True)
    faults = models.PositiveSmallIntegerField(default=0)
    stored_count = models.PositiveIntegerField("read at the destination", default=0)
    source_count = models.PositiveIntegerField("read at the source", default=0)
    people_count = models.PositiveIntegerField("people read at the destination", default=0)
    total = models.PositiveIntegerField(null=True, blank=True)  # records that the source pass will have, once known
    matched = models.PositiveIntegerField(default=0)
    left_out = models.PositiveIntegerField("left out on purpose", default=0)
    under_way = models.PositiveIntegerField(default=0)
    drifted = models.PositiveIntegerField(default=0)
    closed = models.PositiveIntegerField("found repaired", default=0)
    value = models.DecimalField("value of its drifts", max_digits=20, decimal_places=2, default=0)
    currency = models.CharField(max_length=3, blank=True)
    days = models.JSONField(default=list)  # of a comparison by counts: [day, at the source, at the destination]
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state__in=["waiting", "running"]), name="reconciliation_due"),
            models.Index(fields=["-created_at"], name="reconciliation_latest"),
            models.Index(fields=["flow", "-created_at"], name="reconciliation_of_flow"),
        ]

    def __str__(self) -> str:
        return f"Comparison {self.pk} of {self.flow}"


class Seen(models.Model):
    """What a running comparison read at one end, in few words; the rows of a comparison go when it ends."""

    run = models.ForeignKey(Reconciliation, models.CASCADE, related_name="seen", db_index=False)
    side = models.CharField(max_length=1)  # d: at the destination, s: at the source
    key = models.CharField(max_length=200, db_collation="C")
    delivery_id = models.BigIntegerField(null=True)
    facts = models.JSONField(default=dict)  # of the destination: {differences, at, value, currency, title}
    met = models.BooleanField(default=False)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "seen"
        constraints = [models.UniqueConstraint(fields=["run", "side", "key"], name="seen_once_per_run")]

    def __str__(self) -> str:
        return self.key


class Drift(models.Model):
    """One difference between the two ends of a flow; both values are kept masked."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        REPAIRING = "repairing", "Being repaired"
        CLOSED = "closed", "Healed"
        DISMISSED = "dismissed", "Left as it is"

    flow = models.ForeignKey(Flow, models.CASCADE, related_name="drifts", db_index=False)
    run = models.ForeignKey(Reconciliation, models.SET_NULL, null=True, related_name="drifts")
    aspect = models.CharField(max_length=10, choices=aspect_choices)
    cause = models.CharField(max_length=20, choices=cause_choices)
    record_key = models.CharField(max_length=200, db_collation="C")  # of what only the destination has: its key there
    destination_key = models.CharField(max_length=200, blank=True)
    pull_key = models.CharField(max_length=200, blank=True)  # the source object it is read from, where that is another: a buyer's order
    title = models.CharField(max_length=300)
    field = models.CharField(max_length=200, blank=True)
    ours = models.CharField("should be", max_length=300, blank=True)
    theirs = models.CharField("is at the destination", max_length=300, blank=True)
    more = models.PositiveSmallIntegerField(default=0)  # further fields that differ
    value = models.DecimalField(max_digits=20, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    delivery = models.ForeignKey(Delivery, models.SET_NULL, null=True, blank=True, related_name="drifts")
    exception = models.ForeignKey(SyncException, models.SET_NULL, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    note = models.CharField(max_length=500, blank=True)
    tries = models.PositiveSmallIntegerField("repairs tried", default=0)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    asked_at = models.DateTimeField("repair asked for", null=True, blank=True)
    first_seen = models.DateTimeField(db_default=Now())
    last_seen = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["flow", "record_key", "aspect"], condition=Q(state__in=["open", "repairing"]), name="one_open_drift_per_aspect"
            )
        ]
        indexes = [
            models.Index(fields=["state", "-last_seen", "-id"], name="drift_list"),
            models.Index(fields=["state", "cause", "-last_seen"], name="drift_by_cause"),
            models.Index(fields=["state", "flow", "-last_seen"], name="drift_by_flow"),
            models.Index(fields=["record_key"], name="drift_key"),
            models.Index(fields=["-last_seen", "-id"], name="drift_latest"),
        ]

    def __str__(self) -> str:
        return self.title


class Duplicate(models.Model):
    """Two contacts of a destination that may be one person; a person decides, and the decision is remembered."""

    class State(models.TextChoices):
        OPEN = "open", "To decide"
        ASKED = "asked", "Merge asked for"
        MERGING = "merging", "Merge under way"
        MERGED = "merged", "Merged"
        DIFFERENT = "different", "Not the same person"
        GONE = "gone", "One of them is gone"

    connection = models.ForeignKey("integrations.Connection", models.CASCADE, related_name="duplicates")
    first = models.CharField(max_length=255)
    second = models.CharField(max_length=255)
    reasons = models.JSONField(default=list)  # slugs of `monitoring.reconcile.suspects.REASONS`
    listing = models.CharField(max_length=200, blank=True)  # the contact that lies on the second although its person is the first
    title = models.CharField(max_length=300)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    survivor = models.CharField(max_length=255, blank=True)
    job = models.CharField(max_length=100, blank=True)
    note = models.CharField(max_length=500, blank=True)
    faults = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(db_default=Now())
    found_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "suspected duplicate"
        constraints = [models.UniqueConstraint(fields=["connection", "first", "second"], name="one_row_per_pair")]
        indexes = [
            models.Index(fields=["state", "-found_at", "-id"], name="duplicate_list"),
            models.Index(fields=["due_at"], condition=Q(state__in=["asked", "merging"]), name="duplicate_due"),
        ]

    def __str__(self) -> str:
        return self.title
