"""Webhook addresses of one shop and what they are sent: type numbers, bodies as exact bytes, the signature over them."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from random import Random
from typing import Any

import orjson

from integrations.standins.clock import Clock
from integrations.standins.ledger import Ledger
from integrations.standins.tiktok_shop.ids import Ids
from integrations.standins.tiktok_shop.signing import webhook_signature
from integrations.standins.tiktok_shop.specs import AppSpec, ShopSpec

# what the registration endpoint takes, with the number that bodies carry
EVENT_TYPES = {
    "ORDER_STATUS_CHANGE": 1, "REVERSE_STATUS_UPDATE": 2, "RECIPIENT_ADDRESS_UPDATE": 3, "PACKAGE_UPDATE": 4,
    "PRODUCT_STATUS_CHANGE": 5, "SELLER_DEAUTHORIZATION": 6, "UPCOMING_AUTHORIZATION_EXPIRATION": 7,
    "CANCELLATION_STATUS_CHANGE": 11, "RETURN_STATUS_CHANGE": 12, "NEW_CONVERSATION": 13, "NEW_MESSAGE": 14,
    "PRODUCT_INFORMATION_CHANGE": 15, "PRODUCT_CREATION": 16, "PRODUCT_CATEGORY_CHANGE": 18, "NEW_MESSAGE_LISTENER": 33,
    "INVOICE_STATUS_CHANGE": 36, "PRODUCT_AUDIT_STATUS_CHANGE": 37,
}  # fmt: skip
EVENT_NAMES = {number: name for name, number in EVENT_TYPES.items()}
REFUND_SUCCESS = 67  # not registrable: comes only to the app's own address


@dataclass(slots=True)
class Address:
    """One registered address; times are milliseconds, as the registration endpoint has them."""

    event_type: str
    address: str
    create_time: int
    update_time: int


@dataclass(slots=True)
class Switches:
    """What goes wrong with a shop's webhooks; shares are between 0 and 1 of all that are sent, times are seconds."""

    duplicate: float = 0.0
    drop: float = 0.0
    wrong_signature: float = 0.0
    # share that is held for up to ``reorder_seconds`` and so arrives out of order
    reorder: float = 0.0
    reorder_seconds: float = 0.5
    # every webhook is late by this much
    delay: float = 0.0
    # keep everything until flushed
    paused: bool = False

    def set(self, **changes: Any) -> None:
        """Change some; raises ValueError for one that does not exist."""
        unknown = changes.keys() - {switch.name for switch in fields(self)}
        if unknown:
            raise ValueError(f"There is no switch {sorted(unknown)}.")
        for name, value in changes.items():
            setattr(self, name, value)


@dataclass(slots=True)
class Sending:
    """One webhook on its way to one address; ``status`` is held, queued, acknowledged, failed, given_up or dropped."""

    type: int
    notification_id: str
    address: str
    headers: dict[str, str]
    body: bytes
    hooks: "Hooks"
    status: str = "queued"
    tries: int = 0
    answers: list[int | str] = field(default_factory=list)


