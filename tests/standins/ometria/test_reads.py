"""Reading orders, products, contacts and events back: shapes, pages, windows, orders of rows."""

import pytest
import requests

LINE = {"product_id": "P1", "quantity": 2, "unit_price": 27.0, "total": 54.0}


def ids(rows):
    return [row["id"] for row in rows]


def test_order_is_read_back_with_derived_refund_totals(api, order):
    refunded = {**LINE, "quantity_refunded": 1, "refunded": 27.0}
    pushed = order(status="partially_refunded", lineitems=[refunded, {**LINE, "product_id": "P2", "quantity": 1}])
    api.push(pushed)

    expected = {**pushed, "total_refunded": 27.0, "total_unit_quantity": 3, "total_unit_quantity_refunded": 1}
    assert api.read("/orders/shp-1") == expected
    assert api.read("/orders") == [expected]


def test_order_is_replaced_as_a_whole_unless_merged(api, order):
    api.push(order(coupon_code="TEN"))
    api.push({"@type": "order", "id": "shp-1", "@merge": True, "status": "cancelled", "is_valid": False})
    merged = api.read("/orders/shp-1")
    api.push(order(status="refunded"))
    replaced = api.read("/orders/shp-1")

    assert (merged["status"], merged["is_valid"], merged["coupon_code"], merged["grand_total"]) == ("cancelled", False, "TEN", 58.0)
    assert (replaced["status"], replaced.get("coupon_code")) == ("refunded", None)


def test_partial_order_without_merge_is_refused(api, order):
    api.push(order())
    api.push({"@type": "order", "id": "shp-1", "status": "cancelled"})

    assert [path for _, path in api.problems()] == ["root > currency", "root > grand_total", "root > timestamp"]
    assert api.read("/orders/shp-1")["status"] == "paid"


def test_stats_count_valid_orders_only(api, order):
    api.push(order(), order(id="shp-2", grand_total=42.0), order(id="shp-3"))
    api.push(order(id="shp-3", status="cancelled", is_valid=False))

    (profile,) = api.read("/profiles")

    assert profile["stats"] == {"orders": 2, "orders_attempted": 3, "revenue": 100.0, "aov": 50.0, "total_items": 4, "visits": 0}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"timestampSince": "2026-01-09T00:00:00"}, ["b", "c"]),
        ({"timestampSince": "2026-01-09T00:00:00", "timestampBefore": "2026-01-10T00:00:00"}, ["b"]),
        ({"timestampBefore": "2026-01-09T00:00:00+00:00"}, ["a"]),
        ({"email": "GRACE@example.com"}, ["b"]),
        ({"customer_id": "7001"}, ["a", "c"]),
        ({"createSince": "2020-01-01T00:00:00"}, ["a", "b", "c"]),
        ({"createBefore": "2020-01-01T00:00:00"}, []),
        ({"updateSince": "2100-01-01T00:00:00"}, []),
    ],
)
def test_orders_are_found_by_buyer_and_window(api, order, query, found):
    api.push(
        order(id="a", timestamp="2026-01-08T23:59:59Z"),
        order(id="b", timestamp="2026-01-09T00:00:00Z", customer={"email": "grace@example.com"}),
        order(id="c", timestamp="2026-01-10T00:00:00Z"),
    )

    assert ids(api.read("/orders", **query)) == found


def test_pages_are_ten_by_default_and_at_most_250(api, order):
    for start in (0, 100, 200):
        api.push(*(order(id=f"o{number}") for number in range(start, start + 100)))

    assert ids(api.read("/orders")) == [f"o{number}" for number in range(10)]
    assert ids(api.read("/orders", limit="1000")) == [f"o{number}" for number in range(250)]
    assert ids(api.read("/orders", limit="250", offset="250")) == [f"o{number}" for number in range(250, 300)]
    assert api.read("/orders", offset="300") == []


