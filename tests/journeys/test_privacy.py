"""Shopify's privacy messages over real HTTP: obeyed through every table and at Ometria, and nobody comes back."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.engine import pull
from integrations.engine.privacy import export, runs, subject
from integrations.models import Checkpoint, Connection, Delivery, InboxEvent, PrivacyRequest
from tests.canary import tables_with
from tests.conftest import DOMAIN, RouteB
from tests.journeys.site import Site, event, lay_out_site
from tests.route_a import RouteA
from tests.rows import make_person

pytestmark = [pytest.mark.journey]
HER = {"email": "wilhelmina.kanarienvogel@example.com", "first_name": "Wilhelmina", "last_name": "Kanarienvogel", "phone": "+442079460123"}
OTHER = {"email": "mina.wilhelmina.kanarienvogel@example.com", "first_name": "Wilhelmina", "last_name": "Fink", "phone": "+442079460124"}
STREET, VISITOR = "77 Canary Perch", "visitor-canary-0077"


@pytest.fixture
def site(route_b: RouteB) -> Site:
    """A shop that sends the privacy topics too, beside a site; both know the person, and another one."""
    shop = route_b.shopify.shop(DOMAIN)
    shop.spec = replace(shop.spec, app_uri=f"{route_b.hooks}/hooks/shopify/")
    site = lay_out_site(route_b)
    assert route_b.subscribe()
    return site


def shopper(route: RouteB, who: dict[str, Any], street: str) -> Any:
    """A customer with a paid order."""
    home = {"address1": street, "city": "Leeds", "zip": "LS1 1AA", "country_code": "GB"}
    customer = route.act("create_customer", **who, address=home)
    route.act("create_order", customer_id=customer.id, lines=[{"variant_id": route.product(f"S-{street[:2]}"), "quantity": 1}], paid=True)
    return customer


def both(site: Site) -> tuple[Any, Any]:
    """The person and the other one, everywhere at both ends."""
    her, other = shopper(site.route, HER, STREET), shopper(site.route, OTHER, "78 Canary Perch")
    assert site.send(event("identified", VISITOR, email=HER["email"]), event("product_viewed", VISITOR)) == 200
    site.route.run()
    site.work()
    assert known(site.route)
    return her, other


def known(route: RouteB) -> bool:
    """Whether Ometria has a profile of her."""
    return any(profile["email"] == HER["email"] for profile in route.state("profiles").values())


def told(route: RouteB, topic: str, customer_id: int | None = None) -> PrivacyRequest:
    """The request that a privacy message makes once the inbox was looked through."""
    route.shopify.send_privacy(topic, customer_id, DOMAIN)
    assert route.shopify.wait_sent(10)
    route.pump()
    return PrivacyRequest.objects.get(topic=topic)


def carried_out(request: PrivacyRequest) -> PrivacyRequest:
    """The request after a worker had it, and was called again where it waited."""
    for _ in range(2):
        runs.pump(request.pk)
        PrivacyRequest.objects.filter(pk=request.pk).update(next_at=timezone.now())
    request.refresh_from_db()
    return request


def test_who_is_redacted_at_shopify_is_gone_here_and_at_ometria_and_stays_away(site: Site) -> None:
    route = site.route
    her, other = both(site)
    route.ometria.change_settings({"deletion_delay": 0.0})
    kept = {key: record for key, record in route.state("contacts").items() if str(other.id) in key}

    request = carried_out(told(route, "customers/redact", her.id))

    words = [HER["email"], HER["phone"], STREET, VISITOR, str(her.id)]
    assert (request.state, request.subject, tables_with(words)) == ("done", "", {})
    assert [(ask["platform"], ask["state"]) for ask in request.asks if ask["platform"] != "Own site"] == [
        ("Ometria", "done"), ("Shopify", "done"),
    ]  # fmt: skip
    assert (known(route), route.ometria.ledger.effects("deletion") != []) == (False, True)
    assert {key: record for key, record in route.state("contacts").items() if str(other.id) in key} == kept

    again(route)
    assert tables_with(words) == {}
    assert not known(route)


def again(route: RouteB) -> None:
    """A backfill of everything, and what is due afterwards."""
    for reader in ("customers", "orders"):
        now = timezone.now()
        window = {"window_from": now - timedelta(days=9), "due_at": now}
        row = Checkpoint.objects.create(connection=route.source, reader=reader, purpose="backfill", **window)
        while Checkpoint.objects.filter(pk=row.pk).exclude(state__in=["done", "failed"]).exists():
            Checkpoint.objects.filter(pk=row.pk).update(due_at=timezone.now())
            pull.run_pull(row.pk, 5)
    route.run()


def test_ometria_is_looked_at_until_it_has_erased_the_person(site: Site) -> None:
    route = site.route
    her, _ = both(site)

    request = carried_out(told(route, "customers/redact", her.id))
    waiting = (request.state, request.subject, known(route))
    route.ometria.clock.advance(14 * 86_400)
    request = carried_out(request)

    assert waiting == ("following", "", True)
    assert (request.state, known(route), len(request.digest)) == ("done", False, 64)


def test_a_customer_who_asks_for_their_data_gets_all_of_it_in_one_file(site: Site) -> None:
    her, _ = both(site)

    request = carried_out(told(site.route, "customers/data_request", her.id))

    archive = zipfile.ZipFile(io.BytesIO(b"".join(export.read_file(request))))
    whole = "".join(archive.read(name).decode() for name in archive.namelist())
    assert request.state == "ready"
    assert [word for word in (HER["email"], HER["phone"], STREET, VISITOR, str(her.id)) if word not in whole] == []
    assert OTHER["email"] not in whole


def test_a_shop_that_is_paused_and_drops_messages_is_obeyed_all_the_same(site: Site) -> None:
    route = site.route
    both(site)
    route.source.refresh_from_db()
    Connection.objects.filter(pk=route.source.pk).update(state="paused", settings={**route.source.settings, "drop_while_paused": True})

    route.shopify.send_privacy("shop/redact", None, DOMAIN)
    assert route.shopify.wait_sent(10)
    runs.tick()
    request = carried_out(PrivacyRequest.objects.get())

    assert (request.state, Delivery.objects.filter(flow__source=route.source).count()) == ("done", 0)
    assert InboxEvent.objects.filter(connection=route.source).count() == 0


def test_a_buyer_of_tiktok_is_erased_and_stays_away_when_the_shop_tells_of_her_again(route_a: RouteA) -> None:
    route_a.ometria.change_settings({"deletion_delay": 0.0})
    route_a.goods("TEE", "HAT")
    assert route_a.subscribe()
    buyer = {**HER, "address_line1": STREET, "user_id": "7490000000000077"}
    first, second = route_a.order("TEE", buyer=buyer), route_a.order("HAT", buyer=buyer)
    route_a.act("advance_order", order_id=first.id, to="DELIVERED")
    route_a.act("open_return", order_id=first.id)
    route_a.run()
    words = [HER["email"], HER["phone"], STREET, buyer["user_id"]]
    planted = tables_with(words)
    assert {"integrations_delivery", "mapping_contact", "mapping_contacthandle"} <= planted.keys()  # webhooks name only orders
    assert HER["email"] in route_a.told()

    request = runs.ask(PrivacyRequest.Kind.ERASURE, subject.named(HER["email"]), make_person("manager"))
    PrivacyRequest.objects.filter(pk=request.pk).update(start_at=timezone.now())
    request = carried_out(request)
    erased = (request.state, request.error, tables_with(words), [p["email"] for p in route_a.state("profiles").values()])

    route_a.tell(first, second)
    for reader in ("orders", "returns"):
        route_a.poll(reader)
    route_a.run()
    assert erased == ("done", "", {}, [])
    assert (tables_with(words), route_a.state("profiles")) == ({}, {})


def test_a_privacy_message_with_a_bad_signature_is_turned_away(site: Site) -> None:
    route = site.route
    headers = {"X-Shopify-Topic": "customers/redact", "X-Shopify-Shop-Domain": DOMAIN, "X-Shopify-Webhook-Id": "1"}

    assert route.post({**headers, "X-Shopify-Hmac-Sha256": "bm8="}, b'{"customer": {"id": 1}}') == 401
    assert (InboxEvent.objects.filter(topic="customers/redact").count(), PrivacyRequest.objects.count()) == (0, 0)
