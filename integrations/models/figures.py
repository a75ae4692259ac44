"""What sources count per day: views and carts of a shop or a product, of nobody in particular."""

from __future__ import annotations

from django.db import models

from integrations.models.connection import Connection


class EngagementFigure(models.Model):
    """One subject's figures of one day, as the source counted them last."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="figures")
    subject = models.CharField(max_length=150)  # "shop" or "product:<id>"
    day = models.DateField()
    currency = models.CharField(max_length=3, blank=True)
    values = models.JSONField(default=dict)
    occurred_at = models.DateTimeField()

    class Meta:
        verbose_name = "engagement figure"
        ordering = ["-day", "subject"]
        constraints = [models.UniqueConstraint(fields=["connection", "day", "subject"], name="one_figure_per_subject_and_day")]

    def __str__(self) -> str:
        return f"{self.subject} on {self.day}"
