"""Orders: bought, imported, paid, sent, returned, refunded, cancelled."""

from typing import Any

import pytest

from tests.standins.commercetools.conftest import Caller

IMPORT: dict[str, Any] = {
    "orderNumber": "EXT-1",
    "customerEmail": "buyer@example.com",
    "completedAt": "2026-11-03T07:55:10.000Z",
    "orderState": "Confirmed",
    "totalPrice": {"currencyCode": "GBP", "centAmount": 1999},
    "shippingInfo": {"shippingMethodName": "Post", "price": {"currencyCode": "GBP", "centAmount": 0}},
    "lineItems": [
        {"key": "ext-1", "name": {"en-GB": "Tee"}, "variant": {"sku": "TEE"}, "quantity": 1,
         "price": {"value": {"currencyCode": "GBP", "centAmount": 1999}}},
    ],
    "someUnknownField": True,
}  # fmt: skip


def _parts(order: Any) -> int:
    """What the parts of an order come to, discounts on the total taken off."""
    lines = sum(line["totalPrice"]["centAmount"] for line in (*order["lineItems"], *order["customLineItems"]))
    off = order.get("discountOnTotalPrice", {}).get("discountedAmount", {}).get("centAmount", 0)
    return lines + order["shippingInfo"]["price"]["centAmount"] - off


def test_an_order_of_everything_adds_up(caller: Caller, tee: str) -> None:
    voucher = {"name": {"en-GB": "Voucher"}, "slug": "voucher", "money": {"currencyCode": "GBP", "centAmount": -500}}
    order = caller.act(
        "guest_order",
        email="bob@example.com",
        lines=[{"sku": tee, "quantity": 3}],
        gift="TEE-L",
        custom_lines=[voucher],
        off_total=1000,
        paid=True,
    )

    assert [(line["lineItemMode"], line["totalPrice"]["centAmount"]) for line in order["lineItems"]] == [
        ("Standard", 6000),
        ("GiftLineItem", 0),
    ]
    assert order["customLineItems"][0]["totalPrice"]["centAmount"] == -500
    # 3 tees at 20, a voucher of 5, delivery at 5, a tenth off
    assert order["totalPrice"]["centAmount"] == _parts(order) == 5400
    assert (order["taxedPrice"]["totalGross"]["centAmount"], order["taxedPrice"]["totalNet"]["centAmount"]) == (5400, 4500)
    assert "customerId" not in order
    assert order["cart"]["typeId"] == "cart"


def test_a_unit_price_may_have_more_decimals_than_pence(caller: Caller) -> None:
    caller.act("create_product", name="Nail", variants=[{"sku": "NAIL", "prices": [{"price": "0.0335", "country": "GB"}]}])
    (line,) = caller.act("guest_order", email="bob@example.com", lines=[{"sku": "NAIL", "quantity": 100}])["lineItems"]

    assert line["price"]["value"] == {
        "type": "highPrecision", "currencyCode": "GBP", "centAmount": 3, "preciseAmount": 335, "fractionDigits": 4,
    }  # fmt: skip
    assert (line["totalPrice"]["type"], line["totalPrice"]["centAmount"]) == ("centPrecision", 335)


def test_prices_without_tax_get_it_added(caller: Caller) -> None:
    caller.act("create_product", name="Cap", variants=[{"sku": "CAP", "prices": [{"price": "100", "currency": "USD"}]}])
    order = caller.act("guest_order", email="bob@example.com", lines=["CAP"], country="US", shipping=False)

    assert [order["taxedPrice"][name]["centAmount"] for name in ("totalNet", "totalGross")] == [10_000, 10_800]
    assert order["totalPrice"]["centAmount"] == 10_000


def test_an_imported_order_is_taken_as_sent_and_only_once(caller: Caller, tee: str) -> None:
    order = caller.post("/orders/import", IMPORT)

    assert (order["completedAt"], order["totalPrice"]["centAmount"], "someUnknownField" in order) == (
        "2026-11-03T07:55:10.000Z",
        1999,
        False,
    )
    assert order["lineItems"][0]["variant"]["sku"] == "TEE"
    assert caller.get("/orders/order-number=EXT-1") == order
    answer = caller.call("POST", "/orders/import", IMPORT)
    assert answer.json()["errors"] == [
        {
            "code": "DuplicateField", "message": "A duplicate value 'EXT-1' exists for field 'orderNumber'.", "field": "orderNumber",
            "duplicateValue": "EXT-1",
        }
    ]  # fmt: skip
    assert caller.messages(order["id"]) == ["OrderImported"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"lineItems": [{**IMPORT["lineItems"][0], "variant": {"sku": "NOBODY"}}]}, "InvalidInput"),
        ({"orderState": "Completed"}, "InvalidField"),
        ({"shipmentState": "Cancelled"}, "InvalidField"),
        ({"totalPrice": None}, "RequiredField"),
        ({"totalPrice": {"currencyCode": "GBP", "centAmount": 19.99}}, "InvalidField"),
        ({"lineItems": []}, "RequiredField"),
        ({"customerId": "nobody"}, "ReferencedResourceNotFound"),
        ({"store": {"key": "uk"}, "country": "DE"}, "CountryNotConfiguredInStore"),
        ({"inventoryMode": "TrackOnly"}, "OutOfStock"),
    ],
)
def test_an_import_that_cannot_be_is_refused(caller: Caller, tee: str, changes: dict[str, Any], code: str) -> None:
    assert caller.refusal("POST", "/orders/import", {**IMPORT, **changes}) == (400, code)
    assert caller.query("/orders") == []


