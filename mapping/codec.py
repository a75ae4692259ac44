"""Records to JSON and back, compiled once per record class; Decimal travels as a string, time as ISO 8601."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache

import orjson

from mapping.records import RECORD_CLASSES, Record, RecordType

Decoder = Callable[[object], object]


def dumps(record: Record) -> bytes:
    """The record as canonical JSON: equal records give equal bytes."""
    return orjson.dumps(record, default=_decimal, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)


def loads(record_type: str, data: bytes | str) -> Record:
    """The record that `dumps` wrote; raises ValueError or KeyError when it is not one."""
    return from_json(record_type, orjson.loads(data))


def from_json(record_type: str, data: dict[str, object]) -> Record:
    """The record held by a parsed JSON object (a jsonb column); raises KeyError for missing fields."""
    return typing.cast(Record, _decoder(RECORD_CLASSES[RecordType(record_type)])(data))


def _decimal(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"a record cannot hold {type(value).__name__}")


@cache
def _decoder(cls: type) -> Decoder:
    hints = typing.get_type_hints(cls)
    parts = tuple((f.name, _value_decoder(hints[f.name])) for f in dataclasses.fields(cls))
    plain = tuple(name for name, decode in parts if decode is None)
    special = tuple((name, decode) for name, decode in parts if decode is not None)

    def decode(data: object) -> object:
        source = typing.cast(dict[str, object], data)
        values = {name: source[name] for name in plain if name in source}
        for name, convert in special:
            if name in source:
                values[name] = convert(source[name])
        return cls(**values)

    return decode


def _value_decoder(hint: object) -> Decoder | None:
    """How to turn JSON into `hint`; None when JSON holds it as it is."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        inner = _value_decoder(next(arg for arg in args if arg is not types.NoneType))
        return None if inner is None else lambda value: None if value is None else inner(value)
    if origin is tuple:
        inner = _value_decoder(args[0])
        return tuple if inner is None else lambda value: tuple([inner(item) for item in value])
    if origin is dict:
        inner = _value_decoder(args[1])
        return None if inner is None else lambda value: {name: inner(item) for name, item in value.items()}
    if hint is Decimal:
        return Decimal
    if hint is datetime:
        return datetime.fromisoformat
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint
    if dataclasses.is_dataclass(hint):
        return _decoder(typing.cast(type, hint))
    return None
