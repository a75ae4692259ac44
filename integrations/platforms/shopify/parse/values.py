"""Reading single values out of Shopify's JSON: ids, times, lists, addresses; each says where it failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from integrations.platforms.base import JsonObject
from integrations.platforms.errors import Unparsable
from integrations.platforms.values import text
from mapping.records import Address


def items(raw: Mapping[str, Any], *path: str) -> list[JsonObject]:
    """The objects of the list at a path; a connection gives its nodes."""
    value: Any = raw
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, dict):
        value = value.get("nodes")
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def key_of(value: object, where: str = "id") -> str:
    """The numeric id as text, from a number, a text or a GID; raises Unparsable for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, str)) or value == "":
        raise Unparsable(f"missing {where}")
    return str(value).rpartition("/")[2].partition("?")[0]


def optional_key(value: object) -> str:
    """The id as text, empty when there is none."""
    return "" if value is None or value == "" else key_of(value)


def moment(raw: Mapping[str, Any], name: str) -> datetime:
    """The time under a name as aware UTC; raises Unparsable when missing or unreadable."""
    found = optional_moment(raw, name)
    if found is None:
        raise Unparsable(f"missing {name}")
    return found


def optional_moment(raw: Mapping[str, Any], name: str) -> datetime | None:
    """The time under a name as aware UTC, None when absent; raises Unparsable for text that is no time."""
    value = raw.get(name)
    if value is None or value == "":
        return None
    try:
        parsed = datetime.fromisoformat(value)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError) as fault:
        raise Unparsable(f"{name} is no time: {str(value)[:40]!r}") from fault


def tags_of(value: object) -> tuple[str, ...]:
    """Tags in one order, from Shopify's list or its comma-separated text."""
    parts: Sequence[object] = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else ()
    return tuple(sorted({str(part).strip() for part in parts} - {""}))


def address_of(raw: object) -> Address | None:
    """A postal address from the REST or the GraphQL shape, None when there is none."""
    if not isinstance(raw, dict):
        return None
    return Address(
        first_name=text(raw, "first_name", "firstName"),
        last_name=text(raw, "last_name", "lastName"),
        company=text(raw, "company"),
        line1=text(raw, "address1"),
        line2=text(raw, "address2"),
        city=text(raw, "city"),
        region=text(raw, "province", "province_code", "provinceCode"),
        postcode=text(raw, "zip"),
        country=text(raw, "country_code", "countryCodeV2"),
        phone=text(raw, "phone"),
    )