def test_tracked_stock_goes_down_without_a_message(caller: Caller, tee: str) -> None:
    entry = caller.act("set_stock", sku=tee, quantity=1)
    caller.post("/orders/import", {**IMPORT, "inventoryMode": "TrackOnly"})
    caller.post("/orders/import", {**IMPORT, "orderNumber": "EXT-2", "inventoryMode": "TrackOnly"})

    now = caller.get(f"/inventory/{entry['id']}")
    assert (now["quantityOnStock"], now["availableQuantity"]) == (-1, -1)
    assert caller.messages(entry["id"]) == ["InventoryEntryCreated"]


def test_what_orders_do_to_stock_may_show_later(caller: Caller, tee: str) -> None:
    entry = caller.act("set_stock", sku=tee, quantity=5)
    caller.control("POST", "/settings", {"stock_lag": 10.0})
    caller.post("/orders/import", {**IMPORT, "inventoryMode": "TrackOnly"})
    before = caller.get(f"/inventory/{entry['id']}")
    caller.control("POST", "/clock", {"advance": 10})

    assert (before["quantityOnStock"], caller.get(f"/inventory/{entry['id']}")["quantityOnStock"]) == (5, 4)


def test_a_life_of_an_order_leaves_its_messages(caller: Caller, tee: str) -> None:
    order = caller.act("guest_order", email="bob@example.com", lines=[{"sku": tee, "quantity": 2}])
    line = order["lineItems"][0]["id"]
    caller.act("pay", order=order["id"])
    caller.act("ship", order=order["id"], items=[{"id": line, "quantity": 1}])
    caller.act("ship", order=order["id"], items=[{"id": line, "quantity": 1}])
    caller.act("return_items", order=order["id"], items=[{"id": line, "quantity": 1}], state="Advised")
    caller.act("receive_return", order=order["id"])
    caller.act("refund", order=order["id"], amount=2000)
    now = caller.get(f"/orders/{order['id']}", expand="paymentInfo.payments[*]")

    assert (now["paymentState"], now["shipmentState"], len(now["shippingInfo"]["deliveries"])) == ("Paid", "Shipped", 2)
    assert [(item["shipmentState"], item["paymentState"]) for item in now["returnInfo"][0]["items"]] == [("Returned", "Refunded")]
    moved = now["paymentInfo"]["payments"][0]["obj"]["transactions"]
    assert [(item["type"], item["state"], item["amount"]["centAmount"]) for item in moved] == [
        ("Charge", "Success", 4500),
        ("Refund", "Success", 2000),
    ]
    assert caller.messages(order["id"]) == [
        "OrderCreated", "OrderPaymentAdded", "OrderPaymentStateChanged", "DeliveryAdded", "ParcelAddedToDelivery",
        "OrderShipmentStateChanged", "DeliveryAdded", "ParcelAddedToDelivery", "OrderShipmentStateChanged", "ReturnInfoAdded",
        "OrderReturnShipmentStateChanged",
    ]  # fmt: skip


def test_the_refund_of_a_returned_item_has_no_message_but_changes_the_order(caller: Caller, tee: str) -> None:
    order = caller.act("guest_order", email="bob@example.com", lines=[tee], paid=True)
    returned = caller.act("return_items", order=order["id"])
    before = caller.messages(order["id"])
    item = returned["returnInfo"][0]["items"][0]["id"]
    changed = caller.update("/orders", returned, {"action": "setReturnPaymentState", "returnItemId": item, "paymentState": "Refunded"})

    assert caller.messages(order["id"]) == before
    assert changed["version"] > returned["version"]


def _refused(caller: Caller, order: Any, **action: Any) -> str:
    return caller.refusal("POST", f"/orders/{order['id']}", {"version": order["version"], "actions": [action]})[1]


