"""The test call: every way a connection can be set up wrongly is said in one sentence with its remedy."""

from __future__ import annotations

import pytest

from integrations.platforms.shopify import PLATFORM
from integrations.platforms.shopify.client import ShopifyClient
from integrations.platforms.shopify.probe import has_scope, probe
from integrations.standins.server import StandInServer
from integrations.standins.shopify import ShopifyStandIn, ShopSpec

SHOP = "demo-shop.myshopify.com"


def test_a_sound_connection_passes_with_its_facts(client, person):
    found = probe(client)
    assert (found.ok, found.problems, found.summary, found.version_served) == (True, (), "Demo shop answers.", "2026-10")
    assert "read_orders" in found.scopes
    assert (found.facts["Currency"], found.facts["Domain"], found.facts["Prices include tax"]) == ("GBP", SHOP, "yes")


def test_a_wrong_key_is_said(make_account, address, pacer):
    found = probe(ShopifyClient(make_account(address, secrets={"access_token": "shpat_wrong"}), pacer))
    assert (found.ok, found.problems) == (False, ("Shopify does not accept the access token: paste a new one or connect again.",))


def test_a_version_that_is_not_served_is_said(connect):
    found = probe(connect(api_version="2024-04"))
    assert not found.ok
    assert any("The version 2024-04 is not served" in problem and "Choose a supported version" in problem for problem in found.problems)


def test_a_missing_scope_names_what_will_not_work(stand_in, client):
    stand_in.shop().scopes -= {"read_customer_merge", "read_products"}
    found = probe(client)
    assert not found.ok
    assert [problem for problem in found.problems if problem.startswith("Missing scope")] == [
        "Missing scope read_products: pulling products, products/create, products/update, products/delete will not work. "
        "Grant it to the app in Shopify and install it again.",
        "Missing scope read_customer_merge: customers/merge will not work. Grant it to the app in Shopify and install it again.",
    ]


def test_a_window_of_sixty_days_is_worth_knowing_and_no_failure(stand_in, client):
    stand_in.shop().scopes -= {"read_all_orders"}
    found = probe(client)
    assert found.ok
    assert "last 60 days" in found.problems[0]


def test_personal_data_that_is_not_granted_is_said(make_account, pacer):
    stand_in = ShopifyStandIn([ShopSpec(SHOP, pii=False)])
    stand_in.act("create_customer", email="zoe@example.com", first_name="Zoë")
    with StandInServer([stand_in]) as server:
        found = probe(ShopifyClient(make_account(f"{server.url('shopify')}/{SHOP}"), pacer))
    stand_in.close()
    assert found.ok
    assert "Personal data not granted" in found.problems[0]


def test_another_shop_behind_the_address_is_said(script, scripted):
    shop = {"name": "Other", "myshopifyDomain": "other-shop.myshopify.com", "currencyCode": "EUR"}
    script.then({"data": {"shop": shop, "currentAppInstallation": None, "publicApiVersions": []}})
    found = probe(scripted)
    assert not found.ok
    assert found.problems[0] == (
        "Another shop answers: other-shop.myshopify.com instead of demo-shop.myshopify.com. Correct the myshopify domain of the connection."
    )


def test_deprecated_parts_are_worth_knowing(stand_in, client, person):
    stand_in.service().limits.deprecated = "Shop.products"
    found = probe(client)
    assert found.ok
    assert "Shop.products" in found.problems[0]


def test_a_setting_that_cannot_work_is_said(connect, person):
    found = probe(connect(market_countries=["Germany"]))
    assert not found.ok
    assert "two-letter country code" in found.problems[0]


def test_writing_implies_reading():
    assert has_scope(("write_orders",), "read_orders")
    assert not has_scope(("read_orders",), "write_orders")


@pytest.mark.parametrize("name", ["customers", "orders", "products", "checkouts"])
def test_every_reader_has_a_label(name):
    assert PLATFORM.readers[name].label


def test_subscriptions_are_made_once_and_seen(client):
    hooks, address = PLATFORM.webhooks, "https://console.example.com/hooks/shopify/"
    missing = hooks.missing(client, address)
    assert "orders/updated" in missing
    assert hooks.subscribe(client, address, missing) == ()
    assert hooks.missing(client, address) == ()
    assert hooks.subscribe(client, address, missing[:2]) == ()


def test_subscriptions_elsewhere_do_not_count(client):
    hooks = PLATFORM.webhooks
    hooks.subscribe(client, "https://old.example.com/", ["orders/updated"])
    assert "orders/updated" in hooks.missing(client, "https://console.example.com/hooks/shopify/")


def test_a_subscription_without_its_scope_says_which(stand_in, client):
    stand_in.shop().scopes -= {"read_customer_merge"}
    (said,) = PLATFORM.webhooks.subscribe(client, "https://console.example.com/hooks/shopify/", ["customers/merge", "orders/paid"])
    assert said.startswith("customers/merge: ")
    assert "(needs read_customer_merge)" in said
