"""A checked payload as this account wants it: the record type, and the settings of the connection applied."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from integrations.platforms.base import JsonObject
from integrations.platforms.ometria.options import Options

Shaper = Callable[[JsonObject, Options], None]


def outgoing(kind: str, payload: JsonObject, options: Options) -> JsonObject:
    """A copy of the payload to send; the payload itself is left as it is."""
    shaped = {"@type": kind, **payload}
    for shaper in SHAPERS.get(kind, ()):
        shaper(shaped, options)
    return shaped


def _sms_needs_phone(contact: JsonObject, options: Options) -> None:
    """SMS consent without a phone number in the same record is left out (SMS opt-in page)."""
    if "channels" in contact and not contact.get("phone_number"):
        del contact["channels"]


def _default_store(order: JsonObject, options: Options) -> None:
    if options.default_store and not order.get("store"):
        order["store"] = options.default_store


def _phone_only_as_identifier(order: JsonObject, options: Options) -> None:
    customer = order.get("customer")
    if not options.phone_identifier and isinstance(customer, dict) and "phone_number" in customer:
        order["customer"] = {name: value for name, value in customer.items() if name != "phone_number"}


def _discount_sign(order: JsonObject, options: Options) -> None:
    """Payloads hold discounts as negative amounts; an account that was set up the other way gets them positive."""
    if options.discount_sign == "positive":
        order.update(_positive(order))


def _positive(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: entry if key == "properties" else _positive(entry, key) for key, entry in value.items()}
    if isinstance(value, list):
        return [_positive(entry) for entry in value]
    return abs(value) if name == "discount" and isinstance(value, int | float) else value


SHAPERS: Mapping[str, tuple[Shaper, ...]] = {
    "contact": (_sms_needs_phone,),
    "order": (_default_store, _phone_only_as_identifier, _discount_sign),
}
