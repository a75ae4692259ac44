"""Text arrays for PostgreSQL, written by us: psycopg escapes each element by a regular expression, which costs more than all else."""

from __future__ import annotations

from collections.abc import Iterable


def text_array(values: Iterable[str | None]) -> str:
    """The array literal of these texts, for a parameter that is cast: `%(bodies)s::text[]`, `%(records)s::jsonb[]`; None is NULL."""
    return "{" + ",".join(map(_element, values)) + "}"


def _element(value: str | None) -> str:
    return "NULL" if value is None else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
