"""Many callers at once, while orders move: nothing is lost, nothing blocks, one refresh wins."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from integrations.standins.tiktok_shop.filler import fill
from tests.standins.tiktok_shop.conftest import KEY, SECRET, Caller, Inbox


def test_readers_webhooks_and_the_clock_do_not_block_each_other(caller: Caller, inbox: Inbox, subscribe: Any, place: Any) -> None:
    subscribe("ORDER_STATUS_CHANGE")
    keys = fill(caller.stand_in.shop(), 200, seller_skus=["TEE-M"])
    orders = [place(status="ON_HOLD") for _ in range(30)]

    def read(key: str) -> str:
        return str(caller.order(key)["id"])

    def move() -> None:
        for _ in range(40):
            caller.stand_in.advance(100)

    with ThreadPoolExecutor(6) as pool:
        moved = pool.submit(move)
        found = list(pool.map(read, keys))
    moved.result()
    assert caller.stand_in.wait_sent()

    assert found == keys
    assert {order.status for order in orders} == {"AWAITING_SHIPMENT"}
    released = [body["data"]["order_id"] for body in inbox.bodies() if body["data"]["order_status"] == "AWAITING_SHIPMENT"]
    assert sorted(released) == sorted(order.id for order in orders)


def test_of_two_who_refresh_at_once_one_loses_the_chain(caller: Caller) -> None:
    query = {"app_key": KEY, "app_secret": SECRET, "grant_type": "refresh_token", "refresh_token": "TTR_demo-refresh-token"}

    def refresh(_: int) -> int:
        return int(caller.session.get(f"{caller.root}/api/v2/token/refresh", params=query).json()["code"])

    with ThreadPoolExecutor(4) as pool:
        codes = sorted(pool.map(refresh, range(4)))

    assert codes == [0, 36004004, 36004004, 36004004]
    assert caller.control("GET", "/counts")["token_issued"] == 2
