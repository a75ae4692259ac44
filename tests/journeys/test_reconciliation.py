"""Both ends compared over real HTTP: exactly the drifts that were made, each with its cause; repaired, and the next comparison is clean."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from integrations.engine import exceptions
from integrations.engine.fetch import fetch_records
from integrations.models import Connection, Delivery, Flow
from integrations.platforms.ometria.survey import OmetriaSurvey
from integrations.platforms.survey import StoredPage
from integrations.standins.faults import Fault
from integrations.standins.ometria import OmetriaStandIn, behind, people
from monitoring.models import Drift, Reconciliation, Seen
from monitoring.reconcile import repair, runs, work
from tests.conftest import DOMAIN, RouteB
from tests.journeys.workers import Processes, database_url
from tests.rows import make_person

pytestmark = [pytest.mark.journey]
PLACED, CHANGED = Reconciliation.Basis.PLACED, Reconciliation.Basis.CHANGED
ONE_PUMP = "import django; django.setup(); from monitoring.reconcile import work; work.pump(60)"


@pytest.fixture(autouse=True)
def prompt_bulk(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bulk jobs that are looked at without waiting, in a place of this test's own."""
    settings.SPOOL_DIR = tmp_path / "spool"
    monkeypatch.setattr("integrations.platforms.shopify.bulk.POLL_SECONDS", 0.05)


@contextmanager
def an_hour_ago(route: RouteB) -> Iterator[None]:
    """What happens in here happened an hour ago, and nobody was told."""
    with route.shopify.shop(DOMAIN).past(route.shopify.clock.utc() - timedelta(hours=1)):
        yield


def bring(route: RouteB, reader: str, *keys: int) -> None:
    """These objects arrive and everything goes out."""
    fetch_records(route.source, reader, [str(key) for key in keys])
    route.run()


def order(route: RouteB, variant: int, customer: int, **values: Any) -> Any:
    return route.act("create_order", customer_id=customer, lines=[{"variant_id": variant, "quantity": 2}], **values)


def compare(flow: Flow, *, basis: str = PLACED, hours: float = 3.0, seconds: float = 30.0) -> Reconciliation:
    """One comparison of the last hours, to its end."""
    now = timezone.now()
    run = runs.start(flow, now - timedelta(hours=hours), now, basis=basis, grace_seconds=0)
    return finish(run, seconds)


def finish(run: Reconciliation, seconds: float = 30.0) -> Reconciliation:
    until = time.monotonic() + seconds
    while run.state in ("waiting", "running"):
        assert time.monotonic() < until, (run.stage, run.note, run.error)
        work.pump(5)
        run.refresh_from_db()
        time.sleep(0.02)
    return run


def told() -> set[tuple[str, str, str]]:
    """Every open drift: record, what, cause."""
    return set(Drift.objects.filter(state="open").values_list("record_key", "aspect", "cause"))


