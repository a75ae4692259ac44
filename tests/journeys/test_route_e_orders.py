"""commercetools' orders reach Ometria over real HTTP: guests who become customers, refunds and returns, checkouts, late queries."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from integrations.models import Checkpoint, Connection, Delivery, InboxEvent, SyncException
from tests.route_e import RouteE
from tests.route_e import route_e as route_e

pytestmark = [pytest.mark.journey]
ADA = {"country": "GB", "firstName": "Ada", "lastName": "Byron", "mobile": "+447700900123"}


def money(value: Any) -> Decimal:
    return Decimal(str(value)).quantize(Decimal("0.01"))


def people(route: RouteE) -> Iterator[str]:
    """The address of every profile at Ometria."""
    yield from (row["email"] for row in route.state("profiles").values())


def test_a_guest_order_becomes_a_contact_and_the_later_account_the_same_person(route_e: RouteE) -> None:
    route_e.goods("TEE")
    order = route_e.act("guest_order", email="ada@example.com", lines=["TEE"], anonymous_id="anon-1", paid=True, address=ADA)
    route_e.hint(("order/OrderCreated", order))
    route_e.run()
    before = route_e.stored(order)
    person = route_e.act("register", email="Ada@example.com", first_name="Ada", anonymous_id="anon-1", consent={"email": True})
    attached = route_e.shop.project()["order"].rows[order.id]
    route_e.hint(("customer/CustomerCreated", person), ("order/OrderCustomerSet", attached))
    route_e.run()

    assert (before["customer"]["email"], before["customer"].get("firstname")) == ("ada@example.com", "Ada")
    assert attached.doc()["customerId"] == person.id
    assert Delivery.objects.get(flow__record_type="order").record["customer"]["key"] == person.id
    assert list(people(route_e)) == ["ada@example.com"]
    assert not Delivery.objects.exclude(state="delivered").exclude(flow__record_type="checkout").exists()


def test_a_refund_after_a_return_lowers_the_line_once_and_the_rest_lies_beside(route_e: RouteE) -> None:
    route_e.goods("TEE", "MUG")
    order = route_e.act("guest_order", email="ada@example.com", lines=[{"sku": "TEE", "quantity": 2}, "MUG"], paid=True)
    route_e.poll()
    route_e.run()
    line = order.doc()["lineItems"][0]["id"]
    route_e.act("ship", order=order.id)
    route_e.act("return_items", order=order.id, items=[{"id": line, "quantity": 1}])
    route_e.act("refund", order=order.id, amount=2500)
    route_e.poll()
    route_e.poll()
    route_e.run()
    record = Delivery.objects.get(flow__record_type="order").record
    stored = route_e.stored(order)
    back = [row for row in stored["lineitems"] if row.get("quantity_refunded")]

    assert (stored["status"], stored["total_unit_quantity_refunded"]) == ("partially_refunded", 1)
    assert [(row["sku"], row["quantity_refunded"], money(row["refunded"])) for row in back] == [("TEE", 1, money("20.00"))]
    assert (record["totals"]["refunded"], record["totals"]["refund_other"]) == ("25.00", "5.00")


def test_a_refund_that_leaves_the_order_untouched_is_found_by_its_payment(route_e: RouteE) -> None:
    route_e.goods("TEE")
    order = route_e.act("guest_order", email="ada@example.com", lines=["TEE"], paid=True)
    route_e.poll()
    route_e.run()
    route_e.shop.advance(600)
    route_e.poll()
    version = route_e.shop.project()["order"].rows[order.id].version
    route_e.act("refund", order=order.id, mark=False)
    route_e.poll("orders")
    assert Delivery.objects.get(flow__record_type="order").state == "delivered"
    route_e.poll("payments")
    route_e.run()

    assert route_e.shop.project()["order"].rows[order.id].version == version
    assert route_e.stored(order)["status"] == "refunded"


def test_a_cancelled_order_counts_no_longer_whatever_arrives_afterwards(route_e: RouteE) -> None:
    route_e.goods("TEE")
    order = route_e.act("guest_order", email="ada@example.com", lines=["TEE"], paid=True)
    placed = route_e.shop.project()["order"].rows[order.id]
    route_e.hint(("order/OrderCreated", placed))
    route_e.run()
    cancelled = route_e.act("cancel", order=order.id)
    route_e.hint(("order/OrderStateChanged", cancelled), ("order/OrderPaymentStateChanged", placed))
    route_e.run()
    route_e.hint(("order/OrderCreated", placed))
    route_e.run()

    assert (route_e.stored(order)["status"], route_e.stored(order)["is_valid"]) == ("cancelled", False)


def test_events_are_right_at_once_though_queries_lag_behind(route_e: RouteE) -> None:
    route_e.goods("TEE")
    route_e.shop.change_settings({"query_lag": 3600.0})
    order = route_e.act("guest_order", email="ada@example.com", lines=["TEE"])
    route_e.hint(("order/OrderCreated", order))
    route_e.run()
    paid = route_e.act("pay", order=order.id)
    payment = route_e.shop.project().get("payment", paid.doc()["paymentInfo"]["payments"][0]["id"])
    route_e.hint(("order/OrderPaymentAdded", paid), ("payment/PaymentCreated", payment))
    route_e.run()
    assert route_e.stored(order)["status"] == "paid"

    route_e.shop.advance(7200)
    sent = len(route_e.effects("order"))
    route_e.poll()
    route_e.run()
    assert (route_e.stored(order)["status"], len(route_e.effects("order"))) == ("paid", sent)


def test_a_change_that_queries_show_late_is_found_by_the_overlap(route_e: RouteE) -> None:
    route_e.shop.change_settings({"query_lag": 60.0})
    person = route_e.act("register", email="ada@example.com")
    route_e.poll("customers")
    assert not Delivery.objects.exists()
    route_e.shop.advance(65)
    route_e.poll("customers")

    assert list(Delivery.objects.values_list("record_key", flat=True)) == [person.id]


@pytest.mark.parametrize("ahead", [1800.0, -1800.0], ids=["fast", "slow"])
def test_a_poll_goes_by_the_server_s_clock_whatever_ours_says(route_e: RouteE, ahead: float) -> None:
    route_e.shop.clock._ahead = ahead
    route_e.poll("customers")
    person = route_e.act("register", email="ada@example.com")
    route_e.poll("customers")
    mark = Checkpoint.objects.get(reader="customers").window_from

    assert abs((mark - timezone.now()).total_seconds() - ahead) < 10
    assert list(Delivery.objects.values_list("record_key", flat=True)) == [person.id]


def test_a_checkout_that_is_left_alone_is_told_and_its_order_recovers_it(route_e: RouteE) -> None:
    Connection.objects.filter(pk=route_e.source.pk).update(settings={**route_e.source.settings, "checkout_minutes": 0.02})
    route_e.source.refresh_from_db()
    route_e.goods("TEE")
    cart = route_e.act("add_to_cart", sku="TEE", anonymous_id="anon-1")
    route_e.act("start_checkout", cart=cart.id, email="ada@example.com", address=ADA)
    route_e.poll("carts")
    route_e.run(30)
    first = sorted(event["event_type"] for event in route_e.state("events").values())
    route_e.shop.advance(5)
    order = route_e.act("place_order", cart=cart.id, paid=True)
    route_e.poll("orders")
    route_e.run(30)

    assert first == ["abandoned_checkout"]
    assert sorted(event["event_type"] for event in route_e.state("events").values()) == ["abandoned_checkout", "checkout_recovered"]
    assert route_e.stored(order) is not None


def test_the_cart_of_a_guest_who_signs_in_becomes_the_customer_s_checkout(route_e: RouteE) -> None:
    Connection.objects.filter(pk=route_e.source.pk).update(settings={**route_e.source.settings, "checkout_minutes": 0.02})
    route_e.source.refresh_from_db()
    route_e.goods("TEE")
    person = route_e.act("register", email="ada@example.com", first_name="Ada")
    guest = route_e.act("add_to_cart", sku="TEE", anonymous_id="anon-1")
    route_e.act("start_checkout", cart=guest.id)
    route_e.poll("carts")
    assert not Delivery.objects.exists()
    signed_in = route_e.act("login", customer=person.id, anonymous_id="anon-1")
    route_e.poll("customers", "carts")
    route_e.run(30)
    (event,) = route_e.state("events").values()

    assert signed_in["cart"]["customerId"] == person.id
    assert (event["event_type"], event["identity_email"]) == ("abandoned_checkout", "ada@example.com")
    assert list(people(route_e)) == ["ada@example.com"]


def test_a_deleted_customer_leaves_and_an_event_about_nothing_is_told(route_e: RouteE) -> None:
    person = route_e.act("register", email="ada@example.com")
    route_e.hint(("customer/CustomerCreated", person))
    route_e.run()
    route_e.act("delete_customer", customer=person.id, erase=True)
    route_e.hint(("customer/ResourceDeleted", person), ("customer/CustomerFirstNameSet", person))
    route_e.run()

    assert Delivery.objects.get(flow__record_type="customer").record["removed"] is True
    assert InboxEvent.objects.get(topic="customer/CustomerFirstNameSet").state == "ignored"
    assert not SyncException.objects.exists()
