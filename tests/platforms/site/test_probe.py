"""The test call of a site looks at its start page and at the settings."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from integrations.platforms.base import Account, Probe, Unpaced
from integrations.platforms.errors import Misconfigured, TryLater
from integrations.platforms.site import PLATFORM

SCRIPT = '<script async src="https://console.example.com/static/collector/collector.js" data-key="k"></script>'


class Pages(BaseHTTPRequestHandler):
    """A start page, one that leads on, and one that is shut."""

    answers = {"/": (200, SCRIPT), "/bare": (200, "<h1>Shop</h1>"), "/old": (301, ""), "/shut": (401, "")}

    def do_GET(self) -> None:  # noqa: N802 - the name http.server calls
        status, text = self.answers[self.path]
        self.send_response(status)
        self.send_header("Location", "/bare")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def probe() -> Iterator[Callable[..., Probe]]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}"

        def go(path: str = "/", *, key: str = "site_demo_0123456789abcdef", **settings: Any) -> Probe:
            values = {"connection_id": 1, "platform": "site", "external_id": key, "base_url": address + path, "settings": settings}
            return PLATFORM.probe(PLATFORM.connect(Account(**values), Unpaced()))

        yield go
        server.shutdown()


def test_a_site_that_carries_the_script_works(probe):
    found = probe(allowed_origins=["https://www.example.com"])
    assert (found.ok, found.problems, found.facts["Script on the start page"]) == (True, (), "yes")


@pytest.mark.parametrize(
    ("path", "settings", "said"),
    [
        ("/bare", {}, "does not name collector/collector.js"),
        ("/old", {}, "leads on to another page"),
        ("/shut", {}, "answered 401"),
        ("/", {"key": "short"}, "The site key is short"),
        ("/", {"allowed_origins": ["www.example.com"]}, "is no origin"),
        ("/", {"allowed_origins": ["http://www.example.com"]}, "is no origin"),
    ],
)
def test_what_is_wrong_is_said_with_its_remedy(probe, path, settings, said):
    found = probe(path, **settings)
    assert found.ok is False
    assert said in " ".join(found.problems)


def test_a_site_that_does_not_answer_is_tried_later():
    account = Account(connection_id=1, platform="site", external_id="k", base_url="http://127.0.0.1:9")
    with pytest.raises(TryLater):
        PLATFORM.probe(PLATFORM.connect(account, Unpaced()))


def test_a_setting_that_is_no_number_is_said_in_one_sentence(probe):
    with pytest.raises(Misconfigured, match='"Calls a second from the whole site" must be a number.'):
        probe(calls_per_second="many")
