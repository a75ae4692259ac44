"""The verdict: what the shop holds, what we moved and what the Ometria stand-in holds, compared without asking the engine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from integrations.management.demo import verdict_storefront, verdict_tiktok
from integrations.management.demo.cast import Cast
from integrations.management.demo.stage import Stage
from integrations.management.demo.tally import Check, Row, missing, tally
from integrations.management.demo.visitors import Event
from integrations.models import InboxEvent
from integrations.standins.shopify.orders import Order

SHOWN_FAULTS = 8
CONSENT = {"SUBSCRIBED": True, "UNSUBSCRIBED": False}


@dataclass(frozen=True, slots=True)
class Verdict:
    """All of it; `agrees` decides the command's exit code."""

    rows: tuple[Row, ...]
    checks: tuple[Check, ...]

    @property
    def faults(self) -> list[str]:
        """Everything that does not agree."""
        return [fault for part in (*self.rows, *self.checks) for fault in part.faults]

    @property
    def agrees(self) -> bool:
        """Whether nothing differs."""
        return not self.faults


def reach(stage: Stage, cast: Cast, visits: list[Event] | None = None) -> Verdict:
    """Compare both ends; `visits` are the events that visitors' browsers sent."""
    everything = {name: stage.ometria.look(f"/{name}") for name in ("contacts", "orders", "products", "events")}
    held, storefronts = verdict_storefront.split(stage, everything)
    rows = [tally(cast.flows[kind], there(held), truth(stage)) for kind, (there, truth) in FLOWS.items()]
    checks = (
        _money(stage, held["orders"]),
        _contacts(stage, cast, held["contacts"]),
        _prices(stage, held["products"]),
        _once(stage),
        _webhooks(stage, cast),
        _unknown_keys(stage),
        *verdict_tiktok.checks(stage, cast, held, visits or []),
        *verdict_storefront.checks(stage, cast, storefronts),
    )
    more = (*verdict_tiktok.rows(stage, cast, held), *verdict_storefront.rows(stage, cast, storefronts))
    return Verdict((*rows, *more), checks)


def _ids(name: str) -> Callable[[Stage], set[str]]:
    return lambda stage: {str(key) for key in getattr(stage.shop, name).live}


def _products(variants: bool) -> Callable[[dict[str, Any]], set[str]]:
    return lambda held: {key for key, record in held["products"].items() if bool(record.get("is_variant")) is variants}


# record type → what the account holds of it, and what the shop has of it
FLOWS: dict[str, tuple[Callable[[dict[str, Any]], set[str]], Callable[[Stage], set[str] | None]]] = {
    "customer": (lambda held: {key for key in held["contacts"] if not key.startswith("tiktok_shop:")}, _ids("customers")),
    "order": (lambda held: {key for key in held["orders"] if not key.startswith("tts-")}, _ids("orders")),
    "checkout": (lambda held: {key for key, row in held["events"].items() if "source" not in row["properties"]}, lambda stage: None),
    "product": (_products(False), _ids("products")),
    "variant": (_products(True), _ids("variants")),
}


# --- promises beyond the counts ----------------------------------------------------------------------------------------


def _money(stage: Stage, held: dict[str, Any]) -> Check:
    """Net of every order: what the shop still has of it equals what the account makes of it; what was cancelled does not count."""
    faults, compared = [], 0
    for order in stage.shop.orders.live.values():
        record = held.get(f"shp-{order.id}")
        if record is None:
            continue  # held or skipped: the counts tell
        compared += 1
        faults += _differences(order, record)
    return Check(f"{compared} orders: net value, validity and sums are equal on both sides", tuple(faults))


def _differences(order: Order, record: dict[str, Any]) -> Iterator[str]:
    grand, refunded = _decimal(record["grand_total"]), _decimal(record["total_refunded"])
    other = _decimal(record.get("properties", {}).get("refund_other") or 0)
    if order.cancelled_at is not None:
        if record["is_valid"] or record["status"] != "cancelled":
            yield f"order {order.name} is cancelled, but {record['status']} and valid={record['is_valid']} there"
        return
    if grand - refunded - other != order.current_total:
        yield f"order {order.name}: {order.current_total} at the shop, {grand} − {refunded} − {other} there"
    fully = order.financial_status == "REFUNDED"
    if record["is_valid"] is not (order.financial_status in COUNTING):
        yield f"order {order.name} is {order.financial_status} at the shop, valid={record['is_valid']} there"
    if fully and record["status"] != "refunded":
        yield f"order {order.name} is refunded at the shop, {record['status']} there"
    parts = sum((_decimal(record.get(name, 0)) for name in ("subtotal", "discount", "tax", "shipping")), Decimal(0))
    if parts != grand:
        yield f"order {order.name}: its parts make {parts} there, not {grand}"


COUNTING = {"PAID", "PARTIALLY_REFUNDED"}


