"""Registration of webhook addresses: one for each event type of a shop."""

from typing import Any
from urllib.parse import urlsplit

from integrations.standins.tiktok_shop.asked import Asked
from integrations.standins.tiktok_shop.errors import BAD_REQUEST, PARAMETER, Refusal
from integrations.standins.tiktok_shop.webhooks import EVENT_TYPES, Hooks

MOST_LETTERS = 255


def read(asked: Asked) -> dict[str, Any]:
    """``GET /event/202309/webhooks``."""
    rows = [
        {"event_type": row.event_type, "address": row.address, "create_time": row.create_time, "update_time": row.update_time}
        for row in _hooks(asked).addresses()
    ]
    data: dict[str, Any] = {"total_count": len(rows)}
    return data | ({"webhooks": rows} if rows or not asked.one_shop.settings.omit_empty_lists else {})


def put(asked: Asked) -> dict[str, Any]:
    """``PUT /event/202309/webhooks`` with ``{"event_type", "address"}``."""
    event_type, address = _event_type(asked), asked.body.get("address")
    if not isinstance(address, str) or not address:
        raise Refusal(BAD_REQUEST, "param body.address is missing")
    parts = urlsplit(address)
    if len(address) > MOST_LETTERS or parts.scheme not in ("http", "https") or not parts.hostname:
        raise Refusal(PARAMETER, "Invalid parameter: address")
    if asked.one_shop.settings.strict_addresses and (parts.scheme != "https" or parts.port or parts.hostname[-1:].isdigit()):
        raise Refusal(PARAMETER, "Invalid parameter: address must be https, with a domain and without a port")
    _hooks(asked).register(event_type, address)
    return {}


def delete(asked: Asked) -> dict[str, Any]:
    """``DELETE /event/202309/webhooks`` with ``{"event_type"}``; fine if there is none."""
    _hooks(asked).unregister(_event_type(asked))
    return {}


def _event_type(asked: Asked) -> str:
    event_type = asked.body.get("event_type")
    if not event_type:
        raise Refusal(BAD_REQUEST, "param body.event_type is missing")
    if event_type not in EVENT_TYPES:
        raise Refusal(PARAMETER, "Invalid parameter: event_type")
    return str(event_type)


def _hooks(asked: Asked) -> Hooks:
    hooks = asked.one_shop.hooks
    assert hooks is not None
    return hooks
