"""Every operation the console may send is answered over HTTP in the shape the real schema gives it."""

from typing import Any

import pytest

from tests.standins.shopify.conftest import OPERATIONS, SHOP, Caller, gid

WINDOW = "updated_at:>='2020-01-01T00:00:00Z' AND updated_at:<'2099-01-01T00:00:00Z'"


def test_the_probe_names_shop_scopes_and_versions(caller: Caller) -> None:
    data = caller.run("shop_probe")

    assert data["shop"] == {
        "id": "gid://shopify/Shop/548380009",
        "name": "Demo shop",
        "myshopifyDomain": SHOP,
        "currencyCode": "GBP",
        "ianaTimezone": "America/New_York",
        "taxesIncluded": True,
        "enabledPresentmentCurrencies": ["GBP", "EUR"],
        "plan": {"publicDisplayName": "Shopify", "partnerDevelopment": False, "shopifyPlus": False},
        "primaryDomain": {"url": f"https://{SHOP}"},
    }
    assert {"handle": "read_orders"} in data["currentAppInstallation"]["accessScopes"]
    assert data["publicApiVersions"] == [{"handle": "2026-07", "supported": True}, {"handle": "2026-10", "supported": True}]


def test_the_configuration_lists_locations_locales_and_markets(caller: Caller) -> None:
    data = caller.run("shop_config")

    assert [row["name"] for row in data["locations"]["nodes"]] == ["Main"]
    assert data["shopLocales"] == [
        {"locale": "en", "primary": True, "published": True},
        {"locale": "de", "primary": False, "published": True},
    ]
    assert [market["handle"] for market in data["markets"]["nodes"]] == ["gb", "de"]


def test_a_customer_is_found_by_window_and_by_id_with_the_same_fields(caller: Caller, zoe: Any) -> None:
    listed = caller.run("customers", {"first": 50, "q": WINDOW}, name="CustomersDelta")["customers"]
    single = caller.run("customers", {"id": gid("Customer", zoe.id)}, name="CustomerById")["customer"]

    assert listed["pageInfo"]["hasNextPage"] is False
    assert listed["nodes"] == [single]
    stamp = single["createdAt"]
    assert single == {
        "id": gid("Customer", zoe.id),
        "legacyResourceId": str(zoe.id),
        "createdAt": stamp,
        "updatedAt": stamp,
        "firstName": "Zoë",
        "lastName": "Biller",
        "state": "DISABLED",
        "verifiedEmail": True,
        "locale": "en",
        "tags": ["vip"],
        "note": None,
        "taxExempt": False,
        "dataSaleOptOut": False,
        "numberOfOrders": "0",
        "amountSpent": {"amount": "0.00", "currencyCode": "GBP"},
        "lastOrder": None,
        "defaultEmailAddress": {
            "emailAddress": "zoe@example.com",
            "validFormat": True,
            "marketingState": "SUBSCRIBED",
            "marketingOptInLevel": "SINGLE_OPT_IN",
            "marketingUpdatedAt": stamp,
        },
        "defaultPhoneNumber": {
            "phoneNumber": "+447700900123",
            "smsMarketingConsent": {"state": "NEVER_SUBSCRIBED", "optInLevel": None, "updatedAt": None, "collectedFrom": None},
        },
        "defaultAddress": {
            "id": single["defaultAddress"]["id"],
            "firstName": "Zoë",
            "lastName": "Biller",
            "company": None,
            "address1": "1 High St",
            "address2": None,
            "city": "Leeds",
            "zip": "LS1 1AA",
            "province": None,
            "provinceCode": None,
            "country": "United Kingdom",
            "countryCodeV2": "GB",
            "phone": None,
        },
        "metafields": {"nodes": [{"namespace": "custom", "key": "birthday", "type": "date", "value": "1990-05-01", "updatedAt": stamp}]},
    }


@pytest.mark.parametrize("key", [{"emailAddress": "ZOE@example.com"}, {"phoneNumber": "+447700900123"}])
def test_a_customer_is_looked_up_by_key(caller: Caller, zoe: Any, key: dict[str, str]) -> None:
    assert caller.run("customer_by_key", {"k": key})["customerByIdentifier"]["id"] == gid("Customer", zoe.id)


