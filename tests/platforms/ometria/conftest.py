"""An Ometria stand-in on loopback, clients for it, and the room's samples."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from integrations.platforms.base import Account, Item, JsonObject
from integrations.platforms.ometria import PLATFORM
from integrations.platforms.ometria.client import OmetriaClient
from integrations.standins.ometria import OmetriaStandIn
from integrations.standins.server import StandInServer
from mapping.records import Event

SAMPLES = Path(__file__).parents[3] / "fixtures" / "samples" / "ometria"
KEY = "demo-ometria-key"
START = datetime(2026, 1, 10, 8, 0, tzinfo=UTC)


class RecordingPacer:
    """Notes what the room asks of the shared rate budget."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.pauses: list[tuple[str, float]] = []
        self.reports: dict[str, tuple[float | None, float | None]] = {}

    def take(self, group: str, cost: float = 1) -> None:
        self.taken.append(group)

    def report(self, group: str, *, rate: float | None = None, burst: float | None = None, available: float | None = None) -> None:
        self.reports[group] = (rate, burst)

    def pause(self, group: str, seconds: float) -> None:
        self.pauses.append((group, seconds))


@pytest.fixture
def sample() -> Callable[..., JsonObject]:
    def load(name: str, **changes: object) -> JsonObject:
        return {**orjson.loads((SAMPLES / f"{name}.json").read_bytes()), **changes}

    return load


@pytest.fixture
def rows() -> Callable[[str], list]:
    return lambda name: orjson.loads((SAMPLES / f"{name}.json").read_bytes())


@pytest.fixture
def stand_in() -> OmetriaStandIn:
    return OmetriaStandIn({"demo": KEY}, push_rate=None, read_rate=None)


@pytest.fixture
def base(stand_in: OmetriaStandIn) -> Iterator[str]:
    with StandInServer([stand_in]) as server:
        yield server.url("ometria")


@pytest.fixture
def pacer() -> RecordingPacer:
    return RecordingPacer()


@pytest.fixture
def connect(base: str, pacer: RecordingPacer) -> Callable[..., OmetriaClient]:
    def build(*, key: str = KEY, next_key: str = "", address: str = "", **settings: object) -> OmetriaClient:
        secrets = {"api_key": key, "api_key_next": next_key}
        where = {"platform": "ometria", "external_id": "demo", "base_url": address or base}
        return PLATFORM.connect(Account(connection_id=1, secrets=secrets, settings=settings, **where), pacer)

    return build


@pytest.fixture
def client(connect: Callable[..., OmetriaClient]) -> OmetriaClient:
    return connect()


@pytest.fixture
def item() -> Callable[..., Item]:
    """Items around a payload; `minutes` orders the records in time."""

    def build(payload: JsonObject, key: str = "", minutes: int = 0) -> Item:
        record = Event(key=key or str(payload["id"]), occurred_at=START + timedelta(minutes=minutes), name="any")
        return Item(key=record.key, record=record, payload=deepcopy(payload))

    return build
