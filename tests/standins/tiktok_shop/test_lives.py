"""Generated shops: the same seed lives the same lives, every way of an order occurs, and volumes come in seconds."""

import time
from collections import Counter
from random import Random
from typing import Any

import pytest

from integrations.standins.shopify import words
from integrations.standins.tiktok_shop import TikTokShopStandIn
from integrations.standins.tiktok_shop.filler import fill
from integrations.standins.tiktok_shop.lives import Lives
from integrations.standins.tiktok_shop.people import phone
from tests.standins.tiktok_shop.conftest import DETAIL, JP, SEARCH, Caller

PEOPLE = [{"first_name": "Ada", "last_name": "Ashdown", "phone": "+442079460999", "email": "ada.ashdown@example.com"}]


def tell(stand_in: TikTokShopStandIn) -> list[Any]:
    return [(order.status, order.total, order.recipient, [line.refunded for line in order.lines]) for order in stand_in.shop().orders]


def test_the_same_seed_lives_the_same_lives() -> None:
    stories = []
    for seed in (5, 5, 6):
        stand_in = TikTokShopStandIn()
        Lives(stand_in.shop(), seed=seed).history(orders=40, days=20)
        stories.append(tell(stand_in))
        stand_in.close()

    assert stories[0] == stories[1]
    assert stories[0] != stories[2]


def test_a_history_has_every_kind_of_order_in_its_time(stand_in: TikTokShopStandIn) -> None:
    shop = stand_in.shop()
    Lives(shop, seed=3, people=PEOPLE, known_share=0.2).history(orders=300, days=40)
    orders, now = list(shop.orders), shop.clock.now()

    statuses = Counter(order.status for order in orders)
    assert {"AWAITING_SHIPMENT", "IN_TRANSIT", "DELIVERED", "COMPLETED", "CANCELLED"} <= statuses.keys()
    assert {found.role for found in shop.cancellations} == {"BUYER", "SELLER", "SYSTEM"}
    assert {found.type for found in shop.returns} == {"REFUND", "RETURN_AND_REFUND", "REPLACEMENT"}
    assert any(order.is_sample_order for order in orders)
    assert any(order.replaced_order_id for order in orders)
    assert any(order.is_gift_order and order.recipient != order.buyer.recipient for order in orders)
    assert any(line.room_id for order in orders for line in order.lines)
    assert any(line.sub_items for order in orders for line in order.lines)
    assert any(0 < sum(line.status == "CANCELLED" for line in order.lines) < len(order.lines) for order in orders)
    assert {"SELLER", "TIKTOK"} == {order.shipping_type for order in orders}
    assert max(Counter(order.buyer.user_id for order in orders).values()) > 1
    assert any(order.recipient.phone == "+442079460999" for order in orders)
    assert all(now - 41 * 86_400 < order.create_time <= order.update_time <= now for order in orders)


def test_ticks_say_what_happened(caller: Caller) -> None:
    lines = caller.control("POST", "/live", {"shop": "JP", "history": {"orders": 20, "days": 10}, "ticks": 40})["lines"]

    assert len(lines) == 40
    assert all(lines)
    assert {"placed", "shipped"} <= {word for line in lines for word in line.split()}
    assert caller.post(SEARCH, {}, cipher=JP.cipher, page_size=1)["total_count"] > 20


def test_the_catalogue_is_that_of_the_other_stand_in_with_skus_of_its_own(stand_in: TikTokShopStandIn) -> None:
    Lives(stand_in.shop(), seed=1).history(orders=1)
    skus = {key for key in stand_in.shop().variants if not key.isdecimal()}
    random = Random(1)
    master = {variant["sku"] for index in range(60) for variant in words.product(random, index)["variants"]}

    assert len(skus & master) / len(skus) > 0.7
    assert {"SET-01", "SET-02", "SET-03"} <= skus
    assert any(key.startswith("TTS-") for key in skus - master)


