"""Every way an answer can be wrong, sorted into the family that says what to do; pacing by Shopify's own figures."""

from __future__ import annotations

import pytest

from integrations.platforms.base import Account, Unpaced
from integrations.platforms.errors import Misconfigured, Reconnect, Refused, SlowDown, TryLater
from integrations.platforms.shopify.answers import TooExpensive
from integrations.platforms.shopify.client import ShopifyClient


def cost(requested: float = 70, available: float = 66, *, actual: float | None = None) -> dict:
    status = {"maximumAvailable": 1000, "currentlyAvailable": available, "restoreRate": 50}
    return {"cost": {"requestedQueryCost": requested, "actualQueryCost": actual, "throttleStatus": status}}


def error(code: str, message: str = "No", path: list | None = None) -> dict:
    return {"message": message, "extensions": {"code": code}, **({"path": path} if path else {})}


def test_a_call_sends_token_version_and_document(script, scripted):
    script.then({"data": {"shop": {"id": "x", "currencyCode": "GBP"}}})
    assert scripted.shop_currency() == scripted.shop_currency() == "GBP"
    method, path, headers, _ = script.calls[0]
    assert (method, path, headers["x-shopify-access-token"]) == ("POST", "/admin/api/2026-10/graphql.json", "shpat_demo")
    assert script.sent()["query"].startswith("query ShopCurrency")
    assert len(script.calls) == 1


def test_a_throttled_answer_is_a_pause_of_exactly_what_is_missing(script, scripted, pacer):
    script.then({"errors": [error("THROTTLED", "Throttled")], "extensions": cost(70, 66)})
    with pytest.raises(SlowDown) as caught:
        scripted.call("shop_currency")
    assert (caught.value.seconds, caught.value.group) == (pytest.approx(0.1), "graphql")
    script.answers.clear()
    script.then({"errors": [error("THROTTLED", "Throttled")], "extensions": cost(566, 66)})
    with pytest.raises(SlowDown) as caught:
        scripted.call("shop_currency")
    assert caught.value.seconds == 10.0
    assert pacer.reports[-1] == ("graphql", 50.0, 1000.0, 66.0)


def test_a_429_is_a_pause_of_what_its_header_says(script, scripted):
    script.then({"errors": "slow"}, status=429, Retry_After="2.5")
    with pytest.raises(SlowDown) as caught:
        scripted.call("shop_currency")
    assert (caught.value.seconds, caught.value.group) == (2.5, "graphql")


def test_the_budget_is_asked_for_what_the_document_cost_last_time(script, scripted, pacer):
    script.then({"data": {"shop": {"currencyCode": "GBP"}}, "extensions": cost(12, 900, actual=3)})
    scripted.call("shop_currency")
    scripted.call("shop_currency")
    assert [taken for _, taken in pacer.taken] == [50.0, 12.0]


def test_a_too_expensive_call_is_tried_again_with_half_the_size(script, scripted):
    script.then({"errors": [error("MAX_COST_EXCEEDED")]}).then({"data": {"nodes": [None] * 10}}).then({"data": {"nodes": [None] * 10}})
    ids = [f"gid://shopify/Order/{n}" for n in range(20)]
    assert list(scripted.nodes("orders_full", ids)) == [(order_id, None) for order_id in ids]
    assert [len(script.sent(index)["variables"]["ids"]) for index in range(3)] == [20, 10, 10]


def test_a_call_that_can_shrink_no_further_is_refused(script, scripted):
    script.then({"errors": [error("MAX_COST_EXCEEDED")]})
    with pytest.raises(TooExpensive):
        list(scripted.nodes("orders_full", ["gid://shopify/Order/1"]))
    with pytest.raises(TooExpensive):
        scripted.call("shop_currency")


def test_a_denied_field_is_a_warning_and_the_rest_is_kept(script, scripted):
    data = {"customers": {"nodes": [{"id": "gid://shopify/Customer/1", "firstName": None, "defaultEmailAddress": None}]}}
    script.then({"data": data, "errors": [error("ACCESS_DENIED", path=["customers", "nodes", 0, "firstName"])]})
    assert scripted.call("customer_pii") == data
    assert scripted.warnings == ["not granted: customers.nodes.firstName"]


@pytest.mark.parametrize(
    ("data", "path"),
    [({"customers": None}, ["customers"]), ({"nodes": [None]}, ["nodes", 0]), (None, ["customers", "nodes", 0, "firstName"])],
)
def test_a_denied_root_asks_for_the_scope(script, scripted, data, path):
    script.then({"data": data, "errors": [error("ACCESS_DENIED", "Required access: `read_customers` access scope.", path)]})
    with pytest.raises(Reconnect, match="read_customers"):
        scripted.call("customer_pii")


