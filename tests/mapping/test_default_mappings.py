"""The default mappings that ship, run on whole records."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from mapping.compiler import plan_from_rules
from mapping.crosswalk import Lookups
from mapping.defaults import FOLDER, default_mapping, default_tables
from mapping.records import Address, Consent, ConsentState, CustomerRef, Facet, OrderStatus, Price, Totals
from mapping.transform import transform
from tests.mapping.samples import AT, checkout, customer, line, money, order, product, variant

FILES = sorted(path.stem for path in FOLDER.glob("*_*_*.json"))
LOOKUPS = Lookups(values=default_tables())
TIME = "2026-01-08T14:03:11Z"


def mapped(record, source="shopify", **current):
    default = default_mapping(source, "ometria", record.record_type)
    return transform(record, plan_from_rules(default.rules, record_type=record.record_type), LOOKUPS, **current)


def sent(record):
    found = mapped(record)
    assert (found.issues, found.dropped) == ((), ())
    return found.payload


def consents(state, *, sms=None):
    found = (Consent(channel="email", state=state, stated_at=AT),)
    return found if sms is None else (*found, Consent(channel="sms", state=sms, stated_at=AT))


@pytest.mark.parametrize("name", FILES)
def test_every_default_compiles_and_its_value_tables_ship(name):
    source, destination, record_type = name.rsplit("_", 2)
    default = default_mapping(source, destination, record_type)
    assert plan_from_rules(default.rules, record_type=record_type).tables <= set(default_tables())


def test_a_customer_becomes_a_contact():
    assert sent(customer()) == {
        "@type": "contact", "@collection": "shopify", "@merge": True, "id": "7001", "customer_id": "7001", "email": "ada@example.com",
        "phone_number": "+442079460018", "firstname": "Ada", "lastname": "Byron", "country_id": "GB", "timestamp_acquired": TIME,
        "marketing_optin": "EXPLICITLY_OPTEDIN", "timestamp_subscribed": TIME, "properties": {"shopify_tags": "uk,vip", "locale": "en-GB"},
    }  # fmt: skip


CONSENT_FIELDS = ("marketing_optin", "timestamp_subscribed", "timestamp_unsubscribed", "channels", "@force_optin")


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ((), {}),
        (consents(ConsentState.UNKNOWN), {}),
        (consents(ConsentState.GRANTED), {"marketing_optin": "EXPLICITLY_OPTEDIN", "timestamp_subscribed": TIME}),
        (consents(ConsentState.WITHDRAWN), {"marketing_optin": "EXPLICITLY_OPTEDOUT", "timestamp_unsubscribed": TIME}),
        (
            consents(ConsentState.UNKNOWN, sms=ConsentState.GRANTED),
            {"channels": {"sms": {"allow_marketing": True, "dt_updated_marketing": TIME}}},
        ),
        (
            consents(ConsentState.UNKNOWN, sms=ConsentState.WITHDRAWN),
            {"channels": {"sms": {"allow_marketing": False, "dt_updated_marketing": TIME}}},
        ),
        (consents(ConsentState.UNKNOWN, sms=ConsentState.UNKNOWN), {}),
    ],
)
def test_consent_is_sent_as_stated_and_its_absence_is_no_answer(stated, expected):
    payload = sent(customer(consents=stated))
    assert {name: payload[name] for name in CONSENT_FIELDS if name in payload} == expected


@pytest.mark.parametrize(("forced", "expected"), [(True, True), (False, None)])
def test_consent_is_forced_when_the_ledger_says_so_and_otherwise_nothing_is_said_about_it(forced, expected):
    said = replace(consents(ConsentState.GRANTED)[0], forced=forced)
    assert sent(customer(consents=(said,))).get("@force_optin") is expected


def test_sms_consent_goes_only_with_a_phone_number():
    assert "channels" not in sent(customer(phone="", consents=consents(ConsentState.UNKNOWN, sms=ConsentState.GRANTED)))


def test_removed_tags_are_cleared_at_the_destination():
    assert sent(customer(tags=()))["properties"]["shopify_tags"] == ""


def test_an_impossible_phone_number_holds_the_contact():
    assert [(issue.kind, issue.subject) for issue in mapped(customer(phone="12")).issues] == [("bad_phone", "7001")]


def test_an_order_goes_whole():
    half = line("1", refunded_quantity=1, refunded_amount=money("27.00"))
    record = order(
        status=OrderStatus.PARTIALLY_REFUNDED, lines=(half,), coupon_codes=("SPRING", "VIP"), ip_address="192.0.2.10",
        payment_method="card " * 10, shipping_method="Express",
        billing_address=Address(first_name="Ada", line1="1 High Street", city="York", country="GB"),
        totals=replace(order().totals, refunded=money("30.00"), refund_other=money("3.00")),
    )  # fmt: skip
    assert sent(record) == {
        "@type": "order", "id": "shp-1001", "web_id": "#1001", "timestamp": TIME, "status": "partially_refunded", "is_valid": True,
        "currency": "GBP", "subtotal": 50.0, "discount": -5.0, "shipping": 4.0, "tax": 9.0, "grand_total": 58.0,
        "customer": {"id": "7001", "email": "ada@example.com", "firstname": "Ada", "lastname": "Byron"},
        "lineitems": [{
            "product_id": "P100", "variant_id": "V100", "sku": "SHIRT-M", "quantity": 2, "unit_price": 25.0, "subtotal": 50.0,
            "discount": -5.0, "tax": 9.0, "total": 54.0, "quantity_refunded": 1, "refunded": 27.0,
            "variant_options": [{"type": "size", "id": "m", "label": "M"}],
        }],
        "channel": "online", "store": "demo-shop", "payment_method": ("card " * 10)[:32], "shipping_method": "Express",
        "shipping_address": {"city": "Leeds", "state": "West Yorkshire", "postcode": "LS1 4AP", "country_code": "GB"},
        "billing_address": {"city": "York", "country_code": "GB"}, "coupon_code": "SPRING,VIP", "ip_address": "192.0.2.10",
        "properties": {"source_system": "shopify", "refund_other": 3.0},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("status", "valid"),
    [
        ("pending", False), ("paid", True), ("partially_shipped", True), ("shipped", True), ("complete", True),
        ("cancelled", False), ("partially_refunded", True), ("refunded", False),
    ],
)  # fmt: skip
def test_every_status_has_its_word_and_its_validity(status, valid):
    payload = sent(order(status=OrderStatus(status)))
    assert (payload["status"], payload["is_valid"]) == (status, valid)


def test_an_unknown_status_is_a_question_not_a_guess():
    assert [issue.subject for issue in mapped(order(status=OrderStatus.UNKNOWN)).issues] == [
        "shopify_ometria_order_status:unknown", "shopify_ometria_order_valid:unknown",
    ]  # fmt: skip


def test_a_cancellation_is_not_reported_as_a_refund():
    gone = line("1", cancelled_quantity=2, cancelled_amount=money("54.00"))
    payload = sent(order(status=OrderStatus.CANCELLED, lines=(gone,), totals=replace(order().totals, cancelled=money("58.00"))))
    entry = payload["lineitems"][0]
    assert (payload["is_valid"], payload["grand_total"], entry["quantity_refunded"], entry["refunded"]) == (False, 58.0, 0, 0.0)
    assert payload["properties"] == {"source_system": "shopify", "cancelled_units": 2}


def test_units_cancelled_from_a_standing_order_lower_its_value_and_are_told_apart():
    part = line("1", cancelled_quantity=1, cancelled_amount=money("27.00"), refunded_quantity=1, refunded_amount=money("27.00"))
    payload = sent(order(lines=(part,)))
    assert (payload["lineitems"][0]["quantity_refunded"], payload["lineitems"][0]["refunded"]) == (2, 54.0)
    assert payload["properties"]["cancelled_units"] == 1


def test_a_guest_order_names_no_customer_id_and_a_bad_address_does_not_hold_the_order():
    assert sent(order(customer=CustomerRef(email="eve@example.com")))["customer"] == {"email": "eve@example.com"}
    found = mapped(order(customer=CustomerRef(key="1", email="nobody")))
    assert (found.payload["customer"], found.issues, [dropped.kind for dropped in found.dropped]) == ({"id": "1"}, (), ["bad_email"])


def test_tips_and_duties_are_added_to_shipping_so_that_the_parts_add_up():
    totals = Totals(subtotal=money("50"), discount=money("5"), shipping=money("4"), tax=money("9"), other=money("1.5"), total=money("59.5"))
    payload = sent(order(totals=totals))
    assert payload["shipping"] == 5.5
    assert payload["subtotal"] + payload["discount"] + payload["tax"] + payload["shipping"] == payload["grand_total"]


def test_an_order_paid_in_another_currency_carries_both():
    payload = sent(order(local_currency="JPY", local_totals=Totals(subtotal=money("9000"), shipping=money("600"), total=money("9600"))))
    assert payload["totals"] == {
        "base": {"currency": "GBP", "subtotal": 50.0, "discount": -5.0, "shipping": 4.0, "tax": 9.0, "grand_total": 58.0},
        "local": {"currency": "JPY", "subtotal": 9000, "discount": 0, "shipping": 600, "tax": 0, "grand_total": 9600},
    }
    assert "totals" not in sent(order(local_currency="GBP"))


def test_a_line_without_product_holds_the_order():
    found = mapped(order(lines=(line("1"), line("2", product_key=""))))
    assert [(issue.kind, issue.field) for issue in found.issues] == [("missing_field", "lineitems[1].product_id")]


def test_a_product_has_one_listing_per_market():
    assert sent(product()) == {
        "@type": "product", "id": "P100", "title": "Linen shirt", "is_variant": False, "price": 25.0, "currency": "GBP",
        "special_price": 20.0, "is_active": True, "is_in_stock": True, "url": "https://shop.example.com/p/linen-shirt",
        "image_url": "https://cdn.example.com/p100.jpg",
        "attributes": [
            {"type": "category", "id": "77", "label": "Summer"}, {"type": "brand", "id": "acme", "label": "Acme"},
            {"type": "product_type", "id": "shirts", "label": "Shirts"}, {"type": "tag", "id": "linen", "label": "linen"},
        ],
        "listings": [
            {"store": "demo-shop", "title": "Linen shirt", "price": 25.0, "currency": "GBP", "special_price": 20.0, "is_active": True,
             "url": "https://shop.example.com/p/linen-shirt", "image_url": "https://cdn.example.com/p100.jpg"},
            {"store": "demo-shop/jp", "title": "Linen shirt", "price": 4800, "currency": "JPY", "special_price": None, "is_active": True,
             "url": "https://shop.example.com/p/linen-shirt", "image_url": "https://cdn.example.com/p100.jpg"},
        ],
    }  # fmt: skip


def test_the_listing_of_a_shop_without_name_still_has_a_store():
    assert [entry["store"] for entry in sent(product(attributes={}))["listings"]] == ["default", "jp"]


def test_a_product_that_ends_its_sale_or_is_deleted_says_so():
    after = product(prices=(replace(product().prices[0], sale=None),), removed=True)
    payload = sent(after)
    assert (payload["special_price"], payload["is_active"], payload["listings"][0]["is_active"]) == (None, False, False)


def test_a_variant_names_its_parent_and_its_options():
    assert sent(variant()) == {
        "@type": "product", "id": "V100", "parent_id": "P100", "title": "Linen shirt Red / M", "sku": "SHIRT-M", "is_variant": True,
        "price": 25.0, "currency": "GBP", "special_price": None, "is_active": True, "is_in_stock": False,
        "url": "https://shop.example.com/p/linen-shirt?variant=V100",
        "attributes": [{"type": "colour", "id": "dark-red", "label": "Dark Red"}, {"type": "size", "id": "m", "label": "M"}],
    }  # fmt: skip


def test_an_abandoned_checkout_and_its_recovery_are_two_events():
    left, back = sent(checkout()), sent(checkout(completed_at=AT.replace(hour=15), lines=(), url=""))
    assert left == {
        "@type": "custom_event", "id": left["id"], "event_type": "abandoned_checkout", "timestamp": TIME,
        "identity_email": "ada@example.com", "identity_account_id": "7001",
        "properties": {
            "checkout_id": "c-889", "checkout_url": "https://shop.example.com/c/889", "total": 54.0, "currency": "GBP",
            "product_id": ["P100", "P200"], "variant_id": ["V100", "V100"], "quantity": [2, 1],
        },
    }  # fmt: skip
    assert back == {
        "@type": "custom_event", "id": back["id"], "event_type": "checkout_recovered", "timestamp": "2026-01-08T15:03:11Z",
        "identity_email": "ada@example.com", "identity_account_id": "7001",
        "properties": {"checkout_id": "c-889", "total": 54.0, "currency": "GBP"},
    }  # fmt: skip
    assert left["id"] != back["id"]
    assert all(len(event["id"]) == 32 and uuid.UUID(event["id"]).version == 5 for event in (left, back))


@pytest.mark.parametrize(
    "record",
    [
        customer(consents=consents(ConsentState.GRANTED, sms=ConsentState.WITHDRAWN)),
        order(lines=(line("1"), line("2", refunded_quantity=2, refunded_amount=money("54.00"))), totals=Totals(
            subtotal=money("100.00"), discount=money("10.00"), shipping=money("4.00"), tax=money("18.00"), total=money("112.00"))),
        order(local_currency="JPY", local_totals=Totals(subtotal=money("9000"), shipping=money("600"), total=money("9600"))),
        product(), variant(), checkout(), checkout(lines=tuple(line(str(i), product_key="8123456789012") for i in range(40))),
    ],
    ids=lambda record: record.record_type,
)  # fmt: skip
def test_the_destination_finds_nothing_to_complain_about(record):
    from integrations.platforms.ometria.check import check

    assert check(record.record_type, sent(record)) == []


def test_a_tiktok_buyer_fills_only_what_is_empty_and_says_nothing_of_consent():
    buyer = customer(key="tts:1:2", partial=True, consents=consents(ConsentState.GRANTED))
    found = mapped(buyer, "tiktok_shop", current={"firstname": "Augusta", "email": "a@example.com"}, own={"email": "a@example.com"})
    assert found.payload == {
        "@type": "contact", "@collection": "tiktok_shop", "@merge": True, "id": "tts:1:2", "customer_id": "tts:1:2",
        "email": "a@example.com", "phone_number": "+442079460018", "lastname": "Byron", "country_id": "GB",
    }  # fmt: skip


def test_a_tiktok_order_carries_its_buyer_without_the_recipients_name():
    bought = order(key="576461413038785752", store="tiktok_shop_gb", channel="tiktok_shop", attributes={"platform_discount": "2.00"})
    payload = mapped(bought, "tiktok_shop").payload
    assert (payload["id"], payload["store"], payload["channel"]) == ("tts-576461413038785752", "tiktok_shop_gb", "tiktok_shop")
    assert payload["customer"] == {"id": "7001", "email": "ada@example.com"}
    assert payload["properties"] == {"source_system": "tiktok_shop", "platform_discount": 2.0}


@pytest.mark.parametrize(("status", "valid"), [("pending", False), ("paid", True), ("cancelled", False), ("refunded", False)])
def test_a_tiktok_order_counts_while_it_is_paid_and_stands(status, valid):
    assert mapped(order(status=OrderStatus(status)), "tiktok_shop").payload["is_valid"] is valid


# --- commercetools -----------------------------------------------------------------------------------------------------

SHIRT = product(
    key="9e1b0000-0000-4000-8000-00000000b001", categories={"women": "Women"}, tags=(), attributes={},
    facets=(Facet(kind="material", key="cotton", label="Cotton"), Facet(kind="material", key="linen", label="Linen")),
    prices=(
        Price(market="uk", currency="GBP", regular=money("25.00"), sale=money("20.00"), title="Linen shirt", url="https://example.com/en/linen-shirt"),
        Price(market="eu/de", currency="EUR", regular=money("29.00"), title="Leinenhemd", url="https://example.com/de/leinenhemd"),
    ),
)  # fmt: skip


def from_commercetools(record):
    found = mapped(record, "commercetools")
    assert (found.issues, found.dropped) == ((), ())
    return found.payload


def test_a_commercetools_product_has_a_listing_per_market_with_its_own_store_title_and_page():
    payload = from_commercetools(SHIRT)
    assert (payload["price"], payload["currency"], payload["special_price"]) == (25.0, "GBP", 20.0)
    assert payload["attributes"] == [
        {"type": "category", "id": "women", "label": "Women"}, {"type": "brand", "id": "acme", "label": "Acme"},
        {"type": "product_type", "id": "shirts", "label": "Shirts"}, {"type": "material", "id": "cotton", "label": "Cotton"},
        {"type": "material", "id": "linen", "label": "Linen"},
    ]  # fmt: skip
    image = {"is_active": True, "image_url": "https://cdn.example.com/p100.jpg"}
    assert payload["listings"] == [
        {"store": "uk", "title": "Linen shirt", "price": 25.0, "currency": "GBP", "special_price": 20.0,
         "url": "https://example.com/en/linen-shirt", **image},
        {"store": "eu/de", "title": "Leinenhemd", "price": 29.0, "currency": "EUR", "special_price": None,
         "url": "https://example.com/de/leinenhemd", **image},
    ]  # fmt: skip


def test_the_price_of_a_market_without_title_or_page_of_its_own_has_the_usual_ones():
    listing = from_commercetools(product(attributes={}))["listings"][0]
    assert (listing["title"], listing["url"]) == ("Linen shirt", "https://shop.example.com/p/linen-shirt")


def test_a_commercetools_variant_carries_its_attributes():
    payload = from_commercetools(variant(key="SHIRT-M", facets=(Facet(kind="colour", key="dark red", label="Dark Red"),)))
    assert (payload["id"], payload["parent_id"], payload["is_variant"]) == ("SHIRT-M", "P100", True)
    assert payload["attributes"] == [{"type": "colour", "id": "dark-red", "label": "Dark Red"}]


def test_a_commercetools_customer_is_known_by_the_address_and_takes_the_id_only_where_that_is_the_master():
    person = customer(attributes={"title": "Dr", "stores": ["UK-Web", "eu"], "date_of_birth": "1990-12-10"}, tags=("vip",))
    payload = from_commercetools(person)
    assert payload == {
        "@type": "contact", "@collection": "commercetools", "@merge": True, "id": "7001", "email": "ada@example.com",
        "phone_number": "+442079460018", "prefix": "Dr", "firstname": "Ada", "lastname": "Byron", "country_id": "GB",
        "date_of_birth": "1990-12-10", "store_ids": ["uk-web", "eu"], "timestamp_acquired": TIME,
        "marketing_optin": "EXPLICITLY_OPTEDIN", "timestamp_subscribed": TIME,
        "properties": {"commercetools_groups": "vip", "locale": "en-GB"},
    }  # fmt: skip
    master = Lookups(values={**default_tables(), "commercetools_ometria_customer_id": {"*": "*"}})
    default = default_mapping("commercetools", "ometria", "customer")
    assert transform(person, plan_from_rules(default.rules, record_type="customer"), master).payload["customer_id"] == "7001"


@pytest.mark.parametrize(("stated", "expected"), [
    ((), {}), (consents(ConsentState.UNKNOWN), {}),
    (consents(ConsentState.GRANTED), {"marketing_optin": "EXPLICITLY_OPTEDIN", "timestamp_subscribed": TIME}),
    (consents(ConsentState.WITHDRAWN), {"marketing_optin": "EXPLICITLY_OPTEDOUT", "timestamp_unsubscribed": TIME}),
])  # fmt: skip
def test_a_commercetools_customer_who_was_never_asked_says_nothing_of_consent(stated, expected):
    payload = from_commercetools(customer(consents=stated))
    assert {name: payload[name] for name in CONSENT_FIELDS if name in payload} == expected


def test_a_commercetools_order_goes_under_its_own_id_and_finds_its_contact_by_address():
    key = "f2a1c0de-0000-4000-8000-00000000a001"
    payload = from_commercetools(order(key=key, number="W-2001", store="eu/de"))
    assert (payload["id"], payload["web_id"], payload["store"], payload["properties"]) == (
        key, "W-2001", "eu/de", {"source_system": "commercetools"},
    )  # fmt: skip
    assert payload["customer"] == {"email": "ada@example.com", "firstname": "Ada", "lastname": "Byron"}


@pytest.mark.parametrize(
    ("status", "valid"),
    [("pending", False), ("paid", True), ("complete", True), ("cancelled", False), ("partially_refunded", True), ("refunded", False)],
)
def test_a_commercetools_order_counts_while_it_is_paid_and_stands(status, valid):
    payload = mapped(order(status=OrderStatus(status)), "commercetools").payload
    assert (payload["status"], payload["is_valid"]) == (status, valid)


def test_a_cart_that_was_left_and_its_order_are_two_events_of_an_address():
    left = from_commercetools(checkout())
    assert (left["event_type"], left["identity_email"], "identity_account_id" in left) == ("abandoned_checkout", "ada@example.com", False)
    assert left["id"] != from_commercetools(checkout(completed_at=AT.replace(hour=15)))["id"]
    assert left["id"] != sent(checkout())["id"]


@pytest.mark.parametrize("record", [SHIRT, variant(), customer(), order(), checkout()], ids=lambda record: record.record_type)
def test_the_destination_finds_nothing_to_complain_about_in_what_commercetools_sends(record):
    from integrations.platforms.ometria.check import check

    assert check(record.record_type, from_commercetools(record)) == []
