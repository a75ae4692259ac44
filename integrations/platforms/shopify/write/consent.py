"""The writer of consent: e-mail and text message permission of a customer, each with its time, after a last look at what is held.

Shopify orders nothing by itself: a late, older write would win (customerEmailMarketingConsentUpdate, Admin API). So the customer is read
right before, a newer word there stands, and what it says already is not written again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from integrations.platforms.base import Item, JsonObject, Outcome, OutcomeState, Problem, TargetField
from integrations.platforms.consent import NAMES, WRITTEN, ConsentWriting, Done, one_by_one, outcome_of, said, settled, verdict
from integrations.platforms.errors import Reconnect, Refused
from integrations.platforms.shopify.answers import DENIED, Fault, user_errors
from integrations.platforms.shopify.client import ShopifyClient
from integrations.platforms.shopify.full import gid
from integrations.platforms.shopify.write.people import Person, find_people, read_person, whose
from integrations.platforms.values import child, text
from mapping.records import ConsentState

SUBSCRIBED, UNSUBSCRIBED = "SUBSCRIBED", "UNSUBSCRIBED"
LEVELS = ("SINGLE_OPT_IN", "CONFIRMED_OPT_IN", "UNKNOWN")
CLOCKS_APART = timedelta(minutes=10)  # by which another platform's clock may be ahead of Shopify's
LATER_SECONDS = 5.0
NOBODY = "Shopify has no customer with this address or number."
ANOTHER = {
    "email": "E-mail: the customer has another address in Shopify.",
    "sms": "Text messages: the customer has another phone number in Shopify.",
}
NO_HANDLE = {
    "email": "E-mail: the customer has no address in Shopify, so none can be written to.",
    "sms": "Text messages: the customer has no phone number in Shopify, so none can be written to.",
}


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel as Shopify's mutation names it."""

    name: str
    part: str  # of the payload and of the mutation's input
    document: str
    mutation: str


CHANNELS = (
    Channel("email", "emailMarketingConsent", "consent_email", "customerEmailMarketingConsentUpdate"),
    Channel("sms", "smsMarketingConsent", "consent_sms", "customerSmsMarketingConsentUpdate"),
)


def _targets(part: str, label: str) -> tuple[TargetField, ...]:
    return (
        TargetField(path=f"{part}.marketingState", label=f"{label}: state", type="string", choices=(SUBSCRIBED, UNSUBSCRIBED)),
        TargetField(path=f"{part}.consentUpdatedAt", label=f"{label}: when it was said", type="datetime"),
        TargetField(path=f"{part}.marketingOptInLevel", label=f"{label}: how it was confirmed", type="string", choices=LEVELS),
    )


CONSENT_TARGETS = (
    TargetField(path="customer.id", label="Customer id in Shopify", type="string", help="Taken only if the address or number agrees"),
    TargetField(path="customer.email", label="E-mail address to find the customer by", type="string"),
    TargetField(path="customer.phone", label="Phone number to find the customer by", type="string"),
    *_targets("emailMarketingConsent", "E-mail"),
    *_targets("smsMarketingConsent", "Text messages"),
)


