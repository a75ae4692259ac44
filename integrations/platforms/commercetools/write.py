"""The writer of consent: custom fields of a customer, which the connection names; without a name nothing is ever written.

Consent is not native to commercetools. A customer has at most one custom type, and `setCustomType` replaces it with all its fields
(customer update actions): so it is used only where a customer has none yet, and only for the type that the connection names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from integrations.platforms.base import Item, JsonObject, Outcome, OutcomeState, Problem, TargetField
from integrations.platforms.commercetools.answers import NO_SCOPE
from integrations.platforms.commercetools.client import CommercetoolsClient, Query, Where
from integrations.platforms.commercetools.find import ADDRESS, PLAIN_ADDRESS
from integrations.platforms.commercetools.options import setting
from integrations.platforms.commercetools.parse.customer import consents_of, statement
from integrations.platforms.consent import (
    NAMES,
    WRITTEN,
    ConsentWriting,
    Done,
    Held,
    Verdict,
    one_by_one,
    outcome_of,
    said,
    settled,
    verdict,
)
from integrations.platforms.errors import PlatformError, Reconnect, Refused
from integrations.platforms.values import child, text
from mapping.records import Consent, ConsentState, RecordType

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PLATFORM = "commercetools"
CHANNELS = ("email", "sms")
MOST = 20  # customers who may share one address, one in each store
NOBODY = "commercetools has no customer of this id or address."
BY_NUMBER = "Text messages: which customer of commercetools has this number is not known, and nobody can be found by one there."
SEVERAL = "Several customers have this address, each in a store of its own; nobody is subscribed by guess."
NOT_NAMED = "{channel}: the connection names no custom field for it, so nothing is written back."
NO_TYPE = (
    "{channel}: the customer has no custom fields yet. Name the type that holds {field} in the connection's settings, "
    "or give the customer that type in commercetools."
)
NO_FIELD = "{channel}: commercetools does not take the field {field}: {said} Add it to the customer's custom type, or correct its name."
NO_RIGHT = "{channel}: the API client may not write customers. Make one that has the scope manage_customers."

CONSENT_TARGETS = (
    TargetField(path="customer.id", label="Customer id in commercetools", type="string"),
    TargetField(path="customer.email", label="E-mail address to find the customer by", type="string"),
    TargetField(path="customer.phone", label="Phone number of the person", type="string",
                help="Nobody can be found by it in commercetools; it says whom a consent to text messages is about"),
    *(
        row
        for channel, label in (("email", "E-mail"), ("sms", "Text messages"))
        for row in (
            TargetField(path=f"{channel}.value", label=f"{label}: value of the custom field", type="boolean",
                        help="True or false, or the key of an enumeration; the field itself is named in the connection's settings"),
            TargetField(path=f"{channel}.at", label=f"{label}: when it was said", type="datetime"),
        )
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Names:
    """The custom fields of one channel as the connection names them; empty where it does not."""

    value: str
    time: str

    @classmethod
    def of(cls, client: CommercetoolsClient, channel: str) -> Names:
        """From the connection's settings."""
        value, at = (str(setting(client.account, f"{channel}_consent{part}_field") or "").strip() for part in ("", "_time"))
        return cls(value, at)


@dataclass(slots=True)
class Plan:
    """What is to be done with one customer, decided anew from each state of it; `done` is what was decided last."""

    client: CommercetoolsClient
    item: Item
    done: list[Done] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)  # names of those that are written

    def actions(self, customer: JsonObject) -> list[JsonObject]:
        """Update actions for the customer as it is now; none where nothing is to be changed."""
        self.done, self.fields = [], []
        held = {consent.channel: consent for consent in consents_of(self.client.account, customer)}
        values: dict[str, object] = {}
        for channel in CHANNELS:
            wish = child(self.item.payload, channel)
            if wish.get("value") not in (None, ""):
                values |= self._channel(channel, wish, held.get(channel), customer)
        self.fields = list(values)
        if not values:
            return []
        if child(customer, "custom", "type"):
            return [{"action": "setCustomField", "name": name, "value": value} for name, value in values.items()]
        return [{"action": "setCustomType", "type": {"typeId": "type", "key": type_key(self.client)}, "fields": values}]

    def _channel(self, channel: str, wish: JsonObject, shown: Consent | None, customer: JsonObject) -> dict[str, object]:
        """Fields to write for one channel; what is not written is noted in words."""
        names, name = Names.of(self.client, channel), NAMES[channel]
        if not names.value:
            self.done.append(Done(OutcomeState.SKIPPED, NOT_NAMED.format(channel=name), code="not_named"))
            return {}
        held = Held(shown.state, shown.stated_at) if shown is not None else Held()
        found = _judged(self.item, channel, wish, held)
        if (known := settled(found, channel, held, platform=PLATFORM)) is not None:
            self.done.append(known)
            return {}
        if not child(customer, "custom", "type") and not type_key(self.client):
            message = NO_TYPE.format(channel=name, field=names.value)
            self.done.append(Done(OutcomeState.REFUSED, message, code="no_custom_type", field=names.value))
            return {}
        self.done.append(Done(OutcomeState.DELIVERED, WRITTEN.format(channel=name)))
        at = text(wish, "at")
        return {names.value: wish["value"], **({names.time: stamp(at)} if names.time and at else {})}


