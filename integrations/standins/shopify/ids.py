"""Global ids and times as the platform writes them."""

from datetime import UTC, datetime, timedelta, timezone

PREFIX = "gid://shopify/"


def gid(kind: str, number: int) -> str:
    """gid("Order", 1) is "gid://shopify/Order/1"."""
    return f"{PREFIX}{kind}/{number}"


def number_of(value: str, kind: str | None = None) -> int | None:
    """The number in a global id, None when it is none or of another kind."""
    if not value.startswith(PREFIX):
        return int(value) if value.isdigit() else None
    name, _, rest = value.removeprefix(PREFIX).partition("/")
    digits = rest.partition("?")[0]
    if (kind is not None and name != kind) or not digits.isdigit():
        return None
    return int(digits)


def kind_of(value: str) -> str:
    """The type named in a global id, or an empty string."""
    return value.removeprefix(PREFIX).partition("/")[0] if value.startswith(PREFIX) else ""


def zulu(moment: datetime) -> str:
    """2026-11-20T10:00:00Z, as GraphQL answers."""
    return moment.isoformat()[:19] + "Z"


def local(moment: datetime | None, utc_offset: int) -> str | None:
    """2026-11-20T05:00:00-05:00, as webhook payloads carry it; None stays None."""
    return None if moment is None else moment.astimezone(timezone(timedelta(hours=utc_offset))).isoformat()[:25]


def parse_time(value: str) -> datetime | None:
    """An ISO 8601 time or date as aware UTC, None when it is none."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