@pytest.mark.parametrize("region", ["GB", "DE", "FR", "US", "JP"])
def test_numbers_of_invented_people_are_distinct_and_from_free_ranges(region: str) -> None:
    numbers = [phone(region, number) for number in range(1_000)]

    assert len(set(numbers)) == 1_000
    assert all(10 <= len(number) <= 14 and number.startswith("+") for number in numbers)


def test_a_filled_shop_answers_like_one_that_lived(caller: Caller) -> None:
    options = {"people": PEOPLE, "known_share": 0.5, "delivered": 0.3, "refunded": 0.2, "cancelled": 0.1, "shared_phone_share": 0.2}
    made = caller.control("POST", "/fill", {"orders": 400, "days": 10, "buyers": 100, **options})
    data = caller.post(SEARCH, {}, page_size=50, sort_field="create_time", sort_order="ASC")
    orders = caller.get(DETAIL, ids=",".join(order["id"] for order in data["orders"]))["orders"]

    assert (made["orders"], data["total_count"], data["orders"][0]["id"]) == (400, 400, made["first"])
    assert orders == data["orders"]
    counts = caller.control("GET", "/state?shop=GB")[caller.stand_in.shop().spec.id]["counts"]
    assert 50 < counts["returns"] < 110
    assert 20 < counts["cancellations"] < 60
    assert counts["buyers"] == 100


def test_a_fill_can_be_of_one_sku(caller: Caller, tee: Any) -> None:
    made = fill(caller.stand_in.shop(), 20, seller_skus=["TEE-M"], lines=1, own_email_share=1.0)
    shown = [caller.order(key) for key in made[:3]]

    assert {line["seller_sku"] for order in shown for line in order["line_items"]} == {"TEE-M"}
    assert all(order["buyer_email"].endswith("@example.com") for order in shown)


def test_half_a_crowd_are_people_whom_somebody_knows(stand_in: TikTokShopStandIn) -> None:
    known = [
        {"first_name": f"P{number}", "last_name": "Known", "phone": phone("GB", 5_000 + number), "email": f"p{number}@example.com"}
        for number in range(500)
    ]
    fill(stand_in.shop(), 1_000, buyers=1_000, people=known, known_share=0.5, own_email_share=0.66, shared_phone_share=0.1)
    buyers = list(stand_in.shop().buyers.values())

    met = [buyer for buyer in buyers if buyer.recipient.last_name == "Known"]
    assert len(buyers) == 1_000
    assert 430 < len(met) < 570
    assert 0.6 < sum(bool(buyer.email) for buyer in buyers) / 1_000 < 0.72
    assert 40 < 1_000 - len({buyer.recipient.phone for buyer in buyers}) < 150


def test_a_wrong_control_call_says_why(caller: Caller) -> None:
    calls = (("/act", {"do": "fly"}), ("/settings", {"no": 1}), ("/act", {"do": "ship", "args": {"order_id": "1"}}), ("/x", {}))
    answers = [caller.session.post(f"{caller.root}/_control{path}", json=body) for path, body in calls]

    assert [answer.status_code for answer in answers] == [400, 400, 400, 404]
    assert "There is no act fly" in answers[0].json()["error"]


def test_a_reset_brings_everything_back(caller: Caller, place: Any, inbox: Any, subscribe: Any) -> None:
    subscribe("NEW_MESSAGE")
    place()
    caller.control("POST", "/settings", {"hold_seconds": 5})
    caller.control("POST", "/reset", {})

    assert caller.post(SEARCH, {}, page_size=10) == {"total_count": 0, "next_page_token": ""}
    assert caller.get("/event/202309/webhooks") == {"total_count": 0}
    assert caller.stand_in.settings.hold_seconds == 3600.0


@pytest.mark.slow
def test_twenty_thousand_orders_come_in_seconds_and_are_read_quickly(caller: Caller) -> None:
    start = time.perf_counter()
    made = fill(caller.stand_in.shop(), 20_000)
    filled = time.perf_counter() - start
    for key in made[:200]:
        caller.order(key)
    start = time.perf_counter()
    for key in made[:200]:
        caller.order(key)
    seconds = time.perf_counter() - start

    assert filled < 30
    assert 200 / seconds > 100
