"""What waits for an unknown SKU, read from the held orders themselves."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

import orjson
from django.db import connection as database

from integrations.models import SkuBacklog
from mapping.gate import MAX_NAME, NO_SKU, ONE_VARIANT

UNMAPPED_SKU = "unmapped_sku"  # the kind of exception
NEWEST = 50  # orders of one SKU that a page reads; of the others it shows the stored sums

# Whether a line `l` of a record is what people know under a name: `mapping.gate.name_of` in the database's words.
_TITLE = "COALESCE(NULLIF(l ->> 'title', ''), l ->> 'variant_key', '')"
_VARIANT = f"""CASE WHEN COALESCE(l ->> 'variant_title', '') IN ('', '{ONE_VARIANT}') THEN ''
  ELSE ' (' || (l ->> 'variant_title') || ')' END"""
LINE_NAME = f"left(COALESCE(NULLIF(l ->> 'sku', ''), '{NO_SKU}' || {_TITLE} || {_VARIANT}), {MAX_NAME})"
_PART = "' (component ' || COALESCE(c ->> 'variant_key', '') || ')'"
PART_NAME = f"left(COALESCE(NULLIF(c ->> 'sku', ''), '{NO_SKU}' || {_TITLE} || {_PART}), {MAX_NAME})"

WAITING = f"""
WITH asked AS (
  SELECT e.id, e.subject, e.flow_id, e.first_seen, e.last_seen FROM integrations_syncexception e
  WHERE e.id = ANY(%(ids)s) AND e.kind = %(kind)s AND e.flow_id IS NOT NULL),
