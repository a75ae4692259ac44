"""Every platform room with its samples, and a server on loopback that answers what a test tells it to."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson
import pytest

from integrations.platforms.base import Account, IncomingCall, Item, JsonObject, Platform, RawObject, Unpaced
from mapping.records import (
    Checkout,
    Consent,
    ConsentChange,
    ConsentState,
    Customer,
    Event,
    Order,
    Product,
    Record,
    RecordType,
    Totals,
    Variant,
)

ROOMS = Path(__file__).parents[3] / "integrations" / "platforms"
SAMPLES = Path(__file__).parents[3] / "fixtures" / "samples"
AT = datetime(2026, 1, 10, 8, 0, tzinfo=UTC)
RECORDS: dict[RecordType, Record] = {
    record.record_type: record
    for record in (
        Customer(key="1", occurred_at=AT, email="ada@example.com"),
        Order(key="1", occurred_at=AT, placed_at=AT, currency="GBP", totals=Totals()),
        Product(key="1", occurred_at=AT),
        Variant(key="1", occurred_at=AT, product_key="1"),
        Checkout(key="1", occurred_at=AT),
        Event(key="1", occurred_at=AT, name="any"),
        ConsentChange(
            key="1",
            occurred_at=AT,
            email="ada@example.com",
            consents=(Consent(channel="email", state=ConsentState.WITHDRAWN, stated_at=AT, explicit=True),),
        ),
    )
}


@dataclass(frozen=True)
class Room:
    """One platform with its `contract.json`: account, webhooks, objects, readers, writers, throttled answers."""

    platform: Platform
    folder: Path
    samples: dict[str, Any]

    def __str__(self) -> str:
        return self.platform.slug

    def part(self, name: str) -> Any:
        return self.samples.get(name) or {}

    def body(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def account(self, base_url: str = "http://127.0.0.1:9", **changes: Any) -> Account:
        held = {"external_id": "demo", "secrets": {}, "settings": {}, "api_version": "", **self.samples["account"], **changes}
        return Account(connection_id=1, platform=self.platform.slug, base_url=base_url, **held)

    def calls(self) -> list[IncomingCall]:
        entries = self.samples.get("webhooks", [])
        return [IncomingCall(path=entry.get("path", "/"), headers=entry["headers"], body=entry["body"].encode()) for entry in entries]

    def objects(self) -> list[tuple[RawObject, list[str]]]:
        """Objects of a file, or written out as `data`, with the record types they hold."""
        return [
            (RawObject(entry["shape"], entry["data"] if "data" in entry else orjson.loads(self.body(entry["file"]))), entry["records"])
            for entry in self.samples.get("objects", [])
        ]

    def items(self, record_type: RecordType) -> list[Item]:
        """Two items to send, differing in what the sample says."""
        entry = self.part("writers")[record_type]
        payload: JsonObject = orjson.loads(self.body(entry["payload"]))
        record = RECORDS[record_type]
        return [
            Item(key=f"item-{number}", record=record, payload=made, idempotency_key=f"key-{number}")
            for number, made in enumerate((payload, {**payload, **entry["second"]}))
        ]


def rooms() -> list[Room]:
    """Every package beside `base.py`, with its samples."""
    found = []
    for slug in sorted(path.parent.name for path in ROOMS.glob("*/__init__.py")):
        folder = SAMPLES / slug
        samples = orjson.loads((folder / "contract.json").read_bytes()) if (folder / "contract.json").exists() else {}
        found.append(Room(import_module(f"integrations.platforms.{slug}").PLATFORM, folder, samples))
    return found


ALL = rooms()


def cases(kind: str) -> list[Any]:
    """What a test of this kind runs over: rooms, or rooms with one of their parts."""
    lists: dict[str, Callable[[Room], list[tuple]]] = {
        "room": lambda room: [(room,)],
        "webhook_room": lambda room: [(room,)] if room.platform.webhooks else [],
        "signed_room": lambda room: [(room,)] if room.platform.webhooks and signs(room) else [],
        "unsigned_room": lambda room: [(room,)] if room.platform.webhooks and not signs(room) else [],
        "writer": lambda room: [(room, record_type) for record_type in room.platform.writers],
        "reader": lambda room: [(room, name) for name in room.platform.readers],
        "pager": lambda room: [(room, name) for name in room.platform.readers if room.part("readers").get(name)],
        "parser": lambda room: [(room,)] if room.platform.parse else [],
        "caller": lambda room: [(room, answer) for answer in room.samples.get("throttled", [])],
    }
    return [pytest.param(*case, id="-".join(_name(part) for part in case)) for room in ALL for case in lists[kind](room)]


def signs(room: Room) -> bool:
    """Whether the platform's signature covers the body; otherwise a shared key says who calls, and nothing of what is said."""
    return getattr(room.platform.webhooks, "signs_bodies", True)


def _name(part: Any) -> str:
    return f"{part['status']}" if isinstance(part, dict) else str(part)


ARGUMENTS = {"writer": "room,record_type", "reader": "room,reader", "pager": "room,reader", "caller": "room,answer"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    marker = metafunc.definition.get_closest_marker("over")
    if marker:
        names = ARGUMENTS.get(marker.args[0], "room")
        metafunc.parametrize(names, cases(marker.args[0]))


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "over(kind): run a contract test over every platform, or each of its writers, readers, …")


@dataclass
class Script:
    """Answers in order, the last one for ever; `None` drops the connection."""

    answers: list[JsonObject | None] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    base_url: str = ""

    def next(self) -> JsonObject | None:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: Script

    def do_GET(self) -> None:  # noqa: N802 - the name http.server calls
        self._answer()

    def do_POST(self) -> None:  # noqa: N802 - the name http.server calls
        self._answer()

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.script.asked.append(f"{self.command} {self.path}")
        answer = self.script.next()
        if answer is None:
            self.close_connection = True
            self.connection.close()
            return
        body = answer["text"].encode() if "text" in answer else orjson.dumps(answer.get("body", {}))
        self.send_response(answer.get("status", 200))
        for name, value in {"Content-Type": "application/json", **answer.get("headers", {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A dropped connection is on purpose here."""


@pytest.fixture
def script() -> Iterator[Script]:
    script = Script()
    handler = type("Handler", (_Handler,), {"script": script})
    with _Server(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        script.base_url = f"http://127.0.0.1:{server.server_address[1]}"
        yield script
        server.shutdown()


@pytest.fixture
def call(script: Script) -> Callable[..., Any]:
    """A client of a room whose platform gives the scripted answers."""

    def connect(room: Room, *answers: JsonObject | None) -> Any:
        script.answers = list(answers)
        return room.platform.connect(room.account(script.base_url), Unpaced())

    return connect
