"""The database stops in the middle of everything and comes back: nothing that was acknowledged is lost, the workers go on."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from config.embedded import embedded_url, is_running, stop_embedded
from tests.conftest import DOMAIN
from tests.journeys.workers import ROOT, Processes, environment

pytestmark = [pytest.mark.journey, pytest.mark.slow]
ORDERS = 60
START = "import sys, pathlib; from config.embedded import embedded_url; embedded_url(pathlib.Path(sys.argv[1]))"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def command(url: str, *arguments: str) -> None:
    done = subprocess.run([sys.executable, *arguments], env=environment(url), cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait(what: Any, processes: Processes, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, processes.said()
        time.sleep(0.2)


def count(url: str, query: str) -> int:
    with psycopg.connect(url) as database:
        return database.execute(query).fetchone()[0]


def test_webhooks_acknowledged_around_a_restart_of_the_database_all_arrive(stand_ins: Any, tmp_path: Path) -> None:
    shopify, ometria, server = stand_ins
    shopify.sender.retry_seconds = 20.0
    url, port = embedded_url(tmp_path / "postgres"), free_port()
    try:
        command(url, "manage.py", "migrate", "--verbosity", "0")
        with Processes(url, tmp_path / "processes.log") as processes:
            processes.start(
                "-m", "granian", "--interface", "asginl", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
                "--no-ws", "--log-level", "warning", "config.asgi:application",
            )  # fmt: skip
            wait(lambda: answers(port), processes)
            command(url, "-m", "tests.journeys.lay_out", server.url("x").removesuffix("/x"), f"http://127.0.0.1:{port}")
            processes.start_worker()
            made = shopify.act(
                "create_product", DOMAIN, title="Shoe", handle="shoe", variants=[{"sku": "SHOE-42", "price": "20.00", "inventory": 9_999}]
            )
            wait(lambda: ometria.look("/products"), processes)  # the worker is at work: one that begins without a database ends at once
            orders = []
            for number in range(ORDERS):
                line = {"variant_id": made.variant_ids[0], "quantity": 1}
                orders.append(shopify.act("create_order", DOMAIN, lines=[line], email=f"person{number}@example.com").id)
                if number == ORDERS // 3:
                    assert stop_embedded(tmp_path / "postgres")
                if number == 2 * ORDERS // 3:
                    time.sleep(1.0)
                    command(url, "-c", START, str(tmp_path / "postgres"))
            wait(lambda: shopify.sender.waiting() == 0, processes)
            command(url, "manage.py", "shell", "-c", "from integrations.engine import pumps; pumps.sweep()")
            wait(lambda: len(ometria.look("/orders")) == ORDERS, processes, 200)  # leases of 90 s, then the next minute

            assert set(ometria.look("/orders")) == {f"shp-{order_id}" for order_id in orders}
            hooks = shopify.shop(DOMAIN).hooks.log
            assert {sending.status for sending in hooks} == {"sent"}
            assert any(sending.tries > 1 for sending in hooks), "the restart was over before a webhook met it"
            sent = {(sending.topic, sending.event_id) for sending in hooks}
            assert count(url, "SELECT count(*) FROM integrations_inboxevent WHERE topic <> 'app/scopes_update'") == len(sent)
            wait(lambda: count(url, "SELECT count(*) FROM integrations_inboxevent WHERE state NOT IN ('done', 'ignored')") == 0, processes)
    finally:
        stop_embedded(tmp_path / "postgres")
    assert not is_running(tmp_path / "postgres")
