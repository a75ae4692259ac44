"""Engagement figures: kept per day, the latest count in place of the earlier, shown and taken along."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from integrations.engine.figures import keep_figures
from integrations.models import Connection, EngagementFigure
from mapping.records import Figures

pytestmark = pytest.mark.django_db


def counted(views: int, *, subject: str = "product:172958", day: str = "2026-11-20") -> Figures:
    values = {"impressions": Decimal(views), "add_cart_count": Decimal(7), "gmv": Decimal("12.50")}
    at = datetime(2026, 11, 21, tzinfo=UTC)
    return Figures(key=f"{subject}:{day}", occurred_at=at, subject=subject, day=day, currency="GBP", values=values)


@pytest.fixture
def shop() -> Connection:
    return Connection.objects.create(
        platform="tiktok_shop", name="Demo UK", external_id="7495540735365777507", base_url="http://127.0.0.1:9"
    )


def test_a_day_that_is_counted_again_replaces_the_earlier_count(shop: Connection) -> None:
    assert keep_figures(shop, [counted(10), counted(11)]) == 1
    assert keep_figures(shop, [counted(15), counted(3, subject="shop")]) == 2

    assert list(EngagementFigure.objects.order_by("subject").values_list("subject", "values__impressions")) == [
        ("product:172958", "15"), ("shop", "3"),
    ]  # fmt: skip


def test_the_list_and_its_export_show_the_same_figures(shop: Connection, ecommerce: Client) -> None:
    keep_figures(shop, [counted(15)])
    page = ecommerce.get(reverse("admin:integrations_engagementfigure_changelist")).content.decode()
    download = ecommerce.get(reverse("admin:integrations_engagementfigure_export", args=["csv"]))
    sheet = b"".join(download.streaming_content).decode("utf-8-sig")

    assert "Product 172958" in page
    assert sheet.splitlines() == [
        "ID,Day,Connection,Subject,Views,Clicks,Added to cart,Orders,Value,Currency",
        f"{EngagementFigure.objects.get().pk},2026-11-20,Demo UK,product:172958,15,,7,,12.50,GBP",
    ]  # fmt: skip


def test_a_days_page_names_every_figure(shop: Connection, ecommerce: Client) -> None:
    keep_figures(shop, [counted(15)])
    page = ecommerce.get(reverse("admin:integrations_engagementfigure_change", args=[EngagementFigure.objects.get().pk])).content.decode()

    assert all(text in page for text in ("Product 172958 on 20 November 2026", "add_cart_count", "12.50", "GBP"))
