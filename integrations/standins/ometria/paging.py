"""Query parameters of the reads: pages and time windows."""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import TypeVar

from integrations.standins.ometria.moments import seconds

DEFAULT_LIMIT = 10
MAX_LIMIT = 250  # Ometria Data API v2, reads

T = TypeVar("T")


class BadQuery(Exception):  # noqa: N818 - named for the answer
    """A parameter nobody can read; answered 400."""


def page(query: Mapping[str, str], rows: Iterable[T]) -> list[T]:
    """The rows between offset and offset + limit; a limit over the maximum is clamped."""
    limit = min(_count(query, "limit", DEFAULT_LIMIT), MAX_LIMIT)
    offset = _count(query, "offset", 0)
    return list(islice(rows, offset, offset + limit))


def moment(query: Mapping[str, str], name: str) -> float | None:
    """A time parameter in seconds since 1970, or None; raises BadQuery."""
    written = query.get(name)
    if not written:
        return None
    try:
        return seconds(written)
    except ValueError as error:
        raise BadQuery(f"{name} is not a valid time") from error


def window(query: Mapping[str, str], since: str, before: str = "") -> tuple[float, float]:
    """First moment inside and first moment after a window; open ends reach for ever."""
    first = moment(query, since)
    after = moment(query, before) if before else None
    return float("-inf") if first is None else first, float("inf") if after is None else after


def flag(query: Mapping[str, str], name: str) -> bool | None:
    """A true/false parameter, or None."""
    written = query.get(name)
    if written is None:
        return None
    if written.lower() not in ("true", "false", "1", "0"):
        raise BadQuery(f"{name} is not true or false")
    return written.lower() in ("true", "1")


def by_change(query: Mapping[str, str]) -> bool:
    """Whether the rows are wanted in order of their last change."""
    wanted = query.get("orderby", "")
    if wanted not in ("", "id", "timestamp_update"):
        raise BadQuery("orderby is not supported")
    return wanted == "timestamp_update"


def _count(query: Mapping[str, str], name: str, default: int) -> int:
    written = query.get(name, "")
    if written and not written.isdigit():
        raise BadQuery(f"{name} is not a number")
    return int(written) if written else default
