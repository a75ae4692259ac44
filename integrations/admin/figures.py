"""Engagement figures: what sources count per day, to be read and taken along; nothing of it is sent."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from integrations.admin.desk import Desk
from integrations.admin.exports import Column, Exports
from integrations.admin.filters import ConnectionFilter, age_filter, field_filter
from integrations.models import EngagementFigure

# label → the names that platforms give to it, the first one found counts
COLUMNS: dict[str, tuple[str, ...]] = {
    "Views": ("impressions", "product_impressions", "page_views", "visitors"),
    "Clicks": ("clicks", "product_clicks"),
    "Added to cart": ("add_cart_count", "add_to_cart_count"),
    "Orders": ("orders", "sku_orders"),
    "Value": ("gmv",),
}


def value_of(row: EngagementFigure, label: str) -> str:
    """One figure of a row, empty where the source does not count it."""
    return next((str(row.values[name]) for name in COLUMNS[label] if name in row.values), "")


def _figure(label: str, row: EngagementFigure, personal: bool) -> str:
    return value_of(row, label)


@admin.register(EngagementFigure)
class FigureDesk(Exports, Desk):
    """Views, carts and orders per shop or product and day."""

    detail_template = "integrations/figure.html"
    list_before_template = "integrations/figures_top.html"
    empty_words = (
        "No figures yet. A TikTok Shop connection brings them once a day when its app may read analytics; its page shows the permissions."
    )
    list_display = ["day", "subject_cell", "connection_cell", "views", "clicks", "carts", "orders", "value"]
    list_filter = [ConnectionFilter, field_filter("subject", "subject", (("shop", "Whole shop"),)), age_filter("day", "day")]
    list_filter_submit = True
    search_fields = ["subject"]
    search_help_text = "Product id at the platform"
    export_columns = (
        Column("ID", "pk"), Column("Day", "day"), Column("Connection", "connection.name"), Column("Subject", "subject"),
        *(Column(label, partial(_figure, label)) for label in COLUMNS), Column("Currency", "currency"),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[EngagementFigure]:
        """Newest day first, the whole shop before its products."""
        return super().get_queryset(request).select_related("connection").order_by("-day", "-subject", "-pk")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        """Exact product ids only."""
        term = search_term.strip()
        return (queryset.filter(subject__in=[term, f"product:{term}"]) if term else queryset), False

    def detail(self, request: HttpRequest, row: EngagementFigure) -> dict[str, Any]:
        """Every figure of the day, by the platform's own names."""
        return {"title": f"{subject(row)} on {row.day}", "figures": sorted(row.values.items()), "subject": subject(row)}

    @admin.display(description="Subject")
    def subject_cell(self, row: EngagementFigure) -> str:
        """The whole shop, or one product."""
        return subject(row)

    @admin.display(description="Connection")
    def connection_cell(self, row: EngagementFigure) -> str:
        """Who counted it."""
        return row.connection.name

    @admin.display(description="Views")
    def views(self, row: EngagementFigure) -> str:
        """How often it was shown."""
        return value_of(row, "Views")

    @admin.display(description="Clicks")
    def clicks(self, row: EngagementFigure) -> str:
        """How often it was opened."""
        return value_of(row, "Clicks")

    @admin.display(description="Added to cart")
    def carts(self, row: EngagementFigure) -> str:
        """How often it was put into a cart."""
        return value_of(row, "Added to cart")

    @admin.display(description="Orders")
    def orders(self, row: EngagementFigure) -> str:
        """How many orders."""
        return value_of(row, "Orders")

    @admin.display(description="Value")
    def value(self, row: EngagementFigure) -> str:
        """Their value with its currency."""
        return f"{value_of(row, 'Value')} {row.currency}".strip()


def subject(row: EngagementFigure) -> str:
    """What a row is about, in words."""
    return "Whole shop" if row.subject == "shop" else row.subject.replace("product:", "Product ", 1)
