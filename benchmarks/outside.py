"""The outside world, a process of its own: a shop full of orders and a marketing account, neither with a quota.

`python -m benchmarks.outside <port> <orders> <lines> <folder> <bodies>` writes `bodies` order webhooks to `<folder>/bodies.jsonl`, then
serves until it is told to stop.
"""

from __future__ import annotations

import signal
import sys
import threading
from datetime import timedelta
from pathlib import Path

from integrations.standins.ometria import OmetriaStandIn
from integrations.standins.server import StandInServer
from integrations.standins.shopify import ShopifyStandIn, ShopSpec
from integrations.standins.shopify.filler import fill_orders
from integrations.standins.shopify.lives import Lives

DOMAIN = "bench-shop.myshopify.com"
SECRET = "demo-shopify-secret"  # noqa: S105 - a demo value
TOKEN = "demo-shopify-token"  # noqa: S105 - a demo value
ACCOUNT, KEY = "bench", "demo-ometria-key"
BODIES = "bodies.jsonl"


def main(port: int, orders: int, lines: int, folder: Path, bodies: int) -> None:
    """Fill the shop, write the webhooks, serve."""
    shopify = ShopifyStandIn(
        [ShopSpec(domain=DOMAIN, access_token=TOKEN, client_secret=SECRET)], bucket=None, max_cost=None, keep_payloads=False
    )
    ometria = OmetriaStandIn({ACCOUNT: KEY}, ledger_payloads=False, push_rate=None, read_rate=None, delay=0.0, queue_limit=10_000_000)
    shop = shopify.shop()
    with shop.past(shop.now() - timedelta(days=400)):
        Lives(shopify).catalogue()
    fill_orders(shopify, orders, lines=lines)
    with (folder / BODIES).open("wb") as file:
        for number in range(bodies):
            file.write(shopify.render_webhook("orders/create", shop.orders.filler.first_id + number)[1] + b"\n")
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    with StandInServer([shopify, ometria], port=port):
        stopped.wait()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]), int(sys.argv[5]))
