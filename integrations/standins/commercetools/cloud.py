"""Topics of the clouds and the push subscriptions on them: confirmation first, then every notification until it is taken."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from uuid import uuid4

import orjson
import requests

from integrations.standins.commercetools import keys
from integrations.standins.commercetools.settings import Settings
from integrations.standins.commercetools.wires import EVENT_GRID, GOOGLE_KEY, ORIGIN, SNS, SNS_KEY, Parcel, Wire, sns_confirmation, wrapped
from integrations.standins.couriers import THREADS, Couriers
from integrations.standins.ledger import Ledger
from integrations.standins.wire import Request, Response, json_response

# seconds to connect and to answer; the shortest of the four is EventBridge's five seconds
TIMEOUT = (1.0, 5.0)
FIRST, LONGEST, MOST_TRIES = 10.0, 600.0, 60
SNS_NAME = "SimpleNotificationService-"


@dataclass(slots=True)
class Sending:
    """One notification on its way over one wire; ``status`` is held, queued, acknowledged, failed, given_up or lost."""

    wire: Wire
    payload: bytes
    identifier: str
    address: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    status: str = "queued"
    tries: int = 0
    answers: list[int | str] = field(default_factory=list)
    flaw: str = ""

    def wrap(self) -> None:
        """Get headers and body for the next try: tokens are made anew."""
        parcel = wrapped(replace(self.wire, flaw=self.flaw or self.wire.flaw), self.payload, self.identifier)
        self.address, self.headers, self.body = parcel.address, parcel.headers, parcel.body


class Postmen(Couriers[Sending]):
    """Redelivers with growing delay, divided by ``speed``, until something in the two hundreds comes back."""

    def __init__(self, ledger: Ledger, *, speed: float, threads: int) -> None:
        super().__init__("commercetools", threads=threads, timeout=TIMEOUT)
        self.speed, self._ledger = speed, ledger

    def address_of(self, sending: Sending) -> str:
        """The endpoint of its wire."""
        return sending.address

    def settle(self, sending: Sending, *, taken: bool) -> None:
        """Taken, tried again, or given up when the cloud's retention is over."""
        if taken:
            sending.status = "acknowledged"
            noted = {"transport": sending.wire.transport, "tries": sending.tries}
            self._ledger.append("notification_acknowledged", sending.identifier, noted)
        elif sending.tries >= MOST_TRIES:
            sending.status = "given_up"
            self._ledger.append("notification_given_up", sending.identifier, {"transport": sending.wire.transport})
        else:
            sending.status = "failed"
            sending.wrap()
            self.send(sending, min(LONGEST, FIRST * 2 ** (sending.tries - 1)) / self.speed)


