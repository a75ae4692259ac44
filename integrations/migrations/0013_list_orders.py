"""Indexes for the orders in which people read lists: unmapped products by suggestion and by orders, what is held across flows."""

from __future__ import annotations

from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [("integrations", "0012_impact_runs")]

    operations = [
        migrations.AddIndex(
            model_name="skubacklog",
            index=models.Index(F("score").desc(nulls_last=True), F("value").desc(), "exception", name="sku_backlog_score"),
        ),
        migrations.AddIndex(
            model_name="skubacklog", index=models.Index(fields=["-orders", "-value", "exception"], name="sku_backlog_orders")
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["-updated_at", "-id"], condition=Q(state="blocked"), name="delivery_held"),
        ),
    ]
