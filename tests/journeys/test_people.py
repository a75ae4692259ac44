"""Customers: contact data, consent in both directions of change, tags, merges and deletions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from integrations.models import Delivery, SyncException
from tests.conftest import RouteB

pytestmark = [pytest.mark.journey]


def ada(route: RouteB, **values: Any) -> Any:
    assert route.subscribe()
    return route.act("create_customer", **{"email": "ada@example.com", "first_name": "Ada", "last_name": "Byron", **values})


def contact(route: RouteB, customer: Any) -> dict[str, Any]:
    return route.state("contacts")[f"shopify:{customer.id}"]


def profile(route: RouteB) -> dict[str, Any]:
    (only,) = route.state("profiles").values()
    return only


def test_a_customer_arrives_with_address_phone_locale_and_tags(route_b: RouteB) -> None:
    address = {"address1": "1 High St", "city": "Leeds", "zip": "LS1 1AA", "country_code": "GB"}
    customer = ada(route_b, phone="+442079460123", address=address, tags=["vip", "first"], locale="de")
    route_b.run()

    stored = contact(route_b, customer)
    wanted = {
        "email": "ada@example.com", "firstname": "Ada", "lastname": "Byron", "phone_number": "+442079460123", "country_id": "GB",
        "customer_id": str(customer.id), "properties": {"shopify_tags": "first,vip", "locale": "de"},
    }  # fmt: skip
    assert {name: stored.get(name) for name in wanted} == wanted


def test_consent_that_was_never_given_or_refused_is_not_told(route_b: RouteB) -> None:
    customer = ada(route_b)
    route_b.run()
    assert "marketing_optin" not in contact(route_b, customer) or contact(route_b, customer)["marketing_optin"] is None
    assert profile(route_b)["sms_optin"] is None


def test_each_statement_of_consent_travels_with_its_own_time_and_a_withdrawal_counts(route_b: RouteB) -> None:
    customer = ada(route_b)
    route_b.run()
    words = {
        "SUBSCRIBED": ("EXPLICITLY_OPTEDIN", "timestamp_subscribed"),
        "UNSUBSCRIBED": ("EXPLICITLY_OPTEDOUT", "timestamp_unsubscribed"),
    }
    counted = []
    for state in ("SUBSCRIBED", "UNSUBSCRIBED", "SUBSCRIBED"):
        route_b.shopify.clock.advance(5)
        route_b.ometria.clock.advance(5)
        changed = route_b.act("set_email_consent", customer_id=customer.id, state=state)
        route_b.run()
        payload = Delivery.objects.get(flow__record_type="customer").sent_payload
        answer, stamp = words[state]
        assert payload["marketing_optin"] == answer
        assert datetime.fromisoformat(payload[stamp]) == changed.email_consent.updated_at
        consent = route_b.state("state")["consent"]
        counted.append((consent["subscribed"], consent["unsubscribed"]))
    assert counted[:2] == [(1, 0), (0, 1)]


def test_text_message_consent_travels_with_the_phone_number(route_b: RouteB) -> None:
    customer = ada(route_b, phone="+442079460123")
    route_b.act("set_sms_consent", customer_id=customer.id, state="SUBSCRIBED")
    route_b.run()
    assert profile(route_b)["sms_optin"] is True
    route_b.shopify.clock.advance(5)
    route_b.ometria.clock.advance(5)
    route_b.act("set_sms_consent", customer_id=customer.id, state="UNSUBSCRIBED")
    route_b.run()
    assert profile(route_b)["sms_optin"] is False


def test_a_removed_tag_is_removed_at_the_destination(route_b: RouteB) -> None:
    customer = ada(route_b, tags=["vip"])
    route_b.run()
    assert contact(route_b, customer)["properties"]["shopify_tags"] == "vip"
    route_b.act("remove_tags", customer_id=customer.id, tags=["vip"])
    route_b.run()
    assert not contact(route_b, customer)["properties"].get("shopify_tags")


def test_a_corrected_email_address_moves_the_contact_and_leaves_one(route_b: RouteB) -> None:
    customer = ada(route_b, email="ada@exmaple.com")
    route_b.run()
    route_b.act("update_customer", customer_id=customer.id, email="ada@example.com")
    route_b.run()
    assert [row["email"] for row in route_b.state("contacts").values()] == ["ada@example.com"]


def test_a_burst_of_changes_reaches_the_destination_once(route_b: RouteB) -> None:
    flow = None
    customer = ada(route_b)
    route_b.run()
    flow = route_b.flow("customer")
    flow.settings = {"settle_seconds": 1}
    flow.save()
    before = len(route_b.ometria.ledger.effects("contact"))
    for number in range(10):
        route_b.act("update_customer", customer_id=customer.id, first_name=f"Ada{number}")
    route_b.run()
    assert contact(route_b, customer)["firstname"] == "Ada9"
    assert len(route_b.ometria.ledger.effects("contact")) == before + 1


def test_a_merge_keeps_the_survivor_and_never_touches_the_other_again(route_b: RouteB) -> None:
    kept, gone = ada(route_b), route_b.act("create_customer", email="augusta@example.com", first_name="Augusta")
    route_b.run()
    effects = len(route_b.ometria.ledger.effects("contact", f"shopify:{gone.id}"))
    route_b.act("merge_customers", kept_id=kept.id, gone_id=gone.id)
    route_b.run()
    merged = Delivery.objects.get(flow__record_type="customer", record_key=str(gone.id))
    assert (merged.state, merged.last_message) == ("skipped", f"Merged into customer {kept.id} at the source.")
    assert (merged.record["merged_into"], merged.record["email"]) == (str(kept.id), "augusta@example.com")
    assert len(route_b.ometria.ledger.effects("contact", f"shopify:{gone.id}")) == effects


def test_a_deleted_customer_is_kept_at_the_destination_until_an_erasure_is_asked_for(route_b: RouteB) -> None:
    customer = ada(route_b)
    route_b.run()
    route_b.act("delete_customer", customer_id=customer.id)
    route_b.run()
    row = Delivery.objects.get(flow__record_type="customer")
    assert (row.state, row.record["removed"], row.record["email"]) == ("skipped", True, "ada@example.com")
    assert contact(route_b, customer)["email"] == "ada@example.com"


def test_an_impossible_phone_number_holds_the_contact_until_it_is_corrected(route_b: RouteB) -> None:
    customer = ada(route_b, phone="+44123")
    route_b.run()
    asked = SyncException.objects.get(state="open")
    assert asked.kind == "bad_phone"
    assert route_b.state("contacts") == {}
    route_b.act("update_customer", customer_id=customer.id, phone="+442079460123")
    route_b.run()
    assert contact(route_b, customer)["phone_number"] == "+442079460123"
    assert not SyncException.objects.filter(holds__isnull=False).exists()


def test_a_customer_whom_ometria_knows_keeps_that_identity_and_so_do_the_orders(route_b: RouteB) -> None:
    known = {"@type": "contact", "@collection": "crm", "id": "9", "customer_id": "C-9", "email": "ada@example.com"}
    headers = {"X-Ometria-Auth": "demo-ometria-key"}
    route_b.http.post(f"{route_b.destination.base_url}/v2/push", json=[known], headers=headers, timeout=10).raise_for_status()
    customer = ada(route_b)
    route_b.run()
    route_b.act("update_customer", customer_id=customer.id, first_name="Augusta")
    route_b.act("create_order", lines=[{"variant_id": route_b.product(), "quantity": 1}], customer_id=customer.id, paid=True)
    route_b.run()
    assert (contact(route_b, customer)["customer_id"], profile(route_b)["stats"]["orders"]) == ("C-9", 1)
    assert [order["customer"]["id"] for order in route_b.state("orders").values()] == ["C-9"]
