"""The demo as people start it: processes of its own, a story that comes out right, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest
import requests
from django.conf import settings
from psycopg import sql

from integrations.management.demo.cast import password
from tests.template import template_database

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS, STORY_SECONDS, STOP_SECONDS = 120, 340, 40
pytestmark = [pytest.mark.slow, pytest.mark.journey]


class Demo:
    """A demo in a process of its own, with its lines as they come."""

    def __init__(self, database: str, *arguments: str) -> None:
        environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "DJANGO_SETTINGS_MODULE")}
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "demo", "--port", "0", "--database", database, *arguments],
            cwd=ROOT, env={**environment, "DEMO": "1", "DATABASE_URL": settings.DATABASE_URL}, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.lines: list[str] = []
        self._queue: Queue[str] = Queue()
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with self.process.stdout as stdout:
            for line in stdout:
                self._queue.put(line)

    def until(self, words: str, seconds: float) -> str:
        """The first line with these words."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                line = self._queue.get(timeout=0.5)
            except Empty:
                assert self.process.poll() is None, self.text()
                continue
            self.lines.append(line.rstrip())
            if words in line:
                return line.strip()
        raise AssertionError(f"no line said {words!r}:\n{self.text()}")

    def wait(self, seconds: float) -> int:
        """The exit code; every line is read by then."""
        code = self.process.wait(seconds)
        self._reader.join(seconds)
        while not self._queue.empty():
            self.lines.append(self._queue.get().rstrip())
        return code

    def text(self) -> str:
        return "\n".join(self.lines[-80:])

    def family(self) -> list[psutil.Process]:
        """The demo's process and everything below it."""
        head = psutil.Process(self.process.pid)
        return [head, *head.children(recursive=True)]


@pytest.fixture
def database(worker_id: str) -> Iterator[str]:
    name = f"switchyard_demo_test_{worker_id}"
    yield name
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def migrated(database: str) -> str:
    """The same with all tables there already, for a demo that keeps them: making them takes longer than most of these tests."""
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as server:
        named = sql.Identifier(database), sql.Identifier(template_database(settings.DATABASE_URL))
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*named))
    return database


@pytest.fixture
def worker_id() -> str:
    return os.environ.get("PYTEST_XDIST_WORKER", "alone")


def alive(family: list[psutil.Process]) -> list[psutil.Process]:
    return [process for process in family if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


def _gone(family: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    end = time.monotonic() + seconds
    while alive(family) and time.monotonic() < end:
        time.sleep(0.1)
    return alive(family)


def signed_in(address: str, name: str) -> int:
    """Sign in as people do, at the server that the demo started; the status of the page behind it."""
    with requests.Session() as browser:
        browser.trust_env = False
        browser.get(address + "accounts/login/", timeout=10)
        form = {"login": name, "password": password(name), "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        answer = browser.post(address + "accounts/login/", form, headers={"Referer": address}, timeout=10)
        assert "Overview" in answer.text, f"{answer.status_code} at {answer.url}"
        return answer.status_code


@pytest.mark.timeout(480)
def test_the_story_ends_with_both_sides_in_agreement(database: str) -> None:
    demo = Demo(database, "--once")

    code = demo.wait(STORY_SECONDS)

    text = demo.text()
    assert code == 0, text
    rows = {line.split("│")[0].strip(): [cell.strip() for cell in line.split("│")] for line in demo.lines if line.count("│") == 8}
    shop = {f"Demo shop: {kind}" for kind in ("customer", "order", "checkout", "product", "variant")}
    tiktok = {f"{name}: {kind}" for name in ("Demo UK", "Demo Deutschland") for kind in ("customer", "order", "event")}
    storefront = {f"Demo storefront: {kind}" for kind in ("customer", "order", "checkout", "product", "variant")}
    ways = (("account", "shop"), ("account", "storefront"), ("shop", "storefront"), ("storefront", "shop"))
    consents = {f"Demo {one}: consent to Demo {other}" for one, other in ways}
    assert set(rows) == {"flow", *shop, *tiktok, *storefront, *consents, "Own site: event", "Own site: checkout"}, text
    assert {name: row[-1] for name, row in rows.items() if name != "flow"} == dict.fromkeys(rows.keys() - {"flow"}, "yes")
    assert (rows["Demo shop: order"][4], rows["Demo shop: customer"][4]) == ("1 unknown sku", "1 phone number cannot be read")
    assert int(rows["Demo shop: order"][2]) > 1500
    assert int(rows["Demo UK: order"][3]) > 5
    assert int(rows["Demo storefront: order"][3]) > 20
    assert all(int(rows[name][3]) > 0 for name in consents), text
    assert sum(line.startswith("✓") for line in demo.lines) == 16, text
    assert not any(line.startswith("✗") for line in demo.lines)


@pytest.mark.timeout(300)
def test_ctrl_c_ends_everything_that_the_demo_started(migrated: str) -> None:
    demo = Demo(migrated, "--keep")
    address = demo.until("Console", START_SECONDS).split()[1]
    demo.until("delivered to Ometria", START_SECONDS)
    family = demo.family()
    assert signed_in(address, "manager") == 200

    demo.process.send_signal(signal.SIGINT)

    assert demo.wait(STOP_SECONDS) == 0, demo.text()
    assert len(family) > 5
    assert _gone(family, 5) == []


@pytest.mark.timeout(300)
def test_a_killed_demo_takes_its_children_along(migrated: str) -> None:
    demo = Demo(migrated, "--keep")
    demo.until("Ctrl-C stops everything", START_SECONDS)
    family = demo.family()

    demo.process.kill()
    demo.wait(STOP_SECONDS)

    assert _gone(family, STOP_SECONDS) == []


def test_a_second_demo_in_the_same_database_is_refused(database: str) -> None:
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
    guest = urlsplit(settings.DATABASE_URL)._replace(path=f"/{database}").geturl()
    with psycopg.connect(guest):
        demo = Demo(database)
        assert demo.wait(START_SECONDS) == 1

    assert f"The database {database} is in use: another demo seems to run." in demo.text()
