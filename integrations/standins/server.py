"""A small threaded HTTP/1.1 server for the stand-ins: keep-alive, no Nagle delay, able to cut and drop answers."""

import socket
import struct
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from io import BufferedReader, BytesIO
from types import TracebackType
from typing import Self
from urllib.parse import unquote_to_bytes

from integrations.standins.application import Application, ConnectionDropped
from integrations.standins.wire import StandIn

MAX_LINE = 65_536
MAX_BODY = 64 * 1024 * 1024
# linger on, zero seconds: closing sends a reset instead of a goodbye
RESET = struct.pack("ii", 1, 0)
UNPREFIXED = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


class BadRequest(Exception):  # noqa: N818 - the HTTP name
    """What arrived is not HTTP this server speaks; the message is the status line to answer."""


class StandInServer:
    """Serves stand-ins on loopback from background threads, one per connection."""

    def __init__(self, stand_ins: Sequence[StandIn], *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.application = Application(stand_ins)
        self._address = (host, port)
        self._listener: socket.socket | None = None
        self._lock = threading.Lock()
        self._open: dict[socket.socket, threading.Thread] = {}
        self._acceptor: threading.Thread | None = None

    def start(self) -> None:
        """Bind and serve; raises OSError when the port is taken."""
        self._listener = socket.create_server(self._address, backlog=256)
        self._address = self._listener.getsockname()[:2]
        self._acceptor = threading.Thread(target=self._accept, args=(self._listener,), name="stand-ins", daemon=True)
        self._acceptor.start()

    def stop(self) -> None:
        """Close the stand-ins, every connection and every thread; safe to call twice."""
        self.application.close()
        if self._listener is None or self._acceptor is None:
            return
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join(5)
        with self._lock:
            remaining = dict(self._open)
        for connection in remaining:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in remaining.values():
            thread.join(5)
        self._listener = self._acceptor = None

    def url(self, slug: str) -> str:
        """Base address of one stand-in, without a slash at the end."""
        return f"http://{self._address[0]}:{self._address[1]}/{slug}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:  # closed by stop
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            with self._lock:
                self._open[connection] = thread
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rb") as stream:
                while _exchange(connection, stream, self.application):
                    pass
        except OSError:  # the client went away, or stop() closed the connection
            pass
        finally:
            with self._lock:
                self._open.pop(connection, None)


def _exchange(connection: socket.socket, stream: BufferedReader, application: Application) -> bool:
    """One request and its answer; True when the connection stays open."""
    try:
        environ = _read_request(connection, stream)
    except BadRequest as refusal:
        connection.sendall(f"HTTP/1.1 {refusal}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode("latin-1"))
        return False
    if environ is None:
        return False
    head: list[str] = []

    def start_response(status: str, headers: list[tuple[str, str]]) -> None:
        head.append(f"HTTP/1.1 {status}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers))

    try:
        chunks = application(environ, start_response)
        body = b"".join(chunks) if isinstance(chunks, list) else None
    except ConnectionDropped:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        return False
    keep = environ["SERVER_PROTOCOL"] != "HTTP/1.0" and environ.get("HTTP_CONNECTION", "").lower() != "close"
    if body is None:
        return _stream(connection, head[0], chunks, keep=keep)
    complete = f"Content-Length: {len(body)}\r\n" in head[0]
    ending = "\r\n" if keep and complete else "Connection: close\r\n\r\n"
    sent = b"" if environ["REQUEST_METHOD"] == "HEAD" else body
    connection.sendall((head[0] + ending).encode("latin-1") + sent)
    return keep and complete


def _stream(connection: socket.socket, head: str, chunks: Iterable[bytes], *, keep: bool) -> bool:
    """Send an answer piece by piece; True when all of what was declared went out and the connection stays open."""
    ending = "\r\n" if keep else "Connection: close\r\n\r\n"
    connection.sendall((head + ending).encode("latin-1"))
    sent = 0
    for chunk in chunks:
        connection.sendall(chunk)
        sent += len(chunk)
    return keep and f"Content-Length: {sent}\r\n" in head


def _read_request(connection: socket.socket, stream: BufferedReader) -> dict | None:
    """The next request as a WSGI environ, or None at the end of the connection; raises BadRequest."""
    line = stream.readline(MAX_LINE)
    if not line.strip():
        return None
    parts = line.decode("latin-1").split()
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise BadRequest("400 Bad Request")
    target = parts[1] if parts[1].startswith("/") else "/" + parts[1].split("/", 3)[-1]
    path, _, query = target.partition("?")
    environ = {
        "REQUEST_METHOD": parts[0],
        "RAW_URI": target,
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_PROTOCOL": parts[2],
        "wsgi.url_scheme": "http",
        "wsgi.multithread": True,
    }
    _read_headers(stream, environ)
    environ["wsgi.input"] = BytesIO(_read_body(connection, stream, environ))
    return environ


def _read_headers(stream: BufferedReader, environ: dict) -> None:
    while True:
        line = stream.readline(MAX_LINE)
        if line in (b"\r\n", b"\n", b""):
            return
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon:
            raise BadRequest("400 Bad Request")
        name = name.strip().lower()
        environ[UNPREFIXED.get(name) or "HTTP_" + name.upper().replace("-", "_")] = value.strip()


def _read_body(connection: socket.socket, stream: BufferedReader, environ: dict) -> bytes:
    if "HTTP_TRANSFER_ENCODING" in environ:
        raise BadRequest("411 Length Required")
    declared = environ.get("CONTENT_LENGTH") or "0"
    if not declared.isdigit():
        raise BadRequest("400 Bad Request")
    length = int(declared)
    if length > MAX_BODY:
        raise BadRequest("413 Content Too Large")
    if environ.get("HTTP_EXPECT", "").lower() == "100-continue":
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = stream.read(length) if length else b""
    if len(body) < length:
        raise BadRequest("400 Bad Request")
    return body
