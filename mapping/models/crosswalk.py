"""Crosswalks: editable tables that translate one platform's SKUs and words into another's."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords


class SkuCrosswalk(models.Model):
    """What a source's SKU is called at a destination: one component for a plain SKU, several for a bundle."""

    class Action(models.TextChoices):
        MAP = "map", "Translate"
        IGNORE = "ignore", "Let through as it is"

    source = models.ForeignKey("integrations.Connection", models.CASCADE, related_name="+")
    destination = models.ForeignKey("integrations.Connection", models.CASCADE, related_name="+")
    source_sku = models.CharField("source SKU", max_length=255)
    action = models.CharField(max_length=6, choices=Action, default=Action.MAP)
    note = models.CharField(max_length=300, blank=True)
    updated_at = models.DateTimeField(auto_now=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name = "SKU crosswalk row"
        verbose_name_plural = "SKU crosswalk"
        ordering = ["source", "destination", "source_sku"]
        constraints = [models.UniqueConstraint(fields=["source", "destination", "source_sku"], name="one_row_per_source_sku")]
        indexes = [models.Index(fields=["updated_at"], name="sku_crosswalk_changed")]

    def __str__(self) -> str:
        return self.source_sku


class SkuComponent(models.Model):
    """One target SKU of a crosswalk row, how many of it make one source unit, and its part of the money."""

    crosswalk = models.ForeignKey(SkuCrosswalk, models.CASCADE, related_name="components")
    target_sku = models.CharField("target SKU", max_length=255)
    quantity = models.PositiveIntegerField(default=1, validators=[MinValueValidator(1)])
    share = models.DecimalField(
        max_digits=12, decimal_places=4, null=True, blank=True, validators=[MinValueValidator(0)],
        help_text="Weight of its part of the price. Empty on all components: shared out by quantity.",
    )  # fmt: skip
    history = HistoricalRecords()

    class Meta:
        ordering = ["crosswalk", "id"]
        constraints = [
            models.UniqueConstraint(fields=["crosswalk", "target_sku"], name="one_component_per_target_sku"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="component_quantity_from_one"),
            models.CheckConstraint(condition=Q(share__isnull=True) | Q(share__gte=0), name="component_share_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.target_sku}"


class ValueCrosswalk(models.Model):
    """One row of a value table. The source value "*" stands for every other word; "*" as its target lets them through unchanged."""

    name = models.CharField("table", max_length=80)
    source_value = models.CharField(max_length=255, blank=True)
    target_value = models.CharField(max_length=255, blank=True, help_text="Empty: nothing is sent for this value.")
    updated_at = models.DateTimeField(auto_now=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name = "value table row"
        verbose_name_plural = "value tables"
        ordering = ["name", "source_value"]
        constraints = [models.UniqueConstraint(fields=["name", "source_value"], name="one_row_per_source_value")]
        indexes = [models.Index(fields=["updated_at"], name="value_crosswalk_changed")]

    def __str__(self) -> str:
        return f"{self.name}: {self.source_value} → {self.target_value}"
