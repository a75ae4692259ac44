"""What a predicate says about where to look: ranges of sorted fields and equalities, so that a page costs the same in any crowd."""

from collections.abc import Iterator
from typing import Any

from integrations.standins.commercetools.kinds import Path
from integrations.standins.commercetools.predicates import Among, And, Compare, Nested, Node, Not, Or, Presence

Range = tuple[str | None, str | None]
OPEN: Range = (None, None)


def range_of(node: Node, field: str) -> Range:
    """Between which values (both included) a fitting resource's field must be; None where nothing is said."""
    match node:
        case And(parts):
            return _narrowed([range_of(part, field) for part in parts])
        case Or(parts):
            return _widened([range_of(part, field) for part in parts])
        case Compare(name, op, value) if name == field and op != "!=":
            text = str(value)
            return (text if op in ("=", ">", ">=") else None, text if op in ("=", "<", "<=") else None)
        case Among(name, values, False) if name == field and values:
            return str(min(values)), str(max(values))
    return OPEN


def _narrowed(ranges: list[Range]) -> Range:
    lows, highs = [low for low, _ in ranges if low is not None], [high for _, high in ranges if high is not None]
    return max(lows, default=None), min(highs, default=None)


def _widened(ranges: list[Range]) -> Range:
    lows, highs = [low for low, _ in ranges], [high for _, high in ranges]
    return (
        None if None in lows else min(low for low in lows if low is not None),
        None if None in highs else max(high for high in highs if high is not None),
    )


def equalities(node: Node, above: Path = ()) -> Iterator[tuple[Path, tuple[Any, ...]]]:
    """Paths that must have one of some values for a resource to fit."""
    match node:
        case And(parts):
            for part in parts:
                yield from equalities(part, above)
        case Nested(field, part):
            yield from equalities(part, (*above, field))
        case Compare(field, "=", value):
            yield (*above, field), (value,)
        case Among(field, values, False):
            yield (*above, field), values


def top_fields(node: Node) -> Iterator[str]:
    """The resource's own fields a predicate looks at."""
    match node:
        case And(parts) | Or(parts):
            for part in parts:
                yield from top_fields(part)
        case Not(part):
            yield from top_fields(part)
        case Nested(field) | Presence(field):
            yield field
        case _:
            yield node.field
