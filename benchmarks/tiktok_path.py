"""The whole path from TikTok Shop: order webhooks in, each order read in full with its requests, its buyer looked up, both delivered."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from django.utils import timezone

from benchmarks.figures import Figure, Run
from benchmarks.generator import Load
from benchmarks.outside import BODIES
from benchmarks.outside_tiktok import SKUS
from benchmarks.path import finish, goals, timed
from benchmarks.route import Route, connect_account, empty, forget_connections, start_world
from integrations.engine import accounts
from integrations.models import Connection, Delivery, Flow
from integrations.standins.tiktok_shop.specs import DEMO_APP_KEY, DEMO_APP_SECRET, DEMO_SELLER, DEMO_SHOPS
from mapping import codec
from mapping.records import Variant

ORDERS = 6000
SHOP = DEMO_SHOPS[0]


def measure(run: Run) -> list[dict[str, float]]:
    """Generator, web, worker, stand-ins and database on one machine; one order a hint, a third as many buyers as orders."""
    count = run.size(ORDERS, 200)
    route = connect(start_world(run, "benchmarks.outside_tiktok", str(count), str(run.folder)))
    port = run.processes.start_web()
    run.processes.start_worker()
    rows = [_once(run, route, port, count, turn) for turn in range(run.runs)]
    finish(run)
    return rows


def connect(port: int) -> Route:
    """Write connections, flows and default mappings, all with the product's own defaults but without quotas."""
    outside = f"http://127.0.0.1:{port}"
    forget_connections()
    source = Connection.objects.create(
        platform="tiktok_shop", name="Bench shop", external_id=SHOP.id, base_url=f"{outside}/tiktok_shop",
        settings={"app_key": DEMO_APP_KEY, "shop_cipher": SHOP.cipher, "region": SHOP.region_code, "read_rate": 0, "write_rate": 0},
    )  # fmt: skip
    accounts.set_credential(source, "app_secret", DEMO_APP_SECRET)
    accounts.set_credential(source, "access_token", DEMO_SELLER.access_token, expires_at=timezone.now() + timedelta(days=7))
    return connect_account(source, outside)


def bring_catalogue(run: Run, route: Route) -> None:
    """The variants that the SKU gate asks for, as a shop beside this one would have brought them."""
    shop, _ = Connection.objects.get_or_create(platform="shopify", external_id="bench-catalogue", defaults={"name": "Bench catalogue"})
    flow, _ = Flow.objects.get_or_create(source=shop, destination=route.destination, record_type="variant", defaults={"enabled": False})
    now = datetime.now(UTC)
    records = [
        Variant(key=f"V{place}", occurred_at=now, product_key=f"P{place}", sku=sku)
        for place, sku in enumerate(json.loads((run.folder / SKUS).read_text()))
    ]
    Delivery.objects.bulk_create(
        Delivery(
            flow=flow, record_key=record.key, record=json.loads(codec.dumps(record)), state=Delivery.State.DELIVERED, occurred_at=now,
            due_at=now, ready_since=now, updated_at=now, cause="backfill",
        )
        for record in records
    )  # fmt: skip


def _once(run: Run, route: Route, port: int, count: int, turn: int) -> dict[str, float]:
    empty(route)
    bring_catalogue(run, route)
    load = Load(
        port=port, bodies=str(run.folder / BODIES), count=count, secret=DEMO_APP_SECRET, domain=DEMO_APP_KEY, run=f"tiktok{turn}",
        platform="tiktok_shop",
    )  # fmt: skip
    return timed(route, load, "the path from TikTok Shop")


FIGURE = Figure(
    "tiktok_path",
    "TikTok order webhook → delivered at a stand-in",
    goals(400),
    measure,
)