def test_an_unknown_key_finds_nobody(caller: Caller) -> None:
    assert caller.run("customer_by_key", {"k": {"emailAddress": "nobody@example.com"}}) == {"customerByIdentifier": None}


def test_an_order_delta_lists_ids_and_the_full_order_has_everything(caller: Caller, place: Any) -> None:
    order = place(discounts=[{"title": "TEN", "value": 10, "percentage": True}], shipping="4.99")
    caller.stand_in.act("fulfil", order_id=order.id, tracking="AB123456789GB")
    caller.stand_in.act("refund", order_id=order.id, lines={order.lines[0].id: 1}, note="too small")

    listed = caller.run("orders_delta", {"first": 100, "q": WINDOW})["orders"]["nodes"]
    full = caller.order(order.id)

    assert [row["id"] for row in listed] == [gid("Order", order.id)]
    amounts = {name: bag["shopMoney"]["amount"] for name, bag in full.items() if name.endswith("Set")}
    assert amounts == {
        "totalPriceSet": "40.99",
        "currentTotalPriceSet": "22.99",
        "subtotalPriceSet": "36.00",
        "totalDiscountsSet": "4.00",
        "totalTaxSet": "6.83",
        "totalShippingPriceSet": "4.99",
        "totalRefundedSet": "18.00",
        "totalRefundedShippingSet": "0.00",
    }
    assert (full["displayFinancialStatus"], full["displayFulfillmentStatus"]) == ("PARTIALLY_REFUNDED", "FULFILLED")
    line = full["lineItems"]["nodes"][0]
    assert (line["sku"], line["quantity"], line["currentQuantity"]) == ("SHOE-41", 2, 1)
    assert line["discountedUnitPriceAfterAllDiscountsSet"]["shopMoney"] == {"amount": "18.00", "currencyCode": "GBP"}
    refunded = full["refunds"][0]["refundLineItems"]["nodes"][0]
    assert (refunded["quantity"], refunded["restockType"], refunded["lineItem"]["id"]) == (1, "RETURN", line["id"])
    assert full["fulfillments"][0]["trackingInfo"][0]["number"] == "AB123456789GB"
    assert [row["kind"] for row in full["transactions"]] == ["SALE", "REFUND"]
    assert full["customer"]["defaultEmailAddress"] == {"emailAddress": "zoe@example.com", "marketingState": "SUBSCRIBED"}


def test_an_abandoned_checkout_is_listed_until_it_is_recovered(caller: Caller, shoe: Any, zoe: Any) -> None:
    checkout = caller.stand_in.act("start_checkout", lines=[{"variant_id": shoe.variant_ids[0], "quantity": 1}], customer_id=zoe.id)
    query = {"first": 25, "q": f"{WINDOW} AND recovery_state:not_recovered"}

    before = caller.run("abandoned_checkouts", query)["abandonedCheckouts"]["nodes"]
    order = caller.stand_in.act("complete_checkout", checkout_id=checkout.id)
    after = caller.run("abandoned_checkouts", query)["abandonedCheckouts"]["nodes"]

    assert [row["id"] for row in before] == [gid("AbandonedCheckout", checkout.id)]
    assert before[0]["totalPriceSet"]["shopMoney"]["amount"] == "20.00"
    assert before[0]["lineItems"]["nodes"][0]["sku"] == "SHOE-41"
    assert after == []
    assert order.checkout_token == checkout.token


def test_products_come_with_variants_markets_translations_and_pictures(caller: Caller, shoe: Any) -> None:
    row = caller.run("products_delta", {"first": 5, "q": WINDOW, "locale": "de"})["products"]["nodes"][0]

    assert (row["title"], row["status"], row["onlineStoreUrl"]) == ("Shoe", "ACTIVE", f"https://{SHOP}/products/shoe")
    assert row["tr"] == [{"key": "title", "value": "Schuh", "locale": "de", "outdated": False}]
    assert row["media"]["nodes"][0]["image"]["url"] == "https://cdn.example/a.jpg"
    assert row["options"][0]["values"] == ["41", "42"]
    first, second = row["variants"]["nodes"]
    assert (first["sku"], first["barcode"], first["price"], first["compareAtPrice"]) == ("SHOE-41", "2000000000015", "20.00", None)
    assert (second["price"], second["compareAtPrice"]) == ("30.00", "35.00")
    assert second["gb"]["price"] == {"amount": "30.00", "currencyCode": "GBP"}
    assert (first["inventoryQuantity"], first["availableForSale"]) == (50, True)


