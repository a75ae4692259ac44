"""Platforms that throttle, fail, answer nonsense or are gone: obeyed, retried, paused, asked about once."""

from __future__ import annotations

import time
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from integrations.engine import accounts, pumps
from integrations.engine.exceptions import close_empty, release_exceptions
from integrations.engine.outbox import Cause, enqueue
from integrations.models import Attempt, Connection, Delivery, RateBudget, SyncException
from integrations.standins.faults import Fault
from integrations.standins.ometria import ingest
from tests.conftest import RouteB
from tests.factories import CustomerFactory

pytestmark = [pytest.mark.journey]
PUSH = "/v2/push"


def people(route: RouteB, *keys: str) -> list[Delivery]:
    """Customers waiting in the outbox."""
    enqueue(route.source, [CustomerFactory(key=key) for key in keys], cause=Cause.WEBHOOK)
    return list(Delivery.objects.filter(flow=route.flow("customer")).order_by("record_key"))


def rush(route: RouteB) -> None:
    """Let every wait be over: what is ready is due now, a pause of the platform has passed."""
    Delivery.objects.filter(state="ready").update(due_at=timezone.now())
    Connection.objects.update(resume_at=None)


def send(route: RouteB, seconds: float = 5.0) -> None:
    pumps.pump_flow(route.flow("customer").pk, seconds, linger=False)


def noted(route: RouteB, monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, str]]:
    """Every call that reaches the Ometria stand-in, with its time."""
    calls: list[tuple[float, str]] = []
    handle = route.ometria.handle

    def noting(request: Any) -> Any:
        calls.append((time.monotonic(), f"{request.method} {request.path}"))
        return handle(request)

    monkeypatch.setattr(route.ometria, "handle", noting)
    return calls


def test_a_stated_pause_is_obeyed_by_every_worker_and_costs_no_attempt(route_b: RouteB, monkeypatch: pytest.MonkeyPatch) -> None:
    people(route_b, "1", "2", "3")
    calls = noted(route_b, monkeypatch)
    route_b.ometria.faults.add(Fault("status", path=PUSH, status=429, retry_after="2"))
    began = time.monotonic()
    send(route_b)
    waiting = Delivery.objects.order_by("record_key")
    assert [(row.state, row.attempts) for row in waiting] == [("ready", 0)] * 3
    assert not Attempt.objects.exists()

    def keep_trying() -> None:
        try:
            while time.monotonic() < began + 4.0 and Delivery.objects.filter(state="ready").exists():
                pumps.pump_flow(route_b.flow("customer").pk, 3, linger=False)
                time.sleep(0.02)
        finally:
            connections.close_all()

    workers = [Thread(target=keep_trying) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    route_b.run()

    pushes = [at - began for at, what in calls if what == f"POST {PUSH}"]
    assert pushes[0] >= 2.0
    assert pushes[0] < 4.0
    assert set(Delivery.objects.values_list("state", "attempts")) == {("delivered", 0)}
    assert len(route_b.state("contacts")) == 3


def test_a_full_push_queue_is_left_alone_until_it_has_room(route_b: RouteB) -> None:
    people(route_b, *(str(number) for number in range(30)))
    route_b.ometria.change_settings({"queue_limit": 10})
    send(route_b)
    assert set(Delivery.objects.values_list("state", "attempts")) == {("ready", 0)}

    route_b.ometria.change_settings({"queue_limit": 50_000})
    RateBudget.objects.update(blocked_until=None)
    accounts._clients.clear()
    rush(route_b)
    route_b.run()
    assert len(route_b.state("contacts")) == 30


@pytest.mark.parametrize(
    "fault", [Fault("status", path=PUSH, status=502, times=2), Fault("html", path=PUSH, times=2)], ids=["502", "HTML with 200"]
)
def test_a_passing_fault_is_tried_again_later_and_counted(route_b: RouteB, fault: Fault) -> None:
    people(route_b, "1", "2")
    route_b.ometria.faults.add(fault)
    for attempt in (1, 2):
        before = timezone.now()
        send(route_b)
        for row in Delivery.objects.all():
            assert (row.state, row.attempts) == ("ready", attempt)
            assert timedelta(seconds=0.4) < row.due_at - before < timedelta(seconds=2**attempt + 2)
        rush(route_b)
    route_b.run()

    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}
    assert len(route_b.state("contacts")) == 2
    assert Attempt.objects.filter(outcome="later").count() == 4


@pytest.mark.parametrize("kind", ["reset_after_accept", "truncate"])
def test_an_answer_that_was_lost_after_the_work_was_done_leads_to_no_second_effect(route_b: RouteB, kind: Any) -> None:
    people(route_b, "1", "2")
    route_b.ometria.faults.add(Fault(kind, path=PUSH))
    send(route_b)
    rush(route_b)
    route_b.run()

    effects = route_b.ometria.ledger.effects("contact")
    assert {effect.key for effect in effects} == {"shopify:1", "shopify:2"}
    assert len({(effect.key, effect.digest) for effect in effects}) == 2
    assert len(route_b.state("contacts")) == 2
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}


