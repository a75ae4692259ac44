"""Reading single values out of commercetools' JSON: ids, times, lists, localised texts, custom fields, addresses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from integrations.platforms.base import Account
from integrations.platforms.commercetools.options import setting
from integrations.platforms.commercetools.parse.money import money
from integrations.platforms.errors import Unparsable
from integrations.platforms.values import child, given, need, text
from mapping.records import Address

LOCALISED_KEY_LENGTH = 2  # the shortest language tag


def key_of(raw: Mapping[str, Any], *path: str) -> str:
    """The id at a path (default "id"); raises Unparsable for anything but text."""
    value = need(raw, *(path or ("id",)))
    if not isinstance(value, str) or not value:
        raise Unparsable(f"missing {'.'.join(path or ('id',))}")
    return value


def reference(raw: Mapping[str, Any], name: str) -> str:
    """What a reference names: its key where it is one by key (stores), else its id; empty when there is none."""
    return text(child(raw, name), "key", "id")


def moment(raw: Mapping[str, Any], *names: str) -> datetime | None:
    """The first time given under the names as aware UTC; raises Unparsable for text that is no time."""
    for name in names:
        value = raw.get(name)
        if value in (None, ""):
            continue
        try:
            parsed = datetime.fromisoformat(value)
            return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
        except (TypeError, ValueError, OverflowError) as fault:
            raise Unparsable(f"{name} is no time: {str(value)[:40]!r}") from fault
    return None


def needed_moment(raw: Mapping[str, Any], *names: str) -> datetime:
    """The first time given under the names; raises Unparsable when there is none."""
    return given(moment(raw, *names), *names)


def localised(texts: object, locales: Iterable[str] = ()) -> str:
    """One text of a localised one: the locale itself, then its language, then another region of it, each wish in turn, then any."""
    if isinstance(texts, str):
        return texts
    held = {str(name): str(value) for name, value in texts.items() if value} if isinstance(texts, dict) else {}
    folded = {name.lower(): value for name, value in held.items()}
    for wish in (locale.lower() for locale in locales if locale):
        language = wish.partition("-")[0]
        for name in (wish, language, *sorted(name for name in folded if name.startswith(f"{language}-"))):
            if name in folded:
                return folded[name]
    return next(iter(held.values()), "")


def locales_of(account: Account, raw: Mapping[str, Any] = {}) -> tuple[str, ...]:  # noqa: B006 - never changed
    """Which languages are wished for, best first: the object's own, then the connection's."""
    return tuple(filter(None, (text(raw, "locale"), str(setting(account, "default_locale") or ""))))


def custom_fields(raw: Mapping[str, Any], locales: Sequence[str] = ()) -> dict[str, object]:
    """Custom fields as "custom.<name>" with plain values: numbers, booleans and texts as they are, lists as lists of such."""
    fields = child(raw, "custom", "fields")
    plain = {f"custom.{name}": _plain(value, locales) for name, value in sorted(fields.items())}
    return {name: value for name, value in plain.items() if value is not None}


def _plain(value: Any, locales: Sequence[str]) -> object:
    if isinstance(value, list):
        return [plain for entry in value if (plain := _plain(entry, locales)) is not None]
    if not isinstance(value, dict):
        return value
    if "centAmount" in value:
        return f"{money(value):f} {text(value, 'currencyCode')}"
    if "typeId" in value:
        return text(value, "key", "id")
    if "label" in value:
        return localised(value["label"], locales) or text(value, "key")
    return localised({name: entry for name, entry in value.items() if isinstance(entry, str)}, locales) or None


def address_of(raw: object) -> Address | None:
    """A postal address, None when there is none; mobile before phone."""
    if not isinstance(raw, dict) or not raw:
        return None
    street = " ".join(filter(None, (text(raw, "streetNumber"), text(raw, "streetName"))))
    extra = (text(raw, name) for name in ("additionalStreetInfo", "building", "apartment", "pOBox", "additionalAddressInfo"))
    return Address(
        first_name=text(raw, "firstName"),
        last_name=text(raw, "lastName"),
        company=text(raw, "company"),
        line1=street,
        line2=", ".join(filter(None, extra)),
        city=text(raw, "city"),
        region=text(raw, "state", "region"),
        postcode=text(raw, "postalCode"),
        country=text(raw, "country"),
        phone=text(raw, "mobile", "phone"),
    )
