"""Incoming events made whole: full bodies as they are, hints by fetching their object in batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import orjson

from integrations.platforms.base import Expansion, IncomingEvent, JsonObject, RawObject
from integrations.platforms.bodies import raw_reason
from integrations.platforms.shopify.client import ShopifyClient
from integrations.platforms.shopify.full import FULL, gid
from integrations.platforms.shopify.topics import TOPICS, Subject

CLOCK_SLACK = timedelta(seconds=10)  # by how much Shopify's clock and ours may differ
SHAPES: Mapping[Subject, str] = {Subject.ORDER: "graphql:order", Subject.CUSTOMER: "graphql:customer", Subject.PRODUCT: "graphql:product"}
# Topics whose object is not to be fetched, in plain words.
NOTES: Mapping[str, str] = {
    "orders/delete": "the order was deleted in Shopify",
    "app/uninstalled": "the app was uninstalled from the shop: install it again to reconnect",
    "app/scopes_update": "the app's scopes changed: test the connection",
}


def expand(client: ShopifyClient, events: Sequence[IncomingEvent]) -> Sequence[Expansion]:
    """One expansion per event, in order; an object is fetched once however many events name it.

    When Shopify asks for a pause in the middle, what was fetched is kept on the client, so that the next try goes on from there.
    """
    fetched = _fetch(client, events)
    client.unfinished.clear()
    return [_expansion(event, fetched) for event in events]


def _fetch(client: ShopifyClient, events: Sequence[IncomingEvent]) -> dict[str, JsonObject | None]:
    wanted: dict[Subject, dict[str, None]] = {}
    found: dict[str, JsonObject | None] = {}
    for event in events:
        topic = TOPICS.get(event.topic)
        if topic is not None and event.hint and event.object_key and event.topic not in NOTES:
            wanted.setdefault(topic.subject, {})[gid(topic.subject, event.object_key)] = None
            _recall(client, gid(topic.subject, event.object_key), event)
    for subject, ids in wanted.items():
        found.update((node_id, client.unfinished[node_id][1]) for node_id in ids if node_id in client.unfinished)
        asked = datetime.now(UTC)
        for node_id, node in FULL[subject](client, [node_id for node_id in ids if node_id not in found]):
            found[node_id] = node
            client.unfinished[node_id] = (asked, node)
    return found


def _recall(client: ShopifyClient, node_id: str, event: IncomingEvent) -> None:
    """Forget what an interrupted try fetched, unless the event is clearly older than that."""
    held = client.unfinished.get(node_id)
    if held is not None and (event.occurred_at is None or event.occurred_at + CLOCK_SLACK > held[0]):
        del client.unfinished[node_id]


def _expansion(event: IncomingEvent, fetched: Mapping[str, JsonObject | None]) -> Expansion:
    topic, body = TOPICS.get(event.topic), orjson.loads(event.body)
    received = RawObject(f"webhook:{event.topic}", body)
    if raw_reason(body):
        return Expansion(event=event, objects=(received,))  # parsing says why it cannot be read
    if topic is None:
        return Expansion(event=event, note=f"the topic {event.topic} is not used")
    if event.topic in NOTES:
        return Expansion(event=event, note=NOTES[event.topic], disconnected=event.topic == "app/uninstalled")
    if not event.hint:
        return Expansion(event=event, objects=(received,))
    if not event.object_key:
        missing = {"raw": event.body.decode()[:2000], "reason": f"no {'.'.join(topic.id_path)} in the body"}
        return Expansion(event=event, objects=(RawObject(received.shape, missing),))
    node = fetched.get(gid(topic.subject, event.object_key))
    objects = (RawObject(SHAPES[topic.subject], node),) if node is not None else ()
    if event.topic == "customers/merge":
        objects += (received,)
    return Expansion(event=event, objects=objects, note="" if objects else _gone(topic.subject, event.object_key))


def _gone(subject: Subject, key: str) -> str:
    return f"{subject.lower()} {key} is not in Shopify any more, or out of this app's reach"