found AS MATERIALIZED (
  SELECT a.id AS exception_id, d.id AS delivery_id, d.occurred_at, COALESCE(d.record ->> 'currency', '') AS currency,
    COALESCE((d.record #>> '{{totals,net}}')::numeric, 0) AS net, x.l, x.c,
    COALESCE((x.l ->> 'quantity')::int, 0) * COALESCE((x.c ->> 'quantity')::int, 1) AS units,
    CASE WHEN x.c IS NULL THEN (x.l ->> 'unit_price')::numeric ELSE (x.c ->> 'price')::numeric END AS price
  FROM asked a JOIN LATERAL (
    SELECT delivery_id FROM integrations_hold WHERE exception_id = a.id ORDER BY delivery_id DESC LIMIT %(newest)s) h ON true
  JOIN integrations_delivery d ON d.id = h.delivery_id
  LEFT JOIN LATERAL (
    SELECT l, c FROM jsonb_array_elements(d.record -> 'lines') l
    LEFT JOIN LATERAL (SELECT c FROM jsonb_array_elements(l -> 'components') c WHERE {PART_NAME} = a.subject) parts ON true
    WHERE {LINE_NAME} = a.subject OR c IS NOT NULL) x ON true),
orders AS (
  SELECT exception_id, delivery_id, currency, net, occurred_at, sum(units) AS units, min(price) AS lowest, max(price) AS highest
  FROM found GROUP BY 1, 2, 3, 4, 5),
sums AS (
  SELECT exception_id, currency, count(*) AS orders, sum(units) AS units, sum(net) AS value, min(lowest) AS lowest, max(highest) AS highest,
    max(occurred_at) AS newest, (array_agg(delivery_id ORDER BY occurred_at DESC, delivery_id DESC))[1] AS sample
  FROM orders GROUP BY 1, 2)
SELECT a.id, a.subject, a.flow_id, f.source_id, s.name, t.name, a.first_seen, a.last_seen, n.currency, n.orders, n.units, n.value,
  n.lowest, n.highest, one.l::text, one.c::text
FROM sums n JOIN asked a ON a.id = n.exception_id JOIN integrations_flow f ON f.id = a.flow_id
JOIN integrations_connection s ON s.id = f.source_id JOIN integrations_connection t ON t.id = f.destination_id
LEFT JOIN LATERAL (SELECT l, c FROM found WHERE found.exception_id = n.exception_id AND found.delivery_id = n.sample LIMIT 1) one ON true
ORDER BY a.id, n.newest
"""  # noqa: S608 - our own constants


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingSku:
    """One unknown SKU as the orders show it; `value` is the net value of the waiting orders per currency, prices are of one unit.

    `component_of` is the bundle's SKU when the unknown SKU is only a part of what was sold: the title is then the bundle's.
    """

    exception_id: int
    sku: str
    flow_id: int
    source_id: int
    source: str
    destination: str
    title: str = ""
    variant_title: str = ""
    options: dict[str, str] = field(default_factory=dict)
    product_key: str = ""
    variant_key: str = ""
    component_of: str = ""
    prices: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)  # currency → lowest and highest
    paid: dict[str, Decimal] = field(default_factory=dict)  # currency → what one unit came to in the newest order, with discount and tax
    components: tuple[tuple[str, int, Decimal | None], ...] = ()  # what the source says a bundle is made of
    units: int = 0
    orders: int = 0
    value: dict[str, Decimal] = field(default_factory=dict)
    first_seen: datetime
    last_seen: datetime


def waiting_lines(exception_ids: Collection[int], *, newest: int | None = None) -> dict[int, WaitingSku]:
    """What waits for each of these unmapped-SKU exceptions, by id; one query. An exception for which nothing waits any more is left out.

    With `newest` only so many orders of each are read: the line is right, and the sums are theirs alone.
    """
    if not exception_ids:
        return {}
    with database.cursor() as cursor:
        cursor.execute(WAITING, {"ids": list(exception_ids), "kind": UNMAPPED_SKU, "newest": newest})
        rows = cursor.fetchall()
    by_exception: dict[int, list[tuple]] = {}
    for row in rows:
        by_exception.setdefault(row[0], []).append(row)
    return {exception_id: _read(found) for exception_id, found in by_exception.items()}


def waiting_shown(exception_ids: Collection[int]) -> dict[int, WaitingSku]:
    """The same for pages, in two queries: where many orders wait, sums are those last looked up (within the minute)."""
    known = {row.exception_id: row for row in SkuBacklog.objects.filter(exception__in=exception_ids).exclude(amounts={})}
    found = waiting_lines(exception_ids, newest=NEWEST if len(known) == len(exception_ids) else None)
    for pk, row in known.items():
        if pk in found and row.orders > NEWEST:
            value = {currency: Decimal(amount) for currency, amount in row.amounts.items()}
            found[pk] = replace(found[pk], orders=row.orders, units=row.units, value=value)
    return found


def _read(rows: list[tuple]) -> WaitingSku:
    """One exception's rows, one per currency, the newest order's last."""
    pk, sku, flow_id, source_id, source, destination, first_seen, last_seen, *_, line_json, part_json = rows[-1]
    line, part = orjson.loads(line_json or "{}"), orjson.loads(part_json or "null")
    shown = part or line
    return WaitingSku(
        exception_id=pk, sku=sku, flow_id=flow_id, source_id=source_id, source=source, destination=destination,
        title=line.get("title", ""), variant_title=line.get("variant_title", ""), options=line.get("options") or {},
        product_key=shown.get("product_key", ""), variant_key=shown.get("variant_key", ""),
        component_of=(line.get("sku") or line.get("title", "")) if part else "",
        prices={row[8]: (row[12], row[13]) for row in rows if row[8] and row[12] is not None},
        paid={} if part else _paid(line, rows[-1][8]),
        components=() if part else tuple(_part(entry) for entry in line.get("components") or ()),
        units=sum(int(row[10] or 0) for row in rows), orders=sum(row[9] for row in rows),
        value={row[8]: row[11] for row in rows if row[8]}, first_seen=first_seen, last_seen=last_seen,
    )  # fmt: skip


def _paid(line: dict[str, str], currency: str) -> dict[str, Decimal]:
    quantity = int(line.get("quantity") or 0)
    return {currency: Decimal(line["total"]) / quantity} if quantity and currency and "total" in line else {}


def _part(entry: dict[str, str]) -> tuple[str, int, Decimal | None]:
    quantity, price = int(entry.get("quantity") or 1), entry.get("price")
    return entry.get("sku", ""), quantity, None if price is None else Decimal(price) * quantity
