"""Reading single values out of TikTok Shop's JSON: times in Unix seconds, lists that are left out when empty, optional amounts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from integrations.platforms.errors import Unparsable
from integrations.platforms.values import amount, given, need

LATEST = 1e11  # seconds; a larger number would be milliseconds


def key_at(raw: Mapping[str, Any], *path: str) -> str:
    """The id at a path as text, from a text or a whole number; raises Unparsable for anything else."""
    value = need(raw, *path)
    if isinstance(value, bool) or not isinstance(value, (int, str)) or value == "":
        raise Unparsable(f"missing {'.'.join(path)}")
    return str(value)


def moment(raw: Mapping[str, Any], *names: str) -> datetime | None:
    """The first time given under the names (Unix seconds, 0 = not yet) as aware UTC; raises Unparsable for what is no time."""
    for name in names:
        value = raw.get(name)
        if value in (None, "", 0, "0"):
            continue
        try:
            seconds = float(value)
            if isinstance(value, bool) or not 0 < seconds < LATEST:
                raise Unparsable(f"{name} is no time: {str(value)[:40]!r}")
            return datetime.fromtimestamp(seconds, UTC)
        except (TypeError, ValueError) as fault:
            raise Unparsable(f"{name} is no time: {str(value)[:40]!r}") from fault
    return None


def needed_moment(raw: Mapping[str, Any], *names: str) -> datetime:
    """The first time given under the names; raises Unparsable when there is none."""
    return given(moment(raw, *names), *names)


def money(raw: Mapping[str, Any], name: str, currency: str) -> Decimal | None:
    """The amount under a name in whole smallest units of its currency, None where there is none."""
    value = raw.get(name)
    return None if value is None or value == "" else amount(value, currency, name)
