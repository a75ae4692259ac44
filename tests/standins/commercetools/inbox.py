"""An HTTP address that takes what clouds push, and answers what it is told to."""

import json
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Inbox:
    """``statuses`` are answered one after another, then 204; ``origin`` is what OPTIONS allows."""

    address: str = ""
    statuses: list[int] = field(default_factory=list)
    origin: str = "eventgrid.azure.net"
    received: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    def bodies(self) -> list[Any]:
        return [json.loads(body) for _, _, body in self.received]

    def headers(self) -> dict[str, str]:
        return self.received[-1][1]

    def payloads(self) -> list[Any]:
        """What Pub/Sub messages contain."""
        return [json.loads(b64decode(body["message"]["data"])) for body in self.bodies()]


@contextmanager
def listening() -> Iterator[Inbox]:
    found = Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # noqa: N802 - the name http.server wants
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.received.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(found.statuses.pop(0) if found.statuses else 204)
            self.end_headers()

        def do_OPTIONS(self) -> None:  # noqa: N802 - the name http.server wants
            self.send_response(200)
            self.send_header("WebHook-Allowed-Origin", found.origin)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    found.address = f"http://127.0.0.1:{server.server_port}/in"
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
