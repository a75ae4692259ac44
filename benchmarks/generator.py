"""The load generator, a process of its own: signed webhooks over raw keep-alive connections, bounded in count and time, loopback only.

`python -m benchmarks.generator '<Load as JSON>'` prints the result as one line of JSON. It knows nothing of the product: it signs with its
own code, ahead of the first call, so that a call costs little more than writing and reading a socket.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import selectors
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field

OK = b"HTTP/1.1 200"
END = b"\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What to send: `bodies` is a file of one body a line, of which `count` are sent, from line `skip` on, to 127.0.0.1.

    `domain` is what a call of the `platform` says of the account: the shop's domain, the app's key, the page's origin.
    """

    port: int
    bodies: str
    count: int
    secret: str
    domain: str
    run: str  # makes the event ids of this run its own
    connections: int = 64
    seconds: float = 120.0  # stop after this long, whatever is left
    skip: int = 0
    platform: str = "shopify"
    acknowledged: str = ""  # file for the event ids that were answered 200


@dataclass(slots=True)
class Sent:
    """What came of it; times in seconds, `began` on the wall clock."""

    began: float = 0.0
    elapsed: float = 0.0
    acknowledged: int = 0
    refused: int = 0
    broken: int = 0
    latencies: list[float] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class _Line:
    """One connection and the call that is under way on it."""

    socket: socket.socket
    event: str = ""
    began: float = 0.0
    answer: bytes = b""


def signed(load: Load, body: bytes, event: str) -> bytes:
    """A whole HTTP call, ready for the socket."""
    head = (
        f"POST /hooks/{_place(load)}/ HTTP/1.1\r\nHost: 127.0.0.1:{load.port}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n{HEADS[load.platform](load, body, event)}\r\n"
    )
    return head.encode() + body


def _shopify(load: Load, body: bytes, event: str) -> str:
    signature = base64.b64encode(hmac.digest(load.secret.encode(), body, hashlib.sha256)).decode()
    return (
        f"X-Shopify-Topic: orders/create\r\nX-Shopify-Shop-Domain: {load.domain}\r\nX-Shopify-API-Version: 2026-10\r\n"
        f"X-Shopify-Event-Id: {event}\r\nX-Shopify-Webhook-Id: w-{event}\r\nX-Shopify-Hmac-Sha256: {signature}\r\n"
        f"X-Shopify-Triggered-At: {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}\r\n"
    )


def _tiktok_shop(load: Load, body: bytes, event: str) -> str:
    """The body says which shop and which notification; the signature is over app key and body."""
    return f"Authorization: {hmac.digest(load.secret.encode(), load.domain.encode() + body, hashlib.sha256).hex()}\r\n"


def _site(load: Load, body: bytes, event: str) -> str:
    """A browser's call: the body holds the site's key, the page's origin is all that vouches for it."""
    return f"Origin: {load.domain}\r\n"


def _commercetools(load: Load, body: bytes, event: str) -> str:
    """Amazon EventBridge: the key that the operator set stands in a header, the project in the address."""
    return f"X-Switchyard-Key: {load.secret}\r\n"


# the header lines of each platform's calls, and the address where it is not the platform's name
HEADS: dict[str, Callable[[Load, bytes, str], str]] = {
    "shopify": _shopify, "tiktok_shop": _tiktok_shop, "site": _site, "commercetools": _commercetools,
}  # fmt: skip
PLACES = {"commercetools": "commercetools/{domain}/eventbridge"}


def _place(load: Load) -> str:
    return PLACES.get(load.platform, load.platform).format(domain=load.domain)


def run(load: Load) -> Sent:
    """Send everything over `connections` lines at once, each with one call under way at a time."""
    with open(load.bodies, "rb") as file:
        lines = [line.rstrip(b"\n") for number, line in enumerate(file) if load.skip <= number < load.skip + load.count]
    calls = [(f"{load.run}-{number}", signed(load, body, f"{load.run}-{number}")) for number, body in enumerate(lines)]
    waiting, sent, acknowledged = iter(calls), Sent(), []
    with selectors.DefaultSelector() as selector:
        for _ in range(min(load.connections, len(calls))):
            line = _Line(socket.create_connection(("127.0.0.1", load.port), timeout=10))
            line.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(line.socket, selectors.EVENT_READ, line)
        sent.began, began = time.time(), time.perf_counter()
        for key in list(selector.get_map().values()):
            _next(key.data, waiting, selector)
        while selector.get_map() and time.perf_counter() - began < load.seconds:
            for key, _ in selector.select(1.0):
                _read(key.data, sent, acknowledged, waiting, selector)
        sent.elapsed = time.perf_counter() - began
        for key in list(selector.get_map().values()):
            key.data.socket.close()
            sent.broken += 1
    sent.acknowledged = len(acknowledged)
    if load.acknowledged:
        with open(load.acknowledged, "w") as file:
            file.writelines(f"{event}\n" for event in acknowledged)
    return sent


def _next(line: _Line, waiting: Iterator[tuple[str, bytes]], selector: selectors.BaseSelector) -> None:
    """Put the next call on this line; without one, hang up."""
    call = next(waiting, None)
    if call is None:
        selector.unregister(line.socket)
        line.socket.close()
        return
    line.event, line.answer, line.began = call[0], b"", time.perf_counter()
    line.socket.sendall(call[1])


def _read(line: _Line, sent: Sent, acknowledged: list[str], waiting: Iterator[tuple[str, bytes]], selector: selectors.BaseSelector) -> None:
    try:
        data = line.socket.recv(65536)
    except OSError:
        data = b""
    if not data:
        sent.broken += 1
        selector.unregister(line.socket)
        line.socket.close()
        return
    line.answer += data
    if not _whole(line.answer):
        return
    sent.latencies.append(time.perf_counter() - line.began)
    if line.answer.startswith(OK):
        acknowledged.append(line.event)
    else:
        sent.refused += 1
    _next(line, waiting, selector)


def _whole(answer: bytes) -> bool:
    """Whether head and body have arrived, the body by its declared length or chunk by chunk."""
    head, end, body = answer.partition(END)
    if not end:
        return False
    _, declared, rest = head.lower().partition(b"\r\ncontent-length:")
    if declared:
        return len(body) >= int(rest.split(b"\r\n", 1)[0])
    return body.endswith(LAST_CHUNK)


if __name__ == "__main__":
    print(json.dumps(asdict(run(Load(**json.loads(sys.argv[1]))))))
