"""What no single field can tell: sums, identities and fields that need one another, as lists of rules per Ometria record type."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal

from integrations.platforms.base import JsonObject, Problem
from integrations.platforms.ometria.schema import IDENTITIES

CENT = Decimal("0.01")  # tolerance of the sum rule (orders page)
SURE, LARGE = 0.009, 1e9  # a difference below a cent by more than what floats of this size can be wrong
ORDER_PARTS = ("subtotal", "discount", "tax", "shipping")
LINE_PARTS = ("subtotal", "discount", "tax")
SCALARS = (str, int, float, bool, type(None))

Rule = Callable[[JsonObject], Iterable[Problem]]


def _amount(value: object) -> Decimal | None:
    """The exact decimal a JSON number was written as; None for what is not a finite number."""
    if type(value) is int or (type(value) is float and math.isfinite(value)):
        return Decimal(str(value))
    return None


def _surely_fits(total: object, amounts: list[object]) -> bool:
    """Whether the sum is right beyond the doubt of binary fractions, which tells for nearly every record without a Decimal."""
    if type(total) not in (int, float) or any(type(amount) not in (int, float) for amount in amounts):
        return False
    return abs(total - sum(amounts)) < SURE and abs(total) < LARGE


def _sum_problem(holder: JsonObject, total_name: str, parts: tuple[str, ...], path: str) -> Problem | None:
    if parts[0] in holder and _surely_fits(holder.get(total_name), [holder.get(part, 0) for part in parts]):
        return None
    total = _amount(holder.get(total_name))
    amounts = [_amount(holder.get(part, 0)) for part in parts]
    if total is None or None in amounts or parts[0] not in holder:
        return None  # the missing or malformed field is a problem of its own
    expected = sum(amounts, Decimal(0))
    if abs(total - expected) <= CENT:
        return None
    return Problem(field=path + total_name, message=f"is {total}, but {' + '.join(parts)} is {expected}")


def _sign_problem(holder: JsonObject, path: str) -> Problem | None:
    discount = _amount(holder.get("discount", 0))
    if discount is not None and discount > 0:
        return Problem(field=f"{path}discount", message="must be zero or negative")
    return None


def order_sums(order: JsonObject) -> Iterator[Problem]:
    """grand_total = subtotal + discount + tax + shipping within a cent; discounts are never positive."""
    yield from filter(None, (_sum_problem(order, "grand_total", ORDER_PARTS, ""), _sign_problem(order, "")))
    sides = order.get("totals")
    for side, sums in sides.items() if type(sides) is dict else ():
        if type(sums) is dict:
            found = _sum_problem(sums, "grand_total", ORDER_PARTS, f"totals.{side}."), _sign_problem(sums, f"totals.{side}.")
            yield from filter(None, found)


def line_sums(order: JsonObject) -> Iterator[Problem]:
    """Line total = subtotal + discount + tax within a cent; refunds are positive and never more units than were bought."""
    lines = order.get("lineitems")
    for position, line in enumerate(lines if type(lines) is list else ()):
        if type(line) is not dict:
            continue
        path = f"lineitems[{position}]."
        yield from filter(None, (_sum_problem(line, "total", LINE_PARTS, path), _sign_problem(line, path)))
        refunded = _amount(line.get("refunded", 0))
        if refunded is not None and refunded < 0:
            yield Problem(field=f"{path}refunded", message="must not be negative")
        bought, returned = line.get("quantity"), line.get("quantity_refunded", 0)
        if type(bought) is int and type(returned) is int and returned > bought:
            yield Problem(field=f"{path}quantity_refunded", message=f"is more than the quantity ({returned} of {bought})")


def identity(kind: str) -> Rule:
    """At least one identifier, so that Ometria can tell whose record it is."""
    names = IDENTITIES[kind]
    missing = Problem(field=names[0], message=f"the record needs at least one of {', '.join(names)}")

    def rule(payload: JsonObject) -> Iterator[Problem]:
        if not any(payload.get(name) for name in names):
            yield missing

    return rule


def forced_consent(contact: JsonObject) -> Iterator[Problem]:
    """`@force_optin` says which consent wins, so the consent must be there."""
    if contact.get("@force_optin") is True and "marketing_optin" not in contact:
        yield Problem(field="@force_optin", message="may only be sent together with marketing_optin")


def flat_properties(event: JsonObject) -> Iterator[Problem]:
    """Event properties are single values or lists of them (custom events page)."""
    held = event.get("properties")
    for name, value in held.items() if type(held) is dict else ():
        entries = value if type(value) is list else (value,)
        if not all(isinstance(entry, SCALARS) for entry in entries):
            yield Problem(field=f"properties.{name}", message="must be a single value or a list of single values")


RULES: Mapping[str, tuple[Rule, ...]] = {
    "contact": (identity("contact"), forced_consent),
    "order": (order_sums, line_sums),
    "product": (),
    "custom_event": (identity("custom_event"), flat_properties),
}
