"""Credentials that end, rotate or never worked: renewed once for all, asked about in one sentence, released when put right."""

from __future__ import annotations

from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from integrations.engine import accounts, pumps
from integrations.engine.accounts import client_for, probe_connection, refresh_if_due, set_credential
from integrations.models import Checkpoint, Connection, Credential, InboxEvent, SyncException
from integrations.standins.faults import Fault
from tests.conftest import DOMAIN, SPEC, RouteB

pytestmark = [pytest.mark.journey]


@pytest.fixture
def renewing(route_b: RouteB) -> RouteB:
    """The shop is reached by client credentials: tokens last a day and are asked for by ourselves."""
    source = route_b.source
    source.settings = {**source.settings, "credential_mode": "client_credentials", "client_id": SPEC.client_id}
    source.save()
    source.credentials.filter(kind="access_token").delete()
    return route_b


def an_hour_later() -> None:
    """The last renewal is an hour ago: a dead token is not a matter of the renewal itself."""
    Credential.objects.update(refreshed_at=timezone.now() - timedelta(hours=1))


def grants(route: RouteB, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every call of the token address from now on."""
    seen: list[str] = []
    handle = route.shopify.handle

    def noting(request: Any) -> Any:
        if request.path.endswith("/oauth/access_token"):
            seen.append(request.path)
        return handle(request)

    monkeypatch.setattr(route.shopify, "handle", noting)
    return seen


def test_the_first_token_is_asked_for_by_the_first_call(renewing: RouteB, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = grants(renewing, monkeypatch)
    assert probe_connection(renewing.source).ok
    assert renewing.subscribe()
    assert len(seen) == 1
    assert Credential.objects.get(kind="access_token").expires_at > timezone.now() + timedelta(hours=23)


def test_eight_workers_that_find_a_token_about_to_end_renew_it_once(renewing: RouteB, monkeypatch: pytest.MonkeyPatch) -> None:
    client_for(renewing.source)
    Credential.objects.filter(kind="access_token").update(expires_at=timezone.now() + timedelta(seconds=30))
    seen = grants(renewing, monkeypatch)
    answers: list[bool] = []

    def renew() -> None:
        try:
            answers.append(refresh_if_due(Connection.objects.get(pk=renewing.source.pk)))
        finally:
            connections.close_all()

    workers = [Thread(target=renew) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(seen) == 1
    assert sorted(answers) == [False] * 7 + [True]


def test_a_token_that_dies_in_the_middle_is_renewed_and_the_work_goes_on(renewing: RouteB, monkeypatch: pytest.MonkeyPatch) -> None:
    assert renewing.subscribe()
    an_hour_later()
    seen = grants(renewing, monkeypatch)
    renewing.shopify.faults.add(Fault("expire_token", path="graphql.json"))
    customer = renewing.act("create_customer", email="ada@example.com", first_name="Ada")
    renewing.run(30)
    assert len(seen) == 1
    assert set(renewing.state("contacts")) == {f"shopify:{customer.id}"}
    assert not SyncException.objects.exists()
    assert Connection.objects.get(pk=renewing.source.pk).state == "active"


def test_a_token_that_dies_during_a_pull_is_renewed_and_the_pull_goes_on(renewing: RouteB, monkeypatch: pytest.MonkeyPatch) -> None:
    from integrations.engine import pull

    with renewing.shopify.shop(DOMAIN).past(renewing.shopify.clock.utc() - timedelta(minutes=20)):
        customer = renewing.act("create_customer", email="ada@example.com", first_name="Ada")
    client_for(renewing.source)
    an_hour_later()
    seen = grants(renewing, monkeypatch)
    renewing.shopify.faults.add(Fault("expire_token", path="graphql.json"))
    pull.ensure_polls(renewing.source)
    poll = Checkpoint.objects.get(reader="customers")
    for _ in range(3):
        pull.run_pull(poll.pk, 5)
    renewing.run()
    assert len(seen) == 1
    assert set(renewing.state("contacts")) == {f"shopify:{customer.id}"}


def test_a_token_that_is_refused_right_after_its_renewal_is_not_renewed_again(renewing: RouteB, monkeypatch: pytest.MonkeyPatch) -> None:
    assert renewing.subscribe()
    an_hour_later()
    seen = grants(renewing, monkeypatch)
    renewing.shopify.faults.add(Fault("expire_token", path="graphql.json", times=0))
    renewing.act("create_customer", email="ada@example.com")
    assert renewing.shopify.wait_sent(10)
    for _ in range(3):
        renewing.pump(2)
        InboxEvent.objects.filter(state="new").update(due_at=timezone.now())
    assert len(seen) == 1
    assert SyncException.objects.get().kind == "needs_auth"


def test_a_refused_renewal_stops_the_connection_and_keeps_everything_until_it_is_put_right(renewing: RouteB) -> None:
    assert renewing.subscribe()
    set_credential(renewing.source, "client_secret_previous", SPEC.client_secret)  # webhooks are still signed with it
    set_credential(renewing.source, "client_secret", "demo-wrong-secret")
    an_hour_later()
    renewing.shopify.faults.add(Fault("expire_token", path="graphql.json", times=0))
    customer = renewing.act("create_customer", email="ada@example.com", first_name="Ada")
    assert renewing.shopify.wait_sent(10)
    for _ in range(3):
        pumps.pump_connection(renewing.source.pk, 2)
        InboxEvent.objects.filter(state="new").update(due_at=timezone.now())
    stopped = Connection.objects.get(pk=renewing.source.pk)
    asked = SyncException.objects.get()
    assert (stopped.state, asked.kind, asked.state) == ("needs_auth", "needs_auth", "open")
    assert "check both" in asked.detail
    assert InboxEvent.objects.filter(state="new").exists()

    renewing.shopify.faults.clear()
    set_credential(stopped, "client_secret", SPEC.client_secret)
    set_credential(stopped, "access_token", SPEC.access_token)
    accounts.reconnected(stopped)
    renewing.run()
    asked.refresh_from_db()
    assert asked.state == "resolved"
    assert set(renewing.state("contacts")) == {f"shopify:{customer.id}"}


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda route: set_credential(route.source, "access_token", "shpat_wrong"), "Shopify does not accept the access token"),
        (lambda route: route.shopify.shop(DOMAIN).scopes.discard("read_products"), "Missing scope read_products"),
        (lambda route: Connection.objects.filter(pk=route.source.pk).update(api_version="2024-01"), "The version 2024-01 is not served"),
        (lambda route: Connection.objects.filter(pk=route.source.pk).update(external_id="other.myshopify.com"), "Another shop answers"),
        (lambda route: setattr(route.shopify.service(DOMAIN), "forced_status", 402), "The shop is frozen for an unpaid bill"),
        (lambda route: route.source.credentials.filter(kind="access_token").delete(), "This connection has no access token yet"),
    ],
    ids=["wrong key", "missing scope", "unknown version", "another shop", "frozen shop", "no key"],
)
def test_the_test_call_of_a_shop_says_what_is_wrong_and_what_to_do(route_b: RouteB, spoil: Any, words: str) -> None:
    assert probe_connection(route_b.source).ok
    spoil(route_b)
    connection = Connection.objects.get(pk=route_b.source.pk)
    probe = probe_connection(connection)
    connection.refresh_from_db()
    assert not probe.ok
    (said,) = [problem for problem in probe.problems if problem.startswith(words)]
    assert said.endswith(".")
    assert len(said) > len(words) + 5
    assert connection.probe["problems"] == list(probe.problems)
    assert connection.probed_at is not None


def test_the_test_call_of_ometria_says_that_the_key_is_wrong(route_b: RouteB) -> None:
    assert probe_connection(route_b.destination).ok
    set_credential(route_b.destination, "api_key", "demo-wrong-key")
    probe = probe_connection(route_b.destination)
    assert not probe.ok
    assert any("API key" in problem for problem in probe.problems)


def test_another_version_than_the_pinned_one_raises_one_alarm_that_closes_when_it_is_put_right(route_b: RouteB) -> None:
    Connection.objects.filter(pk=route_b.source.pk).update(api_version="2024-01")
    route_b.source.refresh_from_db()
    assert route_b.subscribe()
    for number in range(3):
        route_b.act("create_customer", email=f"person{number}@example.com")
        assert route_b.shopify.wait_sent(10)
        route_b.pump()
    asked = SyncException.objects.get(kind="version_drift")
    served = Connection.objects.get(pk=route_b.source.pk).version_served
    assert (asked.state, asked.subject) == ("open", "2024-01")
    assert served
    assert served in asked.title

    Connection.objects.filter(pk=route_b.source.pk).update(api_version=served)
    InboxEvent.objects.filter(state="new").update(due_at=timezone.now())
    route_b.run()
    assert len(route_b.state("contacts")) == 3
    asked.refresh_from_db()
    assert asked.state == "resolved"


def test_what_shopify_says_of_its_version_s_end_is_stored(route_b: RouteB) -> None:
    route_b.shopify.service(DOMAIN).limits.deprecated = "https://shopify.dev/changelog/old-field"
    assert route_b.subscribe()
    route_b.act("create_customer", email="ada@example.com")
    route_b.run()
    assert Connection.objects.get(pk=route_b.source.pk).deprecation == "https://shopify.dev/changelog/old-field"


def test_an_app_that_was_uninstalled_asks_to_be_connected_again(route_b: RouteB) -> None:
    assert route_b.subscribe()
    route_b.shopify.uninstall(DOMAIN)
    assert route_b.shopify.wait_sent(10)
    route_b.pump()
    assert SyncException.objects.get(kind="needs_auth").state == "open"
    assert Connection.objects.get(pk=route_b.source.pk).state == "needs_auth"