@dataclass(frozen=True, slots=True)
class ConsentWriter(ConsentWriting):
    """Writes `ConsentChange` records; a person whom the shop does not know is skipped with words."""

    def check(self, payload: JsonObject) -> Sequence[Problem]:
        """Whom it is about must be named, and each channel must say one of the two things that may be said."""
        problems = [] if any(whose(payload)) else [Problem(field="customer", message="neither a customer id, an address nor a number")]
        for channel in CHANNELS:
            part = child(payload, channel.part)
            state, level = text(part, "marketingState"), text(part, "marketingOptInLevel")
            if state not in ("", SUBSCRIBED, UNSUBSCRIBED):
                problems.append(Problem(field=f"{channel.part}.marketingState", message=f"must be {SUBSCRIBED} or {UNSUBSCRIBED}"))
            if state == SUBSCRIBED and not text(part, "consentUpdatedAt"):
                problems.append(Problem(field=f"{channel.part}.consentUpdatedAt", message="is needed to subscribe anybody"))
            if level not in ("", *LEVELS):
                problems.append(Problem(field=f"{channel.part}.marketingOptInLevel", message=f"must be one of {', '.join(LEVELS)}"))
        return problems

    def destination_key(self, payload: JsonObject) -> str:
        """The numeric id where the payload names one; who is only known by an address gets it when found."""
        return whose(payload)[0]

    def send(self, client: ShopifyClient, items: Sequence[Item]) -> Sequence[Outcome]:
        """One outcome per item; raises TryLater, SlowDown or Reconnect while nothing was written yet."""
        people = find_people(client, items)
        return one_by_one(items, lambda item: _write(client, item, people.get(item.key)))

    def read_back(self, client: ShopifyClient, destination_key: str) -> JsonObject | None:
        """What the shop holds now, in the words of a payload; None when it has no such customer."""
        person = read_person(client, destination_key)
        if person is None:
            return None
        shown: JsonObject = {"customer": {"id": person.key, "email": person.email, "phone": person.phone}}
        for channel in CHANNELS:
            held = person.held[channel.name]
            if held.state is not ConsentState.UNKNOWN:
                state = SUBSCRIBED if held.state is ConsentState.GRANTED else UNSUBSCRIBED
                shown[channel.part] = {"marketingState": state, "consentUpdatedAt": held.at.isoformat() if held.at else None}
        return shown


def _write(client: ShopifyClient, item: Item, person: Person | None) -> Outcome:
    if person is None:
        return Outcome(key=item.key, state=OutcomeState.SKIPPED, code="unknown_person", message=NOBODY)
    done = [found for channel in CHANNELS if (found := _channel(client, item, person, channel)) is not None]
    return outcome_of(item.key, done, destination_key=person.key)


def _channel(client: ShopifyClient, item: Item, person: Person, channel: Channel) -> Done | None:
    """What became of one channel, None where the payload says nothing of it."""
    wish = child(item.payload, channel.part)
    if not text(wish, "marketingState"):
        return None
    grants = text(wish, "marketingState") == SUBSCRIBED
    if (gap := _handle_gap(item.payload, person, channel.name)) and not (grants and gap is NO_HANDLE):
        return Done(OutcomeState.SKIPPED, gap[channel.name], code="no_handle" if gap is NO_HANDLE else "another_handle")
    held = person.held[channel.name]
    found = verdict(said(item.record, channel.name), held, grants=grants)
    if (known := settled(found, channel.name, held, platform="Shopify")) is not None:
        return known
    fields = {name: value for name, value in wish.items() if value not in (None, "")}
    try:
        answer = client.call(channel.document, {"input": {"customerId": gid("Customer", person.key), channel.part: fields}})
    except (Refused, Reconnect) as fault:
        if isinstance(fault, Reconnect) and fault.code != DENIED:
            raise
        return Done(OutcomeState.REFUSED, str(fault), code=fault.code, field=channel.part)  # a missing scope stops nothing else
    faults = user_errors(answer.get(channel.mutation))
    return _refused(faults, wish, channel) if faults else Done(OutcomeState.DELIVERED, WRITTEN.format(channel=NAMES[channel.name]))


def _handle_gap(payload: JsonObject, person: Person, channel: str) -> Mapping[str, str] | None:
    """Words for a customer who has another address (or number) than the one it was said of, or none at all."""
    _, email, phone = whose(payload)
    ours, theirs = (email, person.email) if channel == "email" else (phone, person.phone)
    if not theirs:
        return NO_HANDLE
    return ANOTHER if ours and ours != theirs else None


def _refused(faults: Sequence[Fault], wish: JsonObject, channel: Channel) -> Done:
    """Shopify's own words; a time that is ahead of its clock by a little is tried again when it has passed."""
    message = "; ".join(dict.fromkeys(fault.message for fault in faults))
    if any("consentUpdatedAt" in fault.path for fault in faults) and _just_ahead(text(wish, "consentUpdatedAt")):
        return Done(OutcomeState.LATER, message, code="ahead_of_clock", resume_in=LATER_SECONDS)
    field = ".".join(str(part) for part in faults[0].path if part != "input") or channel.part
    return Done(OutcomeState.REFUSED, message, code=faults[0].code, field=field)


def _just_ahead(written: str) -> bool:
    return datetime.fromisoformat(written) < datetime.now(UTC) + CLOCKS_APART
