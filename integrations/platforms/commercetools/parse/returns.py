"""What came back of an order: money by its payments, units by its returns; neither is counted twice.

Refunded is what payments show as moved (Refund and Chargeback with state Success). Returned items that the shop marked as refunded say
which lines it was for; where no payment shows any refund they stand for the money as well. commercetools joins the two nowhere, so money
beyond the returned goods belongs to no line, and less money than they are worth is shared out over them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from integrations.platforms.base import JsonObject
from integrations.platforms.commercetools.parse.amounts import LineAmounts
from integrations.platforms.commercetools.parse.money import ZERO, currency_of, money
from integrations.platforms.commercetools.parse.values import key_of, moment, needed_moment
from integrations.platforms.values import child, count, need, rows, text
from mapping.money import allocate, quantise
from mapping.records import Refund, RefundLine

GIVEN_BACK = frozenset({"Refund", "Chargeback"})
SUCCESS, REFUNDED = "Success", "Refunded"


@dataclass(slots=True)
class Back:
    """What left one line so far."""

    units: int = 0
    amount: Decimal = ZERO


@dataclass(slots=True)
class Aftersales:
    """Everything given back: by line, in all, and the single refunds."""

    by_line: dict[str, Back] = field(default_factory=dict)
    refunded: Decimal = ZERO
    refunds: tuple[Refund, ...] = ()

    @property
    def beside(self) -> Decimal:
        """The money that belongs to no line."""
        return self.refunded - sum((back.amount for back in self.by_line.values()), ZERO)


@dataclass(frozen=True, slots=True)
class _Repayment:
    key: str
    at: datetime
    amount: Decimal
    reason: str = ""


def aftersales_of(raw: JsonObject, lines: Sequence[LineAmounts], total: Decimal, currency: str) -> Aftersales:
    """All refunds of an order up to now; raises Unparsable for a transaction without amount or time."""
    repayments = sorted(_repayments(raw, currency), key=lambda repayment: (repayment.at, repayment.key))
    by_key = {line.key: line for line in lines}
    returned = _returned(raw, by_key, currency)
    if not repayments:
        repayments = sorted(_by_returns(raw, by_key, currency), key=lambda repayment: (repayment.at, repayment.key))
    found = Aftersales(refunded=sum((repayment.amount for repayment in repayments), ZERO))
    if found.refunded <= 0:
        return found
    if found.refunded >= total:
        returned = {line.key: Back(line.quantity, line.total) for line in lines}
    found.by_line = _covered(returned, found.refunded, currency)
    found.refunds = tuple(_refunds(repayments, found.by_line))
    return found


def payments_of(raw: JsonObject) -> list[JsonObject]:
    """The payments of an order that were brought along; none where the scope for them is missing."""
    return [payment for entry in rows(raw, "paymentInfo", "payments") if (payment := child(entry, "obj"))]


def transactions_of(raw: JsonObject, currency: str, *kinds: str) -> Iterator[tuple[JsonObject, JsonObject]]:
    """Payment and transaction, of those that went through, of these kinds and in the order's currency."""
    for payment in payments_of(raw):
        for entry in rows(payment, "transactions"):
            if text(entry, "type") in kinds and text(entry, "state") == SUCCESS and currency_of(need(entry, "amount")) == currency:
                yield payment, entry


def _repayments(raw: JsonObject, currency: str) -> Iterator[_Repayment]:
    for payment, entry in transactions_of(raw, currency, *sorted(GIVEN_BACK)):
        at = moment(entry, "timestamp") or needed_moment(payment, "lastModifiedAt", "createdAt")
        reason = "Chargeback" if text(entry, "type") == "Chargeback" else ""
        yield _Repayment(key_of(entry), at, quantise(money(entry["amount"]), currency), reason)


def _items(raw: JsonObject) -> Iterator[tuple[JsonObject, JsonObject]]:
    """Return and item, of those whose money was given back."""
    for entry in rows(raw, "returnInfo"):
        yield from ((entry, item) for item in rows(entry, "items") if text(item, "paymentState") == REFUNDED)


def _returned(raw: JsonObject, lines: dict[str, LineAmounts], currency: str) -> dict[str, Back]:
    """Units and value by line, never more than the line had."""
    found: dict[str, Back] = {}
    for _, item in _items(raw):
        line = lines.get(text(item, "lineItemId", "customLineItemId"))
        if line is None:
            continue
        back = found.setdefault(line.key, Back())
        back.units = min(line.quantity, back.units + max(0, count(item, "quantity", 1)))
        back.amount = line.total if back.units == line.quantity else quantise(line.total * back.units / line.quantity, currency)
    return found


def _by_returns(raw: JsonObject, lines: dict[str, LineAmounts], currency: str) -> Iterator[_Repayment]:
    """One repayment per returned item, worth what the item added to its line."""
    before: dict[str, Decimal] = {}
    seen: list[JsonObject] = []
    for entry, item in _items(raw):
        seen.append(item)
        key = text(item, "lineItemId", "customLineItemId")
        worth = _returned({"returnInfo": [{"items": seen}]}, lines, currency).get(key, Back()).amount
        at = moment(entry, "returnDate") or needed_moment({**raw, **item}, "lastModifiedAt", "createdAt")
        if worth > before.get(key, ZERO):
            yield _Repayment(f"return:{key_of(item)}", at, worth - before.get(key, ZERO), text(item, "comment"))
            before[key] = worth


def _covered(returned: dict[str, Back], refunded: Decimal, currency: str) -> dict[str, Back]:
    """The returned lines with what of the money falls on each."""
    worth = [max(back.amount, ZERO) for back in returned.values()]
    if not returned or sum(worth, ZERO) <= refunded:
        return returned
    parts = allocate(refunded, worth, currency)
    return {key: Back(back.units, part) for (key, back), part in zip(returned.items(), parts, strict=True)}


def _refunds(repayments: Sequence[_Repayment], by_line: dict[str, Back]) -> Iterator[Refund]:
    """Each repayment with the lines it paid for, in the order of time; units go with the last of their money."""
    open_lines = [(key, back.units, back.amount) for key, back in by_line.items() if back.amount > 0]
    for repayment in repayments:
        left, parts = repayment.amount, []
        while left > 0 and open_lines:
            key, units, due = open_lines.pop(0)
            part = min(left, due)
            left -= part
            whole = part == due
            parts.append(RefundLine(line_key=key, quantity=units if whole else 0, amount=part))
            if not whole:
                open_lines.insert(0, (key, units, due - part))
        yield Refund(key=repayment.key, refunded_at=repayment.at, amount=repayment.amount, lines=tuple(parts), reason=repayment.reason)
