"""Master catalogues kept in this process, ready for suggestions: read once, then only what changed."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.fields.json import KT
from django.utils import timezone

from integrations.engine.catalogue import catalogue_flows
from integrations.models import Delivery, Flow
from mapping.suggestions import Catalogue, CatalogueEntry

MAX_KEPT = 4  # catalogues in one process; 50,000 variants take about 100 MB
LOOK_EVERY = 5.0  # seconds until changes are looked for again
READ_ANEW = 3600.0  # seconds until everything is read again, for what was deleted from the outbox
OVERLAP = timedelta(seconds=10)  # of the changes read, for transactions that were open meanwhile
CATCH_UP, STEP = 0.1, 1000  # seconds of one look, and changes read at a time
EMPTY = Catalogue()
COLUMNS = {
    "sku": KT("record__sku"),
    "product_key": KT("record__product_key"),
    "product_title": KT("record__product_title"),
    "title": KT("record__title"),
    "gtin": KT("record__barcode"),
    "image": KT("record__image_url"),
    "price": KT("record__prices__0__regular"),
    "currency": KT("record__prices__0__currency"),
    "active": KT("record__active"),
    "removed": KT("record__removed"),
}


@dataclass(slots=True)
class _Kept:
    """One catalogue, used by one thread at a time."""

    catalogue: Catalogue = field(default_factory=Catalogue)
    lock: threading.Lock = field(default_factory=threading.Lock)
    seen: tuple[datetime, int] | None = None  # changes up to this moment and delivery are in it
    looked: float = 0.0
    read: float = 0.0


_KEPT: OrderedDict[int, _Kept] = OrderedDict()  # by the id of the flow of variants
_LOCK = threading.Lock()


@contextmanager
def catalogue_of(flow: Flow) -> Iterator[Catalogue]:
    """The flow's master catalogue for the time of one search, at most `LOOK_EVERY` seconds old; empty when there is none."""
    variants = catalogue_flows(flow).values_list("pk", flat=True).first()
    if variants is None:
        yield EMPTY
        return
    with _LOCK:
        kept = _KEPT.setdefault(variants, _Kept())
        _KEPT.move_to_end(variants)
        while len(_KEPT) > MAX_KEPT:
            _KEPT.popitem(last=False)
    with kept.lock:
        _refresh(variants, kept)
        yield kept.catalogue


def forget_catalogues() -> None:
    """Keep nothing: the next search reads everything."""
    with _LOCK:
        _KEPT.clear()


def _refresh(variants: int, kept: _Kept) -> None:
    now = time.monotonic()
    if kept.seen is None or now - kept.read > READ_ANEW:
        began = timezone.now()
        kept.catalogue, kept.read = Catalogue(), now
        _read(kept.catalogue, Delivery.objects.filter(flow=variants, record__has_key="product_key"))
        kept.seen, kept.looked = (began - OVERLAP, 0), time.monotonic()
    elif now - kept.looked > LOOK_EVERY:
        _catch_up(variants, kept)
        kept.looked = time.monotonic()


def _catch_up(variants: int, kept: _Kept) -> None:
    """Read what changed, oldest first, for as long as a page may wait; the next look goes on from there."""
    until, began = time.monotonic() + CATCH_UP, timezone.now()
    # naming the states lets the index of (flow, state, time) answer
    rows = Delivery.objects.filter(flow=variants, state__in=Delivery.State.values).order_by("updated_at", "pk")
    while time.monotonic() < until:
        at, pk = kept.seen
        later = rows.filter(Q(updated_at__gt=at) | Q(updated_at=at, pk__gt=pk), updated_at__gte=at)
        found = list(later.values_list("updated_at", "pk")[:STEP])
        _read(kept.catalogue, Delivery.objects.filter(pk__in=[pk for _, pk in found]))
        if len(found) < STEP:
            kept.seen = max(kept.seen, (began - OVERLAP, 0))
            return
        kept.seen = found[-1]


def _read(catalogue: Catalogue, rows: QuerySet[Delivery]) -> None:
    names = ("record_key", "record__options", *COLUMNS)
    for values in rows.annotate(**COLUMNS).values_list(*names).iterator(chunk_size=5000):
        _take(catalogue, dict(zip(names, values, strict=True)))


def _take(catalogue: Catalogue, row: dict[str, Any]) -> None:
    """Put one variant in or take it out. Of two with one SKU the active one stays."""
    held = catalogue.entries.get(row["sku"] or "")
    mine = held is None or held.variant_key == row["record_key"]
    if row["removed"] == "true" or not row["sku"]:
        if held is not None and mine:
            catalogue.drop(held.sku)
        return
    entry = _entry(row)
    if (mine or (entry.active and held is not None and not held.active)) and entry != held:
        catalogue.put(entry)


def _entry(row: dict[str, Any]) -> CatalogueEntry:
    return CatalogueEntry(
        sku=row["sku"],
        product_key=row["product_key"] or "",
        variant_key=row["record_key"],
        product_title=row["product_title"] or "",
        title=row["title"] or "",
        options=tuple(str(value) for value in (row["record__options"] or {}).values()),
        price=Decimal(row["price"]) if row["price"] else None,
        currency=row["currency"] or "",
        gtin=row["gtin"] or "",
        image_url=row["image"] or "",
        active=row["active"] != "false",
    )
