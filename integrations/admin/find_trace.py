"""The page of one thing's story: its places with the reason and the next step, what it belongs to, and its timeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from integrations import words
from integrations.admin.desk import MASK_PERMISSION
from integrations.admin.find_shown import ICONS, NAMES, Badge, Line, delivery_line, link_url, thing_line, thing_title
from integrations.admin.summaries import sheet
from integrations.engine.find import Thing
from integrations.engine.masking import masked_text
from integrations.engine.trace import SkuState, Trace
from integrations.engine.trace_entries import Entry
from integrations.engine.trace_places import Verdict
from integrations.platforms.registry import PLATFORMS
from mapping.records import RecordType

NEWEST, OLDEST = "newest", "oldest"
CONSOLE = "console"  # what the filter calls entries of no platform
LONGEST_DETAIL = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownEntry:
    """An entry as the page shows it."""

    entry: Entry
    url: str
    detail: str
    version_url: str
    record: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownVerdict:
    """A destination as the page shows it."""

    verdict: Verdict
    steps: tuple[tuple[str, str], ...]  # words and address
    url: str
    record: str


def shown(request: HttpRequest, found: Trace) -> dict[str, Any]:
    """What the page shows of a thing, as this person may see it, in the order and of the platform that the address names."""
    personal = request.user.has_perm(MASK_PERMISSION)
    order = OLDEST if request.GET.get("order") == OLDEST else NEWEST
    chosen = request.GET.get("platform", "")
    told = [entry for entry in found.entries if not chosen or (entry.platform or CONSOLE) == chosen]
    told = told[::-1] if order == OLDEST else told
    return {
        "title": thing_title(found.thing, found.record_type, found.record, personal=personal),
        "kind_name": NAMES.get(found.thing.kind, found.thing.kind.capitalize()),
        "icon": ICONS.get(found.thing.kind, "search"),
        "trace": found,
        "thing": found.thing,
        "answer": in_short(found),
        "verdicts": [_verdict(verdict, personal=personal) for verdict in found.verdicts],
        "troubles": [(said, step.label, link_url(step.link)) for said, step in found.troubles],
        "days": by_day([_entry(entry, found, personal=personal) for entry in told]),
        "entry_count": len(told),
        "order": order,
        "other_order": (OLDEST if order == NEWEST else NEWEST, _address(order=OLDEST if order == NEWEST else NEWEST, platform=chosen)),
        "platforms": _platforms(found.entries, order, chosen),
        "people": [thing_line(hit, personal=personal) for hit in found.people],
        "orders": [_passing(row, personal=personal) for row in found.orders],
        "variants": [thing_line(hit, personal=personal) for hit in found.variants],
        "skus": [(state, _sku_url(state, found)) for state in found.skus],
        "sheet": sheet(found.record) if found.record_type == RecordType.ORDER else {},
    }


def in_short(found: Trace) -> Badge:
    """The answer to "where is it?" in one line, with its tone."""
    there = [verdict for verdict in found.verdicts if verdict.is_there]
    held = [verdict for verdict in found.verdicts if verdict.tone in ("warn", "bad")]
    if not found.deliveries and found.thing.kind == "contact":
        return "Only the destination knows this person: no source has told of them.", "info"
    if found.thing.kind == "sku" and any(state.question for state in found.skus):
        return "Nobody has mapped it yet; orders that carry it wait for the answer.", "warn"
    if not found.deliveries:
        return "It never came here. Below is why, as far as it is known.", "warn"
    if held:
        return f"It is not everywhere it should be: {held[0].says}", "warn"
    if there and len(there) == len(found.verdicts):
        return f"It is where it should be: {', '.join(dict.fromkeys(v.flow.destination.name for v in there))}.", "good"
    moving = next((verdict for verdict in found.verdicts if not verdict.is_there), None)
    return (moving.says, moving.tone) if moving else ("It is known, and goes nowhere.", "quiet")


def by_day(entries: Sequence[ShownEntry]) -> list[tuple[date, list[ShownEntry]]]:
    """Entries under the days they belong to, in the order they are in."""
    return [(day, list(group)) for day, group in groupby(entries, key=lambda one: timezone.localtime(one.entry.at).date())]


def _entry(entry: Entry, found: Trace, *, personal: bool) -> ShownEntry:
    detail = entry.detail[:LONGEST_DETAIL]
    several = len({row.flow.record_type for row in found.deliveries}) > 1
    return ShownEntry(
        entry=entry, url=link_url(entry.link), detail=detail if personal else masked_text(detail),
        version_url=reverse("admin:mapping_mappingversion_change", args=[entry.version[0]]) if entry.version else "",
        record=NAMES.get(entry.record_type, "") if several else "",
    )  # fmt: skip


def _verdict(verdict: Verdict, *, personal: bool) -> ShownVerdict:
    row = verdict.delivery
    return ShownVerdict(
        verdict=verdict, steps=tuple((step.label, link_url(step.link)) for step in verdict.steps),
        url=reverse("admin:integrations_delivery_change", args=[row.pk]) if row else "",
        record=f"{NAMES.get(verdict.flow.record_type, '')} {row.record_key}" if row else NAMES.get(verdict.flow.record_type, ""),
    )  # fmt: skip


def _platforms(entries: Sequence[Entry], order: str, chosen: str) -> list[tuple[str, str, bool]]:
    """The filter: label, address and whether it is chosen; no filter where there is one platform only."""
    slugs = list(dict.fromkeys(entry.platform or CONSOLE for entry in entries))
    if len(slugs) < 2 and not chosen:  # noqa: PLR2004 - nothing to choose from
        return []
    labels = {slug: platform.label for slug, platform in PLATFORMS.items()} | {CONSOLE: "This console"}
    return [("All", _address(order=order), not chosen)] + [
        (labels.get(slug, slug), _address(order=order, platform=slug), slug == chosen) for slug in slugs
    ]


def _address(**values: str) -> str:
    """The same page in another order or of one platform; what every page shows anyway is left out."""
    query = {name: value for name, value in values.items() if value and value != NEWEST}
    return f"?{urlencode(query)}" if query else "?"


def _passing(row: Any, *, personal: bool) -> Line:
    """An order, checkout or event of a person: orders have a story of their own."""
    line = delivery_line(row, personal=personal)
    if row.flow.record_type != RecordType.ORDER:
        return line
    url = reverse("admin:find_trace", args=[RecordType.ORDER, row.flow.source_id, row.record_key])
    return Line(url=url, icon=line.icon, title=line.title, under=f"{row.flow.source} · {words.age(row.occurred_at)}", badges=line.badges)


def _sku_url(state: SkuState, found: Trace) -> str:
    """The question that holds it, else the SKU's own story."""
    if state.question:
        return reverse("admin:integrations_syncexception_change", args=[state.question])
    return reverse("admin:find_trace", args=["sku", 0, state.sku]) if found.thing != Thing("sku", 0, state.sku) else ""