@pytest.mark.parametrize(
    ("answer", "family", "words"),
    [
        ({"errors": [error("INTERNAL_SERVER_ERROR", "Something broke")]}, TryLater, "Something broke"),
        ({"errors": [error("SHOP_INACTIVE")]}, Reconnect, "inactive"),
        ({"errors": [error("undefinedField", "Field 'x'"), {"message": "and more"}]}, Refused, "Field 'x'; and more"),
        ({"errors": {"query": ["Required"]}}, Refused, "query: Required"),
        ({"errors": {"message": "odd"}}, Refused, "odd"),
        ({"errors": "plain text"}, Refused, "plain text"),
        ({"data": None}, TryLater, "no data"),
        ({}, TryLater, "no data"),
        ([], TryLater, "not a GraphQL answer"),
        (
            {"data": {}, "extensions": {"search": [{"warnings": [{"field": "foo", "message": "Invalid search field"}]}]}},
            Refused,
            "Invalid search field",
        ),
    ],
)
def test_errors_of_every_form_find_their_family(script, scripted, answer, family, words):
    script.then(answer)
    with pytest.raises(family, match=words) as caught:
        scripted.call("shop_currency")
    assert type(caught.value) is family


@pytest.mark.parametrize(
    ("status", "family", "words"),
    [
        (301, Reconnect, "another address"),
        (400, Refused, "400"),
        (401, Reconnect, "access token"),
        (402, Reconnect, "frozen"),
        (403, Reconnect, "scope"),
        (404, Reconnect, "no such shop"),
        (423, Reconnect, "locked"),
        (430, SlowDown, "security"),
        (500, TryLater, "500"),
        (503, TryLater, "503"),
    ],
)
def test_statuses_find_their_family_in_plain_words(script, scripted, status, family, words):
    script.then({"errors": "[API] Invalid API key"}, status=status, Location="http://127.0.0.1:1/")
    with pytest.raises(family, match=words) as caught:
        scripted.call("shop_currency")
    assert (type(caught.value), caught.value.status) == (family, status)


@pytest.mark.parametrize("raw", [b"<html>busy</html>", b'{"data":'])
def test_an_answer_that_is_not_json_is_tried_later(script, scripted, raw):
    script.then(raw=raw)
    with pytest.raises(TryLater):
        scripted.call("shop_currency")


def test_the_version_served_and_the_deprecation_are_remembered(script, scripted):
    answer = {"data": {"shop": {"currencyCode": "GBP"}}}
    script.then(answer, X_Shopify_API_Version="2026-07", X_Shopify_API_Deprecated_Reason="Shop.products").then(answer)
    scripted.call("shop_currency")
    scripted.call("shop_currency")
    assert (scripted.version_served, scripted.deprecation) == ("2026-07", "Shop.products")


def test_without_a_token_there_is_no_client():
    account = Account(connection_id=1, platform="shopify", external_id="x.myshopify.com", base_url="http://127.0.0.1:9")
    with pytest.raises(Misconfigured, match="access token"):
        ShopifyClient(account, Unpaced())


@pytest.mark.parametrize(
    ("used", "pause"), [("10/40", None), ("32/40", None), ("36/40", 2.0), ("40/40", 4.0), ("400/400", 4.0), ("nonsense", None)]
)
def test_rest_calls_slow_down_from_four_fifths_of_the_bucket(script, scripted, pacer, used, pause):
    script.then({"product": {"id": 1}}, X_Shopify_Shop_Api_Call_Limit=used)
    assert scripted.get_rest("products/1.json").json == {"product": {"id": 1}}
    assert script.calls[0][:2] == ("GET", "/admin/api/2026-10/products/1.json")
    assert pacer.taken == [("rest", 1)]
    assert pacer.pauses == ([("rest", pytest.approx(pause))] if pause else [])


def test_a_full_rest_bucket_is_a_pause_of_the_rest_group(script, scripted):
    script.then({"errors": "Exceeded 2 calls per second"}, status=429, Retry_After="2.0")
    with pytest.raises(SlowDown) as caught:
        scripted.get_rest("products/1.json")
    assert (caught.value.seconds, caught.value.group) == (2.0, "rest")


def test_a_missing_rest_object_is_refused_and_leaves_the_connection_alone(script, scripted):
    script.then({"errors": "Not Found"}, status=404)
    with pytest.raises(Refused) as caught:
        scripted.get_rest("products/1.json")
    assert type(caught.value) is Refused


def test_the_stand_ins_rest_bucket_is_obeyed(client, goods, pacer):
    for _ in range(36):
        reply = client.get_rest(f"products/{goods.id}.json")
    assert reply.json["product"]["title"] == "Shoe"
    assert pacer.reports[-1][:3] == ("rest", 2.0, 40.0)
    assert pacer.pauses[-1][1] > 0


def test_the_stand_in_throttles_and_says_for_how_long(stand_in, client, goods):
    stand_in.service().bucket.level = 0
    stand_in.service().bucket.rate = 0.001
    with pytest.raises(SlowDown) as caught:
        client.call("shop_probe")
    assert caught.value.seconds > 100


def test_a_dead_token_asks_to_reconnect(stand_in, client):
    stand_in.uninstall()
    with pytest.raises(Reconnect, match="access token"):
        client.call("shop_probe")
