"""What is found wrong in the background, one record at a time."""

import pytest

LINE = {"product_id": "P1", "quantity": 1, "unit_price": 5.0}


def line(**changes):
    return {"lineitems": [{name: value for name, value in (LINE | changes).items() if value is not None}]}


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"id": 7001}, "id"),
        ({"id": "x" * 256}, "id"),
        ({"email": "no-address"}, "email"),
        ({"email": "a" * 250 + "@example.com"}, "email"),
        ({"email": None}, "email"),
        ({"phone_number": "07700 900123"}, "phone_number"),
        ({"phone_number": "+1202555"}, "phone_number"),
        ({"customer_id": 7001}, "customer_id"),
        ({"firstname": "x" * 65}, "firstname"),
        ({"lastname": 5}, "lastname"),
        ({"gender": "F"}, "gender"),
        ({"date_of_birth": "1990-13-01"}, "date_of_birth"),
        ({"date_of_birth": "1990-01-01T00:00:00Z"}, "date_of_birth"),
        ({"country_id": "gb"}, "country_id"),
        ({"country_id": "GBR"}, "country_id"),
        ({"store_ids": "uk"}, "store_ids"),
        ({"marketing_optin": "EXPLICITYLY_OPTEDOUT"}, "marketing_optin"),
        ({"marketing_optin": "explicitly_optedin"}, "marketing_optin"),
        ({"marketing_optin": True}, "marketing_optin"),
        ({"at_force_optin": "true"}, "@force_optin"),
        ({"at_merge": 1}, "@merge"),
        ({"timestamp_subscribed": "10/01/2026"}, "timestamp_subscribed"),
        ({"timestamp_acquired": "2026-02-30T00:00:00Z"}, "timestamp_acquired"),
        ({"timestamp_acquired": 1767225600}, "timestamp_acquired"),
        ({"at_add_to_lists": [str(number) for number in range(17)]}, "@add_to_lists"),
        ({"properties": {"note": "x" * 1_000}}, "properties"),
        ({"properties": ["vip"]}, "properties"),
        ({"channels": {"sms": {"allow_marketing": "yes"}}}, "channels > sms > allow_marketing"),
        ({"channels": {"sms": True}}, "channels > sms"),
    ],
)
def test_contact_that_breaks_a_rule_is_listed_and_not_stored(api, contact, changes, path):
    record = contact(**changes)

    assert api.push(record).json()["accepted"] == 1
    assert api.problems() == [(str(record["id"]), f"root > {path}")]
    assert api.look("/contacts") == {}
    assert api.look("/counts") == {"rejected": 1}


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"id": "x" * 37}, "id"),
        ({"timestamp": None}, "timestamp"),
        ({"timestamp": "2026-01-08"}, "timestamp"),
        ({"grand_total": None}, "grand_total"),
        ({"grand_total": "58.00"}, "grand_total"),
        ({"tax": True}, "tax"),
        ({"discount": None, "shipping": "4"}, "shipping"),
        ({"currency": None}, "currency"),
        ({"currency": "gbp"}, "currency"),
        ({"currency": "POUND"}, "currency"),
        ({"is_valid": "true"}, "is_valid"),
        ({"customer": "ada"}, "customer"),
        ({"customer": {"email": "nobody"}}, "customer > email"),
        ({"customer": {"id": 7}}, "customer > id"),
        ({"payment_method": "x" * 33}, "payment_method"),
        ({"shipping_address": {"country_code": "United Kingdom"}}, "shipping_address > country_code"),
        ({"billing_address": []}, "billing_address"),
        ({"totals": {"base": {"currency": "GBP", "tax": "1"}}}, "totals > base > tax"),
        ({"lineitems": {}}, "lineitems"),
        ({"lineitems": ["P1"]}, "lineitems > 0"),
        (line(product_id=None), "lineitems > 0 > product_id"),
        (line(quantity=None), "lineitems > 0 > quantity"),
        (line(quantity=1.5), "lineitems > 0 > quantity"),
        (line(quantity="1"), "lineitems > 0 > quantity"),
        (line(unit_price=None), "lineitems > 0 > unit_price"),
        (line(unit_price="5.00"), "lineitems > 0 > unit_price"),
        (line(sku="x" * 256), "lineitems > 0 > sku"),
        (line(is_on_sale="no"), "lineitems > 0 > is_on_sale"),
        (line(refunded="27.00"), "lineitems > 0 > refunded"),
        (line(variant_options=[{"type": "size", "id": "m"}]), "lineitems > 0 > variant_options > 0 > label"),
        (line(properties={"bundle_sku": "x" * 1_000}), "lineitems > 0 > properties"),
        (line(totals={"local": {"currency": 1}}), "lineitems > 0 > totals > local > currency"),
    ],
)
def test_order_that_breaks_a_rule_is_listed_and_not_stored(api, order, changes, path):
    record = order(**changes)

    assert api.push(record).json()["accepted"] == 1
    assert api.problems() == [(record["id"], f"root > {path}")]
    assert api.look("/orders") == {}
    assert api.look("/profiles") == {}


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"title": None}, "title"),
        ({"title": "x" * 141}, "title"),
        ({"price": None}, "price"),
        ({"price": "25.00"}, "price"),
        ({"price": 0}, "price"),
        ({"is_variant": "false"}, "is_variant"),
        ({"is_in_stock": 3}, "is_in_stock"),
        ({"url": "https://shop.example.com/" + "x" * 1_000}, "url"),
        ({"special_price": "20"}, "special_price"),
        ({"attributes": [{"type": "category", "label": "Shirts"}]}, "attributes > 0 > id"),
        ({"listings": [{"store": "uk", "title": "T", "price": 1.0}]}, "listings > 0 > currency"),
        ({"listings": [{"store": "x" * 33, "title": "T", "price": 1.0, "currency": "GBP"}]}, "listings > 0 > store"),
        ({"properties": {"note": "x" * 1_000}}, "properties"),
    ],
)
def test_product_that_breaks_a_rule_is_listed_and_not_stored(api, product, changes, path):
    assert api.push(product(**changes)).json()["accepted"] == 1
    assert api.problems() == [("P100", f"root > {path}")]
    assert api.look("/products") == {}


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"id": "0b6f8c52-6f0e-4a52-9d07-2c1b5f9f6a11"}, "id"),
        ({"event_type": "x" * 65}, "event_type"),
        ({"event_type": None}, "event_type"),
        ({"timestamp": "soon"}, "timestamp"),
        ({"properties": None}, "properties"),
        ({"identity_email": None}, "identity_email"),
        ({"identity_email": "ada"}, "identity_email"),
    ],
)
def test_event_that_breaks_a_rule_is_listed_and_not_stored(api, event, changes, path):
    record = event(**changes)

    assert api.push(record).json()["accepted"] == 1
    assert api.problems() == [(record["id"], f"root > {path}")]
    assert api.look("/events") == {}


