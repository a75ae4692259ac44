"""The script on a page of the merchant's: what a visitor does reaches the inbox after consent, survives outages and page changes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest
from playwright.sync_api import Browser, Page

from integrations.models import Connection, InboxEvent
from tests.browser.chromium import open_context, strangers
from tests.conftest import RouteB
from tests.journeys.site import KEY, Site, lay_out_site

pytestmark = [pytest.mark.browser, pytest.mark.journey]
SCRIPT = Path(__file__).parents[2] / "static" / "collector" / "collector.js"
HTML = """<!doctype html><html lang="en"><title>Shop</title><h1>Shop</h1>
<script>window.switchyard = window.switchyard || function () {{ (switchyard.q = switchyard.q || []).push(arguments) }};
switchyard('view', {{ sku: 'SHOE-42', name: 'Schuh “Größe 42”', price: 20, currency: 'GBP' }});</script>
<script async src="{console}/static/collector/collector.js" data-key="{key}"></script></html>"""


@pytest.fixture
def shop(web: str) -> Iterator[str]:
    """The address of a shop whose every page carries the script."""
    page = HTML.format(console=web, key=KEY).encode()

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # noqa: N802 - the name http.server calls
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture
def site(route_b: RouteB, shop: str) -> Site:
    return lay_out_site(route_b, shop)


@pytest.fixture
def visitor(browser: Browser, shop: str) -> Iterator[Page]:
    """A window on the shop; at the end nothing foreign was asked, no cookie was set and no script failed."""
    context = open_context(browser, url=shop)
    page = context.new_page()
    foreign, faults = strangers(page), []
    page.on("pageerror", lambda error: faults.append(error.message))
    yield page
    cookies = context.cookies()
    context.close()
    assert (foreign, faults, cookies) == ([], [], [])


def inbox() -> list[dict[str, Any]]:
    return [orjson.loads(row.body) for row in InboxEvent.objects.filter(connection__platform="site").order_by("occurred_at", "id")]


def until(count: int, seconds: float = 15) -> list[dict[str, Any]]:
    """The events in the inbox, once there are so many."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if len(inbox()) >= count:
            break
        time.sleep(0.05)
    return inbox()


def tell(page: Page) -> Callable[..., None]:
    page.wait_for_function("!window.switchyard.q")  # the script has taken over from its stub
    return lambda *call: page.evaluate("call => window.switchyard(...call)", list(call))


def test_the_script_is_at_most_4_kilobytes_and_evaluates_nothing() -> None:
    text = SCRIPT.read_text()
    assert len(text.encode()) <= 4096
    assert not any(word in text for word in ("eval", "Function(", "cookie =", "innerHTML", "document.write"))


def test_a_visit_is_told_in_order_with_campaign_and_one_visitor(site: Site, visitor: Page) -> None:
    visitor.goto("/products/shoe?ttclid=E.C.P.demo&utm_source=tiktok&email=ada@example.com")
    say = tell(visitor)
    say("consent", True)
    say("cart", {"sku": "SHOE-42", "name": "Shoe", "quantity": 2})
    say("identify", {"email": "ada@example.com", "customer_id": 7001, "loyalty": "gold"})
    say("checkout", {"checkout_id": "c-1", "total": 40, "currency": "GBP", "lines": [{"sku": "SHOE-42", "quantity": 2}]})
    say("purchase", {"order_id": "5001", "checkout_id": "c-1"})
    events = until(5)

    assert [event["type"] for event in events] == ["product_viewed", "added_to_cart", "identified", "checkout_started", "purchased"]
    assert len({event["anonymous_id"] for event in events}) == 1
    assert len({event["event_id"] for event in events}) == 5
    assert {tuple(event["campaign"].items()) for event in events} == {(("ttclid", "E.C.P.demo"), ("utm_source", "tiktok"))}
    assert {event["page"] for event in events} == {f"{site.connection.base_url}/products/shoe"}
    assert [event.get("email", "") for event in events] == ["", "", *["ada@example.com"] * 3]
    assert (events[0]["data"], events[4]["customer_id"]) == (
        {"sku": "SHOE-42", "name": "Schuh “Größe 42”", "price": "20", "currency": "GBP"}, "7001",
    )  # fmt: skip


def test_before_consent_nothing_is_sent_and_nothing_is_kept(site: Site, visitor: Page) -> None:
    visitor.goto("/")
    tell(visitor)("cart", {"sku": "SHOE-42", "name": "Shoe"})
    visitor.wait_for_timeout(1500)
    visitor.goto("/next")
    tell(visitor)
    assert visitor.evaluate("localStorage.length") == 0
    assert inbox() == []


def test_a_withdrawn_consent_forgets_the_visitor_and_what_was_not_sent(site: Site, visitor: Page) -> None:
    visitor.goto("/")
    say = tell(visitor)
    say("consent", True)
    first = until(1)
    say("cart", {"sku": "SHOE-42", "name": "Shoe"})
    say("consent", False)
    say("cart", {"sku": "SHOE-42", "name": "Shoe"})
    visitor.wait_for_timeout(1500)
    assert visitor.evaluate("localStorage.length") == 0
    assert len(inbox()) == 1

    say("consent", True)
    say("cart", {"sku": "SHOE-42", "name": "Shoe"})
    assert until(2)[1]["anonymous_id"] != first[0]["anonymous_id"]


def test_the_next_page_is_the_same_visitor_and_what_was_told_last_is_not_lost(site: Site, visitor: Page) -> None:
    visitor.goto("/?utm_source=tiktok")
    say = tell(visitor)
    say("consent", True)
    say("cart", {"sku": "SHOE-42", "name": "Shoe"})
    visitor.goto("/checkout")  # at once, before the script's pause is over
    tell(visitor)
    events = until(3)
    assert [event["type"] for event in events] == ["product_viewed", "added_to_cart", "product_viewed"]
    assert len({event["anonymous_id"] for event in events}) == 1
    assert {event["campaign"]["utm_source"] for event in events} == {"tiktok"}


def test_what_could_not_be_sent_is_sent_when_the_console_is_back(site: Site, visitor: Page) -> None:
    visitor.route("**/hooks/site/", lambda route: route.abort())
    visitor.goto("/")
    tell(visitor)("consent", True)
    visitor.wait_for_timeout(1500)
    assert inbox() == []
    visitor.unroute("**/hooks/site/")
    assert [event["type"] for event in until(1)] == ["product_viewed"]


def test_what_the_console_refuses_is_not_sent_for_ever(site: Site, visitor: Page) -> None:
    Connection.objects.filter(pk=site.connection.pk).update(settings={"allowed_origins": ["https://www.example.com"]})
    asked: list[str] = []
    visitor.on("request", lambda request: asked.append(request.url) if "/hooks/" in request.url else None)
    visitor.goto("/")
    tell(visitor)("consent", True)
    visitor.wait_for_timeout(5000)
    assert 1 <= len(asked) <= 2
    assert inbox() == []
