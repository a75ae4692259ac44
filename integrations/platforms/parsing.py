"""What the rooms' parsers share: the parser that fits a shape, and one error for every shape that is not the documented one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from integrations.platforms.base import Account, JsonObject, RawObject
from integrations.platforms.bodies import raw_reason
from integrations.platforms.errors import Unparsable
from mapping.records import Record

Parser = Callable[[Account, JsonObject], Sequence[Record]]
ANOTHER_TYPE = (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError)  # what a value of another type leads to


def parse_by(parsers: Mapping[str, Parser], account: Account, raw: RawObject) -> Sequence[Record]:
    """The records inside one object; Unparsable when its shape is not the documented one."""
    if reason := raw_reason(raw.data):
        raise Unparsable(f"{raw.shape}: {reason}")
    parser = parsers.get(raw.shape)
    if parser is None:
        raise Unparsable(f"unknown shape {raw.shape}")
    try:
        return parser(account, raw.data)
    except Unparsable as fault:
        raise Unparsable(f"{raw.shape}: {fault}") from fault
    except ANOTHER_TYPE as fault:
        raise Unparsable(f"{raw.shape}: {type(fault).__name__}: {fault}") from fault