def test_what_production_integrations_send_is_tolerated(api, contact, order, event):
    bare_line = {"product_id": "P1", "quantity": 1, "subtotal": 5.0}
    api.push(contact(channels={"sms": {"allow_marketing": True}}, timestamp_acquired="2026-01-09T10:00:00.123456"))
    api.push(order(subtotal=None, lineitems=[bare_line]))
    api.push(order(id="bare", lineitems=None, customer=None, timestamp="2026-01-09T10:00:00+01:00"))
    api.push(event(event_type="Abandoned Checkout Started"))

    assert api.read("/push/_errors") == []
    assert api.look("/counts") == {"contact": 1, "order": 2, "custom_event": 1}


def test_null_clears_a_special_price_and_is_refused_elsewhere(api, product):
    api.push(product(special_price=20.0))
    api.push({"@type": "product", "id": "P100", "@merge": True, "special_price": None})
    api.push({"@type": "product", "id": "P100", "@merge": True, "url": None})

    assert api.read("/products/P100")["special_price"] is None
    assert api.problems() == [("P100", "root > url")]


def test_unknown_keys_are_ignored_but_reported(api, contact, order):
    api.push(contact(favourite_colour="red", at_profile_id="x"))
    lines = [{**LINE, "title": "Shirt"}, {**LINE, "title": "Mug"}]
    api.push(order(lineitems=lines, shipping_address={"city": "Leeds", "street": "1 High Street"}))

    assert api.look("/unknown-keys") == {
        "order: root > lineitems > * > title": 2,
        "contact: root > favourite_colour": 1,
        "contact: root > @profile_id": 1,
        "order: root > shipping_address > street": 1,
    }
    assert api.read("/contacts/shopify/7001").keys().isdisjoint({"favourite_colour"})
    assert api.read("/orders/shp-1")["lineitems"] == [LINE, LINE]
    assert api.read("/push/_errors") == []


def test_several_faults_of_one_record_are_each_listed(api, order):
    api.push(order(currency="gbp", lineitems=[{"quantity": "2"}]))

    assert api.problems() == [
        ("shp-1", "root > lineitems > 0 > unit_price"),
        ("shp-1", "root > lineitems > 0 > product_id"),
        ("shp-1", "root > lineitems > 0 > quantity"),
        ("shp-1", "root > currency"),
    ]


def test_bad_record_does_not_stop_its_neighbours(api, contact):
    api.push(contact(id="1", email="a@example.com"), contact(id="2", email="bad"), contact(id="3", email="c@example.com"))

    assert list(api.look("/contacts")) == ["shopify:1", "shopify:3"]
    assert api.problems() == [("2", "root > email")]


def test_error_element_carries_everything_needed_to_join(api, contact):
    record = contact(lastname=5)
    request_id = api.push(record).json()["request_id"]

    (found,) = api.read("/push/_errors")

    assert found.pop("timestamp").endswith("+00:00")
    assert found == {
        "request_id": request_id,
        "record_type": "contact",
        "record_id": "7001",
        "record": record,
        "account": "demo",
        "source": "api",
        "message": {"error_message": "not a valid value", "error_path": "root > lastname"},
    }
    assert api.read("/push-errors") == api.read("/push/_errors")
    (rejected,) = api.look("/ledger", kind="rejected")
    assert (rejected["key"], rejected["payload"]["errors"]) == ("contact:7001", [found["message"]])


def test_error_list_keeps_the_newest_hundred_of_the_account(api, contact):
    api.push(*(contact(id=f"a{number}", email="bad") for number in range(60)))
    api.push(*(contact(id=f"b{number}", email="bad") for number in range(60)))

    found = [record_id for record_id, _ in api.problems()]

    assert found == [f"b{number}" for number in reversed(range(60))] + [f"a{number}" for number in reversed(range(20, 60))]
    assert api.with_key("second-key").read("/push/_errors") == []


@pytest.mark.parametrize(
    ("setting", "gone", "left"),
    [("push_errors_path", "/push/_errors", "/push-errors"), ("push_dash_errors_path", "/push-errors", "/push/_errors")],
)
def test_either_error_path_can_be_missing(api, setting, gone, left):
    api.act("/settings", **{setting: False})

    assert (api.get(gone).status_code, api.get(left).status_code) == (404, 200)
