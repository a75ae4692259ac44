"""What a platform client's session makes of the answers that a network brings: whole, packed, cut short, far too long, or none."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from integrations.platforms import http
from integrations.platforms.errors import Reconnect, Refused, SlowDown, TryLater
from integrations.platforms.http import HttpSession


class Answers(BaseHTTPRequestHandler):
    """Answers by path, and remembers what was asked."""

    protocol_version = "HTTP/1.1"
    asked: list[tuple[str, str, str, bytes]]

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:  # noqa: N802 - the library's name
        path = self.path.partition("?")[0]
        size = int(self.headers.get("Content-Length") or 0)
        type(self).asked.append((self.command, self.path, self.headers.get("X-Key", ""), self.rfile.read(size)))
        status, headers, body = {
            "/base/packed": (200, {"Content-Encoding": "gzip"}, gzip.compress(b'{"packed": true}')),
            "/base/broken": (200, {"Content-Encoding": "gzip"}, b"no gzip at all"),
            "/base/short": (200, {"Content-Length": "500"}, b'{"half":'),
            "/base/long": (200, {}, b"[" + b"1," * 2000 + b"1]"),
            "/base/moved": (302, {"Location": "/base/whole"}, b""),
            "/base/shut": (401, {}, b'{"message": "who are you"}'),
            "/base/slow": (429, {"Retry-After": "7"}, b""),
            "/base/text": (200, {}, b"<html>"),
            "/base/empty": (204, {}, b""),
        }.get(path, (200, {"x-request-id": "r-1"}, b'{"whole": true}'))
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = path == "/base/short"

    do_POST = do_GET  # noqa: N815 - the library's name


@pytest.fixture
def session() -> Iterator[HttpSession]:
    Answers.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield HttpSession(f"http://127.0.0.1:{server.server_port}/base/", {"X-Key": "first"})
    server.shutdown()
    server.server_close()


def test_answers_are_parsed_and_packed_ones_unpacked(session: HttpSession) -> None:
    whole = session.get("/whole")
    assert (whole.status, whole.json, whole.request_id, whole.headers["Content-length"]) == (200, {"whole": True}, "r-1", "15")
    assert session.get("/packed").json == {"packed": True}
    assert session.get("/empty").json is None


def test_what_is_asked_arrives_as_it_was_meant(session: HttpSession) -> None:
    session.get("/whole", params={"email": "a+b@example.com", "none": None, "id": ["1", "2"]})
    session.set_header("X-Key", "second")
    session.post("/whole", form={"grant_type": "client credentials"})
    session.post("/whole", json={"a": "ü"})
    assert Answers.asked == [
        ("GET", "/base/whole?email=a%2Bb%40example.com&id=1&id=2", "first", b""),
        ("POST", "/base/whole", "second", b"grant_type=client+credentials"),
        ("POST", "/base/whole", "second", '{"a":"ü"}'.encode()),
    ]


@pytest.mark.parametrize("path", ["/short", "/broken", "/long", "/text"])
def test_an_answer_that_cannot_be_read_is_asked_for_later_and_spoils_no_other(
    session: HttpSession, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "MAX_BODY", 1000)
    with pytest.raises(TryLater):
        session.get(path)
    assert session.get("/whole").json == {"whole": True}


def test_a_redirect_is_not_followed_and_a_status_chooses_the_family(session: HttpSession) -> None:
    with pytest.raises(Refused, match="HTTP 302"):
        session.get("/moved")
    with pytest.raises(Reconnect, match="who are you"):
        session.get("/shut")
    with pytest.raises(SlowDown) as slow:
        session.get("/slow")
    assert (slow.value.seconds, slow.value.stated) == (7.0, True)


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "http://", "", "http://not a host/"])
def test_nobody_there_is_a_reason_to_try_later(address: str) -> None:
    with pytest.raises(TryLater, match="no answer"):
        HttpSession(address, {}).get("/whole")
