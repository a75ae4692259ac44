"""The outside world of TikTok Shop's figure, a process of its own: a shop full of orders and a marketing account, neither with a quota.

`python -m benchmarks.outside_tiktok <port> <orders> <folder>` writes one webhook per order to `<folder>/bodies.jsonl` and the seller's SKUs
to `<folder>/skus.json`, then serves until it is told to stop.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
from pathlib import Path

from benchmarks.outside import ACCOUNT, BODIES, KEY
from integrations.standins.ometria import OmetriaStandIn
from integrations.standins.server import StandInServer
from integrations.standins.tiktok_shop import TikTokShopStandIn
from integrations.standins.tiktok_shop.catalogue import stock
from integrations.standins.tiktok_shop.filler import fill

SKUS = "skus.json"


def main(port: int, orders: int, folder: Path) -> None:
    """Fill the shop, write the webhooks, serve."""
    tiktok = TikTokShopStandIn(keep_payloads=False, read_rate=None, write_rate=None)
    ometria = OmetriaStandIn({ACCOUNT: KEY}, ledger_payloads=False, push_rate=None, read_rate=None, delay=0.0, queue_limit=10_000_000)
    shop = tiktok.shop()
    stock(shop)
    skus = sorted(key for key, (_, variant) in shop.variants.items() if variant.seller_sku == key and not variant.components)
    placed = fill(shop, orders, lines=1, seller_skus=skus)
    (folder / SKUS).write_text(json.dumps(skus))
    with (folder / BODIES).open("wb") as file:
        file.writelines(body + b"\n" for _, body in tiktok.signed_webhooks(placed))
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    with StandInServer([tiktok, ometria], port=port):
        stopped.wait()
    tiktok.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
