"""The control endpoint and the acts behind it."""

from typing import Any

import pytest

from tests.standins.shopify.conftest import SHOP, Caller, gid


def act(caller: Caller, do: str, **arguments: Any) -> Any:
    return caller.control("POST", "/act", {"shop": SHOP, "do": do, "args": arguments})


def refused(caller: Caller, path: str, body: Any) -> str:
    answer = caller.session.post(f"{caller.root}/_control{path}", json=body)
    assert answer.status_code == 400
    return answer.json()["error"]


def test_a_shop_can_be_lived_by_control_calls_alone(caller: Caller) -> None:
    customer = act(caller, "create_customer", email="a@example.com")
    product = act(caller, "create_product", handle="mug", title="Mug", variants=[{"sku": "MUG", "price": "7.50", "inventory": 9}])
    order = act(caller, "create_order", lines=[{"variant_id": product["variant_ids"][0], "quantity": 2}], customer_id=customer["id"])
    refund = act(caller, "refund", order_id=order["id"], lines={str(order["lines"][0]["id"]): 1})

    assert refund["id"] > 0
    assert caller.control("GET", "/state")[SHOP] == {
        "counts": {"customers": 1, "orders": 1, "products": 1, "variants": 1, "checkouts": 0, "subscriptions": 0},
        "orders": {
            str(order["id"]): {
                "name": "#1001",
                "financial_status": "PARTIALLY_REFUNDED",
                "fulfillment_status": "UNFULFILLED",
                "cancelled_at": None,
                "total": "15.00",
                "refunded": "7.50",
                "current_total": "7.50",
            }
        },
    }


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("/act", {"do": "dance"}, "There is no act dance"),
        ("/act", {"do": "mark_paid", "args": {"order_id": 1}}, "Missing: No order 1 in this shop."),
        ("/act", {"do": "create_customer", "args": {"height": 2}}, "A customer has no ['height']"),
        ("/settings", {"colour": 1}, "There is no setting colour"),
        ("/settings", {"switches": {"explode": 1}}, "There is no switch ['explode']"),
        ("/settings", {"bulk": {"explode": 1}}, "There is only"),
        ("/clock", {"advance": -1}, "cannot go back"),
        ("/settings", [], "must be an object"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(caller: Caller, path: str, body: Any, message: str) -> None:
    assert message in refused(caller, path, body)


def test_an_unknown_call_lists_the_known_ones(caller: Caller) -> None:
    answer = caller.session.get(f"{caller.root}/_control/nothing")

    assert answer.status_code == 404
    assert "POST /act" in answer.json()["calls"]


def test_a_reset_forgets_the_shop_but_not_the_subscriptions(caller: Caller, subscribe: Any, place: Any) -> None:
    subscribe("ORDERS_CREATE")
    place()
    caller.control("POST", "/faults", {"kind": "status", "status": 503})
    caller.stand_in.wait_sent()
    caller.control("POST", "/reset", {})

    state = caller.control("GET", "/state")[SHOP]
    assert (state["counts"]["orders"], state["counts"]["subscriptions"], state["orders"]) == (0, 1, {})
    assert caller.control("GET", "/counts") == {}
    assert caller.control("GET", "/faults") == []
    assert caller.control("GET", "/webhooks") == {"waiting": 0, "webhooks": []}


def test_privacy_topics_go_to_the_address_of_the_app(caller: Caller, inbox: Any, zoe: Any, place: Any) -> None:
    import json
    from dataclasses import replace

    order = place()
    shop = caller.stand_in.shop()
    shop.spec = replace(shop.spec, app_uri=inbox.uri)
    for topic in ("customers/data_request", "customers/redact"):
        caller.control("POST", "/privacy", {"topic": topic, "customer_id": zoe.id})
    caller.control("POST", "/privacy", {"topic": "shop/redact"})
    assert caller.stand_in.wait_sent()

    told = {headers["x-shopify-topic"]: json.loads(body) for headers, body in inbox.received}
    who = {"id": zoe.id, "email": "zoe@example.com", "phone": "+447700900123"}
    where = {"shop_id": 548_380_009, "shop_domain": SHOP}
    request = told["customers/data_request"].pop("data_request")
    assert request["id"] > 0
    assert told == {
        "customers/data_request": {**where, "customer": who, "orders_requested": [order.id]},
        "customers/redact": {**where, "customer": who, "orders_to_redact": [order.id]},
        "shop/redact": where,
    }


def test_a_customers_email_belongs_to_one(caller: Caller, zoe: Any) -> None:
    assert "Email has already been taken" in refused(caller, "/act", {"do": "create_customer", "args": {"email": "Zoe@example.com"}})
    act(caller, "update_customer", customer_id=zoe.id, email="new@example.com")
    assert act(caller, "create_customer", email="zoe@example.com")["email"] == "zoe@example.com"


def test_a_merge_moves_orders_tags_and_handles(caller: Caller, place: Any, zoe: Any) -> None:
    twin = act(caller, "create_customer", email="twin@example.com", tags=["new"])
    order = place(customer_id=twin["id"])
    act(caller, "merge_customers", kept_id=zoe.id, gone_id=twin["id"])

    text = """query($a: ID!, $b: ID!, $o: ID!) { gone: customer(id: $a) { id } order(id: $o) { customer { id } }
              kept: customer(id: $b) { tags numberOfOrders amountSpent { amount } lastOrder { id } orders(first: 5) { nodes { id } } } }"""
    data = caller.ask(text, {"a": gid("Customer", twin["id"]), "b": gid("Customer", zoe.id), "o": gid("Order", order.id)})

    assert data == {
        "gone": None,
        "order": {"customer": {"id": gid("Customer", zoe.id)}},
        "kept": {
            "tags": ["new", "vip"],
            "numberOfOrders": "1",
            "amountSpent": {"amount": "40.00"},
            "lastOrder": {"id": gid("Order", order.id)},
            "orders": {"nodes": [{"id": gid("Order", order.id)}]},
        },
    }


def test_a_customer_with_orders_cannot_be_deleted(caller: Caller, place: Any, zoe: Any) -> None:
    place()

    assert "associated orders" in refused(caller, "/act", {"do": "delete_customer", "args": {"customer_id": zoe.id}})


def test_cancelled_before_payment_is_void_and_after_it_is_refunded(caller: Caller, place: Any, shoe: Any) -> None:
    unpaid, paid = place(paid=False, authorized=True), place()
    for order in (unpaid, paid):
        act(caller, "cancel_order", order_id=order.id, reason="INVENTORY")

    void, back = caller.order(unpaid.id), caller.order(paid.id)
    assert (void["displayFinancialStatus"], void["refunds"], void["cancelReason"]) == ("VOIDED", [], "INVENTORY")
    assert [row["kind"] for row in void["transactions"]] == ["AUTHORIZATION", "VOID"]
    assert (back["displayFinancialStatus"], back["displayFulfillmentStatus"]) == ("REFUNDED", "RESTOCKED")
    assert back["refunds"][0]["refundLineItems"]["nodes"][0]["restockType"] == "CANCEL"
    assert back["currentTotalPriceSet"]["shopMoney"]["amount"] == "0.00"
    assert caller.stand_in.shop().variants.get(shoe.variant_ids[0]).inventory == 50


def test_an_edit_changes_what_is_owed(caller: Caller, place: Any, shoe: Any) -> None:
    order = place(units=2, paid=False, authorized=True)
    more = [{"variant_id": shoe.variant_ids[1], "quantity": 1}]
    act(caller, "edit_order", order_id=order.id, quantities={str(order.lines[0].id): 1}, add=more)
    act(caller, "mark_paid", order_id=order.id)

    full = caller.order(order.id)
    assert [(line["sku"], line["quantity"], line["currentQuantity"]) for line in full["lineItems"]["nodes"]] == [
        ("SHOE-41", 2, 1),
        ("SHOE-42", 1, 1),
    ]
    assert full["currentTotalPriceSet"]["shopMoney"]["amount"] == "50.00"
    assert [(row["kind"], row["amountSet"]["shopMoney"]["amount"]) for row in full["transactions"]] == [
        ("AUTHORIZATION", "40.00"),
        ("CAPTURE", "50.00"),
    ]
    assert full["displayFinancialStatus"] == "PAID"


def test_no_more_is_shipped_than_is_open(caller: Caller, place: Any) -> None:
    order = place(units=2)
    line = str(order.lines[0].id)
    act(caller, "fulfil", order_id=order.id, lines={line: 1})

    message = refused(caller, "/act", {"do": "fulfil", "args": {"order_id": order.id, "lines": {line: 2}}})
    assert "Invalid fulfillment order line item quantity requested." in message
    assert caller.order(order.id)["displayFulfillmentStatus"] == "PARTIALLY_FULFILLED"


def test_prices_and_stock_change_the_product(caller: Caller, shoe: Any) -> None:
    act(caller, "update_variant", variant_id=shoe.variant_ids[1], price="25", compare_at=None, inventory=0)
    act(caller, "update_product", product_id=shoe.id, title="Boot", image="https://cdn.example/b.jpg")

    row = caller.run("products_delta", {"first": 1, "q": "title:Boot", "locale": "de"})["products"]["nodes"][0]
    variant = row["variants"]["nodes"][1]
    assert (variant["price"], variant["compareAtPrice"], variant["availableForSale"]) == ("25.00", None, False)
    assert row["media"]["nodes"][0]["image"]["url"] == "https://cdn.example/b.jpg"
