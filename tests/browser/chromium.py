"""Chromium for the browser tests and the screenshots: where it is, how it is started, and what a page may ask for."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Request, sync_playwright

# the same as in scripts/chromium
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-dev-shm-usage", "--no-proxy-server",
]  # fmt: skip
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
SCHEMES = ("light", "dark")
LOOPBACK = {"127.0.0.1", "localhost"}


def find_chromium() -> str | None:
    """The path of the system's Chromium; None when there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@contextmanager
def open_browser(playwright: Playwright | None = None) -> Iterator[Browser]:
    """A headless browser with a profile of its own."""
    path = find_chromium()
    if playwright is not None:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()
        return
    with sync_playwright() as own, open_browser(own) as browser:
        yield browser


def open_context(browser: Browser, *, scheme: str = "light", size: dict[str, int] | None = None, url: str = "") -> BrowserContext:
    """A fresh visitor, who sees no animation and waits twenty seconds at most."""
    context = browser.new_context(
        base_url=url or None, viewport=size or DESK, color_scheme=scheme, reduced_motion="reduce", locale="en-GB", timezone_id="UTC"
    )
    context.set_default_timeout(20_000)
    return context


def strangers(page: Page) -> list[str]:
    """A list that fills with the addresses of other hosts that the page asks for."""
    asked: list[str] = []

    def note(request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in LOOPBACK:
            asked.append(request.url)

    page.on("request", note)
    return asked


def overflow(page: Page) -> list[str]:
    """What makes the page wider than its window, as "tag.class: width > room"; tables and code that scroll inside their frame are fine."""
    return page.evaluate(OVERFLOW)


OVERFLOW = """() => {
    const scrolls = (node) => ['auto', 'scroll'].includes(getComputedStyle(node).overflowX);
    const meant = (node) => node.closest('.sy-scroll, .sy-code, pre, textarea, input, select, [data-simplebar]');
    const wide = [...document.querySelectorAll('*')].filter((node) => node.scrollWidth > node.clientWidth + 1
        && (node === document.documentElement || (scrolls(node) && !meant(node))));
    if (!wide.length) return [];
    const room = document.documentElement.clientWidth;
    const inside = [...document.body.querySelectorAll('*')].filter((node) => node.getBoundingClientRect().right > room + 1 && !meant(node));
    return [...wide, ...inside.slice(-4)].map((node) => `${node.tagName}.${node.className}: ${node.scrollWidth} > ${node.clientWidth}`);
}"""
