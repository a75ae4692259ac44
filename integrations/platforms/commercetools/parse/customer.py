"""The customer record: who the person is, how to reach them, their groups and stores, and what named custom fields say of consent.

A customer has no phone of its own: that of the default billing address is taken, then of the default shipping one, then the first there is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from integrations.platforms.base import Account, JsonObject
from integrations.platforms.commercetools.options import setting, words
from integrations.platforms.commercetools.parse.values import (
    address_of,
    custom_fields,
    key_of,
    locales_of,
    localised,
    moment,
    needed_moment,
    reference,
)  # fmt: skip
from integrations.platforms.errors import Unparsable
from integrations.platforms.values import child, rows, text
from mapping.records import Address, Consent, ConsentState, Customer, Record

# What an enumeration or a text may say; anything else is neither yes nor no.
STATEMENTS: Mapping[str, ConsentState] = {
    **dict.fromkeys(("true", "yes", "granted", "subscribed", "optin", "optedin", "in"), ConsentState.GRANTED),
    **dict.fromkeys(("false", "no", "withdrawn", "unsubscribed", "optout", "optedout", "out"), ConsentState.WITHDRAWN),
}
CHANNELS = ("email", "sms")
PLAIN = {"customer_number": "customerNumber", "external_id": "externalId", "key": "key", "company": "companyName", "vat_id": "vatId",
         "date_of_birth": "dateOfBirth", "title": "title", "salutation": "salutation", "middle_name": "middleName"}  # fmt: skip


def parse_customer(account: Account, raw: JsonObject) -> Sequence[Record]:
    """The customer; none when all of its stores are ones that the connection leaves out."""
    if not taken(account, [store for store in map(_store, rows(raw, "stores")) if store]):
        key_of(raw)
        return ()
    addresses = addresses_of(raw)
    return (
        Customer(
            key=key_of(raw),
            occurred_at=needed_moment(raw, "lastModifiedAt"),
            email=text(raw, "email"),
            phone=next((address.phone for address in addresses if address.phone), ""),
            first_name=text(raw, "firstName"),
            last_name=text(raw, "lastName"),
            country=addresses[0].country if addresses else "",
            locale=text(raw, "locale"),
            created_at=moment(raw, "createdAt"),
            tags=groups_of(raw, locales_of(account, raw)),
            addresses=addresses,
            consents=tuple(consents_of(account, raw)),
            attributes=_attributes(account, raw),
        ),
    )


def parse_customer_deleted(account: Account, raw: JsonObject) -> Sequence[Record]:
    """A customer that is no more; the time is that of the message that said so. `erased`: with everything that was known of them."""
    del account
    erased = {"erased": True} if raw.get("erased") is True else {}
    return (Customer(key=key_of(raw), occurred_at=needed_moment(raw, "at"), removed=True, attributes=erased),)


def taken(account: Account, stores: Sequence[str]) -> bool:
    """Whether the connection takes what belongs to these stores; what belongs to none is always taken."""
    wanted = words(account, "store_keys")
    return not wanted or not stores or any(store in wanted for store in stores)


def addresses_of(raw: JsonObject) -> tuple[Address, ...]:
    """The default billing address first, then the default shipping one, then the others, each once."""
    listed = rows(raw, "addresses")
    chosen = [raw.get(name) for name in ("defaultBillingAddressId", "defaultShippingAddressId")]
    first = [address for wanted in chosen if wanted for address in listed if address.get("id") == wanted]
    ordered = [*first, *listed]
    unique = [address for place, address in enumerate(ordered) if address not in ordered[:place]]
    return tuple(found for found in map(address_of, unique) if found is not None)


def groups_of(raw: JsonObject, locales: Sequence[str] = ()) -> tuple[str, ...]:
    """The groups of a customer from both of its fields, by name where the reference was expanded, else by key or id."""
    holders = [raw, *rows(raw, "customerGroupAssignments")]
    names = (
        localised(child(holder, "customerGroup", "obj").get("name"), locales) or reference(holder, "customerGroup") for holder in holders
    )
    return tuple(sorted(set(names) - {""}))


def consents_of(account: Account, raw: JsonObject) -> Iterator[Consent]:
    """What the named custom fields say; a field that is missing says nothing, and only a statement with a time is a dated act."""
    fields = child(raw, "custom", "fields")
    for channel in CHANNELS:
        name, time_name = (str(setting(account, f"{channel}_consent{part}_field") or "") for part in ("", "_time"))
        if not name or fields.get(name) is None:
            continue
        state = statement(fields[name])
        stated_at = _stated_at(fields, time_name)
        explicit = stated_at is not None and state is not ConsentState.UNKNOWN
        yield Consent(channel=channel, state=state, stated_at=stated_at, source="commercetools", explicit=explicit)


def statement(value: object) -> ConsentState:
    """What a field's value means: a boolean, or the key of an enumeration, however it is written."""
    if isinstance(value, dict):
        value = value.get("key")
    word = str(value).strip().lower().replace("-", "").replace("_", "").replace(" ", "")
    return STATEMENTS.get(word, ConsentState.UNKNOWN)


def _stated_at(fields: JsonObject, name: str) -> datetime | None:
    """The time of a statement; what cannot be read as one is none, since a person's consent must not hang on a typing error."""
    try:
        return moment(fields, name) if name else None
    except Unparsable:
        return None


def _store(raw: JsonObject) -> str:
    return text(raw, "key", "id")


def _attributes(account: Account, raw: JsonObject) -> dict[str, object]:
    """Facts by name, custom fields as "custom.<name>"; only what is there."""
    found: dict[str, object] = {name: said for name, field in PLAIN.items() if (said := text(raw, field))}
    stores = sorted(filter(None, map(_store, rows(raw, "stores"))))
    if stores:
        found["stores"] = stores
    if raw.get("isEmailVerified") is not None:
        found["email_verified"] = raw["isEmailVerified"] is True
    return {**found, "version": raw.get("version"), **custom_fields(raw, locales_of(account, raw))}
