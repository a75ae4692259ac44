"""Orders as the API shows them: one line a unit, exact prices, masks, aliases, holds, pages."""

import time
from decimal import Decimal
from typing import Any

import pytest

from integrations.standins.tiktok_shop import TikTokShopStandIn
from integrations.standins.tiktok_shop.lives import Lives
from tests.standins.tiktok_shop.conftest import DE, DETAIL, GB, JP, SEARCH, US, Caller, stock

ADA = {"first_name": "Ada", "last_name": "Example", "phone": "+442079460001", "address_line1": "1 Test Street", "postal_code": "N1 1AA"}


def check_prices(order: Any, exponent: int) -> None:
    """The platform's documented identities, in whole units of the currency."""
    paid = {name: Decimal(value) for name, value in order["payment"].items() if name != "currency"}
    assert paid["sub_total"] == paid["original_total_product_price"] - paid["seller_discount"] - paid["platform_discount"]
    expected = paid["original_shipping_fee"] - paid["shipping_fee_seller_discount"] - paid["shipping_fee_platform_discount"]
    assert paid["shipping_fee"] == expected
    assert paid["total_amount"] == paid["sub_total"] + paid["shipping_fee"] + paid["tax"] + paid.get("retail_delivery_fee", 0)
    assert sum(Decimal(line["sale_price"]) for line in order["line_items"]) == paid["sub_total"]
    assert all(-value.as_tuple().exponent == exponent for value in paid.values())
    for line in order["line_items"]:
        assert Decimal(line["sale_price"]) == sum(
            (Decimal(line["original_price"]), -Decimal(line["seller_discount"]), -Decimal(line["platform_discount"]))
        )
        if "sub_item_info" in line:
            for name in ("original_price", "seller_discount", "platform_discount", "sale_price"):
                assert sum(Decimal(item[name]) for item in line["sub_item_info"]) == Decimal(line[name])


def search(caller: Caller, body: Any = None, **query: Any) -> list[str]:
    found = caller.post(SEARCH, body or {}, **{"page_size": 100, "sort_field": "create_time", "sort_order": "ASC", **query})
    return [order["id"] for order in found.get("orders", [])]


def test_three_units_are_three_lines_with_exact_prices(caller: Caller, place: Any) -> None:
    order = place(
        lines=[{"seller_sku": "TEE-M", "quantity": 3, "seller_discount": "2.50", "platform_discount": "0.35"}],
        shipping={"fee": "3.99", "platform_discount": "1.00"},
    )
    shown = caller.order(order.id)

    check_prices(shown, 2)
    assert [(line["seller_sku"], line["sale_price"], line["display_status"]) for line in shown["line_items"]] == [
        ("TEE-M", "17.15", "AWAITING_SHIPMENT")
    ] * 3
    assert len({line["id"] for line in shown["line_items"]}) == 3
    assert shown["payment"] == {
        "currency": "GBP", "total_amount": "54.44", "sub_total": "51.45", "original_total_product_price": "60.00",
        "seller_discount": "7.50", "platform_discount": "1.05", "shipping_fee": "2.99", "original_shipping_fee": "3.99",
        "shipping_fee_seller_discount": "0.00", "shipping_fee_platform_discount": "1.00", "tax": "0.00", "product_tax": "0.00",
        "shipping_fee_tax": "0.00",
    }  # fmt: skip


def test_ids_are_texts_of_nineteen_digits_that_no_float_can_hold(caller: Caller, place: Any) -> None:
    shown = caller.order(place().id)
    line = shown["line_items"][0]
    ids = [shown["id"], shown["user_id"], line["id"], line["sku_id"], line["product_id"]]

    assert all(isinstance(key, str) and len(key) == 19 and int(float(key)) != int(key) for key in ids if int(key) % 2)
    assert all(len(key) == 19 for key in ids)