@dataclass(frozen=True, slots=True)
class ConsentWriter(ConsentWriting):
    """Writes `ConsentChange` records; a person whom the project does not know is skipped with words."""

    def check(self, payload: JsonObject) -> Sequence[Problem]:
        """Whom it is about must be named, and a value must be true, false or a word."""
        named = any(whose(payload)) or text(child(payload, "customer"), "phone")
        problems = [] if named else [Problem(field="customer", message="neither a customer id, an address nor a number")]
        for channel in CHANNELS:
            value = child(payload, channel).get("value")
            if not (value is None or isinstance(value, (bool, str))):
                problems.append(Problem(field=f"{channel}.value", message="must be true, false or a word"))
        return problems

    def destination_key(self, payload: JsonObject) -> str:
        """The customer's id where the payload names it; who is only known by an address gets it when found."""
        return whose(payload)[0]

    def send(self, client: CommercetoolsClient, items: Sequence[Item]) -> Sequence[Outcome]:
        """One outcome per item; raises TryLater, SlowDown or Reconnect while nothing was written yet."""
        return one_by_one(items, lambda item: _write(client, item))

    def read_back(self, client: CommercetoolsClient, destination_key: str) -> JsonObject | None:
        """What the project holds now, in the words of a payload; None when it has no such customer."""
        customer = client.one(_path(destination_key)) if _ID.fullmatch(destination_key) else None
        if customer is None:
            return None
        shown: JsonObject = {"customer": {"id": customer.get("id"), "email": customer.get("email")}}
        for consent in consents_of(client.account, customer):
            at = consent.stated_at.isoformat() if consent.stated_at else None
            shown[consent.channel] = {"value": consent.state is ConsentState.GRANTED, "at": at}
        return shown


def whose(payload: JsonObject) -> tuple[str, str]:
    """Customer id and e-mail address that a payload names, empty where it names none."""
    customer = child(payload, "customer")
    return text(customer, "id").strip(), text(customer, "email").strip().lower()


def type_key(client: CommercetoolsClient) -> str:
    """Key of the custom type for customers that have none, empty where the connection names none."""
    return str(setting(client.account, "consent_type_key") or "").strip()


def stamp(written: str) -> str:
    """A time as custom fields hold it, UTC with milliseconds."""
    return datetime.fromisoformat(written).astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _judged(item: Item, channel: str, wish: JsonObject, held: Held) -> Verdict:
    """What to do with a channel; a word that no list knows means what the record says."""
    consent, meant = said(item.record, channel), statement(wish["value"])
    granted = consent is not None and consent.state is ConsentState.GRANTED
    return verdict(consent, held, grants=granted if meant is ConsentState.UNKNOWN else meant is ConsentState.GRANTED)


def _write(client: CommercetoolsClient, item: Item) -> Outcome:
    keys = _customers(client, item)
    if not keys:
        words = NOBODY if any(whose(item.payload)) else BY_NUMBER
        return Outcome(key=item.key, state=OutcomeState.SKIPPED, code="unknown_person", message=words)
    if len(keys) > 1 and _grants(item):
        return Outcome(key=item.key, state=OutcomeState.SKIPPED, code="several_people", message=SEVERAL)
    done = [one for key in keys for one in _written(client, item, key)]
    return outcome_of(item.key, list(dict.fromkeys(done)), destination_key=keys[0])


def _written(client: CommercetoolsClient, item: Item, key: str) -> list[Done]:
    """What became of one customer; 409 is read again and decided anew by the client."""
    plan = Plan(client, item)
    try:
        if client.update(_path(key), plan.actions) is None:
            return [Done(OutcomeState.SKIPPED, NOBODY, code="unknown_person")]
    except Refused as fault:
        return [_refused(plan, fault, NO_FIELD)]
    except Reconnect as fault:
        if fault.code != NO_SCOPE:
            raise
        return [_refused(plan, fault, NO_RIGHT)]  # a missing scope stops nothing else
    return plan.done


def _refused(plan: Plan, fault: PlatformError, words: str) -> Done:
    name = plan.fields[0] if plan.fields else ""
    channel = next((channel for channel in CHANNELS if Names.of(plan.client, channel).value == name), "email")
    message = words.format(channel=NAMES[channel], field=name, said=fault)
    return Done(OutcomeState.REFUSED, message, code=fault.code, field=name)


def _customers(client: CommercetoolsClient, item: Item) -> list[str]:
    """Ids of the customers meant: the one that is named, else all that have the address."""
    key, email = whose(item.payload)
    for known in dict.fromkeys(one for one in (item.destination_key, key) if _ID.fullmatch(one)):
        customer = client.one(_path(known))
        if customer is not None and _agrees(customer, email):
            return [known]
    if not email:
        return []
    try:
        rows = _with_address(client, ADDRESS, email)
    except Refused:
        rows = _with_address(client, PLAIN_ADDRESS, text(child(item.payload, "customer"), "email").strip())
    return [str(row["id"]) for row in rows if _agrees(row, email)]


def _with_address(client: CommercetoolsClient, predicate: str, email: str) -> list[JsonObject]:
    query = Query(path="/customers", where=(Where(predicate, {"value": email}),), limit=MOST)
    return client.page(query).rows


def _agrees(customer: JsonObject, email: str) -> bool:
    """Whether a customer found by id has the address meant, as far as one is named."""
    return not email or text(customer, "email").strip().lower() == email


def _grants(item: Item) -> bool:
    consents = [said(item.record, channel) for channel in CHANNELS]
    return any(consent is not None and consent.state is ConsentState.GRANTED for consent in consents)


def _path(key: str) -> str:
    return f"/customers/{key}"


WRITERS: Mapping[RecordType, ConsentWriter] = {RecordType.CONSENT: ConsentWriter()}
TARGETS: Mapping[RecordType, tuple[TargetField, ...]] = {RecordType.CONSENT: CONSENT_TARGETS}