def test_each_action_has_its_conditions(caller: Caller, tee: str) -> None:
    bare = caller.act("guest_order", email="bob@example.com", lines=[tee], shipping=False, paid=True)
    other = caller.act("guest_order", email="eve@example.com", lines=[tee])
    line = bare["lineItems"][0]["id"]
    advised = {"action": "addReturnInfo", "items": [{"lineItemId": line, "quantity": 1, "shipmentState": "Advised"}]}

    assert _refused(caller, bare, action="addDelivery", items=[{"id": line, "quantity": 1}]) == "InvalidOperation"
    assert _refused(caller, other, action="addDelivery", items=[{"id": line, "quantity": 1}]) == "InvalidInput"
    assert _refused(caller, other, action="addPayment", payment=bare["paymentInfo"]["payments"][0]) == "InvalidInput"
    assert _refused(caller, bare, action="changeOrderState", orderState="Completed") == "InvalidField"
    assert _refused(caller, bare, action="updateSyncInfo", channel={"key": "wh-leeds"}) == "InvalidInput"
    assert _refused(caller, bare, action="setOrderNumber", orderNumber="other") == "InvalidOperation"
    assert (
        _refused(caller, bare, **{**advised, "items": [{"lineItemId": line, "quantity": 2, "shipmentState": "Returned"}]}) == "InvalidInput"
    )
    states = {"fromState": {"key": "picked"}, "toState": {"key": "sent"}}
    assert _refused(caller, bare, action="transitionLineItemState", lineItemId=line, quantity=1, **states) == "InvalidInput"
    announced = caller.update("/orders", bare, advised)
    item = announced["returnInfo"][0]["items"][0]
    assert item["paymentState"] == "NonRefundable"
    assert (
        _refused(caller, announced, action="setReturnPaymentState", returnItemId=item["id"], paymentState="Refunded") == "InvalidOperation"
    )
    assert (
        _refused(caller, announced, action="setReturnShipmentState", returnItemId=item["id"], shipmentState="Unusable")
        == "InvalidOperation"
    )


def test_line_states_move_by_quantity(caller: Caller, tee: str) -> None:
    order = caller.act("guest_order", email="bob@example.com", lines=[{"sku": tee, "quantity": 3}])
    line = order["lineItems"][0]["id"]
    moving = {
        "action": "transitionLineItemState",
        "lineItemId": line,
        "quantity": 2,
        "fromState": {"key": "Initial"},
        "toState": {"key": "sent"},
    }
    changed = caller.update("/orders", order, moving)

    assert sorted(item["quantity"] for item in changed["lineItems"][0]["state"]) == [1, 2]
    assert caller.messages(order["id"]) == ["OrderCreated", "LineItemStateTransition"]


def test_a_cancelled_order_says_so_in_two_spellings_and_pays_back(caller: Caller, tee: str) -> None:
    order = caller.act("guest_order", email="bob@example.com", lines=[tee], paid=True)
    caller.act("cancel", order=order["orderNumber"])
    now = caller.get(f"/orders/{order['id']}", expand="paymentInfo.payments[*]")

    assert (now["orderState"], now["shipmentState"]) == ("Cancelled", "Canceled")
    assert now["paymentInfo"]["payments"][0]["obj"]["transactions"][-1]["type"] == "Refund"


def test_a_payment_interface_has_each_number_once(caller: Caller) -> None:
    draft = {
        "interfaceId": "n-1", "amountPlanned": {"currencyCode": "GBP", "centAmount": 100},
        "paymentMethodInfo": {"paymentInterface": "PAY"},
    }  # fmt: skip
    caller.post("/payments", draft)

    assert caller.refusal("POST", "/payments", draft) == (400, "DuplicateField")


def test_a_checkout_is_abandoned_or_becomes_an_order_that_names_its_cart(caller: Caller, tee: str) -> None:
    cart = caller.act("add_to_cart", anonymous_id="visitor", sku=tee)
    begun = caller.act("start_checkout", cart=cart["id"], email="bob@example.com")
    found = caller.query("/carts", 'cartState="Active" and (customerEmail is defined or customerId is defined)')
    order = caller.act("place_order", cart=cart["id"])

    assert [one["id"] for one in found] == [begun["id"]]
    assert (begun["shippingAddress"]["country"], begun["totalPrice"]["centAmount"]) == ("GB", 2500)
    assert order["cart"] == {"typeId": "cart", "id": cart["id"]}
    assert caller.get(f"/carts/{cart['id']}")["cartState"] == "Ordered"
    assert caller.refusal("POST", "/orders", {"cart": {"id": cart["id"]}, "version": caller.get(f"/carts/{cart['id']}")["version"]}) == (
        400,
        "InvalidOperation",
    )


def test_carts_that_nobody_touches_disappear(caller: Caller, tee: str) -> None:
    cart = caller.act("add_to_cart", anonymous_id="visitor", sku=tee)
    caller.control("POST", "/clock", {"advance": 91 * 86_400})
    caller.use()

    assert caller.query("/carts") == []
    assert caller.refusal("GET", f"/carts/{cart['id']}") == (404, "ResourceNotFound")
