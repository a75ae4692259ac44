"""Subscriptions of one shop and what they are sent: bodies rendered when the thing happens, signed, with every header."""

import base64
import hashlib
import hmac
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

import orjson

from integrations.standins.shopify.ids import gid
from integrations.standins.shopify.payload_filter import passes, trimmed
from integrations.standins.shopify.payloads import payload_of
from integrations.standins.shopify.schema import VERSIONS
from integrations.standins.shopify.shops import Shop
from integrations.standins.shopify.tables import Missing

REMEMBERED_BODIES = 5_000
ESCAPES = ((b"/", b"\\/"), (b"<", b"\\u003c"), (b">", b"\\u003e"), (b"&", b"\\u0026"))


@dataclass(slots=True)
class Subscription:
    """One API-made subscription; ``header`` is the topic as headers spell it."""

    id: int
    topic: str
    header: str
    uri: str
    created_at: datetime
    updated_at: datetime
    include_fields: tuple[str, ...] = ()
    filter: str = ""
    name: str | None = None


@dataclass(slots=True)
class Switches:
    """What goes wrong with a shop's webhooks; shares are between 0 and 1 of all that are sent."""

    duplicate: float = 0.0
    drop: float = 0.0
    stale_body: float = 0.0
    wrong_signature: float = 0.0
    reorder: float = 0.0
    # how long a reordered one may be held
    reorder_seconds: float = 0.5
    # keep everything until flushed
    paused: bool = False
    webhooks_off: bool = False

    def set(self, **changes: Any) -> None:
        """Change some; raises ValueError for one that does not exist."""
        unknown = changes.keys() - {switch.name for switch in fields(self)}
        if unknown:
            raise ValueError(f"There is no switch {sorted(unknown)}.")
        for name, value in changes.items():
            setattr(self, name, value)


@dataclass(slots=True)
class Sending:
    """One webhook on its way to one address; ``status`` is held, queued, sent, failed, given_up or dropped."""

    topic: str
    key: int
    uri: str
    headers: dict[str, str]
    body: bytes
    subscription_id: int | None
    hooks: "Hooks"
    status: str = "queued"
    tries: int = 0
    answers: list[int | str] = field(default_factory=list)

    @property
    def webhook_id(self) -> str:
        return self.headers["X-Shopify-Webhook-Id"]

    @property
    def event_id(self) -> str:
        return self.headers["X-Shopify-Event-Id"]


def encoded(body: dict[str, Any]) -> bytes:
    """JSON as the platform writes it, slashes and angle brackets escaped: re-serialising would break the signature."""
    raw = orjson.dumps(body)
    for plain, escaped in ESCAPES:
        raw = raw.replace(plain, escaped)
    return raw


def signature(secret: str, raw: bytes) -> str:
    """Base64 of HMAC-SHA256 over the raw bytes."""
    return base64.b64encode(hmac.new(secret.encode(), raw, hashlib.sha256).digest()).decode()