class Cloud:
    """All topics of all clouds; a topic that nobody listens to forgets."""

    def __init__(self, ledger: Ledger, *, speed: float = 1.0, threads: int = THREADS) -> None:
        self.settings = Settings()
        self.postmen = Postmen(ledger, speed=speed, threads=threads)
        self._lock = threading.Lock()
        self._random = Random("cloud")
        self.clear()

    def clear(self) -> None:
        """Forget topics, wires and what was sent."""
        self.wires: list[Wire] = []
        self.log: list[Sending] = []
        self.unreachable: set[str] = set()
        self._held: list[Sending] = []
        self._tokens: dict[str, Wire] = {}
        self.postmen.clear()

    def connect(self, wire: Wire) -> dict[str, Any]:
        """A push subscription: SNS and Event Grid ask the endpoint first; what came of it."""
        answered: int | str = "nothing was asked"
        if wire.transport == SNS:
            wire.confirmed = False
            token = uuid4().hex
            self._tokens[token] = wire
            answered = _post(sns_confirmation(wire, token))
        elif wire.transport == EVENT_GRID:
            wire.confirmed, answered = _handshake(wire)
        self.wires.append(wire)
        return {"id": wire.id, "topic": wire.topic, "confirmed": wire.confirmed, "answered": answered}

    def publish(self, topic: str, payload: bytes) -> None:
        """Bring a notification to everybody who listens to a topic; raises ConnectionError when the topic is unreachable."""
        if topic in self.unreachable:
            raise ConnectionError(topic)
        for wire in [wire for wire in self.wires if wire.topic == topic and wire.confirmed]:
            sending = Sending(wire, payload, str(uuid4()))
            if self._happens(self.settings.lost):
                sending.status = "lost"
                self.log.append(sending)
                continue
            sending.flaw = "key" if self._happens(self.settings.forged) else ""
            sending.wrap()
            self._hand_over(sending)
            if self._happens(self.settings.duplicate):
                again = Sending(wire, payload, sending.identifier, sending.address, sending.headers, sending.body)
                self._hand_over(again)

    def _hand_over(self, sending: Sending) -> None:
        self.log.append(sending)
        if self.settings.paused:
            sending.status = "held"
            with self._lock:
                self._held.append(sending)
            return
        late = self._random.uniform(0, self.settings.reorder_seconds) if self._happens(self.settings.reorder) else 0.0
        self.postmen.send(sending, late)

    def flush(self, *, backwards: bool = False) -> int:
        """Send everything that was held, newest first if so asked; the number of them."""
        with self._lock:
            held, self._held = self._held, []
        for sending in reversed(held) if backwards else held:
            sending.status = "queued"
            self.postmen.send(sending)
        return len(held)

    def rotate(self) -> dict[str, str]:
        """New keys for everybody: certificates are served under new names, the old ones no longer."""
        for wire in self.wires:
            wire.google_key, wire.sns_key = _next(wire.google_key), _next(wire.sns_key)
        return {"google_key": self.google_key, "sns_key": self.sns_key}

    @property
    def google_key(self) -> str:
        """Name of Google's present key."""
        return next((wire.google_key for wire in self.wires), GOOGLE_KEY)

    @property
    def sns_key(self) -> str:
        """Name of SNS's present key."""
        return next((wire.sns_key for wire in self.wires), SNS_KEY)

    def answer(self, request: Request) -> Response:
        """What the clouds serve themselves: keys, certificates, confirmations."""
        path = request.path.removeprefix("/cloud/")
        if path == "google/v3/certs":
            return json_response({"keys": [keys.jwk(self.google_key)]}, headers={"Cache-Control": "public, max-age=20000"})
        if path == "google/v1/certs":
            shown = keys.certificate(self.google_key, "federated-signon.system.gserviceaccount.com").decode()
            return json_response({self.google_key: shown}, headers={"Cache-Control": "public, max-age=20000"})
        if path == f"sns/{SNS_NAME}{self.sns_key}.pem":
            return Response(200, keys.certificate(self.sns_key, "sns.amazonaws.com"), {"Content-Type": "application/x-pem-file"})
        if path == "sns/confirm":
            wire = self._tokens.pop(request.query.get("Token", ""), None)
            if wire is not None and wire.topic == request.query.get("TopicArn"):
                wire.confirmed = True
                return Response(200, b"<ConfirmSubscriptionResponse/>", {"Content-Type": "text/xml"})
        return json_response({"message": "not found"}, 404)

    def records(self) -> list[dict[str, Any]]:
        """What was sent, as plain values."""
        return [
            {
                "transport": sending.wire.transport, "topic": sending.wire.topic, "identifier": sending.identifier,
                "status": sending.status, "tries": sending.tries, "answers": list(sending.answers),
                "payload": orjson.loads(sending.payload),
            }
            for sending in list(self.log)
        ]  # fmt: skip

    def _happens(self, share: float) -> bool:
        return share > 0 and self._random.random() < share


def _next(name: str) -> str:
    stem, _, number = name.rpartition("-")
    return f"{stem}-{int(number) + 1}"


def _post(parcel: Parcel) -> int | str:
    return _asked(lambda http: http.post(parcel.address, data=parcel.body, headers=parcel.headers, timeout=TIMEOUT))[0]


def _handshake(wire: Wire) -> tuple[bool, int | str]:
    """Event Grid asks with OPTIONS whether it may send (CloudEvents 1.0 abuse protection)."""
    headers = {"WebHook-Request-Origin": ORIGIN, "WebHook-Request-Rate": "120"}
    answered, origin = _asked(lambda http: http.options(wire.endpoint, headers=headers, timeout=TIMEOUT))
    return answered == 200 and origin in (ORIGIN, "*"), answered


def _asked(call: Callable[[requests.Session], requests.Response]) -> tuple[int | str, str]:
    with requests.Session() as http:
        http.trust_env = False
        try:
            answer = call(http)
        except requests.RequestException as error:
            return type(error).__name__, ""
        return answer.status_code, answer.headers.get("WebHook-Allowed-Origin", "")