@pytest.mark.parametrize(("spec", "currency", "exponent"), [(GB, "GBP", 2), (DE, "EUR", 2), (JP, "JPY", 0), (US, "USD", 2)])
def test_prices_add_up_in_every_currency(caller: Caller, spec: Any, currency: str, exponent: int) -> None:
    Lives(caller.stand_in.shop(spec.id), seed=7).history(orders=60, days=20)
    orders = caller.post(SEARCH, {}, cipher=spec.cipher, page_size=100)["orders"]

    assert len(orders) >= 60
    assert {order["payment"]["currency"] for order in orders} == {currency}
    for order in orders:
        check_prices(order, exponent)


def test_american_prices_carry_tax_on_top_and_a_delivery_fee(caller: Caller) -> None:
    stock(caller.stand_in, "US")
    wish = {"lines": [{"seller_sku": "TEE-M"}], "status": "AWAITING_SHIPMENT", "shipping": {"fee": "5.00"}}
    shown = caller.order(caller.stand_in.act("place_order", "US", **wish).id, cipher=US.cipher)

    assert shown["line_items"][0]["item_tax"] == [{"tax_type": "SALES_TAX", "tax_amount": "1.40", "tax_rate": "0.0700"}]
    taxes = {name: shown["payment"][name] for name in ("product_tax", "shipping_fee_tax", "tax", "retail_delivery_fee", "total_amount")}
    assert taxes == {
        "product_tax": "1.40", "shipping_fee_tax": "0.35", "tax": "1.75", "retail_delivery_fee": "0.28", "total_amount": "27.03",
    }  # fmt: skip


def test_a_bundle_lists_its_components_and_their_units(caller: Caller, place: Any) -> None:
    order = place(lines=[{"seller_sku": "SET", "seller_discount": "2.00"}])
    line = caller.order(order.id)["line_items"][0]

    combined = [(part["seller_sku"], part["sku_count"]) for part in line["combined_listing_skus"]]
    assert combined == [("SOAP", 2), ("DISH", 1)]
    items = [(item["seller_sku"], item["original_price"], item["sale_price"]) for item in line["sub_item_info"]]
    assert [sku for sku, _, _ in items] == ["SOAP", "SOAP", "DISH"]
    assert sum(Decimal(sale) for _, _, sale in items) == Decimal("17.00")


@pytest.mark.parametrize(("shape", "keys"), [("combined", {"combined_listing_skus"}), ("sub_items", {"sub_item_info"})])
def test_a_shop_may_show_bundles_in_one_shape_only(caller: Caller, place: Any, shape: str, keys: set[str]) -> None:
    order = place(lines=[{"seller_sku": "SET"}])
    caller.control("POST", "/settings", {"bundle_shape": shape})

    assert {"combined_listing_skus", "sub_item_info"} & caller.order(order.id)["line_items"][0].keys() == keys


def test_a_seller_who_ships_sees_the_recipient(caller: Caller, place: Any) -> None:
    address = caller.order(place(buyer=ADA).id)["recipient_address"]

    shown = (address["name"], address["phone_number"], address["address_line1"], address["region_code"], address["post_town"])
    assert shown == ("Ada Example", "(+44)2079460001", "1 Test Street", "GB", "London")


@pytest.mark.parametrize(("fulfillment", "shipping"), [("FULFILLMENT_BY_SELLER", "TIKTOK"), ("FULFILLMENT_BY_TIKTOK", "SELLER")])
def test_a_parcel_shipped_by_the_platform_hides_the_recipient(caller: Caller, place: Any, fulfillment: str, shipping: str) -> None:
    address = caller.order(place(buyer=ADA, fulfillment_type=fulfillment, shipping_type=shipping).id)["recipient_address"]

    shown = {name: address[name] for name in ("name", "phone_number", "postal_code", "address_line1", "region_code")}
    assert shown == {
        "name": "A** E******", "phone_number": "(+44)20******01", "postal_code": "N1***", "address_line1": "***", "region_code": "GB",
    }  # fmt: skip


