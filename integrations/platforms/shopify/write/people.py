"""Customers whose consent is to be written: found by id, e-mail address or phone number, with what the shop holds of it now.

Unlike the search, `customerByIdentifier` is not behind the index, so a customer of this second is found. A customer that was merged
into another is gone under its id; its e-mail address or phone number then leads to the one that took it over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from integrations.platforms.base import Item, JsonObject
from integrations.platforms.consent import Held
from integrations.platforms.shopify.client import ShopifyClient
from integrations.platforms.shopify.full import gid
from integrations.platforms.shopify.parse.customer import CONSENT
from integrations.platforms.values import child, text
from mapping.records import ConsentState


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A customer as the shop holds it now; `key` is the numeric id."""

    key: str
    email: str
    phone: str
    held: Mapping[str, Held]  # by channel


def find_people(client: ShopifyClient, items: Sequence[Item]) -> dict[str, Person]:
    """Customers by item key; one call for all that name an id, one more for each person who is not found by it."""
    by_id = _by_ids(client, sorted({key for item in items for key in _ids(item)}))
    found: dict[str, Person] = {}
    for item in items:
        person = next((by_id[key] for key in _ids(item) if key in by_id and _agrees(by_id[key], item.payload)), None)
        person = person or _by_handle(client, item.payload)
        if person is not None:
            found[item.key] = person
    return found


def whose(payload: JsonObject) -> tuple[str, str, str]:
    """Numeric id, e-mail address and phone number that a payload names, empty where it names none."""
    customer = child(payload, "customer")
    key = text(customer, "id").strip()
    return key if key.isascii() and key.isdecimal() else "", text(customer, "email").strip().lower(), text(customer, "phone").strip()


def read_person(client: ShopifyClient, key: str) -> Person | None:
    """One customer by numeric id, None when the shop has none."""
    return _by_ids(client, [key]).get(key) if key.isascii() and key.isdecimal() else None


def _ids(item: Item) -> tuple[str, ...]:
    """Ids a person may have: the one that was found before, and the one that the source names."""
    known = item.destination_key if item.destination_key.isascii() and item.destination_key.isdecimal() else ""
    return tuple(dict.fromkeys(key for key in (known, whose(item.payload)[0]) if key))


def _agrees(person: Person, payload: JsonObject) -> bool:
    """Whether a customer found by id is the person meant: an id of another system may look like one of the shop's."""
    _, email, phone = whose(payload)
    pairs = [(ours, theirs) for ours, theirs in ((email, person.email), (phone, person.phone)) if ours and theirs]
    return not pairs or any(ours == theirs for ours, theirs in pairs)


def _by_ids(client: ShopifyClient, keys: Sequence[str]) -> dict[str, Person]:
    nodes = client.nodes("consent_by_ids", [gid("Customer", key) for key in keys]) if keys else ()
    people = [_person(node) for _, node in nodes if node is not None]
    return {person.key: person for person in people}


def _by_handle(client: ShopifyClient, payload: JsonObject) -> Person | None:
    _, email, phone = whose(payload)
    for name, value in (("emailAddress", email), ("phoneNumber", phone)):
        node = client.call("consent_of", {"who": {name: value}})["customerByIdentifier"] if value else None
        if node is not None:
            return _person(node)
    return None


def _person(node: JsonObject) -> Person:
    email, phone = child(node, "defaultEmailAddress"), child(node, "defaultPhoneNumber")
    sms = child(phone, "smsMarketingConsent")
    states = {
        "email": (text(email, "marketingState"), text(email, "marketingUpdatedAt")),
        "sms": (text(sms, "state") or text(phone, "marketingState"), text(sms, "updatedAt") or text(phone, "marketingUpdatedAt")),
    }
    return Person(
        key=text(node, "id").rpartition("/")[2],
        email=text(email, "emailAddress").lower(),
        phone=text(phone, "phoneNumber"),
        held={channel: Held(CONSENT.get(state, ConsentState.UNKNOWN), _moment(at)) for channel, (state, at) in states.items()},
    )


def _moment(written: str) -> datetime | None:
    return datetime.fromisoformat(written).astimezone(UTC) if written else None
