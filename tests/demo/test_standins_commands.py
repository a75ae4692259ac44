"""Stand-ins served by one command, made to live by another, subscribed and probed by the rest."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from integrations.engine import accounts
from integrations.management.demo import cast
from integrations.models import Connection

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.django_db, pytest.mark.journey]


def run(name: str, *arguments: str, **options: Any) -> str:
    out = io.StringIO()
    call_command(name, *arguments, stdout=out, **options)
    return out.getvalue().strip()


@pytest.fixture
def standins() -> Iterator[str]:
    """The address of stand-ins in a process of their own, which must end well."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "runstandins", "--port", "0"],
        cwd=ROOT,
        env={**os.environ, "DEMO": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process.stdout:
        shopify, ometria = process.stdout.readline().split()[1], process.stdout.readline().split()[1]
        assert shopify.rpartition("/shopify/")[0] == ometria.rpartition("/ometria")[0]
        yield shopify.rpartition("/shopify/")[0]
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_stand_ins_are_seeded_probed_subscribed_and_live_on(standins: str, settings: Any) -> None:
    settings.DEMO = True
    run("seed_demo", standins=standins, console="http://127.0.0.1:9")
    accounts._clients.clear()

    assert "Demo shop answers." in run("probe", "Demo shop")
    assert "Ometria answers and accepts the API key." in run("probe", "Demo account")
    first, again = run("check_webhooks"), run("check_webhooks", cast.known_cast().shop.name)
    lines = run("simulate", standins=standins, count=4, every=0).splitlines()

    assert first.splitlines()[0] == "Demo shop → http://127.0.0.1:9/hooks/shopify/:"
    assert "  Subscribed to orders/create." in first.splitlines()
    assert again == "Demo shop → http://127.0.0.1:9/hooks/shopify/: all subscriptions stand."
    assert len(lines) == 4
    assert re.match(r"(order|sample) \d+ ", lines[3])  # every fourth thing happens on TikTok Shop
    assert Connection.objects.get(platform="shopify").probe["ok"] is True


def test_simulating_without_stand_ins_says_how_to_start_them() -> None:
    with pytest.raises(CommandError, match="start them with runstandins"):
        run("simulate", standins="http://127.0.0.1:9", count=1)
