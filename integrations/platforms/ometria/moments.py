"""Times as Ometria writes them, read as aware UTC."""

from __future__ import annotations

from datetime import UTC, datetime

from integrations.platforms.base import JsonObject

CHANGED = ("dt_object_updated", "dt_updated", "timestamp_update")  # names under which revisions of the read pages show the last change


def moment_of(written: object) -> datetime | None:
    """A time as it was written, None for what is none; one without an offset is UTC."""
    if not isinstance(written, str):
        return None
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def changed_at(row: JsonObject) -> datetime | None:
    """When a stored object was last changed, None where it does not tell."""
    return next((moment for name in CHANGED if (moment := moment_of(row.get(name))) is not None), None)
