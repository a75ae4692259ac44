"""Samples: small numbers taken once a minute, so that pages never count big tables."""

from __future__ import annotations

from django.db import models

from integrations.models import Connection, Flow


class Sample(models.Model):
    """One metric of one flow (or connection) in one minute."""

    flow = models.ForeignKey(Flow, models.CASCADE, null=True, blank=True, related_name="samples")
    connection = models.ForeignKey(Connection, models.CASCADE, null=True, blank=True, related_name="samples")
    metric = models.CharField(max_length=40)
    at = models.DateTimeField()
    value = models.FloatField()

    class Meta:
        indexes = [
            models.Index(fields=["flow", "metric", "-at"], name="sample_flow"),
            models.Index(fields=["connection", "metric", "-at"], name="sample_connection"),
            models.Index(fields=["at"], name="sample_at"),
        ]

    def __str__(self) -> str:
        return f"{self.metric} {self.value}"
