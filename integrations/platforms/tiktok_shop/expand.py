"""Hints made whole: every order with its cancellations and returns, in batches, once however many messages name it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import orjson

from integrations.platforms.base import Expansion, IncomingEvent, JsonObject, RawObject
from integrations.platforms.bodies import raw_reason
from integrations.platforms.errors import Refused, TryLater
from integrations.platforms.tiktok_shop.client import MAX_IDS, TikTokShopClient
from integrations.platforms.tiktok_shop.topics import BY_NAME, DEAUTHORISED, EXPIRING, ORDER, PRODUCT, ids_in, topic_of

CLOCK_SLACK = timedelta(seconds=10)  # by how much TikTok Shop's clock and ours may differ
GONE = frozenset({"12019150", "12052032", "12052260", "12052048"})  # product missing, or not in this shop
DEAUTHORISED_NOTE = "The seller ended the authorisation in TikTok Shop: let the seller authorise the app again."
Fetched = tuple[str, RawObject | None]


def expand(client: TikTokShopClient, events: Sequence[IncomingEvent]) -> Sequence[Expansion]:
    """One expansion per event, in order.

    When TikTok Shop asks for a pause in the middle, what was fetched stays on the client, so that the next try goes on from there.
    """
    bodies = [orjson.loads(event.body) for event in events]
    wanted: dict[str, dict[str, None]] = defaultdict(dict)
    for event, body in zip(events, bodies, strict=True):
        topic = topic_of(body)
        for key in ids_in(topic, body):
            wanted[topic.subject][key] = None
            _forget_if_older(client, f"{topic.subject}:{key}", event)
    found = {subject: _fetch(client, subject, list(keys)) for subject, keys in wanted.items()}
    client.unfinished.clear()
    return [_expansion(event, body, found) for event, body in zip(events, bodies, strict=True)]


def whole_orders(client: TikTokShopClient, ids: Sequence[str]) -> Iterator[Fetched]:
    """Each order with all its requests to cancel or return, None for one that is gone; in batches of 50.

    The orders are read last: their own state is then at least as new as that of their requests.
    """
    for start in range(0, len(ids), MAX_IDS):
        batch = list(ids[start : start + MAX_IDS])
        cancellations = _by_order(client.cancellation_page, "cancellations", batch)
        returns = _by_order(client.return_page, "return_orders", batch)
        orders = {str(order.get("id")): order for order in client.orders(batch)}
        for key in batch:
            parts = {"cancellations": cancellations.get(key, []), "returns": returns.get(key, [])}
            yield key, RawObject("order", {"order": orders[key], **parts}) if key in orders else None


def whole_products(client: TikTokShopClient, ids: Sequence[str]) -> Iterator[Fetched]:
    """Each product with its SKUs, None for one that is gone."""
    for key in ids:
        try:
            yield key, RawObject("product", client.product(key))
        except Refused as fault:
            if fault.code not in GONE:
                raise
            yield key, None


WHOLE: Mapping[str, Callable[[TikTokShopClient, Sequence[str]], Iterator[Fetched]]] = {ORDER: whole_orders, PRODUCT: whole_products}


def _fetch(client: TikTokShopClient, subject: str, keys: Sequence[str]) -> dict[str, RawObject | None]:
    held = {key: client.unfinished[f"{subject}:{key}"][1] for key in keys if f"{subject}:{key}" in client.unfinished}
    asked = datetime.now(UTC)
    for key, raw in WHOLE[subject](client, [key for key in keys if key not in held]):
        held[key] = raw
        client.unfinished[f"{subject}:{key}"] = (asked, raw)
    return held


def _forget_if_older(client: TikTokShopClient, key: str, event: IncomingEvent) -> None:
    """Forget what an interrupted try fetched, unless the event is clearly older than that."""
    held = client.unfinished.get(key)
    if held is not None and (event.occurred_at is None or event.occurred_at + CLOCK_SLACK > held[0]):
        del client.unfinished[key]


def _by_order(page: Callable[..., JsonObject], name: str, order_ids: Sequence[str]) -> dict[str, list[JsonObject]]:
    """All rows of a search for these orders, page after page; raises TryLater when a page repeats."""
    found: dict[str, list[JsonObject]] = defaultdict(list)
    token, seen = "", {""}
    while True:
        answer = page({"order_ids": list(order_ids)}, token=token)
        for row in answer.get(name) or ():
            found[str(row.get("order_id"))].append(row)
        token = str(answer.get("next_page_token") or "")
        if not token:
            return found
        if token in seen:
            raise TryLater(f"TikTok Shop repeated a page of {name}", code="cursor_loop")
        seen.add(token)


def _expansion(event: IncomingEvent, body: JsonObject, found: Mapping[str, Mapping[str, RawObject | None]]) -> Expansion:
    if raw_reason(body):
        return Expansion(event=event, objects=(RawObject(f"webhook:{event.topic}", body),))  # parsing says why it cannot be read
    if event.topic in NOTES:
        ended, ends_soon = event.topic == DEAUTHORISED, event.topic == EXPIRING
        return Expansion(event=event, note=NOTES[event.topic](body), disconnected=ended, ends_soon=ends_soon)
    topic, ids = topic_of(body), ids_in(topic_of(body), body)
    if event.topic not in BY_NAME or not topic.subject:
        return Expansion(event=event, note=f"Messages of the kind {event.topic} are not used.")
    if not ids:
        missing = {"raw": event.body.decode()[:2000], "reason": f"no id of the {topic.subject} in it"}
        return Expansion(event=event, objects=(RawObject(f"webhook:{event.topic}", missing),))
    objects = tuple(raw for raw in (found[topic.subject].get(key) for key in ids) if raw is not None)
    gone = f"{topic.subject} {', '.join(ids)} is not in TikTok Shop any more, or not in this shop"
    return Expansion(event=event, objects=objects, note="" if objects else gone[:1].upper() + gone[1:])


def _expiry_note(body: JsonObject) -> str:
    data = body.get("data")
    ends = data.get("expiration_time") if isinstance(data, dict) else None
    when = f" on {datetime.fromtimestamp(ends, UTC):%Y-%m-%d}" if isinstance(ends, int) and ends < 1e11 else " soon"
    return f"The seller's authorisation ends{when}: let the seller authorise the app again before."


NOTES: Mapping[str, Callable[[JsonObject], str]] = {DEAUTHORISED: lambda body: DEAUTHORISED_NOTE, EXPIRING: _expiry_note}
