"""Three sides with the ledger between them, for tests: what they say, and how what is due of a flow is told."""

from __future__ import annotations

from typing import Any, ClassVar
from unittest.mock import patch

import pytest
from django.db import connection as database
from django.db import transaction
from django.test.utils import CaptureQueriesContext
from psycopg import Cursor

from integrations import flows
from integrations.engine import consent, outbox
from integrations.engine.outbox import Cause, Result, claim_deliveries, enqueue, store_results
from integrations.engine.prepare import Prepared
from integrations.flows import FlowSpec
from integrations.models import Connection, Delivery, Flow
from mapping.models import ConsentStatement
from mapping.records import Consent, ConsentChange, ConsentState, Customer, RecordType
from tests.factories import CustomerFactory, at

G, W, U, S = ConsentState.GRANTED, ConsentState.WITHDRAWN, ConsentState.UNKNOWN, ConsentState.SUPPRESSED


class Sides:
    """A shop, an Ometria account and a store; consent flows from Ometria to both others and between them, customers into Ometria."""

    def __init__(self, *, carried: bool = True) -> None:
        made = {slug: Connection.objects.create(platform=slug, name=slug.title(), external_id=slug) for slug in SLUGS}
        self.shop, self.mail, self.store = (made[slug] for slug in SLUGS)
        for source in (self.shop, self.store):
            Flow.objects.create(source=source, destination=self.mail, record_type="customer", settings={"settle_seconds": 0})
        if carried:
            for source, destination in CONSENT_PAIRS:
                Flow.objects.create(
                    source=made[source], destination=made[destination], record_type="consent", settings={"settle_seconds": 0}
                )

    def flow(self, source: Connection, destination: Connection, record_type: str = "consent") -> Flow:
        return Flow.objects.select_related("source", "destination").get(source=source, destination=destination, record_type=record_type)

    def waiting(self) -> list[tuple[str, str, str, str]]:
        """Consent deliveries that are ready: source, destination, state and source of the word."""
        rows = Delivery.objects.filter(flow__record_type="consent", state="ready").order_by("flow__source__name", "flow__destination__name")
        found = rows.values_list("flow__source__name", "flow__destination__name", "record__consents")
        return [(source, destination, consents[0]["channel"], consents[0]["state"]) for source, destination, consents in found]


SLUGS = ("shopify", "ometria", "commercetools")
CONSENT_PAIRS = (("ometria", "shopify"), ("ometria", "commercetools"), ("shopify", "commercetools"), ("commercetools", "shopify"))


@pytest.fixture(autouse=True)
def specs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The flows of these tests, whether a route has them already or not."""
    wanted = [(source, destination, RecordType.CONSENT) for source, destination in CONSENT_PAIRS]
    for source, destination, kind in [*wanted, ("commercetools", "ometria", RecordType.CUSTOMER)]:
        spec = FlowSpec(route="E", source=source, destination=destination, record_type=kind)
        monkeypatch.setitem(flows._BY_KEY, (source, destination, kind), spec)


@pytest.fixture
def sides() -> Sides:
    return Sides()


def word(state: ConsentState, hours: float | None = 0.0, *, channel: str = "email", explicit: bool = True, **more: Any) -> Consent:
    stated_at = None if hours is None else at(hours * 3600)
    return Consent(channel=channel, state=state, stated_at=stated_at, explicit=explicit, **more)


def ada(*words: Consent, key: str = "501", email: str = "ada@example.com", second: float = 0, **more: Any) -> Customer:
    return CustomerFactory(key=key, email=email, occurred_at=at(second), consents=words, **more)


def change(*words: Consent, key: str = "p1", email: str = "ada@example.com", second: float = 0, **more: Any) -> ConsentChange:
    return ConsentChange(key=key, occurred_at=at(second), email=email, consents=words, **more)


def hear(connection: Connection, *records: Any, cause: Cause = Cause.WEBHOOK) -> int:
    with transaction.atomic():
        return enqueue(connection, records, cause=cause)


class CountedCursor(Cursor):
    """Statements that do not pass through Django's cursor."""

    seen: ClassVar[list[str]] = []

    def execute(self, query: Any, *rest: Any, **more: Any) -> Any:
        self.seen.append(str(query))
        return super().execute(query, *rest, **more)


def questions(work: Any, *, about: str = "mapping_consentstatement") -> int:
    """How many statements about a table are sent to the database."""
    CountedCursor.seen.clear()
    with CaptureQueriesContext(database) as seen, patch("integrations.engine.statements.Cursor", CountedCursor):
        work()
    return sum(about in sql for sql in [*CountedCursor.seen, *(query["sql"] for query in seen.captured_queries)])


def rows(**wanted: Any) -> list[tuple[str, str, bool, bool]]:
    found = ConsentStatement.objects.filter(**{"told": False, **wanted}).order_by("channel", "stated_at", "contact_key")
    return list(found.values_list("channel", "state", "from_history", "explicit"))


def tell(flow: Flow, *, state: str = "delivered", code: str = "") -> list[Any]:
    """Prepare what is due of a flow as the pump does, and store one outcome for all that would be sent; the records that were sent."""
    claim, batch = claim_deliveries(flow, 100), Prepared()
    pairs = [(row, outbox.codec.loads(flow.record_type, row.record_json)) for row in claim.rows]
    ready = consent.speaking(flow, pairs, batch)
    sent = {"delivered": {"sent_hash": "h", "payload": {}}, "skipped": {}, "ready": {"delay": 0.0}}[state]
    results = [Result(delivery_id=row.id, state=Delivery.State(state), outcome="", code=code, **sent) for row, _ in ready]
    store_results(claim, [*batch.results, *results])
    return [record for _, record in ready]
