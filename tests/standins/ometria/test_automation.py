"""The webhook step of an automation: called when people say something, unsigned, once."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import orjson
import pytest

TEMPLATE = '{"email": "{{ profile.email }}", "marketing_optin": "{{ profile.marketing_optin }}", "none": "{{ profile.firstname }}"}'


@pytest.fixture
def merchant() -> Any:
    """An address that notes what it is told, and its notes."""
    told: list[tuple[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # noqa: N802 - the name http.server calls
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.append((self.headers["X-Switchyard-Key"], orjson.loads(body)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/", told
    server.shutdown()
    server.server_close()
    thread.join(5)


def test_people_who_say_something_are_told_with_the_template_filled_in(api, stand_in, contact, merchant):
    url, told = merchant
    api.act("/automation", url=url, headers={"X-Switchyard-Key": "word"}, body=TEMPLATE)
    api.push(contact())
    api.act("/unsubscribe", email="ada@example.com")
    assert stand_in.wait_sent()
    api.act("/automation")
    api.act("/preference", email="ada@example.com", marketing_optin="EXPLICITLY_OPTEDIN")
    assert stand_in.wait_sent()

    ((key, body),) = told
    assert (key, body["email"], body["marketing_optin"]) == ("word", "ada@example.com", "false")
    assert stand_in.automations.answers == [200]


def test_an_address_that_does_not_answer_is_tried_once(api, stand_in, contact):
    api.act("/automation", url="http://127.0.0.1:9/", body=TEMPLATE)
    api.push(contact())
    api.act("/unsubscribe", email="ada@example.com")
    assert stand_in.wait_sent()

    assert stand_in.automations.answers == ["ConnectionError"]
