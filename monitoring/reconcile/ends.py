"""The two ends of a flow as a comparison reads them: in the lowest lane, so that live work goes first."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from integrations.engine import accounts
from integrations.engine.masks import unmasked
from integrations.flows import FlowSpec, spec_for
from integrations.models import Connection, Delivery, Flow
from integrations.platforms.base import Lane, Page, RawObject, Window
from integrations.platforms.errors import PlatformError, Unparsable
from integrations.platforms.registry import PLATFORMS
from integrations.platforms.survey import PeopleSeen, SourceLook, StoredObject, StoredPage, StoredPerson, Survey
from mapping.records import Order, Record, RecordType

RECORD_TYPES = (RecordType.CUSTOMER, RecordType.ORDER)
SAMPLE = 50  # deliveries whose keys tell how this flow names things at the destination
NAME = re.compile(r"(?:[^\W\d]+[-:])*")  # words with a sign behind each: "shp-", "tiktok_shop:tts:"


class EndFault(Exception):  # noqa: N818 - carries a fault to whoever decides about it
    """A platform's fault, and which end it came from."""

    def __init__(self, connection: Connection, client: Any, fault: PlatformError) -> None:
        super().__init__(str(fault))
        self.connection, self.client, self.fault = connection, client, fault


def comparable(flow: Flow) -> bool:
    """Whether both ends of a flow can be read for a comparison; the connections are to be there."""
    source, destination = PLATFORMS.get(flow.source.platform), PLATFORMS.get(flow.destination.platform)
    return flow.record_type in RECORD_TYPES and bool(source and source.look and destination and destination.survey)


def comparable_flows() -> list[Flow]:
    """The enabled flows that can be compared."""
    rows = Flow.objects.filter(record_type__in=RECORD_TYPES, enabled=True).select_related("source", "destination")
    return [flow for flow in rows if comparable(flow)]


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """A record as the source shows it now; `pull_key` names the object it came with where that is not its own."""

    record: Record
    pull_key: str = ""


@dataclass(slots=True)
class Ends:
    """Both ends of one flow. Every method that reads raises EndFault."""

    flow: Flow
    lane: Lane = Lane.BULK
    _namespace: str | None = field(default=None, repr=False)

    @property
    def record_type(self) -> RecordType:
        """What the flow carries."""
        return RecordType(self.flow.record_type)

    @property
    def spec(self) -> FlowSpec:
        """The flow's line in the table of flows."""
        return spec_for(self.flow.source.platform, self.flow.destination.platform, self.flow.record_type)

    @property
    def survey(self) -> Survey:
        """How the destination is read."""
        return PLATFORMS[self.flow.destination.platform].survey

    @property
    def look(self) -> SourceLook:
        """How single things are read at the source."""
        return PLATFORMS[self.flow.source.platform].look

    @property
    def reader(self) -> str:
        """The reader that brings this flow's records."""
        return self.look.readers[self.record_type]

    @property
    def namespace(self) -> str:
        """What the keys of this flow's things begin with at the destination; empty while nothing was ever sent, or where ids stand bare."""
        if self._namespace is None:
            keys = Delivery.objects.filter(flow=self.flow, state=Delivery.State.DELIVERED).exclude(destination_key="")
            latest = keys.order_by("-updated_at").values_list("destination_key", flat=True)[:SAMPLE]
            names = Counter(NAME.match(key).group() for key in latest)
            self._namespace = next((name for name, _ in names.most_common(1)), "")
        return self._namespace

    @contextmanager
    def _calling(self, connection: Connection) -> Iterator[Any]:
        client = None
        try:
            with accounts.remediable():
                client = accounts.client_for(connection, lane=self.lane)
                yield client
        except PlatformError as fault:
            raise EndFault(connection, client, fault) from fault

    def stored_page(self, window: Window, *, placed: bool, cursor: str | None) -> StoredPage:
        """One page of what the destination holds."""
        with self._calling(self.flow.destination) as client:
            return self.survey.page(client, self.record_type, window, placed=placed, namespace=self.namespace, cursor=cursor)

    def stored(self, key: str) -> StoredObject | None:
        """One object of the destination."""
        with self._calling(self.flow.destination) as client:
            return self.survey.one(client, self.record_type, key)

    def differences(self, delivery: Delivery, stored: StoredObject) -> list[tuple[str, Any, Any]]:
        """Where the stored object is not what was sent; empty when that is no longer known."""
        if delivery.sent_payload is None:
            return []
        with self._calling(self.flow.destination) as client:
            found = self.survey.differences(client, self.record_type, delivery.sent_payload, stored.data)
        return [(one.field, one.sent, one.stored) for one in found]

    def people_page(self, window: Window, cursor: str | None) -> PeopleSeen:
        """One page of the people who changed at the destination."""
        with self._calling(self.flow.destination) as client:
            return self.survey.people(client, window.since, cursor)

    def person(self, key: str) -> StoredPerson | None:
        """One person of the destination."""
        with self._calling(self.flow.destination) as client:
            return self.survey.person(client, key)

    def source_page(self, window: Window, *, placed: bool, cursor: str | None) -> Page:
        """One page of the source."""
        reader = accounts.platform_of(self.flow.source).readers[self.reader]
        pull = reader.backfill if placed and reader.backfill else reader.pull
        with self._calling(self.flow.source) as client:
            return pull(client, window, cursor)

    def cancel_source(self, cursor: str | None) -> None:
        """End what a reading by time of purchase started at the source."""
        reader = accounts.platform_of(self.flow.source).readers[self.reader]
        if reader.cancel is not None:
            with self._calling(self.flow.source) as client:
                reader.cancel(client, cursor)

    def counts(self, window: Window) -> tuple[int | None, int | None]:
        """How many were placed in the window: at the source, at the destination."""
        with self._calling(self.flow.source) as client:
            ours = self.look.count(client, self.reader, window)
        if ours is None:
            return None, None
        with self._calling(self.flow.destination) as client:
            return ours, self.survey.count(client, self.record_type, window, self.namespace)

    def records(self, objects: Sequence[RawObject]) -> list[SourceRecord]:
        """The records of this flow's type in source objects, without what masking rules recognise; unreadable objects are left out."""
        found = {}
        for raw in objects:
            parsed = self._parsed(raw)
            order = next((record.key for record in parsed if isinstance(record, Order)), "")
            for record in unmasked(self.flow.source.platform, [one for one in parsed if one.record_type is self.record_type]):
                found[record.key] = SourceRecord(record, order if self.record_type is not RecordType.ORDER else "")
        return list(found.values())

    def _parsed(self, raw: RawObject) -> Sequence[Record]:
        platform, account = accounts.platform_of(self.flow.source), accounts.account_for(self.flow.source)
        try:
            return platform.parse(account, raw)
        except Unparsable:
            return ()  # the poll or the webhook that brought it asked a person already
