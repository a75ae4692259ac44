"""The shapes of the field registry: what a mappable path is, and the rows its tables are written in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

Getter = Callable[[Any], Any]
Elements = Callable[[Any], Sequence[Any]]


@dataclass(frozen=True, slots=True)
class SourceField:
    """One mappable path. `type` is string, money, integer, boolean, datetime, list or any; each "[]" in the path enters a list.

    `get` reads the value from the innermost list entry (the record itself when there is none), or, when `whole` is set, from the tuple
    (record, entry, …). `currency` is the path of the currency that a money value is in.
    """

    path: str
    label: str
    type: str
    sample: object
    group: str
    get: Getter = field(repr=False, compare=False)
    currency: str = ""
    whole: bool = False

    @property
    def lists(self) -> tuple[str, ...]:
        """The list paths this path passes through: "lines[].options[].value" → ("lines", "lines[].options")."""
        parts = self.path.split("[]")[:-1]
        return tuple("[]".join(parts[: i + 1]) for i in range(len(parts)))


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a field table; `get` None reads the attributes that the path names, missing objects giving None."""

    path: str
    label: str
    type: str
    sample: object
    get: Getter | None = None
    currency: str = ""
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one heading in the editor. `prefix` is put before every path; `inside` reads the object the rows speak of."""

    label: str
    rows: tuple[Row, ...]
    prefix: str = ""
    inside: Getter | None = None
