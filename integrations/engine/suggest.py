"""What an unknown SKU may be, and the search for what it is."""

from __future__ import annotations

from decimal import Decimal

from django.db.models import Q

from integrations.engine.shelf import catalogue_of
from integrations.engine.sku_answers import (
    AnswerResult,
    CannotAnswer,
    Preview,
    answer_many,
    answer_sku,
    ignore_sku,
    preview_answer,
)
from integrations.engine.sku_undo import undo_answer
from integrations.engine.waiting import NEWEST, WaitingSku, waiting_lines
from integrations.models import Flow, SkuAnswer, SyncException
from mapping.gate import NO_SKU
from mapping.models import SkuComponent, SkuCrosswalk
from mapping.suggestions import CatalogueEntry, Component, Decision, Suggestion, UnknownLine, suggest, words

__all__ = [
    "AnswerResult", "CannotAnswer", "CatalogueEntry", "Component", "Preview", "Suggestion", "answer_many", "answer_sku", "ignore_sku",
    "preview_answer", "search_catalogue", "suggestions_for", "undo_answer", "unknown_line",
]  # fmt: skip
STEM = 4  # characters that two SKUs must begin with to count as built alike
LATEST = 40  # earlier decisions of this source that are looked at besides


def suggestions_for(exception: SyncException, limit: int = 5, *, waiting: WaitingSku | None = None) -> list[Suggestion]:
    """The best candidates for an unknown SKU, best first; `waiting` saves reading the held orders again where it is at hand."""
    line = unknown_line(exception, waiting or waiting_lines([exception.pk], newest=NEWEST).get(exception.pk))
    with catalogue_of(exception.flow) as catalogue:
        return suggest(line, catalogue, limit)


def search_catalogue(flow: Flow, text: str, limit: int = 20) -> list[CatalogueEntry]:
    """Entries of the flow's master catalogue that match what somebody types: SKU, GTIN, words of title and options."""
    with catalogue_of(flow) as catalogue:
        return catalogue.search(text, limit)


def unknown_line(exception: SyncException, waiting: WaitingSku | None) -> UnknownLine:
    """The facts about an unknown SKU that suggestions may use: its line, its prices, what was decided about others."""
    sku = "" if exception.subject.startswith(NO_SKU) else exception.subject
    affixes = tuple(exception.flow.settings.get("sku_affixes") or ())
    if waiting is None:
        return UnknownLine(sku=sku, decisions=_decisions(exception, ""), affixes=affixes)
    currency = next(reversed(waiting.prices), next(iter(waiting.paid), ""))
    part = bool(waiting.component_of)
    return UnknownLine(
        sku=sku,
        title="" if part else waiting.title,
        options=() if part else _options(waiting),
        prices=_prices(waiting, currency),
        currency=currency,
        components=waiting.components,
        decisions=_decisions(exception, waiting.product_key),
        affixes=affixes,
    )


def _options(waiting: WaitingSku) -> tuple[str, ...]:
    """The option values; a source that only names the variant writes them one after the other: "Red, M" or "Red / M"."""
    if waiting.options:
        return tuple(waiting.options.values())
    named = waiting.variant_title.replace("/", ",").split(",")
    return tuple(value.strip() for value in named if value.strip() and value.strip().casefold() not in {"default", "default title"})


def _prices(waiting: WaitingSku, currency: str) -> tuple[Decimal, ...]:
    seen = [*waiting.prices.get(currency, ()), *([waiting.paid[currency]] if currency in waiting.paid else [])]
    return tuple(dict.fromkeys(price for price in seen if price > 0))


def _decisions(exception: SyncException, product_key: str) -> tuple[Decision, ...]:
    """What was decided about SKUs of the same product, SKUs that begin alike, and lately about any of this source."""
    pair = {"source": exception.flow.source_id, "destination": exception.flow.destination_id}
    kin = SkuAnswer.objects.filter(**pair, product_key=product_key, undone_at=None) if product_key else SkuAnswer.objects.none()
    siblings = set(kin.values_list("source_sku", flat=True))
    stem = _stem(exception.subject)
    near = Q(source_sku__in=siblings) | (Q(source_sku__startswith=stem) if stem else Q(pk=None))
    rows = SkuCrosswalk.objects.filter(**pair, action=SkuCrosswalk.Action.MAP).exclude(source_sku=exception.subject)
    chosen = {*rows.filter(near).values_list("pk", flat=True)[:LATEST], *rows.order_by("-updated_at").values_list("pk", flat=True)[:LATEST]}
    parts: dict[str, list[Component]] = {}
    columns = ("crosswalk__source_sku", "target_sku", "quantity", "share")
    for sku, target, quantity, share in SkuComponent.objects.filter(crosswalk__in=chosen).order_by("id").values_list(*columns):
        parts.setdefault(sku, []).append((target, quantity, share))
    return tuple(
        Decision(source_sku=sku, components=tuple(components), sibling=sku in siblings or bool(stem and sku.startswith(stem)))
        for sku, components in sorted(parts.items())
    )


def _stem(sku: str) -> str:
    """A SKU up to its last part, empty where that is too short to say anything."""
    parts = words.tokens(sku)
    stem = sku[: sku.casefold().rfind(parts[-1])] if len(parts) > 1 else ""
    return stem if len(stem) > STEM and not sku.startswith(NO_SKU) else ""