class Hooks:
    """The subscriptions of one shop; hands what must be sent to ``send(sending, delay)``."""

    def __init__(self, shop: Shop, send: Callable[[Sending, float], None]) -> None:
        self.shop, self.switches = shop, Switches()
        # what bodies are signed with; after a rotation the platform goes on with the old one for a while
        self.signing_secret = shop.spec.client_secret
        self.log: list[Sending] = []
        self._send = send
        self._lock = threading.Lock()
        self._subscriptions: dict[int, Subscription] = {}
        self._held: list[Sending] = []
        self._bodies: OrderedDict[tuple[str, int], dict[str, Any]] = OrderedDict()

    def subscriptions(self) -> list[Subscription]:
        """All of them, oldest first."""
        return list(self._subscriptions.values())

    def add(self, subscription: Subscription) -> None:
        """Subscribe."""
        self._subscriptions[subscription.id] = subscription

    def remove(self, subscription_id: int) -> None:
        """End a subscription, if it is still there."""
        self._subscriptions.pop(subscription_id, None)

    def emit(self, topic: str, key: int, body: dict[str, Any] | None = None) -> None:
        """Queue an event for every subscription of its topic; one that nobody wants costs nothing."""
        wanted = [subscription for subscription in self._subscriptions.values() if subscription.header == topic]
        if not wanted or self.switches.webhooks_off:
            return
        try:
            rendered = payload_of(self.shop, topic, key) if body is None else body
        except Missing:
            return
        rendered = self._perhaps_stale(topic, key, rendered)
        event = str(uuid.UUID(int=self.shop.random.getrandbits(128), version=4))
        for subscription in wanted:
            if passes(subscription.filter, rendered):
                raw = encoded(trimmed(rendered, subscription.include_fields))
                self._queue(topic, key, subscription, raw, event=event)

    def send_to_app(self, topic: str, body: dict[str, Any]) -> None:
        """A privacy topic to the address in the app's own configuration, if there is one."""
        uri = self.shop.spec.app_uri
        if uri:
            raw, event = encoded(body), str(uuid.uuid4())
            self._hand_over(Sending(topic, 0, uri, self.headers(topic, raw, event=event), raw, None, self), 0.0)

    def render(self, topic: str, key: int) -> tuple[dict[str, str], bytes]:
        """Headers and body of a topic for one object as they would be sent now; raises Missing, ValueError."""
        raw = encoded(payload_of(self.shop, topic, key))
        return self.headers(topic, raw, event=str(uuid.uuid4())), raw

    def headers(self, topic: str, raw: bytes, *, event: str, name: str | None = None, secret: str | None = None) -> dict[str, str]:
        """Every header of a webhook; each call is a new webhook id."""
        ns = time.time_ns()
        moment = datetime.fromtimestamp(ns // 1_000_000_000, UTC).isoformat()[:19]
        found = {
            "Content-Type": "application/json",
            "User-Agent": "Shopify-Captain-Hook",
            "X-Shopify-Topic": topic,
            "X-Shopify-Hmac-Sha256": signature(secret or self.signing_secret, raw),
            "X-Shopify-Shop-Domain": self.shop.spec.domain,
            "X-Shopify-API-Version": VERSIONS[-1],
            "X-Shopify-Webhook-Id": str(uuid.uuid4()),
            "X-Shopify-Event-Id": event,
            "X-Shopify-Triggered-At": f"{moment}.{ns % 1_000_000_000:09d}Z",
        }
        return {**found, "X-Shopify-Name": name} if name else found

    def flush(self) -> int:
        """Send everything that was held while paused; the number of them."""
        with self._lock:
            held, self._held = self._held, []
        for sending in held:
            sending.status = "queued"
            self._send(sending, 0.0)
        return len(held)

    def clear(self) -> None:
        """Forget the log and what is held; subscriptions stay."""
        with self._lock:
            self._held, self.log = [], []
            self._bodies.clear()

    def records(self) -> Iterable[dict[str, Any]]:
        """The log as plain values."""
        for sending in list(self.log):
            yield {
                "topic": sending.topic,
                "object_id": sending.key,
                "event_id": sending.event_id,
                "webhook_id": sending.webhook_id,
                "uri": sending.uri,
                "status": sending.status,
                "tries": sending.tries,
                "answers": list(sending.answers),
            }

    def sent(self, sending: Sending) -> None:
        """Note that an address took a webhook."""
        payload = {
            "shop": self.shop.spec.domain,
            "topic": sending.topic,
            "object_id": sending.key,
            "webhook_id": sending.webhook_id,
            "tries": sending.tries,
        }
        self.shop.ledger.append("webhook_sent", sending.event_id, payload)

    def gave_up(self, sending: Sending) -> None:
        """The retries of a webhook are used up: the subscription is deleted without a replay."""
        if sending.subscription_id is not None:
            self.remove(sending.subscription_id)
            payload = {"shop": self.shop.spec.domain, "action": "removed_after_failures", "topic": sending.topic, "uri": sending.uri}
            self.shop.ledger.append("subscription", gid("WebhookSubscription", sending.subscription_id), payload)

    def _queue(self, topic: str, key: int, subscription: Subscription, raw: bytes, *, event: str) -> None:
        secret = "not-" + self.signing_secret if self._happens(self.switches.wrong_signature) else None
        headers = self.headers(topic, raw, event=event, name=subscription.name, secret=secret)
        sending = Sending(topic, key, subscription.uri, headers, raw, subscription.id, self)
        if self._happens(self.switches.drop):
            sending.status = "dropped"
            self.log.append(sending)
            return
        delay = self.shop.random.uniform(0, self.switches.reorder_seconds) if self._happens(self.switches.reorder) else 0.0
        self._hand_over(sending, delay)
        if self._happens(self.switches.duplicate):
            self._hand_over(Sending(topic, key, subscription.uri, headers, raw, subscription.id, self), delay)

    def _hand_over(self, sending: Sending, delay: float) -> None:
        self.log.append(sending)
        if self.switches.paused:
            sending.status = "held"
            with self._lock:
                self._held.append(sending)
            return
        self._send(sending, delay)

    def _happens(self, share: float) -> bool:
        return share > 0 and self.shop.random.random() < share

    def _perhaps_stale(self, topic: str, key: int, rendered: dict[str, Any]) -> dict[str, Any]:
        """Now and then the body of the same object's previous event, if so switched."""
        family = (topic.partition("/")[0], key)
        before = self._bodies.pop(family, None)
        self._bodies[family] = rendered
        if len(self._bodies) > REMEMBERED_BODIES:
            self._bodies.popitem(last=False)
        return before if before is not None and self._happens(self.switches.stale_body) else rendered