def test_every_order_of_a_buyer_has_another_alias(caller: Caller, place: Any, stand_in: TikTokShopStandIn) -> None:
    buyer = stand_in.act("add_buyer", **ADA)
    orders = [caller.order(place(buyer=buyer.user_id).id) for _ in range(2)]

    assert {order["user_id"] for order in orders} == {buyer.user_id}
    emails = {order["buyer_email"] for order in orders}
    assert len(emails) == 2
    assert all(email.endswith("@scs.tiktokw.eu") for email in emails)


def test_an_order_has_no_address_until_its_hold_is_over(caller: Caller, place: Any) -> None:
    order = place(status="UNPAID")
    steps = []
    for do in ("", "pay_order", "release_hold"):
        if do:
            caller.control("POST", "/act", {"do": do, "args": {"order_id": order.id}})
        shown = caller.order(order.id)
        steps.append((shown["status"], "recipient_address" in shown, "paid_time" in shown))

    assert steps == [("UNPAID", False, False), ("ON_HOLD", False, True), ("AWAITING_SHIPMENT", True, True)]


def test_a_hold_ends_after_an_hour_of_the_platforms_time(caller: Caller, place: Any) -> None:
    order = place(status="ON_HOLD")
    caller.control("POST", "/clock", {"advance": 3590})
    assert caller.order(order.id)["status"] == "ON_HOLD"
    caller.control("POST", "/clock", {"advance": 11})
    shown = caller.order(order.id)

    assert (shown["status"], shown["is_on_hold_order"]) == ("AWAITING_SHIPMENT", True)
    assert shown["update_time"] >= order.create_time + 3600


def test_a_hold_ends_by_itself_without_any_call(caller: Caller, place: Any) -> None:
    caller.control("POST", "/settings", {"hold_seconds": 0.2})
    order = place(status="ON_HOLD")
    end = time.monotonic() + 5
    while order.status == "ON_HOLD" and time.monotonic() < end:
        time.sleep(0.05)

    assert order.status == "AWAITING_SHIPMENT"


def test_details_leave_out_what_they_do_not_know(caller: Caller, place: Any) -> None:
    first, second = place(), place()
    found = caller.get(DETAIL, ids=f"{second.id},5764614139999999999,{first.id}")["orders"]

    assert [order["id"] for order in found] == [second.id, first.id]
    assert caller.get(DETAIL, ids="5764614139999999999") == {}


def test_details_take_fifty_ids_in_one_parameter(caller: Caller) -> None:
    keys = [str(5764614130000000000 + number) for number in range(51)]

    assert caller.code("GET", DETAIL, ids=",".join(keys[:50])) == 0
    assert caller.code("GET", DETAIL, ids=",".join(keys)) == 98001004
    assert caller.code("GET", DETAIL, ids="one") == 98001004
    assert caller.code("GET", DETAIL) == 36009004


def test_repeated_ids_are_refused(caller: Caller) -> None:
    signed = caller.call("GET", DETAIL, ids="1").request
    repeated = signed.url.replace("ids=1", "ids=2&ids=1")

    answer = caller.session.get(repeated, headers={"x-tts-access-token": "TTP_demo-access-token"}).json()
    assert (answer["code"], answer["message"]) == (98001004, "Invalid parameter: ids must be given once, comma-joined")


def test_windows_include_their_begin_and_not_their_end(caller: Caller, place: Any) -> None:
    orders = [place(at=1_700_000_000 + number * 10) for number in range(4)]
    window = {"update_time_ge": 1_700_000_010, "update_time_lt": 1_700_000_030}

    assert search(caller, window, sort_field="update_time") == [order.id for order in orders[1:3]]
    assert search(caller, {"create_time_ge": 1_700_000_020}) == [order.id for order in orders[2:]]


def test_filters_narrow_a_search(caller: Caller, place: Any) -> None:
    plain, unpaid, shipped = place(), place(status="UNPAID"), place(shipping_type="TIKTOK")

    assert search(caller, {"order_status": "UNPAID"}) == [unpaid.id]
    assert search(caller, {"shipping_type": "TIKTOK"}) == [shipped.id]
    assert search(caller, {"buyer_user_id": plain.buyer.user_id}) == [plain.id]
    assert search(caller, {"is_buyer_request_cancel": True}) == []