class Hooks:
    """The addresses of one shop; hands what must be sent to ``send(sending, delay)``."""

    def __init__(self, shop: ShopSpec, clock: Clock, ids: Ids, ledger: Ledger, *, send: Callable[[Sending, float], None]) -> None:
        self.switches = Switches()
        self.log: list[Sending] = []
        self.app = AppSpec()
        self._shop, self._clock, self._ids, self._ledger, self._send = shop, clock, ids, ledger, send
        self._random = Random(f"hooks:{shop.id}")
        self._lock = threading.Lock()
        self._addresses: dict[str, Address] = {}
        self._held: list[Sending] = []

    def addresses(self) -> list[Address]:
        """Registered addresses by name of their event type."""
        return [self._addresses[name] for name in sorted(self._addresses)]

    def register(self, event_type: str, address: str) -> None:
        """Set the one address of an event type."""
        now, before = int(self._clock.now() * 1000), self._addresses.get(event_type)
        self._addresses[event_type] = Address(event_type, address, before.create_time if before else now, now)
        self._ledger.append("webhook_registered", f"{self._shop.id}:{event_type}", {"address": address})

    def unregister(self, event_type: str) -> None:
        """Remove the address of an event type, if there is one."""
        if self._addresses.pop(event_type, None) is not None:
            self._ledger.append("webhook_removed", f"{self._shop.id}:{event_type}", {})

    def forget(self) -> None:
        """Remove every address."""
        self._addresses.clear()

    def emit(self, number: int, data: dict[str, Any]) -> None:
        """Queue an event for the address of its type; one that nobody wants costs nothing."""
        registered = self._addresses.get(EVENT_NAMES.get(number, ""))
        address = registered.address if registered is not None else self.app.webhook_uri
        if not address:
            return
        if self._happens(self.switches.drop):
            self._note(self._sending(number, data, address), "dropped")
            return
        sending = self._sending(number, data, address)
        late = self.switches.delay
        if self._happens(self.switches.reorder):
            late += self._random.uniform(0, self.switches.reorder_seconds)
        self._hand_over(sending, late)
        if self._happens(self.switches.duplicate):
            self._hand_over(self._copy(sending), late)

    def signed(self, number: int, data: dict[str, Any]) -> tuple[dict[str, str], bytes]:
        """Headers and exact bytes of an event as they would be sent now, with an id of its own."""
        _, headers, body = self._rendered(number, data)
        return headers, body

    def flush(self, *, backwards: bool = False) -> int:
        """Send everything that was held while paused, newest first if so asked; the number of them."""
        with self._lock:
            held, self._held = self._held, []
        for sending in reversed(held) if backwards else held:
            sending.status = "queued"
            self._send(sending, 0.0)
        return len(held)

    def clear(self) -> None:
        """Forget the log and what is held; addresses stay."""
        with self._lock:
            self._held, self.log = [], []

    def records(self) -> Iterable[dict[str, Any]]:
        """The log as plain values."""
        for sending in list(self.log):
            yield {
                "type": sending.type,
                "notification_id": sending.notification_id,
                "address": sending.address,
                "status": sending.status,
                "tries": sending.tries,
                "answers": list(sending.answers),
                "body": orjson.loads(sending.body),
            }

    def acknowledged(self, sending: Sending) -> None:
        """Note that an address took a webhook."""
        sending.status = "acknowledged"
        payload = {"shop_id": self._shop.id, "type": sending.type, "tries": sending.tries}
        self._ledger.append("webhook_acknowledged", sending.notification_id, payload)

    def dropped(self, sending: Sending) -> None:
        """Note that the retries of a webhook are used up."""
        sending.status = "given_up"
        self._ledger.append("webhook_given_up", sending.notification_id, {"shop_id": self._shop.id, "type": sending.type})

    def _rendered(self, number: int, data: dict[str, Any]) -> tuple[str, dict[str, str], bytes]:
        notification = self._ids.new("notification")
        body = orjson.dumps(
            {
                "type": number,
                "tts_notification_id": notification,
                "shop_id": self._shop.id,
                "timestamp": int(self._clock.now()),
                "data": data,
            }
        )
        signature = webhook_signature(self.app.app_key, self.app.app_secret, body)
        return notification, {"Content-Type": "application/json", "Authorization": signature}, body

    def _sending(self, number: int, data: dict[str, Any], address: str) -> Sending:
        notification, headers, body = self._rendered(number, data)
        if self._happens(self.switches.wrong_signature):
            headers["Authorization"] = headers["Authorization"][::-1]
        return Sending(number, notification, address, headers, body, self)

    def _copy(self, sending: Sending) -> Sending:
        return Sending(sending.type, sending.notification_id, sending.address, sending.headers, sending.body, self)

    def _hand_over(self, sending: Sending, late: float) -> None:
        self._note(sending, "queued")
        if self.switches.paused:
            sending.status = "held"
            with self._lock:
                self._held.append(sending)
            return
        self._send(sending, late)

    def _note(self, sending: Sending, status: str) -> None:
        sending.status = status
        self.log.append(sending)

    def _happens(self, share: float) -> bool:
        return share > 0 and self._random.random() < share
