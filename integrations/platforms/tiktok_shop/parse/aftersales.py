"""What befell the units of an order: cancelled before shipment, or refunded after it. A cancellation is never a refund.

Everything is read anew from all requests each time, so that it is cumulative, and the same however often and in which order it comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from integrations.platforms.base import JsonObject
from integrations.platforms.tiktok_shop.parse.units import ZERO, Unit
from integrations.platforms.tiktok_shop.parse.values import key_at, moment, money, needed_moment
from integrations.platforms.values import child, rows, text
from mapping.money import allocate

CANCELLED = frozenset({"CANCELLED", "CANCEL"})  # webhook type 1 spells it the second way
UNDER_WAY = frozenset({"AWAITING_COLLECTION", "IN_TRANSIT", "DELIVERED", "COMPLETED"})
CANCELLATION_DONE = frozenset({"CANCELLATION_REQUEST_SUCCESS", "CANCELLATION_REQUEST_COMPLETE"})
REFUNDED = frozenset({"RETURN_OR_REFUND_REQUEST_COMPLETE", "REPLACEMENT_REQUEST_REFUND_SUCCESS", "EXCHANGE_REQUEST_REFUND_SUCCESS"})
GOODS_BACK = "RETURN_AND_REFUND"


@dataclass(frozen=True, slots=True)
class Repayment:
    """One refund: its amount, and the part of each unit. `whole` are units that it ended: their goods or all their money came back."""

    key: str
    at: datetime
    amount: Decimal
    parts: Mapping[str, Decimal]
    whole: frozenset[str]
    reason: str


@dataclass(slots=True)
class Aftersales:
    """Sums by unit id. `gone` units were cancelled whole; `cancelled_beside` is money of cancellations that lies on no unit."""

    gone: set[str] = field(default_factory=set)
    cancelled: dict[str, Decimal] = field(default_factory=dict)
    cancelled_beside: Decimal = ZERO
    refunded: dict[str, Decimal] = field(default_factory=dict)
    returned: set[str] = field(default_factory=set)
    repayments: list[Repayment] = field(default_factory=list)

    @property
    def repaid(self) -> Decimal:
        """All money given back after shipment."""
        return sum((repayment.amount for repayment in self.repayments), ZERO)


def aftersales_of(raw: JsonObject, units: Sequence[Unit], currency: str) -> Aftersales:
    """Everything taken off and given back so far; raises Unparsable for a request without id or time."""
    found = Aftersales()
    for request in sorted(counted_returns(raw), key=lambda row: (row.get("update_time") or 0, str(row.get("return_id")))):
        _repay(found, request, {unit.id: unit for unit in units}, currency)
    _cancel(found, raw, units, currency)
    return found


def counted_returns(raw: JsonObject) -> list[JsonObject]:
    """Requests whose money was given back, each once; of a request that was edited only the last edition that was refunded."""
    newest: dict[str, JsonObject] = {}
    for row in rows(raw, "returns"):
        key = key_at(row, "return_id")
        if key not in newest or (row.get("update_time") or 0) >= (newest[key].get("update_time") or 0):
            newest[key] = row
    return [
        row for row in newest.values()
        if text(row, "return_status") in REFUNDED
        and not any(text(later, "return_status") in REFUNDED for later in _later_editions(row, newest))
    ]  # fmt: skip


def done_cancellations(raw: JsonObject) -> list[JsonObject]:
    """Requests to cancel that were accepted or carried out."""
    return [row for row in rows(raw, "cancellations") if text(row, "cancel_status") in CANCELLATION_DONE]


def cancelled_at(raw: JsonObject) -> datetime | None:
    """When the order was cancelled, by itself or by its newest cancellation."""
    found = moment(child(raw, "order"), "cancel_time")
    times = (moment(row, "update_time", "create_time") for row in done_cancellations(raw))
    return found or max((time for time in times if time), default=None)


def _later_editions(row: JsonObject, by_key: Mapping[str, JsonObject]) -> Iterable[JsonObject]:
    """What a request was edited into, step by step; both ends of the chain are read, and a ring ends it."""
    follower = {text(other, "pre_return_id"): key for key, other in by_key.items() if text(other, "pre_return_id")}
    seen, key = set(), text(row, "return_id")
    while key not in seen:
        seen.add(key)
        key = text(by_key.get(key, {}), "next_return_id") or follower.get(key, "")
        if key not in by_key or key in seen:
            return
        yield by_key[key]


def _repay(found: Aftersales, request: JsonObject, units: Mapping[str, Unit], currency: str) -> None:
    total = money(child(request, "refund_amount"), "refund_total", currency)
    if total is None:
        total = money(child(request, "partial_refund"), "amount", currency) or ZERO
    parts = _parts(request, units, total, currency)
    for unit_id, part in parts.items():
        found.refunded[unit_id] = found.refunded.get(unit_id, ZERO) + part
    goods_back = text(request, "return_type") == GOODS_BACK
    whole = {key for key in parts if goods_back or found.refunded[key] >= units[key].value} - found.returned
    found.returned |= whole
    reason = text(request, "return_reason_text", "return_reason")
    at = needed_moment(request, "update_time", "create_time")
    found.repayments.append(Repayment(key_at(request, "return_id"), at, total, parts, frozenset(whole), reason))


def _parts(request: JsonObject, units: Mapping[str, Unit], total: Decimal, currency: str) -> dict[str, Decimal]:
    """What of a refund falls on each unit: as its lines say, by value where they are silent, never more than was paid."""
    stated: dict[str, Decimal | None] = {}
    for line in rows(request, "return_line_items"):
        key = text(line, "order_line_item_id")
        if key in units:
            said = money(child(line, "refund_amount"), "refund_total", currency)
            stated[key] = said if stated.get(key) is None else (stated[key] or ZERO) + (said or ZERO)
    if not stated:
        return {}
    known = {key: said for key, said in stated.items() if said is not None}
    if len(known) < len(stated) or sum(known.values(), ZERO) > total:
        weights = [units[key].value if len(known) < len(stated) else known[key] for key in stated]
        return dict(zip(stated, allocate(total, [max(weight, ZERO) for weight in weights], currency), strict=True))
    return known


def _cancel(found: Aftersales, raw: JsonObject, units: Sequence[Unit], currency: str) -> None:
    """Units of a cancelled order, units that say so themselves, and units of cancellations that were carried out."""
    by_id = {unit.id: unit for unit in units}
    if text(child(raw, "order"), "status") in CANCELLED:
        found.gone |= set(by_id)
    found.gone |= {unit.id for unit in units if unit.status in CANCELLED}
    partly: dict[str, Decimal] = {}
    for request in done_cancellations(raw):
        named = [line for line in rows(request, "cancel_line_items") if text(line, "order_line_item_id") in by_id]
        taken = {key: by_id[key].value for key in _whole_units(request, named, units)}
        found.gone |= set(taken)
        for line in named:
            key = text(line, "order_line_item_id")
            if key not in taken:  # components of a bundle
                taken[key] = money(child(line, "refund_amount"), "refund_total", currency) or ZERO
                partly[key] = partly.get(key, ZERO) + taken[key]
        back = money(child(request, "refund_amount"), "refund_total", currency) or ZERO
        found.cancelled_beside += max(ZERO, back - sum(taken.values(), ZERO))
    for unit in units:
        left = max(ZERO, unit.value - found.refunded.get(unit.id, ZERO))
        off = left if unit.id in found.gone else min(left, partly.get(unit.id, ZERO))
        if off:
            found.cancelled[unit.id] = off


def _whole_units(request: JsonObject, named: Sequence[JsonObject], units: Sequence[Unit]) -> set[str]:
    """Units that a cancellation takes off as a whole; one that names no line takes all that had not left."""
    if not rows(request, "cancel_line_items"):
        return {unit.id for unit in units if unit.status not in UNDER_WAY}
    cancelled = {unit.id for unit in units if unit.status in CANCELLED}
    keys = {text(line, "order_line_item_id") for line in named if not rows(line, "cancel_sub_line_items")}
    return keys | ({text(line, "order_line_item_id") for line in named} & cancelled)
