"""The door for Shopify's webhooks: whose call it is, whether it is genuine, which events it holds, and the subscriptions."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import UTC, datetime

import orjson

from integrations.platforms.base import Account, IncomingCall, IncomingEvent, JsonObject
from integrations.platforms.bodies import extreme_number, read_body, unreadable
from integrations.platforms.errors import Refused, TryLater, Unverified
from integrations.platforms.shopify.answers import user_errors
from integrations.platforms.shopify.client import ShopifyClient
from integrations.platforms.shopify.topics import TOPICS, Topic, is_hint, object_key

ENRICHMENT_SECONDS = 300.0  # unless the connection says otherwise
MAX_TOKEN = 200  # characters of a header value that may enter a key
TIME_KEY = "_triggered_at"  # written into bodies that carry no time of their own
SECRETS = ("client_secret", "client_secret_previous")
TAKEN = "already been taken"

_SHOP = re.compile(r"[a-z0-9][a-z0-9-]{0,99}(\.[a-z0-9-]{1,63}){1,5}")
_TOPIC = re.compile(r"[A-Za-z0-9_./-]{1,100}")


class ShopifyWebhooks:
    """Shopify's side of the `Webhooks` protocol; stateless."""

    def external_id(self, call: IncomingCall) -> str:
        """The myshopify domain the call names; raises Unverified without one."""
        domain = _header(call, "shop-domain").strip().lower()
        if not _SHOP.fullmatch(domain):
            raise Unverified("no shop domain")
        return domain

    def verify(self, account: Account, call: IncomingCall) -> None:
        """Compare the HMAC of the raw bytes in constant time with each valid secret; raises Unverified."""
        given = _header(call, "hmac-sha256").strip().encode("latin-1", "replace")
        secrets = [account.secrets[name] for name in SECRETS if account.secrets.get(name)]
        genuine = False
        for secret in secrets:
            expected = base64.b64encode(hmac.digest(secret.encode(), call.body, hashlib.sha256))
            genuine |= hmac.compare_digest(expected, given)
        if not genuine:
            raise Unverified("bad signature" if given else "no signature")

    def cut(self, account: Account, call: IncomingCall) -> Sequence[IncomingEvent]:
        """The one event of a verified call; a body that cannot be read or stored becomes `{"raw": …, "reason": …}`."""
        name = _topic_name(call)
        topic, at = TOPICS.get(name), _moment(_header(call, "triggered-at"))
        parsed, reason = read_body(call.body)
        dedup_key = f"{name}:{_delivery_id(call)}"
        if parsed is None:
            return (IncomingEvent(topic=name, dedup_key=dedup_key, body=unreadable(call.body, reason), occurred_at=at),)
        body = call.body
        if topic is not None and topic.timeless:
            parsed[TIME_KEY] = (at or datetime.now(UTC)).isoformat()
            body = orjson.dumps(parsed)
        elif extreme_number(body):
            body = orjson.dumps(parsed)
        hint = is_hint(topic)
        key, wait = object_key(topic, parsed), _wait(account, topic)
        return (IncomingEvent(topic=name, dedup_key=dedup_key, body=body, occurred_at=at, hint=hint, object_key=key, wait_seconds=wait),)

    def missing(self, client: ShopifyClient, address: str) -> Sequence[str]:
        """Topics that should be subscribed at `address` and are not, by their header names."""
        present = {hook["topic"] for hook in _subscriptions(client) if hook.get("uri") == address}
        return tuple(topic.name for topic in TOPICS.values() if topic.subscribed and topic.enum not in present)

    def subscribe(self, client: ShopifyClient, address: str, topics: Sequence[str]) -> Sequence[str]:
        """Create the subscriptions; an address already taken counts as done, refusals name the scope that is needed."""
        refused = []
        for name in topics:
            topic = TOPICS.get(name)
            if topic is None:
                refused.append(f"{name}: Shopify has no such topic")
            elif said := _create(client, address, topic):
                refused.append(said)
        return tuple(refused)


def _wait(account: Account, topic: Topic | None) -> float:
    """How long a message may wait for others of its kind, in seconds."""
    if topic is None or not topic.enrichment:
        return 0.0
    chosen = account.settings.get("enrichment_seconds")
    return ENRICHMENT_SECONDS if chosen is None else float(chosen)


def _create(client: ShopifyClient, address: str, topic: Topic) -> str:
    try:
        data = client.call("hook_create", {"topic": topic.enum, "sub": {"uri": address, "format": "JSON"}})
    except Refused as fault:
        return f"{topic.name}: {fault}"
    faults = [fault for fault in user_errors(data.get("webhookSubscriptionCreate")) if TAKEN not in fault.message]
    if not faults:
        return ""
    need = f" (needs {topic.scope})" if topic.scope else ""
    return f"{topic.name}: {'; '.join(fault.message for fault in faults)}{need}"


def _subscriptions(client: ShopifyClient) -> list[JsonObject]:
    hooks: list[JsonObject] = []
    after, seen = None, set()
    while True:
        page = client.call("hooks", {"after": after})["webhookSubscriptions"]
        hooks += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return hooks
        after = page["pageInfo"]["endCursor"]
        if after in seen:
            raise TryLater("Shopify repeated a page of webhook subscriptions", code="cursor_loop")
        seen.add(after)


def _header(call: IncomingCall, name: str) -> str:
    """A Shopify header of either generation: `X-Shopify-…` of webhooks, `shopify-…` of events."""
    return call.headers.get(f"x-shopify-{name}") or call.headers.get(f"shopify-{name}") or ""


def _topic_name(call: IncomingCall) -> str:
    name = _header(call, "topic").strip()
    return name if _TOPIC.fullmatch(name) else "unknown"


def _delivery_id(call: IncomingCall) -> str:
    """The event's id, else the delivery's, else a digest of topic and body: equal on every retry."""
    given = (_header(call, "event-id") or _header(call, "webhook-id")).strip()
    if not given or len(given) > MAX_TOKEN or not given.isascii() or not given.isprintable():
        material = given.encode("utf-8", "replace") or _header(call, "topic").encode("utf-8", "replace") + b"\n" + call.body
        return hashlib.sha256(material).hexdigest()
    return given


def _moment(text: str) -> datetime | None:
    """ISO 8601 with up to nanoseconds as aware UTC, None when absent or unreadable."""
    try:
        moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