def test_prices_for_another_market_are_in_its_currency(caller: Caller, shoe: Any) -> None:
    text = "query($id: ID!) { productVariant(id: $id) { contextualPricing(context: {country: DE}) { price { amount currencyCode } } } }"

    data = caller.ask(text, {"id": gid("ProductVariant", shoe.variant_ids[0])})

    assert data["productVariant"]["contextualPricing"]["price"] == {"amount": "23.00", "currencyCode": "EUR"}


def test_stock_is_read_by_sku_which_is_searched_by_words(caller: Caller, shoe: Any) -> None:
    rows = caller.run("stock_by_sku", {"q": "sku:'SHOE-41' OR sku:'SHOE-42'"})["productVariants"]["nodes"]

    assert [row["sku"] for row in rows] == ["SHOE-41", "SHOE-42"]
    assert caller.run("stock_by_sku", {"q": "sku:'SHOE'"})["productVariants"]["nodes"] == rows
    level = rows[0]["inventoryItem"]["inventoryLevels"]["nodes"][0]
    assert [(row["name"], row["quantity"]) for row in level["quantities"]][:2] == [("available", 50), ("on_hand", 50)]


def test_counts_are_exact_without_a_limit(caller: Caller, place: Any) -> None:
    place()
    query = {"c": None, "o": "created_at:>='2020-01-01T00:00:00Z'", "p": None}

    assert caller.run("counts", query) == {
        "customersCount": {"count": 1, "precision": "EXACT"},
        "ordersCount": {"count": 1, "precision": "EXACT"},
        "productsCount": {"count": 1, "precision": "EXACT"},
    }


def test_many_objects_of_several_kinds_are_read_by_id_in_one_call(caller: Caller, place: Any, zoe: Any, shoe: Any) -> None:
    order = place()
    text = """query($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Order { name } ... on Customer { firstName }
              ... on Product { handle } } }"""
    ids = [gid("Order", order.id), gid("Customer", zoe.id), gid("Product", shoe.id), gid("Order", 1)]

    assert caller.ask(text, {"ids": ids})["nodes"] == [
        {"__typename": "Order", "id": ids[0], "name": "#1001"},
        {"__typename": "Customer", "id": ids[1], "firstName": "Zoë"},
        {"__typename": "Product", "id": ids[2], "handle": "shoe"},
        None,
    ]


def test_a_refund_is_read_by_its_own_id(caller: Caller, place: Any) -> None:
    order = place()
    refund = caller.stand_in.act("refund", order_id=order.id, amount="3.00")
    text = "query($id: ID!) { node(id: $id) { ... on Refund { id totalRefundedSet { shopMoney { amount } } } } }"

    data = caller.ask(text, {"id": gid("Refund", refund.id)})

    assert data == {"node": {"id": gid("Refund", refund.id), "totalRefundedSet": {"shopMoney": {"amount": "3.00"}}}}


def test_both_ways_of_reading_a_connection_agree(caller: Caller, place: Any) -> None:
    place()
    data = caller.ask("{ orders(first: 5) { nodes { id } edges { cursor node { id } } pageInfo { endCursor } } }")["orders"]

    assert [edge["node"] for edge in data["edges"]] == data["nodes"]
    assert data["edges"][-1]["cursor"] == data["pageInfo"]["endCursor"]


def test_what_is_not_modelled_says_so(caller: Caller, zoe: Any) -> None:
    code, message = caller.refused("{ shop { id billingAddress { city } } }")

    assert (code, message) == ("INTERNAL_SERVER_ERROR", "Shop.billingAddress is not modelled by this stand-in")


def test_every_kept_operation_was_asked_for() -> None:
    names = sorted(path.stem for path in OPERATIONS.glob("*.graphql"))

    assert names == [
        "abandoned_checkouts", "bulk_customers", "bulk_jobs", "bulk_orders", "bulk_products", "bulk_run", "bulk_variants", "counts",
        "customer_by_key", "customers", "email_consent", "hook_changes", "hooks", "order_full", "orders_delta", "products_delta",
        "set_metafields", "shop_config", "shop_probe", "sms_consent", "stock_by_sku", "tags",
    ]  # fmt: skip
