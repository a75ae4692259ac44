"""Records without the values that masking rules recognise; the rules are read again every few seconds."""

from __future__ import annotations

import time
from collections.abc import Iterable

from mapping.defaults import masks_for
from mapping.masking_rules import Mask, strip_masked
from mapping.records import Record

FRESH = 5.0  # seconds for which a process trusts its copy of the rules
_known: dict[str, tuple[float, tuple[Mask, ...]]] = {}


def unmasked(platform: str, records: Iterable[Record]) -> list[Record]:
    """What a source's records really say of people."""
    rules = _rules(platform)
    return [strip_masked(record, rules) for record in records]


def forget() -> None:
    """Read the rules again at once."""
    _known.clear()


def _rules(platform: str) -> tuple[Mask, ...]:
    until, rules = _known.get(platform, (0.0, ()))
    if time.monotonic() >= until:
        rules = masks_for(platform)
        _known[platform] = time.monotonic() + FRESH, rules
    return rules