def test_exactly_the_drifts_that_were_made_are_listed_repaired_and_gone(route_b: RouteB) -> None:
    flow = route_b.flow("order")
    Flow.objects.filter(pk=flow.pk).update(settings={**flow.settings, "sku_gate": "catalogue"})
    with an_hour_ago(route_b):
        shoes = route_b.act("create_product", title="Shoe", handle="shoe", variants=[{"sku": "SHOE", "price": "20.00", "inventory": 99}])
        ghost = route_b.act("create_product", title="Ghost", handle="ghost", variants=[{"sku": "GHOST", "price": "7.00", "inventory": 99}])
        ada = route_b.act("create_customer", email="ada@example.com", first_name="Ada").id
        shoe = shoes.variant_ids[0]
        fine, lost, touched, halved, twice = (order(route_b, shoe, ada) for _ in range(5))
        strange = order(route_b, ghost.variant_ids[0], ada)
    bring(route_b, "products", shoes.id)
    bring(route_b, "customers", ada)
    bring(route_b, "orders", *(each.id for each in (fine, touched, halved, twice, strange)))
    assert route_b.subscribe()
    route_b.hold_webhooks()

    for _ in range(2):  # two refunds of one order, told in the wrong order
        route_b.act("refund", order_id=twice.id, lines={twice.lines[0].id: 1})
    first, *_, last = [sending for sending in route_b.held(twice.id) if sending.topic == "orders/updated"]
    for sending in (last, first):
        assert route_b.post(sending.headers, sending.body) == 200
    route_b.run()
    route_b.act("refund", order_id=halved.id, lines={halved.lines[0].id: 1})  # nobody is told
    account = route_b.ometria.account()
    behind.edit_order(account, {"id": f"shp-{touched.id}", "changes": {"grand_total": 1.0, "status": "complete"}})
    behind.add_order(account, {"id": f"shp-{fine.id}", "as": "shp-4711"})

    run = compare(flow)

    assert told() == {
        (str(lost.id), "order", "never_received"),
        (str(touched.id), "order", "changed_there"),
        (str(strange.id), "order", "held"),
        (str(halved.id), "refund", "not_updated"),
        ("shp-4711", "order", "extra"),
    }
    assert (run.state, run.matched, run.drifted, run.error) == ("done", 2, 5, "")
    assert not Seen.objects.exists()
    changed = Drift.objects.get(cause="changed_there")
    assert (changed.field, changed.ours, changed.theirs, changed.more) == ("grand_total", "40.0", "1.0", 1)
    assert Drift.objects.get(cause="held").exception.subject == "GHOST"
    assert Drift.objects.get(cause="not_updated").value == Decimal("20.00")
    assert "ada@example.com" not in " ".join(Drift.objects.values_list("title", flat=True))

    heal(route_b, flow)
    behind.remove_order(account, {"id": "shp-4711"})
    bring(route_b, "products", ghost.id)
    exceptions.release_answered()
    route_b.run()
    again = compare(flow)

    assert told() == set()
    assert (again.matched, again.drifted) == (6, 0)
    assert route_b.state("orders")[f"shp-{halved.id}"]["total_unit_quantity_refunded"] == 1
    assert route_b.state("orders")[f"shp-{touched.id}"]["grand_total"] == 40.0
    assert set(Drift.objects.values_list("state", flat=True)) == {"closed"}


def heal(route: RouteB, flow: Flow) -> None:
    """A person repairs what can be repaired, and the workers do their part."""
    person = make_person("manager")
    rows = repair.repairable(person, Drift.objects.select_related("flow"))
    began = repair.repair(list(rows), person)
    assert (began.pulled, began.resent, began.left) == (2, 1, 0)
    waiting = Drift.objects.filter(state="repairing", cause__in=["never_received", "not_updated"])
    repair.pull_drifts(flow.pk, list(waiting.values_list("pk", flat=True)))
    route.run()
    repair.check_repairs()
    assert set(Drift.objects.filter(asked_by=person).values_list("state", flat=True)) == {"closed"}


def test_consent_that_was_withdrawn_at_ometria_is_listed_and_never_sent_over(route_b: RouteB) -> None:
    with an_hour_ago(route_b):
        ada = route_b.act("create_customer", email="ada@example.com", first_name="Ada").id
        route_b.act("set_email_consent", customer_id=ada, state="SUBSCRIBED")
        bea = route_b.act("create_customer", email="bea@example.com", first_name="Bea").id
    bring(route_b, "customers", ada, bea)
    profile = next(one for one in route_b.state("profiles").values() if one["email"] == "ada@example.com")
    assert profile["marketing_optin"] is True
    people.unsubscribe(route_b.ometria.account(), {"email": "ada@example.com"})

    run = compare(route_b.flow("customer"), basis=CHANGED)

    assert told() == {(str(ada), "consent", "unsubscribed_there")}
    assert (run.matched, run.drifted) == (2, 1)
    assert not repair.repairable(make_person("marketing"), Drift.objects.all()).exists()


def test_the_orders_of_each_day_are_counted_at_both_ends_without_reading_them(route_b: RouteB) -> None:
    with an_hour_ago(route_b):
        shoe = route_b.product()
        ada = route_b.act("create_customer", email="ada@example.com", first_name="Ada").id
        made = [order(route_b, shoe, ada).id for _ in range(7)]
    bring(route_b, "orders", *made[:-1])
    now = timezone.now()
    before = dict(route_b.ometria.account().calls)

    run = finish(runs.start(route_b.flow("order"), now - timedelta(days=2), now, level=Reconciliation.Level.COUNTS))

    assert [(ours, theirs) for _, ours, theirs in run.days] == [(0, 0), (7, 6)]
    assert route_b.ometria.account().calls["GET /orders"] - before.get("GET /orders", 0) <= 8
    assert not Drift.objects.exists()


