"""Volumes of a backfill: what one push costs and what one order weighs."""

import sys
import time

import orjson
import pytest

from integrations.standins.ometria import OmetriaStandIn
from integrations.standins.wire import Request

ORDERS = 20_000


def push(stand_in, order, start):
    body = orjson.dumps([order(id=f"o{number}", customer={"email": f"p{number}@example.com"}) for number in range(start, start + 100)])
    return stand_in.handle(Request("POST", "/v2/push", headers={"x-ometria-auth": "demo-ometria-key"}, body=body)).status


@pytest.mark.slow
def test_orders_of_a_backfill_stay_cheap(order):
    stand_in = OmetriaStandIn(push_rate=None, ledger_payloads=False)

    begun = time.process_time()
    statuses = {push(stand_in, order, start) for start in range(0, ORDERS, 100)}
    spent = time.process_time() - begun

    assert (statuses, stand_in.ledger.counts()) == ({202}, {"order": ORDERS})
    # the allowance is several times what an idle machine needs, and includes building the bodies
    assert spent / ORDERS < 0.0003


def test_stored_order_takes_no_more_memory_than_its_json(order):
    stand_in = OmetriaStandIn(push_rate=None, ledger_payloads=False)
    push(stand_in, order, 0)

    entry = stand_in.account().orders.get("o1")

    assert sys.getsizeof(entry.raw) < len(entry.raw) + 64
    assert stand_in.ledger.effects()[0].payload == {}