def _decimal(value: object) -> Decimal:
    return Decimal(str(value))


def _contacts(stage: Stage, cast: Cast, held: dict[str, Any]) -> Check:
    """E-mail and e-mail consent of every customer that was sent."""
    faults, compared = [], 0
    for customer in stage.shop.customers.live.values():
        record = held.get(f"shopify:{customer.id}")
        if record is None:
            continue
        compared += 1
        said = {"EXPLICITLY_OPTEDIN": True, "EXPLICITLY_OPTEDOUT": False}.get(record.get("marketing_optin", ""))
        if record.get("email") != (customer.email or None):
            faults.append(f"customer {customer.id}: another e-mail address there")
        if said != CONSENT.get(customer.email_consent.state):
            faults.append(f"customer {customer.id}: {customer.email_consent.state} at the shop, {record.get('marketing_optin')} there")
    return Check(f"{compared} customers: e-mail address and consent are equal on both sides", tuple(faults))


def _prices(stage: Stage, held: dict[str, Any]) -> Check:
    """The price a buyer pays for every variant."""
    faults, compared = [], 0
    for variant in stage.shop.variants.live.values():
        record = held.get(str(variant.id))
        if record is None:
            continue
        compared += 1
        paid = record.get("special_price") if record.get("special_price") is not None else record["price"]
        if _decimal(paid) != variant.price:
            faults.append(f"variant {variant.sku}: {variant.price} at the shop, {paid} there")
    return Check(f"{compared} variants: the price is equal on both sides", tuple(faults))


def _once(stage: Stage) -> Check:
    """The account's own ledger: nothing was applied twice in a row with the same content, nothing was rejected."""
    last: dict[tuple[str, str], str] = {}
    twice, effects = [], stage.ometria.ledger.effects()
    for effect in effects:
        key = (effect.kind, effect.key)
        if effect.kind == "rejected":
            twice.append(f"rejected: {effect.key}")
        elif last.get(key) == effect.digest:
            twice.append(f"applied twice with the same content: {effect.kind} {effect.key}")
        last[key] = effect.digest
    return Check(f"{len(effects)} effects in the account's ledger, none of them twice", tuple(twice))


def _webhooks(stage: Stage, cast: Cast) -> Check:
    """Every acknowledged webhook is one inbox event, however often it came."""
    acknowledged: dict[str, int] = defaultdict(int)
    for effect in stage.shopify.ledger.effects("webhook_sent"):
        acknowledged[effect.key] += 1
    stored = set(InboxEvent.objects.filter(connection=cast.shop).exclude(topic__startswith="pull:").values_list("dedup_key", flat=True))
    known = {key.rpartition(":")[2] for key in stored}
    faults = missing("webhook acknowledged but not stored", set(acknowledged) - known)
    if len(stored) != len(known & set(acknowledged)):
        faults.append(f"{len(stored)} inbox events for {len(acknowledged)} different webhooks")
    failed = InboxEvent.objects.filter(connection=cast.shop, state=InboxEvent.State.FAILED).count()
    faults += [f"{failed} inbox events could not be read"] if failed else []
    total = sum(acknowledged.values())
    return Check(f"{total} webhooks acknowledged, {len(acknowledged)} different ones, each stored once", tuple(faults))


def _unknown_keys(stage: Stage) -> Check:
    found = stage.ometria.look("/unknown-keys")
    return Check("every field that was sent is one the account knows", tuple(f"unknown field: {name}" for name in found))


# --- the table ---------------------------------------------------------------------------------------------------------


HEADS = ("flow", "at the source", "records in", "delivered", "held", "skipped", "refused", "there", "agree")


def table(verdict: Verdict) -> str:
    """The verdict as text."""
    lines = [HEADS, *(_cells(row) for row in verdict.rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADS))]
    out = [_line(lines[0], widths), "─" * (sum(widths) + 3 * (len(widths) - 1)), *(_line(line, widths) for line in lines[1:]), ""]
    out += [f"{'✓' if not check.faults else '✗'} {check.text}" for check in verdict.checks]
    for fault in verdict.faults[:SHOWN_FAULTS]:
        out.append(f"  ! {fault}")
    if len(verdict.faults) > SHOWN_FAULTS:
        out.append(f"  ! and {len(verdict.faults) - SHOWN_FAULTS} more")
    return "\n".join(out)


def _cells(row: Row) -> Sequence[str]:
    held = ", ".join(f"{count} {reason}" for reason, count in sorted(row.held.items())) or "0"
    source = "–" if row.source is None else str(row.source)
    figures = (row.records, row.delivered, held, row.skipped, row.refused, row.there)
    return (row.flow, source, *map(str, figures), "yes" if not row.faults else "NO")


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return " │ ".join(
        cell.ljust(width) if column in (0, 4, 8) else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ).rstrip()