def test_a_record_that_breaks_the_destination_ends_alone_on_an_exception_while_its_batch_mates_arrive(route_b: RouteB) -> None:
    people(route_b, *(str(number) for number in range(10)), "666")
    route_b.ometria.faults.add(Fault("status", path=PUSH, body="person666@example.com", status=500, times=0))
    for _ in range(12):
        send(route_b)
        rush(route_b)
    route_b.ometria.faults.clear()
    route_b.run()

    asked = SyncException.objects.get(state="open")
    assert (asked.kind, asked.occurrences) == ("exhausted", 1)
    assert [hold.delivery.record_key for hold in asked.holds.all()] == ["666"]
    assert Delivery.objects.get(record_key="666").state == "blocked"
    assert set(route_b.state("contacts")) == {f"shopify:{number}" for number in range(10)}


def test_a_platform_that_is_down_is_paused_and_probed_with_one_question_that_closes_by_itself(
    route_b: RouteB, monkeypatch: pytest.MonkeyPatch
) -> None:
    people(route_b, *(str(number) for number in range(20)))
    calls = noted(route_b, monkeypatch)
    route_b.ometria.faults.add(Fault("status", status=503, times=0))
    for _ in range(30):
        Delivery.objects.filter(state="ready").update(due_at=timezone.now())
        send(route_b)
    asked = SyncException.objects.get()
    assert (asked.kind, asked.connection, asked.state) == ("platform_down", route_b.destination, "open")
    assert len(route_b.ometria.faults.pending()) == 1
    assert len(calls) == 0  # the fault answers before the stand-in does
    paused = Connection.objects.get(pk=route_b.destination.pk)
    assert paused.faults == 5
    assert timezone.now() < paused.resume_at <= timezone.now() + timedelta(seconds=10)
    assert set(Delivery.objects.values_list("state", flat=True)) == {"ready"}

    route_b.ometria.faults.clear()
    rush(route_b)
    route_b.run()
    asked.refresh_from_db()
    assert (asked.state, asked.note) == ("resolved", "Closed by itself: the cause is gone.")
    assert Connection.objects.get(pk=route_b.destination.pk).resume_at is None
    assert len(route_b.state("contacts")) == 20


def test_a_dead_key_stops_the_connection_with_one_question_and_a_new_one_releases_what_waited(route_b: RouteB) -> None:
    people(route_b, "1", "2", "3")
    route_b.ometria.revoke_key("demo-ometria-key")
    for _ in range(3):
        send(route_b)
        rush(route_b)
    stopped = Connection.objects.get(pk=route_b.destination.pk)
    assert stopped.state == "needs_auth"
    assert [(row.kind, row.state) for row in SyncException.objects.all()] == [("needs_auth", "open")]
    assert set(Delivery.objects.values_list("state", "attempts")) == {("ready", 0)}

    route_b.ometria.add_key("demo", "demo-second-key")
    accounts.set_credential(stopped, "api_key", "demo-second-key")
    assert accounts.probe_connection(stopped).ok
    route_b.run()
    assert [(row.kind, row.state) for row in SyncException.objects.all()] == [("needs_auth", "resolved")]
    assert len(route_b.state("contacts")) == 3


def test_a_setting_that_cannot_work_stops_the_connection_with_its_remedy(route_b: RouteB) -> None:
    people(route_b, "1")
    Connection.objects.filter(pk=route_b.destination.pk).update(settings={"discount_sign": "sideways"})
    send(route_b)

    asked = SyncException.objects.get()
    assert (asked.kind, asked.detail) == ("needs_auth", '"Discounts are sent" must be negative or positive.')
    assert Delivery.objects.get().state == "ready"


def test_an_unforeseen_fault_while_sending_holds_only_the_record_that_causes_it(route_b: RouteB, monkeypatch: pytest.MonkeyPatch) -> None:
    from integrations.platforms.ometria.client import OmetriaClient

    push = OmetriaClient.push

    def breaks(self: OmetriaClient, items: Any) -> Any:
        if any(item["id"] == "666" for item in items):
            raise ZeroDivisionError("as if a line of ours had a fault")
        return push(self, items)

    monkeypatch.setattr(OmetriaClient, "push", breaks)
    people(route_b, "1", "2", "666", "3")
    send(route_b)
    route_b.run()

    asked = SyncException.objects.get()
    assert (asked.kind, asked.subject, asked.detail) == ("internal", "ZeroDivisionError", "as if a line of ours had a fault")
    assert [hold.delivery.record_key for hold in asked.holds.all()] == ["666"]
    assert set(route_b.state("contacts")) == {"shopify:1", "shopify:2", "shopify:3"}


def test_a_refused_record_is_held_with_what_the_destination_said_and_its_batch_mates_arrive(
    route_b: RouteB, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = ingest.inspect_values

    def strict(shape: Any, record: dict[str, Any], findings: Any) -> None:
        look(shape, record, findings)
        if record["id"] == "2":
            findings.problems.append(ingest.Problem("firstname", "This name is not allowed here"))

    monkeypatch.setattr(ingest, "inspect_values", strict)
    people(route_b, "1", "2", "3")
    route_b.run()

    asked = SyncException.objects.get()
    held = Delivery.objects.get(record_key="2")
    assert (asked.kind, asked.state, [hold.delivery for hold in asked.holds.all()]) == ("refused", "open", [held])
    assert (held.state, held.sent_hash) == ("blocked", "")
    assert "This name is not allowed here" in held.last_message
    assert set(route_b.state("contacts")) == {"shopify:1", "shopify:3"}

    monkeypatch.undo()
    assert release_exceptions([asked.pk], None) == 1
    route_b.run()
    assert close_empty() == 1
    asked.refresh_from_db()
    assert asked.state == "resolved"
    assert set(route_b.state("contacts")) == {"shopify:1", "shopify:2", "shopify:3"}
