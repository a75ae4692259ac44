"""What people choose for an unknown SKU, as forms and sheets bring it: target SKUs with quantities and weights, or "let it through"."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import zip_longest

import orjson
from django.contrib.auth.models import User
from django.http import QueryDict

from integrations.admin.desk import Refusal
from integrations.engine.backlog import plain_parts
from integrations.engine.suggest import CannotAnswer, answer_sku, ignore_sku
from integrations.models import SkuAnswer, SyncException
from mapping.suggestions import Component

MAX_COMPONENTS = 20
MOST_UNITS = 9999
THROUGH = "let through as it is"


@dataclass(frozen=True, slots=True)
class Choice:
    """What one unknown SKU shall be; no components = it is let through as it is."""

    exception_id: int
    components: tuple[Component, ...] = ()

    @property
    def words(self) -> str:
        """In one line: "2 × SOAP + 1 × DISH"."""
        return in_words(self.components)

    def plain(self) -> list[object]:
        """As JSON holds it."""
        return [self.exception_id, plain_parts(self.components)]


def in_words(components: Iterable[Component]) -> str:
    """Components in one line; a single one without its quantity."""
    parts = [(sku, quantity) for sku, quantity, _ in components]
    if len(parts) == 1 and parts[0][1] == 1:
        return parts[0][0]
    return " + ".join(f"{quantity} × {sku}" for sku, quantity in parts) or THROUGH


def parts_from_json(text: str) -> tuple[Component, ...]:
    """The components that a button of a suggestion carries; raises Refusal."""
    try:
        rows = orjson.loads(text)
        return check(part(str(sku), str(quantity), "" if share is None else str(share)) for sku, quantity, share in rows)
    except (orjson.JSONDecodeError, TypeError, ValueError) as fault:
        raise Refusal("This suggestion cannot be read. Load the page again.") from fault


def parts_from_form(data: QueryDict) -> tuple[Component, ...]:
    """The rows of the bundle form; raises Refusal in plain words."""
    columns = (data.getlist(name) for name in ("target_sku", "quantity", "share"))
    rows = [tuple(cell.strip() for cell in row) for row in zip_longest(*columns, fillvalue="")]
    return check(part(*row) for row in rows if row[0])


def part(sku: str, quantity: str, share: str) -> Component:
    """One component from its texts; raises Refusal."""
    if not quantity.isdecimal() or not 1 <= int(quantity) <= MOST_UNITS:
        raise Refusal(f"The quantity of {sku} must be a whole number from 1 to {MOST_UNITS:,}.")
    return sku[:255], int(quantity), _weight(sku, share)


def _weight(sku: str, text: str) -> Decimal | None:
    if not text:
        return None
    try:
        weight = Decimal(text.replace(",", "."))
    except InvalidOperation as fault:
        raise Refusal(f"The share of {sku} must be a number, or empty.") from fault
    if not weight.is_finite() or not 0 <= weight < 100_000_000:
        raise Refusal(f"The share of {sku} must be a number from 0, or empty.")
    return weight


def check(parts: Iterable[Component]) -> tuple[Component, ...]:
    """The components together; raises Refusal when there is none, one twice, or too many."""
    found = tuple(parts)
    skus = [sku for sku, _, _ in found]
    if not found:
        raise Refusal("Name at least one target SKU.")
    if twice := sorted({sku for sku in skus if skus.count(sku) > 1}):
        raise Refusal(f"{twice[0]} is named twice; put its whole quantity into one row.")
    if len(found) > MAX_COMPONENTS:
        raise Refusal(f"A bundle has at most {MAX_COMPONENTS} components.")
    return found


def choices_from_json(text: str) -> list[Choice]:
    """The choices that a page of many carries from step to step; raises Refusal."""
    try:
        rows = orjson.loads(text)
        return [
            Choice(int(pk), check(part(str(s), str(q), "" if w is None else str(w)) for s, q, w in parts) if parts else ())
            for pk, parts in rows
        ]
    except (orjson.JSONDecodeError, TypeError, ValueError) as fault:
        raise Refusal("The list of what to do cannot be read. Begin again.") from fault


def choices_to_json(choices: Sequence[Choice]) -> str:
    """The other way round."""
    return orjson.dumps([choice.plain() for choice in choices]).decode()


def give(exception: SyncException, components: Sequence[Component], by: User, *, note: str = "") -> SkuAnswer:
    """Answer one question; raises Refusal when the engine does not take it."""
    try:
        return answer_sku(exception, components, by, note=note) if components else ignore_sku(exception, by, note)
    except CannotAnswer as reason:
        raise Refusal(str(reason)) from reason
