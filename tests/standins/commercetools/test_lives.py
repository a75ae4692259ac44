"""Lives that are played, and crowds that are filled in."""

from collections import Counter
from typing import Any

import pytest

from integrations.standins.commercetools import CommercetoolsStandIn
from integrations.standins.commercetools.filler import fill, fill_orders
from integrations.standins.commercetools.lives import WAYS, Lives
from tests.standins.commercetools.conftest import Caller


def _gross(order: Any) -> int:
    return order["taxedPrice"]["totalGross"]["centAmount"]


def test_the_same_seed_lives_the_same_lives() -> None:
    def lines() -> list[str]:
        stand_in = CommercetoolsStandIn()
        lives = Lives(stand_in.project(), seed=7)
        said = [lives.tick() for _ in range(40)]
        stand_in.close()
        return said

    assert lines() == lines()


def test_a_past_is_full_of_everything_and_was_told_to_nobody(caller: Caller) -> None:
    made = caller.control("POST", "/live", {"history": {"lives": 120, "days": 30}, "seed": 3})
    orders = caller.control("GET", "/documents?type_id=order")
    states = Counter(order["orderState"] for order in orders)

    assert made["lines"] == []
    assert states["Cancelled"] > 0
    assert states["Complete"] > 0
    assert sum("customerId" not in order for order in orders) > 10
    assert sum(bool(order["returnInfo"]) for order in orders) > 3
    assert {cart["cartState"] for cart in caller.control("GET", "/documents?type_id=cart")} == {"Active", "Merged", "Ordered"}
    assert caller.query("/messages") == []


def test_whatever_happens_amounts_add_up(stand_in: CommercetoolsStandIn) -> None:
    lives = Lives(stand_in.project(), seed=5)
    lives.history(lives=90)
    for row in stand_in.project()["order"].rows.values():
        order = row.doc()
        parts = sum(line["totalPrice"]["centAmount"] for line in (*order["lineItems"], *order["customLineItems"]))
        off = order.get("discountOnTotalPrice", {}).get("discountedAmount", {}).get("centAmount", 0)
        assert order["totalPrice"]["centAmount"] == parts + order["shippingInfo"]["price"]["centAmount"] - off
        tax = sum(portion["amount"]["centAmount"] for portion in order["taxedPrice"]["taxPortions"])
        assert _gross(order) == order["totalPrice"]["centAmount"] == order["taxedPrice"]["totalNet"]["centAmount"] + tax
        for reference in order.get("paymentInfo", {}).get("payments", []):
            moves = stand_in.project().get("payment", reference["id"]).doc()["transactions"]
            paid, back = (sum(move["amount"]["centAmount"] for move in moves if move["type"] == kind) for kind in ("Charge", "Refund"))
            assert 0 <= back <= paid == _gross(order)


def test_fields_without_a_value_are_left_out(stand_in: CommercetoolsStandIn) -> None:
    lives = Lives(stand_in.project(), seed=6)
    lives.history(lives=40)
    fill(stand_in.project(), 5)
    fill_orders(stand_in.project(), 5)

    collections = stand_in.project().collections.values()
    assert [row.raw for collection in collections for row in collection.rows.values() if b":null" in row.raw] == []


@pytest.mark.parametrize("way", [name for name, _ in WAYS])
def test_every_way_can_be_gone_to_its_end(stand_in: CommercetoolsStandIn, way: str) -> None:
    lives = Lives(stand_in.project(), seed=1)
    lives.tick()
    steps = [said for said, _ in getattr(lives, f"_{way}")()]

    assert len(steps) >= 1
    assert all(steps)


def test_a_crowd_is_filled_in_with_people_who_can_be_found(caller: Caller) -> None:
    made = caller.control("POST", "/fill", {"customers": 300, "orders": 200, "days": 10})
    (person,) = caller.query("/customers", 'lowercaseEmail = "filled.7@example.com"')
    orders = caller.query("/orders", f'customerId = "{person["id"]}"', limit=500)

    assert (made["customers"], made["orders"]) == (300, 200)
    assert caller.get("/customers", limit=0)["total"] == 300
    assert [order["customerEmail"] for order in orders] == ["filled.7@example.com"]
    assert caller.refusal("POST", "/customers", {"email": "FILLED.7@example.com", "password": "x"}) == (400, "DuplicateField")


def test_rewriting_gives_new_versions_now(caller: Caller) -> None:
    caller.control("POST", "/fill", {"customers": 50, "days": 10})
    before = {one["id"]: one["version"] for one in caller.control("GET", "/documents?type_id=customer")}
    caller.control("POST", "/rewrite", {"count": 30})
    after = {one["id"]: one["version"] for one in caller.control("GET", "/documents?type_id=customer")}

    assert sum(after[key] > before[key] for key in before) > 10