def test_pages_follow_on_and_end_with_an_empty_token(caller: Caller, place: Any) -> None:
    orders = [place(at=1_700_000_000 + number // 3) for number in range(7)]
    token, sizes, found = "", [], []
    while True:
        more = {"page_token": token} if token else {}
        data = caller.post(SEARCH, {"create_time_ge": 1}, page_size=3, sort_field="create_time", sort_order="ASC", **more)
        assert data["total_count"] == 7
        found += [order["id"] for order in data["orders"]]
        sizes.append(len(data["orders"]))
        token = data["next_page_token"]
        if not token:
            break

    assert (sizes, found) == ([3, 3, 1], [order.id for order in orders])


def test_a_row_that_moves_while_pages_are_read_is_seen_again_and_none_is_lost(caller: Caller, place: Any) -> None:
    orders = [place(at=1_700_000_000 + number) for number in range(6)]
    query = {"page_size": 2, "sort_field": "update_time", "sort_order": "ASC"}
    first = caller.post(SEARCH, {}, **query)
    caller.stand_in.act("touch_order", order_id=orders[0].id)
    seen = [order["id"] for order in first["orders"]]
    token = first["next_page_token"]
    while token:
        page = caller.post(SEARCH, {}, **query, page_token=token)
        seen += [order["id"] for order in page["orders"]]
        token = page["next_page_token"]

    assert seen == [order.id for order in orders] + [orders[0].id]


def test_a_page_token_fits_only_its_own_search(caller: Caller, place: Any) -> None:
    for _ in range(3):
        place()
    query = {"page_size": 2, "sort_field": "create_time", "sort_order": "ASC"}
    token = caller.post(SEARCH, {"create_time_ge": 1}, **query)["next_page_token"]

    assert caller.code("POST", SEARCH, {"create_time_ge": 1}, **query, page_token=token) == 0
    assert caller.code("POST", SEARCH, {"create_time_ge": 2}, **query, page_token=token) == 98001004
    assert caller.code("POST", SEARCH, {"create_time_ge": 1}, **{**query, "sort_order": "DESC"}, page_token=token) == 98001004
    assert caller.code("POST", SEARCH, {"create_time_ge": 1}, **query, page_token="bm9wZQ==") == 98001004
    caller.control("POST", "/clock", {"advance": 1000})
    assert caller.code("POST", SEARCH, {"create_time_ge": 1}, **query, page_token=token) == 98001004


@pytest.mark.parametrize(
    ("body", "query", "code"),
    [
        ({}, {}, 36009004),
        ({}, {"page_size": 0}, 98001004),
        ({}, {"page_size": 101}, 98001004),
        ({"page_size": 10}, {"page_size": 10}, 98001004),
        ({"update_time_ge": "1700000000"}, {"page_size": 10}, 98001004),
        ({"update_time_ge": 1700000000000}, {"page_size": 10}, 98001004),
        ({"update_time_ge": True}, {"page_size": 10}, 98001004),
        ({"order_status": "SHIPPED"}, {"page_size": 10}, 98001004),
        ({}, {"page_size": 10, "sort_field": "id"}, 98001004),
    ],
)
def test_a_search_that_breaks_the_rules_is_refused(caller: Caller, body: Any, query: Any, code: int) -> None:
    assert caller.code("POST", SEARCH, body, **query) == code


def test_a_search_may_lag_behind_while_details_do_not(caller: Caller, place: Any) -> None:
    caller.control("POST", "/settings", {"search_lag": 60})
    order = place()
    caller.stand_in.act("ship", order_id=order.id)
    found = caller.post(SEARCH, {}, page_size=10)["orders"][0]

    assert (found["status"], caller.order(order.id)["status"]) == ("AWAITING_SHIPMENT", "IN_TRANSIT")


def test_an_order_goes_all_the_way(caller: Caller, place: Any) -> None:
    order = place(units=2)
    act = caller.stand_in.act
    first, second = [line.id for line in order.lines]
    seen = []
    for do, options in (("ship", {"line_ids": [first]}), ("ship", {"line_ids": [second]}), ("deliver", {}), ("complete", {})):
        act(do, order_id=order.id, **options)
        shown = caller.order(order.id)
        seen.append((shown["status"], [line["display_status"] for line in shown["line_items"]], len(shown["packages"])))

    assert seen == [
        ("PARTIALLY_SHIPPING", ["IN_TRANSIT", "AWAITING_SHIPMENT"], 1),
        ("IN_TRANSIT", ["IN_TRANSIT", "IN_TRANSIT"], 2),
        ("DELIVERED", ["DELIVERED", "DELIVERED"], 2),
        ("COMPLETED", ["COMPLETED", "COMPLETED"], 2),
    ]
    with pytest.raises(ValueError, match="goes nowhere"):
        act("advance_order", order_id=order.id)


def test_personal_data_of_complete_orders_may_be_masked_again(caller: Caller, place: Any) -> None:
    order = place(buyer=ADA)
    caller.stand_in.act("advance_order", order_id=order.id, to="COMPLETED")
    before = caller.order(order.id)["recipient_address"]["name"]
    caller.control("POST", "/settings", {"remask_completed": True})

    assert (before, caller.order(order.id)["recipient_address"]["name"]) == ("Ada Example", "A** E******")


def test_samples_and_replacements_cost_nothing(caller: Caller, place: Any) -> None:
    sample = caller.order(place(is_sample_order=True).id)
    copy = caller.order(place(free=True, replaced_order_id=sample["id"]).id)

    assert (sample["is_sample_order"], sample["payment"]["total_amount"]) == (True, "0.00")
    assert (copy["is_replacement_order"], copy["replaced_order_id"], copy["payment"]["total_amount"]) == (True, sample["id"], "0.00")


def test_a_status_may_be_one_that_nobody_knows(caller: Caller, place: Any) -> None:
    order = place()
    caller.control("POST", "/act", {"do": "force_status", "args": {"order_id": order.id, "status": "BRAND_NEW"}})

    assert caller.order(order.id)["status"] == "BRAND_NEW"


def test_a_buyer_who_comes_back_may_show_more(caller: Caller, place: Any) -> None:
    masked = caller.order(place(buyer=ADA, shipping_type="TIKTOK").id)
    clear = caller.order(place(buyer={"user_id": masked["user_id"], **ADA, "email": "ada@example.com"}).id)

    assert masked["user_id"] == clear["user_id"]
    assert ("*" in masked["recipient_address"]["phone_number"], clear["recipient_address"]["phone_number"], clear["buyer_email"]) == (
        True, "(+44)2079460001", "ada@example.com",
    )  # fmt: skip


def test_a_present_goes_to_somebody_else(caller: Caller, place: Any) -> None:
    shown = caller.order(place(buyer=ADA, recipient={"first_name": "Grace", "phone": "+442079460002"}, is_gift_order=True).id)

    assert (shown["recipient_address"]["name"], shown["recipient_address"]["phone_number"]) == ("Grace Example", "(+44)2079460002")
    assert shown["buyer_nickname"].startswith("demo_ada")


def test_price_details_split_the_discounts(caller: Caller, place: Any) -> None:
    order = place(lines=[{"seller_sku": "TEE-M", "seller_discount": "2", "platform_discount": "3"}])
    found = caller.get(f"/order/202407/orders/{order.id}/price_detail")

    assert (found["sku_list_price"], found["subtotal_deduction_seller"], found["subtotal_deduction_platform"], found["subtotal"]) == (
        "20.00", "2.00", "3.00", "15.00",
    )  # fmt: skip
    assert found["line_items"][0]["id"] == order.lines[0].id
