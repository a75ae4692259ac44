"""Points: a bucket that refills, throttling, the limit of one call, and the old call's leaky bucket."""

from typing import Any

from integrations.standins.clock import Clock
from integrations.standins.shopify.cost import Bucket
from tests.standins.shopify.conftest import TOKEN, Caller

TEN = "{ orders(first: 10) { nodes { id customer { id } } } }"


def test_every_answer_carries_its_cost(caller: Caller) -> None:
    cost = caller.post(TEN).json()["extensions"]["cost"]

    assert set(cost) == {"requestedQueryCost", "actualQueryCost", "throttleStatus"}
    assert cost["requestedQueryCost"] >= cost["actualQueryCost"]
    assert set(cost["throttleStatus"]) == {"maximumAvailable", "currentlyAvailable", "restoreRate"}


def test_an_empty_bucket_throttles_with_200_and_says_what_is_there(caller: Caller) -> None:
    caller.set(bucket=50, restore_rate=0)
    caller.set(level=1)

    answer = caller.post(TEN)

    assert answer.status_code == 200
    body = answer.json()
    assert body["errors"] == [
        {"message": "Throttled", "extensions": {"code": "THROTTLED", "documentation": "https://shopify.dev/api/usage/rate-limits"}}
    ]
    assert "data" not in body
    cost = body["extensions"]["cost"]
    assert (cost["actualQueryCost"], cost["throttleStatus"]) == (
        None,
        {"maximumAvailable": 50.0, "currentlyAvailable": 1, "restoreRate": 0.0},
    )


def test_the_bucket_refills_with_time(caller: Caller) -> None:
    caller.set(bucket=50, restore_rate=10)
    caller.set(level=0)
    assert caller.refused(TEN)[0] == "THROTTLED"

    caller.control("POST", "/clock", {"advance": 5})

    assert "data" in caller.post(TEN).json()


def test_the_unused_part_of_the_points_is_given_back(caller: Caller) -> None:
    caller.set(bucket=1000, restore_rate=0)

    cost = caller.post(TEN).json()["extensions"]["cost"]

    assert cost["actualQueryCost"] == 0
    assert cost["throttleStatus"]["currentlyAvailable"] == 1000


def test_one_call_may_not_cost_more_than_a_thousand(caller: Caller) -> None:
    text = "{ orders(first: 250) { nodes { id lineItems(first: 250) { nodes { id product { id } variant { id } } } } } }"

    answer = caller.post(text).json()

    error = answer["errors"][0]
    assert error["extensions"]["code"] == "MAX_COST_EXCEEDED"
    assert error["extensions"]["cost"] > error["extensions"]["maxCost"] == 1000
    assert "data" not in answer


def test_smaller_pages_of_the_same_call_are_let_through(caller: Caller) -> None:
    text = "query($n: Int!) { orders(first: $n) { nodes { id lineItems(first: 250) { nodes { id product { id } variant { id } } } } } }"

    assert "data" in caller.post(text, {"n": 5}).json()
    assert caller.refused(text, {"n": 250})[0] == "MAX_COST_EXCEEDED"


def test_a_bucket_never_holds_more_than_its_size() -> None:
    clock = Clock()
    bucket = Bucket(100, 10, clock.now)
    clock.advance(3600)

    assert bucket.status()["currentlyAvailable"] == 100
    assert bucket.take(101) is False
    assert bucket.take(100) is True


def test_the_old_product_call_counts_its_own_bucket(caller: Caller, shoe: Any) -> None:
    caller.set(limits={"rest_size": 2, "rest_rate": 0.001})
    address, headers = f"{caller.base}/admin/api/2026-10/products/{shoe.id}.json", {"X-Shopify-Access-Token": TOKEN}

    answers = [caller.session.get(address, headers=headers) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["X-Shopify-Shop-Api-Call-Limit"] for answer in answers] == ["1/2", "2/2", "2/2"]
    assert answers[2].headers["Retry-After"] == "2.0"
    assert answers[0].json()["product"]["variants"][0]["sku"] == "SHOE-41"
