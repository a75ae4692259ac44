"""Visitors: what a browser did before it had a name waits, goes out under the name, or is counted as an orphan."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.engine import recoveries, visitors
from integrations.engine.outbox import Cause, Result, enqueue
from integrations.models import Connection, Delivery, Flow, SyncException, VisitorIdentity
from mapping.records import Checkout, CustomerRef, Event, EventRole, Order, Record
from tests.factories import OrderFactory, at
from tests.rows import make_connections

pytestmark = [pytest.mark.django_db(transaction=True)]
ADA, NOBODY = CustomerRef(key="7001", email="ada@example.com"), CustomerRef()


@pytest.fixture
def site() -> Connection:
    """A site whose events and checkouts go to the account that a shop's orders go to."""
    shop, ometria = make_connections()
    Flow.objects.create(source=shop, destination=ometria, record_type="order")
    made = Connection.objects.create(platform="site", name="Own site", external_id="site_demo_key", base_url="http://127.0.0.1:9")
    for record_type in ("event", "checkout"):
        Flow.objects.create(source=made, destination=ometria, record_type=record_type)
    return made


def event(key: str, visitor: str = "v1", who: CustomerRef = NOBODY, second: float = 0, **values: Any) -> Event:
    return Event(key=key, occurred_at=at(second), name="product_viewed", visitor=visitor, customer=who, **values)


def checkout(key: str = "c1", visitor: str = "v1", who: CustomerRef = NOBODY, second: float = 0) -> Checkout:
    return Checkout(key=key, occurred_at=at(second), visitor=visitor, customer=who, not_before=at(second + 1800))


def take(connection: Connection, *records: Record) -> None:
    """What processing does with parsed records."""
    enqueue(connection, records, cause=Cause.WEBHOOK)
    visitors.learn(connection, records)
    recoveries.end_checkouts(connection, records)


def known(site: Connection) -> dict[str, tuple[str, str]]:
    rows = VisitorIdentity.objects.filter(connection=site)
    return {row.anonymous_id: (row.email, row.customer_id) for row in rows}


def wait(key: str) -> None:
    """As if a worker had looked for the visitor's name in vain."""
    Delivery.objects.filter(record_key=key).update(last_code=visitors.WAITS, due_at=timezone.now() + timedelta(hours=20))


def waits(key: str) -> bool:
    return Delivery.objects.get(record_key=key).due_at > timezone.now()


def test_a_name_lets_go_what_its_visitor_did_before_and_nobody_elses(site: Connection) -> None:
    take(site, event("e1"), event("e2", "v2"), checkout("c1"))
    for key in ("e1", "e2", "c1"):
        wait(key)

    take(site, event("e3", who=ADA, second=5, role=EventRole.IDENTITY))

    assert {key: waits(key) for key in ("e1", "e2", "c1")} == {"e1": False, "e2": True, "c1": False}
    assert known(site) == {"v1": ("ada@example.com", "7001")}


@pytest.mark.parametrize("backwards", [False, True])
def test_what_a_visitor_says_bit_by_bit_is_put_together(site: Connection, backwards: bool) -> None:
    parts = [event("e1", who=CustomerRef(email=" Ada@Example.com")), event("e2", who=CustomerRef(key="7001"), second=1)]
    take(site, *(reversed(parts) if backwards else parts))
    assert known(site) == {"v1": ("ada@example.com", "7001")}


def test_another_person_at_the_same_browser_takes_it_over_whole(site: Connection) -> None:
    take(site, event("e1", who=ADA))
    take(site, event("e2", who=CustomerRef(email="grace@example.com"), second=1))
    assert known(site) == {"v1": ("grace@example.com", "")}


def test_an_older_statement_that_comes_late_changes_nothing(site: Connection) -> None:
    take(site, event("e1", who=ADA, second=10))
    take(site, event("e2", who=CustomerRef(email="grace@example.com")))
    assert known(site) == {"v1": ("ada@example.com", "7001")}


def test_visitors_of_two_sites_are_different_even_under_the_same_id(site: Connection) -> None:
    other = Connection.objects.create(platform="site", name="Other", external_id="site_other_key", base_url="http://127.0.0.1:9")
    take(other, event("e1", who=ADA))
    assert known(site) == {}


def order(who: CustomerRef, second: float = 60, **values: Any) -> Order:
    return OrderFactory(customer=who, placed_at=at(second), second=second, **values)


def ended(key: str = "c1") -> bool:
    return Delivery.objects.get(record_key=key).record["completed_at"] is not None


@pytest.mark.parametrize(
    ("bought", "ends"),
    [
        (order(CustomerRef(email="ada@example.com")), True),
        (order(CustomerRef(key="7001")), True),
        (order(CustomerRef(), checkout_key="c1"), True),
        (order(CustomerRef(email="grace@example.com", key="7002")), False),
        (order(CustomerRef(email="ada@example.com"), second=-60), False),
        (order(CustomerRef(email="ada@example.com"), test=True), False),
        (order(CustomerRef(email="ada@example.com"), second=40 * 86400), False),
        (order(CustomerRef()), False),
    ],
    ids=["same e-mail", "same customer", "same checkout", "somebody else", "bought before", "a test order", "much later", "a guest"],
)
def test_an_order_of_the_shop_ends_the_checkouts_of_its_buyer(site: Connection, bought: Order, ends: bool) -> None:
    take(site, event("e1", who=ADA), checkout())
    take(Connection.objects.get(platform="shopify"), bought)
    assert ended() is ends


def test_a_checkout_that_was_ended_keeps_its_lines_and_its_time_of_purchase(site: Connection) -> None:
    take(site, checkout(who=ADA))
    take(Connection.objects.get(platform="shopify"), order(ADA, second=61.5))
    row = Delivery.objects.get(record_key="c1")
    assert (row.record["completed_at"], row.occurred_at, row.version) == ("2026-01-10T08:01:01.500000Z", at(61.5), 2)


def test_a_purchase_event_without_checkout_ends_the_checkouts_of_its_browser(site: Connection) -> None:
    take(site, checkout("c1"), checkout("c2", "v2"))
    take(site, event("e1", second=60, role=EventRole.PURCHASE))
    assert (ended("c1"), ended("c2")) == (True, False)


def test_orders_of_a_shop_with_another_destination_end_nothing(site: Connection) -> None:
    take(site, checkout(who=ADA))
    other = Connection.objects.create(platform="shopify", name="Far shop", external_id="far.myshopify.com", base_url="http://127.0.0.1:9")
    far = Connection.objects.create(platform="ometria", name="Far account", external_id="far", base_url="http://127.0.0.1:9")
    Flow.objects.create(source=other, destination=far, record_type="order")
    take(other, order(ADA))
    assert not ended()


def test_orphans_of_a_day_are_one_exception_with_their_count(site: Connection) -> None:
    flow = Flow.objects.get(source=site, record_type="event")
    orphan = Result(delivery_id=1, state=Delivery.State.SKIPPED, outcome="skipped", code=visitors.ORPHAN)
    SyncException.objects.create(connection=site, kind="orphaned_events", subject="2026-01-01", title="old", occurrences=9)
    visitors.count_orphans(flow, [orphan] * 3)
    visitors.count_orphans(flow, [orphan] * 2)

    rows = SyncException.objects.filter(kind="orphaned_events").order_by("subject").values_list("state", "occurrences")
    assert list(rows) == [("resolved", 9), ("open", 5)]


def test_a_masked_address_is_nobodys_name(site: Connection) -> None:
    take(site, event("e1", who=CustomerRef(email="v4bDEMO7QK2@scs.tiktokw.eu")))
    assert known(site) == {}
