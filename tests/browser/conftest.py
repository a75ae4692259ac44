"""A browser for the console, people who sign in, and a crew that works in this process when a test says so."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page

from integrations.engine import accounts, pull
from integrations.engine.outbox import Cause, enqueue
from integrations.models import Checkpoint
from mapping.records import Record
from tests.browser.chromium import DESK, find_chromium, open_browser, open_context, strangers
from tests.conftest import RouteB, connect_route_b
from tests.rows import PASSWORD, make_person

WHY_SKIPPED = "no Chromium is installed (on Debian, as root: apt-get install chromium-headless-shell)"
PULL_SECONDS = 30


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium. Playwright keeps a loop in this thread, so Django is told that nothing here is asynchronous."""
    if find_chromium() is None:
        (pytest.fail if os.environ.get("REQUIRE_BROWSER") else pytest.skip)(WHY_SKIPPED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        with open_browser() as opened:
            yield opened


@dataclass(slots=True)
class Visitor:
    """One person in front of one window; counts clicks, and remembers what the pages did wrong."""

    page: Page
    clicks: int = 0
    strangers: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        """Go to an address."""
        self.page.goto(path)

    def click(self, name: str, *, role: str = "link", within: str = "body", first: bool = False) -> None:
        """Click the one thing of that name."""
        found = self.page.locator(within).get_by_role(role, name=name, exact=True)
        (found.first if first else found).click()
        self.clicks += 1

    def press(self, name: str, *, within: str = "body") -> None:
        """Click the one button of that name, and say yes if it asks back."""
        self.page.once("dialog", lambda dialog: dialog.accept())
        self.click(name, role="button", within=within)

    def sign_in(self, username: str) -> None:
        """Through the real sign-in page."""
        self.open("/")
        self.page.get_by_label("Username").fill(username)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.press("Sign in")

    def reads(self, text: str, *, within: str = "body", seconds: float = 10.0) -> None:
        """Wait until the page says so where it can be seen."""
        self.page.locator(within).get_by_text(text).filter(visible=True).first.wait_for(timeout=seconds * 1000)


@pytest.fixture
def visit(browser: Browser, live_server: Any, settings: Any) -> Iterator[Callable[..., Visitor]]:
    """Opens windows; at the end no page may have asked another host, thrown a script error or broken the content policy."""
    settings.PUBLIC_URL = live_server.url
    contexts: list[BrowserContext] = []
    visitors: list[Visitor] = []

    def enter(role: str = "", *, scheme: str = "light", size: dict[str, int] | None = None) -> Visitor:
        context = open_context(browser, scheme=scheme, size=size or DESK, url=live_server.url)
        contexts.append(context)
        visitor = Visitor(context.new_page())
        visitor.strangers = strangers(visitor.page)
        visitor.page.on("pageerror", lambda error: visitor.faults.append(f"{visitor.page.url}: {error.message}"))
        visitor.page.on("console", lambda said: _note(visitor, said.type, said.text))
        visitors.append(visitor)
        if role:
            context.add_cookies([{"name": "sessionid", "value": _session(role), "url": live_server.url}])
        return visitor

    yield enter
    for context in contexts:
        context.close()
    assert [address for visitor in visitors for address in visitor.strangers] == []
    assert [fault for visitor in visitors for fault in visitor.faults] == []


def _note(visitor: Visitor, kind: str, text: str) -> None:
    if kind == "error" and "status of 4" not in text:  # a refused page is what some tests ask for
        visitor.faults.append(f"{visitor.page.url}: {text}")


def _session(role: str) -> str:
    client = Client()
    client.force_login(person(role), backend="django.contrib.auth.backends.ModelBackend")
    return client.cookies["sessionid"].value


def person(role: str) -> User:
    """Somebody with that role, whose password the form takes."""
    return User.objects.filter(username=role).first() or make_person(role, password=PASSWORD)


@pytest.fixture
def fed_route(stand_ins: Any, transactional_db: None) -> Iterator[RouteB]:
    """Shopify → Ometria without webhooks: records are put into the outbox by `arrive`, and what goes out reaches the stand-in."""
    accounts._clients.clear()
    route = connect_route_b(stand_ins)
    yield route
    route.http.close()
    accounts._clients.clear()


def arrive(route: RouteB, *records: Record) -> None:
    """These records came in from the shop a moment ago."""
    enqueue(route.source, records, cause=Cause.WEBHOOK)


@pytest.fixture
def work(route_b: RouteB) -> Callable[..., None]:
    """What the workers would do now: read what is asked for, process, deliver, confirm."""

    def run(*, quiet: bool = True) -> None:
        for pk in Checkpoint.objects.filter(purpose="backfill", state__in=["waiting", "running"]).values_list("pk", flat=True):
            until_done(pk)
        if quiet:
            route_b.run()
        else:
            route_b.pump()

    return run


def until_done(checkpoint_id: int) -> None:
    """Read one backfill to its end."""
    until = time.monotonic() + PULL_SECONDS
    while Checkpoint.objects.filter(pk=checkpoint_id, state__in=["waiting", "running"]).exists():
        assert time.monotonic() < until, f"backfill {checkpoint_id} did not end"
        pull.run_pull(checkpoint_id)
        time.sleep(0.05)