def test_rows_come_by_first_arrival_or_by_last_change(api, order):
    api.push(order(id="a"), order(id="b"), order(id="c"))
    api.push(order(id="a", status="shipped"))

    assert ids(api.read("/orders")) == ["a", "b", "c"]
    assert ids(api.read("/orders", orderby="timestamp_update")) == ["b", "c", "a"]


def test_changed_contacts_are_found_since_a_moment(api, contact):
    api.push(contact(id="1", email="a@example.com"), contact(id="2", email="b@example.com"))
    api.act("/clock", advance=3600)
    moment = api.act("/clock", advance=0)["now"]
    api.push(contact(id="1", email="a@example.com", firstname="Ada"))

    assert ids(api.read("/contacts/shopify", updateSince=moment, orderby="timestamp_update")) == ["1"]
    assert ids(api.read("/contacts/shopify")) == ["1", "2"]


@pytest.mark.parametrize(
    "query", ["limit=ten", "offset=-1", "updateSince=yesterday", "orderby=name", "updateSince=2026-01-09T00:00:00+00:00"]
)
def test_parameter_nobody_can_read_is_400(api, query):
    assert requests.get(f"{api.base}/v2/orders?{query}", headers=api.headers, timeout=5).status_code == 400


@pytest.mark.parametrize(
    "path", ["/orders/x", "/products/x", "/contacts/shopify/x", "/profiles/x", "/lists/x", "/lists/x/changes", "/custom-events/a/x"]
)
def test_unknown_id_is_404(api, path):
    answer = api.get(path)

    assert (answer.status_code, answer.json()) == (404, {"status": "ERROR", "message": "Not found"})


def test_ids_with_reserved_characters_are_found_when_encoded(api, contact):
    api.push(contact(at_collection="optin:sms", id="a/b c"))

    assert api.read("/contacts/optin%3Asms/a%2Fb%20c")["id"] == "a/b c"


def test_contacts_are_counted_by_collection(api, contact):
    api.push(contact(id="1", email="a@example.com"), contact(id="2", email="b@example.com"), contact(at_collection="tiktok_shop"))

    assert api.read("/contacts") == [{"collection": "shopify", "count": 2}, {"collection": "tiktok_shop", "count": 1}]


def test_contact_is_read_back_with_what_ometria_adds(api, contact):
    api.push(contact(firstname="Ada"))
    api.push(contact(firstname="Ada"))

    found = api.read("/contacts/shopify/7001")

    profile_id = api.read("/profiles")[0]["id"]
    times = {found.pop(name)[-6:] for name in ("dt_object_created", "dt_object_updated", "dt_observed")}
    assert times == {"+00:00"}
    assert found == {**contact(firstname="Ada"), "@profile_id": profile_id, "source": "api", "object_version": 2}


def test_variants_are_hidden_unless_asked_for(api, product):
    variant = product(id="V100-M", parent_id="P100", is_variant=True, listings=None)
    api.push(product(), variant, product(id="P200", is_active=False))

    assert ids(api.read("/products")) == ["P100", "P200"]
    assert ids(api.read("/products", includeVariants="true")) == ["P100", "V100-M", "P200"]
    assert ids(api.read("/products", active="true", includeVariants="true")) == ["P100", "V100-M"]
    assert ids(api.read("/products", active="false")) == ["P200"]
    assert api.read("/products/V100-M") == variant


def test_stock_change_by_merge_keeps_the_product(api, product):
    api.push(product())
    api.push({"@type": "product", "id": "P100", "@merge": True, "is_in_stock": False})

    assert api.read("/products/P100") == product(is_in_stock=False)
    assert [effect["kind"] for effect in api.look("/ledger", key="P100")] == ["product", "product"]


def test_event_is_read_by_type_and_id(api, event):
    api.push(event(), event(id="2", event_type="checkout_recovered"))

    found = api.read(f"/custom-events/abandoned_checkout/{event()['id']}")

    assert found.pop("dt_observed").endswith("+00:00")
    assert found == {**event(), "profile_id": None}
    assert ids(api.read("/custom-events")) == [event()["id"], "2"]
    assert ids(api.read("/custom-events/checkout_recovered")) == ["2"]
