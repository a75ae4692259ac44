"""The benchmark scripts work: one figure, small, as people start them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from benchmarks import figures
from benchmarks.collector import KEY, PAGE, write_calls
from benchmarks.figures import Figure, Goal, Result, percentile
from benchmarks.generator import Load, signed
from integrations.platforms.base import Account, IncomingCall
from integrations.platforms.site.webhooks import SiteWebhooks
from integrations.standins.tiktok_shop.signing import webhook_signature

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.slow
def test_a_quick_run_measures_says_that_it_is_quick_and_leaves_nothing_behind(tmp_path: Path) -> None:
    latest = tmp_path / "latest.json"
    environment = {**os.environ, "BENCH_DATABASE": f"switchyard_bench_{os.getpid()}", "BENCH_LATEST": str(latest)}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "acknowledge", "tiktok_path", "collector", "--quick"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "QUICK" in done.stdout
    told = orjson.loads(latest.read_bytes())
    medians = {name: figure["medians"] for name, figure in told["figures"].items()}
    assert told["quick"] is True
    assert {(medians[name]["lost"], medians[name]["failed"]) for name in ("acknowledge", "collector")} == {(0, 0)}
    assert (medians["tiktok_path"]["missing"], medians["tiktok_path"]["double"], medians["collector"]["single_lost"]) == (0, 0, 0)
    assert min(figure["per_second"] for figure in medians.values()) > 0


def test_a_figure_is_missed_by_its_median() -> None:
    goal = Goal(name="speed", unit="a second", target=100, at_least=True)
    figure = Figure("speed", "speed", (goal,), lambda run: [])
    slow, fast = ([{"speed": value} for value in values] for values in ((90, 95, 400), (90, 101, 110)))
    assert Result.of(figure, slow).missed() == [goal]
    assert Result.of(figure, fast).missed() == []
    assert "MISSED" in figures.table([Result.of(figure, slow)])


def test_percentiles_are_values_that_were_measured() -> None:
    assert [percentile([5, 1, 4, 2, 3], share) for share in (0.5, 0.99, 1.0)] == [3, 5, 5]


def test_a_signed_call_is_what_shopify_would_send() -> None:
    call = signed(Load(port=1, bodies="", count=1, secret="s", domain="a.example.com", run="r"), b'{"id":1}', "e-1")
    head, _, body = call.partition(b"\r\n\r\n")
    assert body == b'{"id":1}'
    assert b"X-Shopify-Hmac-Sha256: eNibnlRa1w5lSpKR7ufOSmEQWUdZRLQC8pWFW6qmiEM=" in head


def test_a_signed_call_is_what_tiktok_shop_would_send() -> None:
    body = b'{"type":1,"shop_id":"7495"}'
    call = signed(Load(port=1, bodies="", count=1, secret="s", domain="key", run="r", platform="tiktok_shop"), body, "e-1")
    head, _, sent = call.partition(b"\r\n\r\n")
    assert (sent, head.splitlines()[0]) == (body, b"POST /hooks/tiktok_shop/ HTTP/1.1")
    assert b"Authorization: " + webhook_signature("key", "s", body).encode() in head


def test_the_collector_is_called_as_browsers_call_it(tmp_path: Path) -> None:
    calls = write_calls(tmp_path / "calls", events=5, batch=2)
    bodies = (tmp_path / "calls").read_bytes().splitlines()
    account = Account(
        connection_id=1, platform="site", name="Site", external_id=KEY, base_url=PAGE, api_version="", secrets={}, settings={}
    )
    door = SiteWebhooks()
    for body, keys in zip(bodies, calls, strict=True):
        call = IncomingCall(path="/hooks/site/", headers={"origin": PAGE}, body=body)
        assert door.external_id(call) == KEY
        door.verify(account, call)
        assert [event.dedup_key for event in door.cut(account, call)] == [f"event:{key}" for key in keys]
    assert [len(keys) for keys in calls] == [2, 2, 1]
