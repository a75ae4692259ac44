"""One signed call to a webhook target: to a checked address, without redirects, in bounded time; the answer's body is not kept."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests.certs

from monitoring.alerts import guard, signing
from monitoring.alerts.outcome import Outcome
from monitoring.alerts.signing import BadSecret

CONNECT_SECONDS, SECONDS = 5.0, 20.0  # Standard Webhooks recommends 15 to 30 seconds in all
LONGEST_WAIT = 24 * 3600.0
GONE, BUSY = 410, (429, 502, 503, 504)


def post(url: str, secrets: Sequence[str], uid: str, body: bytes) -> Outcome:
    """Send once and say what came of it; nothing is raised."""
    started = time.monotonic()
    try:
        place = guard.place_of(url)
        signed = signing.headers(secrets, uid, int(time.time()), body)
        status, retry_after = _call(place, body, signed)
    except (guard.Forbidden, BadSecret) as fault:
        return Outcome(False, str(fault), ms=_ms(started))
    except (OSError, ValueError, http.client.HTTPException) as fault:
        return Outcome(False, f"No answer: {_plain(fault, time.monotonic() - started)}.", ms=_ms(started))
    return _judged(status, retry_after, _ms(started))


def _call(place: guard.Place, body: bytes, signed: dict[str, str]) -> tuple[int, str]:
    """The call itself: status and Retry-After. The socket goes to the checked address; the certificate must be that of the host.

    However slowly a receiver drips its answer, the socket is closed after SECONDS. What it says beside its status is not read.
    """
    headers = {"Host": place.header, "Content-Type": "application/json", "User-Agent": "Switchyard-Alerts/1.0", **signed}
    ends = time.monotonic() + SECONDS
    caller = http.client.HTTPConnection(place.host, place.port)
    with socket.create_connection((place.address, place.port), timeout=CONNECT_SECONDS) as plain, plain.dup() as handle:
        plain.settimeout(SECONDS)
        limit = threading.Timer(SECONDS, _cut, [handle])  # the handle ends the connection however it is wrapped meanwhile
        limit.start()
        try:
            caller.sock = _secured(plain, place.host) if place.scheme == "https" else plain
            caller.request("POST", place.path, body=body, headers={**headers, "Connection": "close"})
            answer = caller.getresponse()
            if time.monotonic() >= ends:
                raise TimeoutError
            return answer.status, answer.headers.get("Retry-After", "")
        finally:
            limit.cancel()
            caller.close()


def _secured(plain: socket.socket, host: str) -> ssl.SSLSocket:
    return ssl.create_default_context(cafile=requests.certs.where()).wrap_socket(plain, server_hostname=host)


def _cut(handle: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it has ended by itself meanwhile
        handle.shutdown(socket.SHUT_RDWR)


def _judged(status: int, retry_after: str, ms: int) -> Outcome:
    """What an answer means, by the specification's table."""
    if 200 <= status < 300:
        return Outcome(True, f"Taken (HTTP {status}).", status=status, ms=ms)
    if status == GONE:
        return Outcome(False, "The receiver says that it wants no more (HTTP 410).", status=status, ms=ms, gone=True)
    if 300 <= status < 400:
        return Outcome(False, f"The receiver points elsewhere (HTTP {status}); redirects are not followed.", status=status, ms=ms)
    wait = _wait(retry_after) if status in BUSY else None
    return Outcome(False, f"Refused (HTTP {status}).", status=status, ms=ms, wait=wait)


def _wait(said: str) -> float | None:
    """Seconds the receiver asks us to wait, from a number or a date; None when it says nothing."""
    if not said:
        return None
    try:
        seconds = float(said)
    except ValueError:
        try:
            moment = parsedate_to_datetime(said)
        except ValueError:
            return None
        seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return min(LONGEST_WAIT, max(0.0, seconds))


def _plain(fault: Exception, seconds: float) -> str:
    """The kind of fault in words, without addresses or what the receiver said."""
    if seconds >= SECONDS:
        return f"nothing came back within {SECONDS:.0f} seconds"
    for kind, words in FAULTS:
        if isinstance(fault, kind):
            return words
    return type(fault).__name__


FAULTS: tuple[tuple[type[Exception], str], ...] = (
    (ssl.SSLCertVerificationError, "the certificate is not valid, or not that of the host"),
    (ssl.SSLError, "no secure connection came about"),
    (TimeoutError, f"not connected within {CONNECT_SECONDS:.0f} seconds"),
    (ConnectionRefusedError, "nobody listens there"),
    (ConnectionError, "the connection broke off"),
    (http.client.HTTPException, "what came back is no HTTP answer"),
)


def _ms(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
