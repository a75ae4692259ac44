"""TikTok Shop's orders through real workers: killed with SIGKILL, and with a token that ends under all of them at once."""

from __future__ import annotations

import random
import time
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from integrations.engine import shared
from integrations.models import Connection, Credential, Delivery, InboxEvent, SyncException
from integrations.standins.faults import Fault
from integrations.standins.tiktok_shop.specs import DEMO_SELLER
from tests.journeys.workers import Processes, database_url, minutes_later, wait_until_settled
from tests.route_a import RouteA, lay_out_flows

pytestmark = [pytest.mark.journey, pytest.mark.slow]
ROUNDS, EACH = 3, 12
STATUS = {"AWAITING_SHIPMENT": "paid", "IN_TRANSIT": "shipped", "DELIVERED": "complete", "CANCELLED": "cancelled"}


def sent_orders() -> int:
    return Delivery.objects.filter(flow__record_type="order").exclude(sent_hash="").count()


def wait_for_orders(more_than: int, processes: Processes) -> None:
    until = time.monotonic() + 60
    while sent_orders() <= more_than:
        assert time.monotonic() < until, processes.said()
        time.sleep(0.02)


def wait_for_a_call(processes: Processes) -> None:
    """Wait until something is under way to Ometria."""
    until = time.monotonic() + 60
    while not Delivery.objects.filter(state="sending").exists():
        assert time.monotonic() < until, processes.said()
        time.sleep(0.01)


def regressions(route: RouteA) -> list[str]:
    """Orders of which an older state was written after a newer one."""
    by_key: dict[str, list[str]] = {}
    for effect in route.ometria.ledger.effects("order"):
        by_key.setdefault(effect.key, []).append(effect.digest)
    runs = {key: [digest for digest, _ in groupby(digests)] for key, digests in by_key.items()}
    return [key for key, digests in runs.items() if len(digests) != len(set(digests))]


def test_killed_workers_lose_no_order_and_double_no_buyer(route_a: RouteA, tmp_path: Path) -> None:
    route_a.goods("TEE", "MUG")
    assert route_a.subscribe()
    generator, caught = random.Random(11), 0
    orders: list[Any] = []
    buyers = [{"first_name": "Ada", "last_name": f"Byron{number}", "phone": f"+4420794600{number:02}"} for number in range(10)]
    route_a.ometria.faults.add(Fault("latency", path="/v2/push", seconds=0.2, times=0))  # a kill finds a push accepted but not stored
    with Processes(database_url(), tmp_path / "workers.log") as processes:
        for _ in range(ROUNDS):
            pair = [processes.start_worker(), processes.start_worker()]
            done = sent_orders()
            for _ in range(EACH):
                orders.append(place(route_a, generator, buyers))
                older = generator.choice(orders)
                if older.status == "AWAITING_SHIPMENT":
                    do, how = generator.choice((("ship", {}), ("request_cancellation", {"role": "SELLER"})))
                    route_a.act(do, order_id=older.id, **how)
            wait_for_orders(done, processes)
            for _ in range(3):
                orders.append(place(route_a, generator, buyers))
            wait_for_a_call(processes)
            for process in pair:
                processes.kill(process)
            caught += Delivery.objects.filter(state="sending").count()
            minutes_later()
        route_a.ometria.faults.clear()
        processes.start_worker()
        assert route_a.tiktok.wait_sent(60)
        wait_until_settled(processes, 90)
    stored = route_a.state("orders")
    assert caught > 0
    assert {key: row["status"] for key, row in stored.items()} == {f"tts-{order.id}": STATUS[order.status] for order in orders}
    assert {row["is_valid"] for row in stored.values() if row["status"] == "cancelled"} <= {False}
    assert len(route_a.state("profiles")) == len(route_a.tiktok.shop("GB").buyers)
    assert regressions(route_a) == []
    assert not SyncException.objects.exists()
    assert not InboxEvent.objects.exclude(state__in=["done", "ignored"]).exists()


def place(route: RouteA, generator: random.Random, buyers: list[dict[str, Any]]) -> Any:
    """One more order, of somebody new or of somebody who ordered before."""
    known = list(route.tiktok.shop("GB").buyers)
    person = buyers[len(known)] if len(known) < len(buyers) and generator.random() < 0.5 or not known else generator.choice(known)
    return route.order("TEE", "MUG", buyer=person)


def test_a_token_that_ends_under_all_workers_is_renewed_once_and_no_order_is_lost(route_a: RouteA, tmp_path: Path) -> None:
    shops = [route_a.source, *shared.open_accounts(route_a.source)]
    regions = [shop.settings["region"] for shop in shops]
    orders = []
    for shop, region in zip(shops, regions, strict=True):
        if shop.pk != route_a.source.pk:
            lay_out_flows(shop, route_a.destination)
        route_a.goods("TEE", shop=region, price="2000", known=region == "GB")
        assert route_a.subscribe(shop)
    Credential.objects.update(refreshed_at=timezone.now() - timedelta(hours=1))
    before = route_a.tiktok.ledger.counts()["token_issued"]
    with Processes(database_url(), tmp_path / "workers.log") as processes:
        for _ in range(2):
            processes.start_worker()
        for number in range(8):
            orders += [route_a.order("TEE", shop=region, buyer={"first_name": f"Ada{number}"}) for region in regions]
            if number == 3:
                wait_for_orders(0, processes)
                assert route_a.tiktok.tokens.expire(seller=DEMO_SELLER) == 1
        assert route_a.tiktok.wait_sent(60)
        wait_until_settled(processes, 90)
    assert (route_a.refreshes(), route_a.tiktok.ledger.counts()["token_issued"] - before) == (1, 1)
    assert not route_a.tiktok.ledger.effects("refresh_refused")
    assert set(route_a.state("orders")) == {f"tts-{order.id}" for order in orders}
    assert set(Connection.objects.filter(platform="tiktok_shop").values_list("state", flat=True)) == {"active"}
    assert not SyncException.objects.exists()
