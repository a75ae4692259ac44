"""Times as Ometria writes and reads them."""

from datetime import UTC, datetime


def iso(at: float) -> str:
    """2026-01-10T08:15:04+00:00."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


def blank_iso(at: float) -> str:
    """2026-01-10 08:15:04+00, the way unsubscribes are dated."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S+00")


def seconds(written: str) -> float:
    """Seconds since 1970 of an ISO time, UTC when it has no offset; raises ValueError."""
    found = datetime.fromisoformat(written)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
