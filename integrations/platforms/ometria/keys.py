"""Destination keys: how one Ometria record is named on our side ("shopify:7001", "shp-1001", "abandoned_checkout:9f1c…")."""

from __future__ import annotations

from integrations.platforms.base import JsonObject

DEFAULT_COLLECTION = "default"  # what Ometria's examples call the collection of listings that name none

SMS_COLLECTIONS = ("optin:sms", "double_optin:sms")  # SMS opt-in page


def destination_key(kind: str, payload: JsonObject) -> str:
    """The key of a payload: contacts by collection and id, custom events by type and id, all else by id."""
    if kind == "contact":
        return f"{payload.get('@collection') or payload.get('collection') or DEFAULT_COLLECTION}:{payload.get('id', '')}"
    if kind == "custom_event":
        return f"{payload.get('event_type', '')}:{payload.get('id', '')}"
    return str(payload.get("id", ""))


def split(key: str) -> tuple[str, str]:
    """Collection (or event type) and id; ids may hold colons ("tts:7495:812"), of collections only those for SMS do."""
    for collection in SMS_COLLECTIONS:
        if key.startswith(f"{collection}:"):
            return collection, key[len(collection) + 1 :]
    owner, colon, identifier = key.partition(":")
    return (owner, identifier) if colon else ("", key)
