"""What TikTok Shop counted for a day, as flat figures whatever their shape: amounts, counts and shares by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from integrations.platforms.base import Account, JsonObject
from integrations.platforms.errors import Unparsable
from integrations.platforms.values import child, need
from mapping.records import Figures, Record

NO_FIGURES = frozenset({"id", "name", "title", "start_date", "end_date", "currency"})


def parse_figures(account: Account, raw: JsonObject) -> Sequence[Record]:
    """The figures of one subject and day, counted at the end of that day; raises Unparsable for a day that is none."""
    del account
    subject, day = str(need(raw, "subject")), str(need(raw, "day"))
    try:
        end = datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=1)
    except ValueError as fault:
        raise Unparsable(f"day is none: {day[:40]!r}") from fault
    figures = child(raw, "figures")
    values = dict(_flat(figures))
    currency = next((str(value["currency"]) for value in figures.values() if isinstance(value, dict) and value.get("currency")), "")
    return (Figures(key=f"{subject}:{day}", occurred_at=end, subject=subject, day=day, currency=currency, values=values),)


def _flat(figures: JsonObject, prefix: str = "") -> Iterator[tuple[str, Decimal]]:
    for name, value in figures.items():
        if name in NO_FIGURES:
            continue
        if isinstance(value, dict):
            if "amount" in value:
                yield from _number(prefix + name, value["amount"])
            else:
                yield from _flat(value, f"{prefix}{name}.")
        else:
            yield from _number(prefix + name, value)


def _number(name: str, value: Any) -> Iterator[tuple[str, Decimal]]:
    """A number or text of one; shares such as "12.5%" count as well, anything else is no figure."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return
    try:
        number = Decimal(str(value).removesuffix("%"))
    except InvalidOperation:
        return
    if number.is_finite():
        yield name, number
