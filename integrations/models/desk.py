"""What people do at the exception desk: acts that can be taken back, runs over all that a filter leaves, filters kept, values put right."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from integrations.models.exception import SyncException
from integrations.models.outbox import Delivery


class DeskRun(models.Model):
    """One act for everything that a filter left, carried out by a worker step by step."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        CANCELLED = "cancelled", "Cancelled"

    act = models.CharField(max_length=20)
    query = models.TextField(blank=True)  # the list's address: which filter
    words = models.CharField(max_length=500, blank=True)  # the filter and what is done, in plain words
    arguments = models.JSONField(default=dict)  # {assignee: id | null} | {until: ISO time, limit: …} | {note: text}
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    left = models.PositiveIntegerField(default=0)  # settled or changed meanwhile, so nothing was done
    failed = models.PositiveIntegerField(default=0)
    deliveries = models.PositiveIntegerField(default=0)  # that the run let go or skipped
    takes_back = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="taken_back")
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "run over many exceptions"
        indexes = [
            models.Index(fields=["-created_at"], name="desk_run_latest"),
            models.Index(fields=["id"], condition=Q(state__in=["waiting", "running"]), name="desk_run_under_way"),
        ]

    def __str__(self) -> str:
        return self.words or f"{self.act} of {self.total}"


class DeskAct(models.Model):
    """One act on one question, alone or as part of a run, with what was before, so that it can be taken back."""

    class State(models.TextChoices):
        ASKED = "asked", "Not done yet"
        DONE = "done", "Done"
        LEFT = "left", "Left as it was"
        FAILED = "failed", "Failed"
        UNDONE = "undone", "Taken back"

    exception = models.ForeignKey(SyncException, models.CASCADE, related_name="desk_acts")
    run = models.ForeignKey(DeskRun, models.CASCADE, null=True, blank=True, related_name="items")
    name = models.CharField(max_length=20)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(db_default=Now())
    state = models.CharField(max_length=10, choices=State, default=State.DONE)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    why = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["by", "-id"], condition=Q(run__isnull=True), name="desk_act_of_person"),
            models.Index(fields=["run", "state", "id"], condition=Q(run__isnull=False), name="desk_act_of_run"),
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.exception_id}"


class SavedView(models.Model):
    """A filter of the exception list under a name, for oneself or for a whole team."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000, blank=True)
    team = models.CharField(max_length=20, blank=True)  # group that sees it too; empty = only the owner
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="one_saved_view_per_name")]
        indexes = [models.Index(fields=["team"], condition=~Q(team=""), name="saved_view_of_team")]

    def __str__(self) -> str:
        return self.name


class Correction(models.Model):
    """Values of a held delivery that a person put right; they count for this version of its record and no later one."""

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="corrections")
    version = models.PositiveIntegerField()
    values = models.JSONField(default=dict)  # {field of the destination: value}
    before = models.JSONField(default=dict)  # {field: what the mapping wrote, null = nothing}
    note = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"values of {self.delivery_id}"
