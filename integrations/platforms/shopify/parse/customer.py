"""The customer record: who the person is, how to reach them, and what they said about being reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from integrations.platforms.base import Account, JsonObject
from integrations.platforms.shopify.parse.values import address_of, items, key_of, moment, optional_moment, tags_of
from integrations.platforms.shopify.webhooks import TIME_KEY
from integrations.platforms.values import child, need, text
from mapping.records import Address, Consent, ConsentState, Customer, Record

# Marketing states of e-mail addresses and phone numbers, Admin API schema. PENDING, NOT_SUBSCRIBED and NEVER_SUBSCRIBED mean: never asked.
CONSENT: Mapping[str, ConsentState] = {
    "SUBSCRIBED": ConsentState.GRANTED,
    "UNSUBSCRIBED": ConsentState.WITHDRAWN,
    "INVALID": ConsentState.WITHDRAWN,
    "REDACTED": ConsentState.WITHDRAWN,
}
STATED = {"SUBSCRIBED", "UNSUBSCRIBED"}  # states a person brings about


def parse_customer(account: Account, raw: JsonObject) -> Sequence[Record]:
    """The customer of `customers_full` (either version) or `bulk_customers`."""
    del account
    email, phone = child(raw, "defaultEmailAddress"), child(raw, "defaultPhoneNumber")
    addresses = _addresses(raw)
    return (
        Customer(
            key=key_of(need(raw, "id")),
            occurred_at=moment(raw, "updatedAt"),
            email=text(email, "emailAddress"),
            phone=text(phone, "phoneNumber"),
            first_name=text(raw, "firstName"),
            last_name=text(raw, "lastName"),
            country=addresses[0].country if addresses else "",
            locale=text(raw, "locale"),
            created_at=optional_moment(raw, "createdAt"),
            tags=tags_of(raw.get("tags")),
            addresses=addresses,
            consents=tuple(_consents(email, phone)),
            attributes=_attributes(raw),
        ),
    )


def parse_customer_deleted(account: Account, raw: JsonObject) -> Sequence[Record]:
    """A customer that is no more; the time is that of the delivery."""
    del account
    return (Customer(key=key_of(need(raw, "id")), occurred_at=moment(raw, TIME_KEY), removed=True),)


def parse_customer_merged(account: Account, raw: JsonObject) -> Sequence[Record]:
    """The customer that a finished merge took away, naming the one that stays; nothing for a merge that is not finished."""
    del account
    if text(raw, "status").lower() != "completed":
        return ()
    gone, kept = need(raw, "admin_graphql_api_customer_deleted_id"), need(raw, "admin_graphql_api_customer_kept_id")
    return (Customer(key=key_of(gone), occurred_at=moment(raw, TIME_KEY), removed=True, merged_into=key_of(kept)),)


def metafields_of(raw: JsonObject) -> dict[str, object]:
    """Metafields as "metafield.<namespace>.<key>", numbers and booleans in their own type."""
    return {f"metafield.{text(field, 'namespace')}.{text(field, 'key')}": _typed(field) for field in items(raw, "metafields")}


def _typed(field: JsonObject) -> object:
    value, kind = text(field, "value"), text(field, "type")
    if kind == "number_integer" and value.lstrip("-").isdecimal():
        return int(value)
    if kind == "boolean" and value in ("true", "false"):
        return value == "true"
    return value


def _addresses(raw: JsonObject) -> tuple[Address, ...]:
    """The default address first, then the others."""
    default = child(raw, "defaultAddress")
    others = [entry for entry in items(raw, "addressesV2") if entry.get("id") != default.get("id")]
    found = (address_of(entry) for entry in ([default] if default else []) + others)
    return tuple(address for address in found if address is not None)


def _consents(email: JsonObject, phone: JsonObject) -> list[Consent]:
    consents = []
    if email.get("marketingState"):
        consents.append(_consent("email", text(email, "marketingState"), email, "marketingUpdatedAt", level="marketingOptInLevel"))
    sms = child(phone, "smsMarketingConsent")
    if sms.get("state"):
        consents.append(_consent("sms", text(sms, "state"), sms, "updatedAt", level="optInLevel"))
    elif phone.get("marketingState"):
        consents.append(_consent("sms", text(phone, "marketingState"), phone, "marketingUpdatedAt", level="marketingOptInLevel"))
    return consents


def _consent(channel: str, state: str, raw: JsonObject, when: str, *, level: str) -> Consent:
    stated_at = optional_moment(raw, when)
    return Consent(
        channel=channel,
        state=CONSENT.get(state, ConsentState.UNKNOWN),
        stated_at=stated_at,
        source=text(raw, level).lower(),
        explicit=stated_at is not None and state in STATED,
    )


def _attributes(raw: JsonObject) -> dict[str, object]:
    spent = child(raw, "amountSpent")
    plain: dict[str, object] = {
        "account_state": text(raw, "state").lower(),
        "note": text(raw, "note"),
        "orders_count": int(text(raw, "numberOfOrders") or 0),
        "amount_spent": text(spent, "amount"),
        "amount_spent_currency": text(spent, "currencyCode"),
        "email_verified": bool(raw.get("verifiedEmail")),
        "tax_exempt": bool(raw.get("taxExempt")),
    }
    return {**{name: value for name, value in plain.items() if value != ""}, **metafields_of(raw)}
