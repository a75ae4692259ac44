"""Times as commercetools writes them: UTC, milliseconds, Z."""

from datetime import UTC, datetime


def iso(seconds: float) -> str:
    """Seconds since 1970 as 2026-11-01T09:00:02.000Z."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def seconds(text: str) -> float:
    """The same backwards; raises ValueError."""
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def comparable(text: str) -> str:
    """A text that sorts as its moment does, without the Z, so that further decimals sort behind fewer; raises ValueError."""
    if len(text) == 24 and text[23] == "Z":
        return text[:23]
    found = datetime.fromisoformat(text)
    found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC).replace(tzinfo=None)
    return found.isoformat(timespec="microseconds" if found.microsecond % 1000 else "milliseconds")
