"""Reading a project that never stands still: changes while pages are read, tokens that end, and others who write at the same time."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from integrations.engine import accounts, pull
from integrations.models import Checkpoint, Connection, Credential, Delivery, SyncException
from integrations.standins.commercetools.filler import fill, rewrite
from tests.journeys.workers import Processes, database_url, wait_until_settled
from tests.quiet import pull_through
from tests.route_e import RouteE
from tests.route_e import route_e as route_e

pytestmark = [pytest.mark.journey, pytest.mark.slow]
PEOPLE, CHANGES, PAGE = 1000, 50_000, 50


def doubled(route: RouteE) -> list[str]:
    """Contacts of which the same content was written more than once."""
    written = Counter((effect.key, effect.digest) for effect in route.effects("contact"))
    return [key for (key, _), times in written.items() if times > 1]


def test_fifty_thousand_changes_during_reading_are_all_there_and_none_is_written_twice(
    route_e: RouteE, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integrations.platforms.commercetools.client.MOST", PAGE)
    project = route_e.shop.project()
    fill(project, PEOPLE, days=10)
    pull.ensure_polls(route_e.source)
    (backfill,) = pull.start_backfill(route_e.source, ["customers"], since=timezone.now() - timedelta(days=30))
    writer = threading.Thread(target=rewrite, args=(project,), kwargs={"count": CHANGES, "seed": 7})
    writer.start()
    pull_through(backfill.pk, 120)
    polls = 0
    while writer.is_alive():
        route_e.poll("customers")
        polls += 1
    writer.join()
    route_e.poll("customers")
    route_e.run(120)
    names = {row["id"]: row.get("middlename", "") for row in route_e.state("contacts").values()}

    backfill.refresh_from_db()
    assert (backfill.state, polls > 2) == ("done", True)
    assert names == {key: row.doc().get("middleName", "") for key, row in project["customer"].rows.items()}
    assert doubled(route_e) == []
    assert not SyncException.objects.exists()


def test_the_first_test_call_is_no_change_of_what_its_token_grants(route_e: RouteE) -> None:
    Credential.objects.filter(connection=route_e.source, kind="access_token").delete()
    accounts._clients.clear()

    assert accounts.probe_connection(route_e.source).ok

    now = Connection.objects.get(pk=route_e.source.pk)
    assert (now.settings["granted_scopes"], now.history.first().settings) == (["manage_project:acme-demo"], now.settings)


def test_others_who_write_at_the_same_time_lose_nothing(route_e: RouteE) -> None:
    person = route_e.act("register", email="ada@example.com", consent={"email": False})
    clients = [accounts.client_for(route_e.source, lane=lane) for lane in (0, 1)]
    ours, theirs = 6, 12

    def write(client: Any, field: str) -> None:
        for number in range(1, ours + 1):
            value = f"2026-11-0{number}T10:00:00.000Z"
            client.update(
                f"/customers/{person.id}", lambda held, value=value: [{"action": "setCustomField", "name": field, "value": value}]
            )

    from django.db import connection as database

    def alone(client: Any, field: str) -> None:
        try:
            write(client, field)
        finally:
            database.close()

    threads = [threading.Thread(target=alone, args=pair) for pair in zip(clients, ("emailOptInAt", "smsOptInAt"), strict=True)]
    for thread in threads:
        thread.start()
    for number in range(theirs):
        route_e.act("change_customer", customer=person.id, actions=[{"action": "setFirstName", "firstName": f"Ada{number}"}])
    for thread in threads:
        thread.join()
    held = route_e.shop.project()["customer"].rows[person.id].doc()

    assert (held["custom"]["fields"]["emailOptInAt"], held["custom"]["fields"]["smsOptInAt"], held["firstName"]) == (
        "2026-11-06T10:00:00.000Z", "2026-11-06T10:00:00.000Z", "Ada11",
    )  # fmt: skip
    assert len(route_e.shop.ledger.effects("customer.setCustomField")) == 2 * ours


def test_a_token_is_fetched_once_and_again_five_minutes_before_its_end(route_e: RouteE) -> None:
    for lane in (0, 1, 2):
        accounts.client_for(route_e.source, lane=lane)
    first = route_e.shop.tokens.issued
    soon = timezone.now() + timedelta(minutes=4)
    Credential.objects.filter(connection=route_e.source, kind="access_token").update(expires_at=soon)
    accounts.client_for(route_e.source)
    accounts.client_for(route_e.source, lane=1)
    probe = accounts.probe_connection(route_e.source)

    assert (first, route_e.shop.tokens.issued) == (1, 2)
    assert (probe.ok, probe.scopes) == (True, ("manage_project:acme-demo",))


def test_a_token_that_ends_under_all_workers_is_renewed_once_and_nothing_is_lost(route_e: RouteE, tmp_path: Path) -> None:
    route_e.goods("TEE")
    accounts.client_for(route_e.source)
    Credential.objects.update(refreshed_at=timezone.now() - timedelta(hours=1))
    before, orders = route_e.shop.tokens.issued, []
    with Processes(database_url(), tmp_path / "workers.log") as processes:
        for _ in range(2):
            processes.start_worker()
        for number in range(30):
            orders.append(route_e.act("guest_order", email=f"p{number}@example.com", lines=["TEE"], paid=True))
            route_e.hint(("order/OrderCreated", orders[-1]))
            if number == 12:
                wait_until_settled(processes, 60)
                assert route_e.shop.tokens.expire() == 1
        wait_until_settled(processes, 90)

    assert route_e.shop.tokens.issued - before == 1
    assert {key.rpartition("ct-")[2] for key in route_e.state("orders")} == {order.id for order in orders}
    assert list(Connection.objects.filter(pk=route_e.source.pk).values_list("state", flat=True)) == ["active"]
    assert not SyncException.objects.exists()


def test_a_poll_whose_token_is_gone_goes_on_with_a_new_one(route_e: RouteE) -> None:
    route_e.act("register", email="ada@example.com")
    accounts.client_for(route_e.source)
    Credential.objects.update(refreshed_at=timezone.now() - timedelta(hours=1))
    route_e.shop.tokens.expire()
    route_e.poll("customers")
    Checkpoint.objects.filter(reader="customers").update(due_at=timezone.now())
    route_e.poll("customers")

    assert (route_e.shop.tokens.issued, Delivery.objects.count()) == (2, 1)
