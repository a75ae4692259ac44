"""The few addresses a door may call: signing keys, certificates and confirmations, on known hosts only, briefly and never redirected."""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import urlsplit

import requests

from integrations.platforms.errors import TryLater

CONNECT_SECONDS, READ_SECONDS, WHOLE_SECONDS = 2.0, 4.0, 8.0
MAX_BODY = 256 * 1024
SHORTEST, LONGEST = 60.0, 86_400.0  # seconds a document is trusted, whatever its host says
FAILED_SECONDS = 5.0  # an address that failed is not asked again before
AGAIN_SECONDS = 30.0  # nor is one that was just read asked for what it did not hold
MOST_ADDRESSES, MOST_CALLS, PER_SECONDS = 50, 20, 60.0
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
Content = TypeVar("Content")
_MAX_AGE = re.compile(r"max-age\s*=\s*\"?([0-9]{1,9})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What an address answered, and for how many seconds its host lets it be kept (0 where it does not say)."""

    body: bytes
    max_age: float = 0.0


def permitted(url: str, hosts: re.Pattern[str], named: Collection[str] = ()) -> bool:
    """Whether a door may call: https at a host of the pattern, or a host (with port) that the connection's settings name.

    Plain http is for hosts on this machine only, and those must be named.
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return False
    if not url.isascii() or any(sign <= " " or sign == "\\" for sign in url) or "@" in parts.netloc or parts.fragment or not host:
        return False
    if parts.netloc.lower() in {name.lower() for name in named}:
        return parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)
    return parts.scheme == "https" and port in (None, 443) and hosts.fullmatch(host) is not None


def fetch(url: str) -> Fetched:
    """GET a small document; raises TryLater for anything but a prompt 200 from the very address."""
    began = time.monotonic()
    try:
        with requests.Session() as session:
            session.trust_env = False
            with session.get(url, timeout=(CONNECT_SECONDS, READ_SECONDS), allow_redirects=False, stream=True) as answer:
                if answer.status_code != 200:
                    raise TryLater(f"{urlsplit(url).hostname} answered {answer.status_code}", status=answer.status_code)
                body = b""
                for part in answer.iter_content(16 * 1024):
                    body += part
                    if len(body) > MAX_BODY or time.monotonic() - began > WHOLE_SECONDS:
                        raise TryLater(f"{urlsplit(url).hostname} answered too much or too slowly")
                said = _MAX_AGE.search(answer.headers.get("Cache-Control", ""))
    except requests.RequestException as fault:
        raise TryLater(f"no answer from {urlsplit(url).hostname}: {type(fault).__name__}", code="network") from fault
    return Fetched(body, float(said.group(1)) if said else 0.0)


@dataclass(frozen=True, slots=True)
class Held(Generic[Content]):
    """A document as it was read, until when it is trusted, and when it was asked for (both monotonic)."""

    content: Content | None
    until: float
    asked_at: float


@dataclass(slots=True)
class Shelf(Generic[Content]):
    """Documents of other hosts, each read by one thread once in its lifetime; what fails or lacks something is not asked at once again.

    `read` turns the bytes into what is kept and raises ValueError for bytes it cannot read. Callers can make this machine call out, so
    the calls of a minute are counted; over the share, and for whatever cannot be had now, TryLater is raised.
    """

    read: Callable[[bytes], Content]
    fetch: Callable[[str], Fetched] = fetch
    clock: Callable[[], float] = time.monotonic
    _held: dict[str, Held[Content]] = field(default_factory=dict)
    _calls: list[float] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def kept(self, url: str) -> Content | None:
        """What is held and still trusted; never calls."""
        held = self._held.get(url)
        return held.content if held is not None and self.clock() < held.until else None

    def may_ask_again(self, url: str) -> bool:
        """Whether the last reading is old enough to look whether it holds more by now."""
        held = self._held.get(url)
        return held is None or self.clock() - held.asked_at >= (FAILED_SECONDS if held.content is None else AGAIN_SECONDS)

    def get(self, url: str, lacks: Callable[[Content], bool] = lambda content: False) -> Content:
        """The document, read again when it is too old, or when it `lacks` what is sought and may be asked again; raises TryLater."""
        content = self.kept(url)
        if content is not None and not (lacks(content) and self.may_ask_again(url)):
            return content  # without the lock: whoever reads an address meanwhile keeps nobody waiting
        with self._lock:
            content = self.kept(url)
            if content is not None and not (lacks(content) and self.may_ask_again(url)):
                return content  # another thread read it
            if content is None and not self.may_ask_again(url):
                raise TryLater(f"{urlsplit(url).hostname} could not be read a moment ago")
            return self._ask(url)

    def _ask(self, url: str) -> Content:
        now = self.clock()
        self._calls = [call for call in self._calls if now - call < PER_SECONDS]
        if len(self._calls) >= MOST_CALLS:
            raise TryLater("too many addresses were read in a minute")
        self._calls.append(now)
        if url not in self._held and len(self._held) >= MOST_ADDRESSES:
            self._held.clear()
        try:
            answer = self.fetch(url)
            content = self.read(answer.body)
        except (TryLater, ValueError) as fault:
            held = self._held.get(url)
            self._held[url] = Held(held.content if held else None, held.until if held else -math.inf, now)
            raise fault if isinstance(fault, TryLater) else TryLater(f"{urlsplit(url).hostname} answered nothing readable") from fault
        self._held[url] = Held(content, now + min(LONGEST, max(SHORTEST, answer.max_age or SHORTEST)), now)
        return content
