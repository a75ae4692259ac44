"""What commercetools tells of: topics `<typeId>/<Type>`, the resource each is about, and how long its hint may wait for others.

`Type` is a message's type ("OrderCreated") or a change's kind ("ResourceUpdated"). Every event is a hint: the resource is read again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from integrations.platforms.base import IncomingEvent

CUSTOMER, ORDER, CART, PAYMENT = "customer", "order", "cart", "payment"
PRODUCT, CATEGORY, PRICE, SUBSCRIPTION, SNS = "product", "category", "standalone-price", "subscription", "sns"
CATALOGUE_SECONDS = 30.0  # products are edited in bursts, and unpublished and published again: their hints wait for each other
MISSING = "MessagesMissing"  # our own: numbers of a resource's messages never came, so it is read again
CONFIRMED, UNSUBSCRIBED = "SubscriptionConfirmation", "UnsubscribeConfirmation"


@dataclass(frozen=True, slots=True)
class Subject:
    """A kind of resource that events are used of."""

    type_id: str
    wait_seconds: float = 0.0


SUBJECTS: Mapping[str, Subject] = {
    subject.type_id: subject
    for subject in (
        Subject(CUSTOMER),
        Subject(ORDER),
        Subject(CART),
        Subject(PAYMENT),
        Subject(PRODUCT, CATALOGUE_SECONDS),
        Subject(CATEGORY, CATALOGUE_SECONDS),
        Subject(PRICE, CATALOGUE_SECONDS),
    )
}
NOTES: Mapping[str, str] = {
    f"{SUBSCRIPTION}/ResourceCreated": "The test notification of a subscription: it arrived, there is nothing to do.",
    f"{SNS}/{CONFIRMED}": "Amazon SNS asked whether it may send here; it was answered yes.",
    f"{SNS}/{UNSUBSCRIBED}": "Amazon SNS was told to send nothing here any more. If that was not meant, subscribe this address again.",
}


def subject_of(event: IncomingEvent) -> tuple[str, str]:
    """Type id and id of the resource an event is about; the id is empty where it says none."""
    return event.topic.partition("/")[0], event.object_key


def note_of(event: IncomingEvent) -> str:
    """Why nothing is to be read for an event, in plain words; empty when its resource is to be read again."""
    if event.topic in NOTES:
        return NOTES[event.topic]
    type_id = event.topic.partition("/")[0]
    return "" if type_id in SUBJECTS else f"Events about {type_id or 'nothing'} are not used."
