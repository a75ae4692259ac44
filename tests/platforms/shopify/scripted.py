"""A server on loopback that answers what a test has written down, for answers no well-behaved platform gives."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson


class Script:
    """Answers in order; the last one is repeated. `calls` holds (method, path, headers, body) of what came in."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        self.calls: list[tuple[str, str, dict[str, str], bytes]] = []
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:  # noqa: N802 - named by the library
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                script.calls.append((self.command, self.path, {key.lower(): value for key, value in self.headers.items()}, body))
                status, headers, answer = script.answers.pop(0) if len(script.answers) > 1 else script.answers[0]
                self.send_response(status)
                for name, value in {"Content-Length": str(len(answer)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def then(self, payload: Any = None, status: int = 200, raw: bytes | None = None, **headers: str) -> Script:
        """Write down one more answer; underscores in header names become dashes."""
        body = raw if raw is not None else orjson.dumps(payload)
        self.answers.append((status, {name.replace("_", "-"): value for name, value in headers.items()}, body))
        return self

    def sent(self, index: int = -1) -> Any:
        """The JSON of a call that came in."""
        return orjson.loads(self.calls[index][3])

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
