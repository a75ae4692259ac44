"""Views of other tables that have a page of their own in the console, and what such a page keeps ready so that it opens fast."""

from __future__ import annotations

from django.db import models
from django.db.models import F

from integrations.models.exception import SyncException
from integrations.models.outbox import Delivery


class UnmappedSku(SyncException):
    """A question about a SKU that nobody has mapped yet."""

    class Meta:
        proxy = True
        verbose_name = "unmapped product"


class ContactSync(Delivery):
    """A contact, or something a contact did, that is held on its way to the marketing platform."""

    class Meta:
        proxy = True
        verbose_name = "failed contact sync"


class SkuBacklog(models.Model):
    """What waits for one unmapped SKU and its best suggestion, as last looked up; `value` is the sum by which the list is sorted."""

    exception = models.OneToOneField(SyncException, models.CASCADE, primary_key=True, related_name="backlog")
    orders = models.PositiveIntegerField(default=0)
    units = models.PositiveIntegerField(default=0)
    value = models.DecimalField(max_digits=20, decimal_places=3, default=0)
    amounts = models.JSONField(default=dict)  # currency → what waits in it, as text; `value` is their sum
    score = models.PositiveSmallIntegerField(null=True)  # 0-100; null = nothing fits
    suggestion = models.JSONField(default=dict)  # {parts: [[sku, quantity, share]], reasons: [...]} of the best one
    refreshed_at = models.DateTimeField(null=True)
    suggested_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [  # one per order of the list
            models.Index(fields=["-value", "exception"], name="sku_backlog_value"),
            models.Index(F("score").desc(nulls_last=True), F("value").desc(), "exception", name="sku_backlog_score"),
            models.Index(fields=["-orders", "-value", "exception"], name="sku_backlog_orders"),
        ]

    def __str__(self) -> str:
        return f"{self.orders} orders wait for {self.exception_id}"