@pytest.mark.slow
def test_a_comparison_that_is_killed_goes_on_where_it_was(route_b: RouteB, tmp_path: Path) -> None:
    flow, number = route_b.flow("order"), 60
    Connection.objects.filter(pk=route_b.source.pk).update(settings={**route_b.source.settings, "page_size": 10})
    with an_hour_ago(route_b):
        shoe = route_b.product()
        ada = route_b.act("create_customer", email="ada@example.com", first_name="Ada").id
        made = [order(route_b, shoe, ada).id for _ in range(number)]
    bring(route_b, "orders", *made[:-1])
    now = timezone.now()
    run = runs.start(flow, now - timedelta(hours=3), now, basis=CHANGED, grace_seconds=0)
    route_b.shopify.faults.add(Fault("latency", path="/admin", seconds=0.25, times=0))
    with Processes(database_url(), tmp_path / "pump.log") as processes:
        process = processes.start("-c", ONE_PUMP)
        until = time.monotonic() + 30
        while not 0 < Reconciliation.objects.get(pk=run.pk).source_count < number:
            assert time.monotonic() < until, processes.said()
            time.sleep(0.02)
        processes.kill(process)
    route_b.shopify.faults.clear()
    run.refresh_from_db()
    before = run.source_count
    Reconciliation.objects.filter(pk=run.pk).update(lease_until=timezone.now())

    finish(run)

    assert 0 < before < number
    assert (run.state, run.source_count, run.matched, run.drifted) == ("done", number, number - 1, 1)
    assert told() == {(str(made[-1]), "order", "never_received")}


@pytest.mark.slow
def test_a_comparison_keeps_to_the_rate_limit_and_out_of_the_way_of_live_orders(route_b: RouteB, monkeypatch: pytest.MonkeyPatch) -> None:
    refused: list[str] = []
    within = OmetriaStandIn._within_quota

    def watched(self: OmetriaStandIn, key: str, pattern: tuple[str, ...]) -> bool:
        allowed = within(self, key, pattern)
        if not allowed:
            refused.append("/".join(pattern))
        return allowed

    with an_hour_ago(route_b):
        shoe = route_b.product()
        ada = route_b.act("create_customer", email="ada@example.com", first_name="Ada").id
        made = [order(route_b, shoe, ada).id for _ in range(25)]
    bring(route_b, "orders", *made)
    assert route_b.subscribe()
    monkeypatch.setattr(OmetriaStandIn, "_within_quota", watched)
    route_b.ometria.change_settings({"push_rate": 8.0, "read_rate": 4.0})
    Connection.objects.filter(pk=route_b.destination.pk).update(
        settings={**route_b.destination.settings, "push_rate": 8, "read_rate": 4}
    )  # fmt: skip
    monkeypatch.setattr(OmetriaSurvey, "page", lambda *_, **__: StoredPage())  # so that every order takes a read of its own
    now = timezone.now()
    run = runs.start(route_b.flow("order"), now - timedelta(hours=3), now, basis=CHANGED, grace_seconds=0)
    thread = threading.Thread(target=_pump_alone, args=(60,))
    thread.start()
    overtook = []
    for _ in range(4):
        live = order(route_b, shoe, ada)
        until = time.monotonic() + 20
        while not Delivery.objects.filter(record_key=str(live.id)).exclude(sent_hash="").exists():
            assert time.monotonic() < until
            route_b.pump(1)
        overtook.append(Reconciliation.objects.filter(pk=run.pk, state__in=["waiting", "running"]).exists())
    thread.join(60)
    run.refresh_from_db()

    assert overtook[0], "the first live order went out only after everything had been compared"
    assert refused == []
    assert (run.state, run.matched) == ("done", 25)


def _pump_alone(seconds: float) -> None:
    try:
        until = time.monotonic() + seconds
        while time.monotonic() < until and Reconciliation.objects.filter(state__in=["waiting", "running"]).exists():
            work.pump(2)
            time.sleep(0.05)
    finally:
        connections.close_all()
