"""Runs over a flow's past records when its rules change: what a draft would do to them, and sending again what a publication changed."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from integrations.models.flow import Flow


class ImpactRun(models.Model):
    """One walk over a flow's records, newest key first, that workers do in steps. It holds counts and ids, no personal data.

    `rules` are those that were asked about, so that a draft may be edited meanwhile; `cursor` is the last record key that was looked at.
    """

    class Purpose(models.TextChoices):
        IMPACT = "impact", "Impact run"
        RESEND = "resend", "Sending again"

    class Scope(models.TextChoices):
        CHANGED = "changed", "What changes"
        ALL = "all", "Everything"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    flow = models.ForeignKey(Flow, models.CASCADE, related_name="impact_runs")
    version = models.ForeignKey("mapping.MappingVersion", models.CASCADE, related_name="impact_runs")
    before = models.ForeignKey("mapping.MappingVersion", models.SET_NULL, null=True, related_name="+")  # what it is compared with
    purpose = models.CharField(max_length=10, choices=Purpose, default=Purpose.IMPACT)
    scope = models.CharField(max_length=10, choices=Scope, default=Scope.CHANGED)
    rules = models.JSONField()  # as `mapping.exchange` writes them
    fingerprint = models.CharField(max_length=64)  # of these rules: the run is out of date when the draft's differs
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    most = models.PositiveIntegerField(default=0)  # records to look at; 0 = all
    total = models.PositiveIntegerField(null=True)
    cursor = models.CharField(max_length=200, blank=True)
    looked_at = models.PositiveIntegerField(default=0)
    same = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    fails = models.PositiveIntegerField(default=0)
    answered = models.PositiveIntegerField(default=0)
    held = models.PositiveIntegerField(default=0)  # before and after
    left = models.PositiveIntegerField(default=0)  # not sent, whatever the rules
    queued = models.PositiveIntegerField(default=0)  # set to go out again
    findings = models.JSONField(default=dict)  # as `engine.findings` keeps them
    tries = models.PositiveSmallIntegerField(default=0)  # since the last step that came to its end
    claim = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="impact_latest"),
            models.Index(fields=["flow", "-created_at"], name="impact_of_flow"),
            models.Index(fields=["lease_until"], condition=Q(state__in=["waiting", "running"]), name="impact_under_way"),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} {self.pk}"
