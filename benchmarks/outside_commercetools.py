"""The outside world of commercetools' figures, a process of its own: a project full of people and orders, and a marketing account.

`python -m benchmarks.outside_commercetools <port> <customers> <orders> <folder>` writes one notification per order, as Amazon EventBridge
brings it, to `<folder>/bodies.jsonl`, then serves until it is told to stop.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from benchmarks.outside import ACCOUNT, BODIES, KEY
from integrations.standins.commercetools import CommercetoolsStandIn
from integrations.standins.commercetools.filler import fill, fill_orders
from integrations.standins.commercetools.specs import DEMO_PROJECT
from integrations.standins.ometria import OmetriaStandIn
from integrations.standins.server import StandInServer


def main(port: int, customers: int, orders: int, folder: Path) -> None:
    """Fill the project, write the notifications, serve."""
    shop = CommercetoolsStandIn()
    ometria = OmetriaStandIn({ACCOUNT: KEY}, ledger_payloads=False, push_rate=None, read_rate=None, delay=0.0, queue_limit=10_000_000)
    fill(shop.project(), customers)
    placed = fill_orders(shop.project(), orders, lines=1) if orders else []
    with (folder / BODIES).open("wb") as file:
        file.writelines(json.dumps(told).encode() + b"\n" for told in notifications(placed))
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    with StandInServer([shop, ometria], port=port):
        stopped.wait()
    shop.close()


def notifications(orders: list[str]) -> Iterator[dict[str, object]]:
    """A message about each order in EventBridge's envelope."""
    for number, order in enumerate(orders):
        detail = {
            "notificationType": "Message", "projectKey": DEMO_PROJECT, "id": f"{number:08d}-0000-4000-8000-000000000000", "version": 1,
            "sequenceNumber": 2, "resource": {"typeId": "order", "id": order}, "resourceVersion": 1, "type": "OrderStateChanged",
            "orderState": "Confirmed", "oldOrderState": "Open", "createdAt": "2026-11-01T09:00:00.000Z",
            "lastModifiedAt": "2026-11-01T09:00:00.000Z",
        }  # fmt: skip
        yield {"version": "0", "id": detail["id"], "detail-type": "Message", "source": "aws.partner/commercetools.com", "detail": detail}


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
