"""Samples: small numbers taken once a minute, so that pages never count big tables."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from integrations.models import Connection, Flow

OF_FLOW, OF_CONNECTION = Q(flow__isnull=False), Q(connection__isnull=False)
OF_INSTALLATION = Q(flow__isnull=True, connection__isnull=True)


class Metric(models.TextChoices):
    """What is sampled. Counts of a minute and numbers at that moment; a zero is not stored."""

    PASS = "pass", "Milliseconds the sampling itself took"  # of the installation: the mark that a minute was looked at
    READY = "ready", "Deliveries that are ready"
    SENDING = "sending", "Deliveries in a worker's hands"
    ACCEPTED = "accepted", "Deliveries accepted and not yet confirmed"
    HELD = "held", "Deliveries that wait for an exception"
    LAG = "lag", "Age of the oldest due delivery in seconds"
    DELIVERED = "delivered", "Deliveries delivered in the minute"
    FAILED = "failed", "Attempts in the minute that did not go through"  # tried later, or refused
    REFUSED = "refused", "Deliveries refused in the minute"
    STOPPED = "stopped", "Deliveries held before sending in the minute"
    UNCHANGED = "unchanged", "Deliveries in the minute that the destination holds as they are"
    SKIPPED = "skipped", "Deliveries skipped on purpose in the minute"
    INBOX_WAITING = "inbox_waiting", "Inbox events not yet processed"
    INBOX_FAILED = "inbox_failed", "Inbox events that could not be read"
    ARRIVED = "arrived", "Inbox events received and objects pulled in the minute"
    READ_TOTAL = "read_total", "Objects pulled so far"
    USUAL_GAP = "usual_gap", "Seconds that usually pass between arrivals at this time of day"
    PRUNED_UNTIL = "pruned_until", "Time up to which sent payloads were pruned, as seconds of the epoch"


class Sample(models.Model):
    """One metric of one flow, one connection or the installation (both empty) in one minute."""

    flow = models.ForeignKey(Flow, models.CASCADE, null=True, blank=True, related_name="samples", db_index=False)
    connection = models.ForeignKey(Connection, models.CASCADE, null=True, blank=True, related_name="samples", db_index=False)
    metric = models.CharField(max_length=40)
    at = models.DateTimeField()
    value = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["flow", "metric", "at"], condition=OF_FLOW, name="one_sample_per_flow_and_minute"),
            models.UniqueConstraint(
                fields=["connection", "metric", "at"], condition=OF_CONNECTION, name="one_sample_per_connection_and_minute"
            ),
            models.UniqueConstraint(fields=["metric", "at"], condition=OF_INSTALLATION, name="one_sample_per_installation_and_minute"),
        ]
        indexes = [models.Index(fields=["at"], name="sample_at")]

    def __str__(self) -> str:
        return f"{self.metric} {self.value}"
