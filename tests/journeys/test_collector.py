"""The event collector: from a visitor's page to Ometria's ledger, under the right name, once, or counted as nobody's."""

from __future__ import annotations

from datetime import datetime, timedelta

import orjson
import pytest
import requests
from django.utils import timezone

from integrations.engine import accounts
from integrations.engine.exceptions import release_exceptions
from integrations.models import Connection, Delivery, InboxEvent, SyncException, VisitorIdentity
from tests.conftest import RouteB
from tests.journeys.site import KEY, PAGE, Site, begun, event, lay_out_site

pytestmark = [pytest.mark.journey]


@pytest.fixture
def site(route_b: RouteB) -> Site:
    return lay_out_site(route_b)


# --- who may send ------------------------------------------------------------------------------------------------------


def test_a_page_of_the_site_may_send_and_another_may_not(site: Site) -> None:
    tries = [{}, {"origin": "https://www.example.net"}, {"key": "site_unknown_key_0123"}]
    assert [site.send(event(), **changes) for changes in tries] == [200, 401, 404]
    assert InboxEvent.objects.count() == 1


def test_the_answer_lets_the_page_read_its_status(site: Site) -> None:
    url = f"{site.route.hooks}/hooks/site/"
    body = orjson.dumps({"key": KEY, "events": [event()]})
    answer = requests.post(url, data=body, headers={"Origin": PAGE}, timeout=10)
    asked = requests.options(url, headers={"Origin": PAGE, "Access-Control-Request-Method": "POST"}, timeout=10)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, PAGE)
    assert (asked.status_code, asked.headers["Access-Control-Allow-Methods"]) == (204, "POST")


def test_the_shops_server_may_send_when_it_signs(site: Site) -> None:
    assert [site.sign(event()), site.sign(event(), secret="another")] == [200, 401]
    assert InboxEvent.objects.count() == 1


def test_a_flood_from_one_address_is_answered_too_many(site: Site) -> None:
    Connection.objects.filter(pk=site.connection.pk).update(settings={"calls_per_visitor": 0.1})
    assert [site.send(event()) for _ in range(3)] == [200, 429, 429]
    assert InboxEvent.objects.count() == 1


def test_a_call_above_64_kilobytes_is_too_large_whoever_sends_it(site: Site) -> None:
    large = [event(page="x" * 70_000)]
    assert [site.send(*large), site.send(*large, key="site_unknown_key_0123"), site.sign(*large)] == [413, 413, 413]
    assert InboxEvent.objects.count() == 0


# --- once, and in any order --------------------------------------------------------------------------------------------


def test_events_that_come_twice_and_backwards_are_told_once_each(site: Site) -> None:
    who = event("identified", seconds=-50, email="ada@example.com")
    seen = [event("product_viewed", seconds=-60), event("added_to_cart", seconds=-55)]
    for batch in ([seen[1]], [who], [seen[0], seen[1]], [who, seen[0]]):
        assert site.send(*batch) == 200
    site.work()

    assert site.at_ometria() == [("added_to_cart", "ada@example.com"), ("product_viewed", "ada@example.com")]
    assert InboxEvent.objects.count() == 3
    assert len(site.route.ometria.ledger.effects("custom_event")) == 2


def test_a_bad_event_is_shown_with_its_reason_and_the_good_one_beside_it_arrives(site: Site) -> None:
    bad = event(data={"sku": "SHOE-42", "name": "Shoe", "price": "twenty"})
    assert site.send(bad, event(email="ada@example.com")) == 200
    site.work()

    assert site.at_ometria() == [("product_viewed", "ada@example.com")]
    question = SyncException.objects.get(kind="unparsable", connection=site.connection)
    assert question.detail == "product_viewed: data.price is not a number"
    assert InboxEvent.objects.get(state="failed").error == question.detail


def test_without_consent_nothing_of_a_person_is_stored(site: Site) -> None:
    assert site.send(event(consent=False, email="ada@example.com"), event("identified", consent=False, email="ada@example.com")) == 200
    site.work()

    (row,) = InboxEvent.objects.all()
    assert orjson.loads(row.body) == {"dropped": 2, "types": {"identified": 1, "product_viewed": 1}}
    assert (row.topic, row.state) == ("no_consent", "ignored")
    assert not Delivery.objects.filter(flow__source=site.connection).exists()
    assert not VisitorIdentity.objects.exists()


# --- who it was --------------------------------------------------------------------------------------------------------


def test_what_a_visitor_did_before_giving_a_name_goes_out_under_the_name_at_once(site: Site) -> None:
    first, second = event("product_viewed"), event("added_to_cart")
    assert site.send(first, second, event("product_viewed", "visitor-0002")) == 200
    site.work()
    assert site.at_ometria() == []
    assert site.row(first["event_id"]).last_code == "waits_for_visitor"
    assert not SyncException.objects.exists()

    assert site.send(event("identified", email="Ada@Example.com", customer_id="7001")) == 200
    site.work()

    sent = sorted(site.route.state("events").values(), key=lambda sent: sent["event_type"])
    assert [(one["event_type"], one["identity_email"], one["identity_account_id"]) for one in sent] == [
        ("added_to_cart", "ada@example.com", "7001"), ("product_viewed", "ada@example.com", "7001"),
    ]  # fmt: skip
    assert sent[0]["properties"] == {
        "source": "site", "sku": "SHOE-42", "product_name": "Shoe", "price": 20.0, "currency": "GBP",
    }  # fmt: skip
    assert datetime.fromisoformat(sent[1]["timestamp"]) == site.row(first["event_id"]).occurred_at.replace(microsecond=0)


