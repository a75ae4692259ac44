"""Answers to unknown SKUs, kept so that each can be taken back."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from integrations.models.connection import Connection
from integrations.models.exception import SyncException


class SkuAnswer(models.Model):
    """One answer: the crosswalk row as it was before and as it became, how many deliveries it let go, and who took it back."""

    exception = models.ForeignKey(SyncException, models.SET_NULL, null=True, related_name="sku_answers")
    source = models.ForeignKey(Connection, models.CASCADE, related_name="+")
    destination = models.ForeignKey(Connection, models.CASCADE, related_name="+")
    source_sku = models.CharField("source SKU", max_length=255)
    crosswalk = models.ForeignKey("mapping.SkuCrosswalk", models.SET_NULL, null=True, related_name="+")
    before = models.JSONField(null=True)  # {action, note, components: [[sku, quantity, share]]}; null = there was no row
    after = models.JSONField()  # the same shape
    product_key = models.CharField(max_length=200, blank=True)  # of the line at the source: what siblings are recognised by
    title = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    automatic = models.BooleanField(default=False)
    note = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(db_default=Now())
    released = models.PositiveIntegerField(default=0)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = "SKU answer"
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["-at"], name="sku_answer_latest"),
            models.Index(fields=["source", "destination", "source_sku", "-at"], name="sku_answer_of_sku"),
            models.Index(fields=["source", "destination", "product_key"], name="sku_answer_sibling"),
        ]

    def __str__(self) -> str:
        return f"{self.source_sku} → {self.words}"

    @property
    def words(self) -> str:
        """What was answered: "2 × SOAP + 1 × DISH", or "let through as it is"."""
        parts = [f"{quantity} × {sku}" for sku, quantity, _ in self.after["components"]]
        return " + ".join(parts) or "let through as it is"