def test_a_known_visitors_next_events_go_out_at_once_and_attach_to_the_profile(site: Site) -> None:
    site.route.act("create_customer", email="ada@example.com", first_name="Ada")
    assert site.route.subscribe()
    site.route.act("create_customer", email="grace@example.com", first_name="Grace")
    site.route.run()
    assert site.send(event("identified", email="grace@example.com")) == 200
    site.work()
    assert site.send(event("product_viewed")) == 200
    site.work()

    (seen,) = site.route.state("events").values()
    assert (seen["identity_email"], bool(seen["profile_id"])) == ("grace@example.com", True)


def test_events_whose_visitor_stays_unknown_become_orphans_that_are_counted_once_a_day(site: Site) -> None:
    events = [event(visitor=f"visitor-{n:04}") for n in range(5)]
    assert site.send(*events) == 200
    site.work()
    long_ago = timezone.now() - timedelta(hours=25)
    Delivery.objects.filter(flow__source=site.connection).update(ready_since=long_ago, due_at=timezone.now())
    site.deliver()

    rows = Delivery.objects.filter(flow__source=site.connection)
    assert set(rows.values_list("state", "last_code")) == {("skipped", "orphan")}
    question = SyncException.objects.get()
    assert (question.kind, question.subject, question.occurrences) == ("orphaned_events", str(timezone.localdate()), 5)
    assert site.at_ometria() == []


def test_a_purchase_of_somebody_ometria_does_not_know_is_asked_about_and_goes_when_the_contact_is_there(site: Site) -> None:
    bought = event("purchased", seconds=-600, email="una@example.com", data={"order_id": "5001"})
    assert site.send(bought) == 200
    site.work()
    question = SyncException.objects.get(kind="no_profile")
    assert (site.row(bought["event_id"]).state, site.at_ometria()) == ("blocked", [])

    assert site.route.subscribe()
    site.route.act("create_customer", email="una@example.com", first_name="Una")
    site.route.run()
    accounts._clients.clear()  # what was not found is remembered for a minute
    release_exceptions([question.pk], None)
    site.deliver()
    assert site.at_ometria() == [("purchased", "una@example.com")]


# --- checkouts ---------------------------------------------------------------------------------------------------------


def overdue(site: Site) -> None:
    """As if the set time were over."""
    Delivery.objects.filter(flow__source=site.connection, flow__record_type="checkout").update(due_at=timezone.now())


def test_a_checkout_left_alone_is_told_as_abandoned_after_the_set_time(site: Site) -> None:
    assert site.send(begun(email="ada@example.com")) == 200
    site.work()
    row = site.row("c-1", "checkout")
    assert row.state == "ready"
    assert (row.due_at - row.occurred_at).total_seconds() == pytest.approx(1800, abs=2)
    overdue(site)
    site.deliver()

    assert site.at_ometria() == [("abandoned_checkout", "ada@example.com"), ("checkout_started", "ada@example.com")]
    left = next(one for one in site.route.state("events").values() if one["event_type"] == "abandoned_checkout")
    assert left["properties"] == {
        "source": "site", "checkout_id": "c-1", "checkout_url": f"{PAGE}/c/c-1", "total": 40.0, "currency": "GBP",
        "product_id": ["P1"], "sku": ["SHOE-42"], "quantity": [2],
    }  # fmt: skip


def test_a_checkout_of_a_visitor_who_gives_a_name_later_is_told_under_that_name(site: Site) -> None:
    assert site.send(begun()) == 200
    site.work()
    overdue(site)
    site.deliver()
    assert site.at_ometria() == []
    assert site.send(event("identified", email="ada@example.com")) == 200
    site.work()
    assert site.at_ometria() == [("abandoned_checkout", "ada@example.com"), ("checkout_started", "ada@example.com")]


@pytest.mark.parametrize("data", [{"order_id": "5001", "checkout_id": "c-1"}, {"order_id": "5001"}], ids=["naming it", "same browser"])
def test_a_purchase_in_time_ends_the_checkout_before_it_is_told(site: Site, data: dict[str, str]) -> None:
    Connection.objects.filter(pk=site.route.destination.pk).update(settings={**site.route.destination.settings, "must_reach_profile": []})
    assert site.send(begun(email="ada@example.com", seconds=-60)) == 200
    site.work()
    assert site.send(event("purchased", data=data)) == 200
    site.work()

    assert (site.row("c-1", "checkout").state, site.row("c-1", "checkout").last_message) == (
        "skipped", "Completed before it counted as abandoned.",
    )  # fmt: skip
    assert [kind for kind, _ in site.at_ometria()] == ["checkout_started", "purchased"]


def test_an_order_in_the_shop_recovers_the_checkout_of_its_buyer(site: Site) -> None:
    assert site.route.subscribe()
    variant = site.route.product()
    person = site.route.act("create_customer", email="ada@example.com", first_name="Ada")
    site.route.run()
    assert site.send(begun(email="ada@example.com", seconds=-60)) == 200
    site.work()
    overdue(site)
    site.deliver()
    site.route.shopify.clock.advance(2)
    site.route.act("create_order", customer_id=person.id, lines=[{"variant_id": variant, "quantity": 1}], paid=True)
    site.route.run()
    site.deliver()

    assert [kind for kind, _ in site.at_ometria()] == ["abandoned_checkout", "checkout_recovered", "checkout_started"]
