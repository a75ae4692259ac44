"""The one HTTP session of a platform client: time-outs, size cap, and the step from status to error family.

It stands on urllib3 itself: a client makes thousands of small calls, and `requests` spent as long on each of them as the socket did.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlencode, urlsplit

import certifi
import orjson
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, Timeout, connection_from_url
from urllib3.exceptions import DecodeError, HTTPError

from integrations.platforms.errors import PlatformError, Reconnect, Refused, SlowDown, TryLater

CONNECT_SECONDS, READ_SECONDS = 5.0, 30.0
TIMEOUT = Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
MAX_BODY = 64 * 1024 * 1024
DEFAULT_PAUSE = 1.0  # seconds to wait after a 429 that names no time

# A room's own reading of an unsuccessful answer (status, headers, body), None where the status says enough.
Judge = Callable[[int, Mapping[str, str], bytes], PlatformError | None]


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful answer; `json` is parsed already, None for an empty body."""

    status: int
    headers: Mapping[str, str]
    json: Any
    request_id: str
    ms: int


class HttpSession:
    """Calls below one base address with fixed headers; raises the error families, never follows a redirect."""

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        *,
        request_id_header: str = "X-Request-Id",
        group: str = "",
        judge: Judge | None = None,
    ) -> None:
        self._id_header, self._group, self._judge = request_id_header, group, judge
        self._headers = {"Accept": "application/json", "Accept-Encoding": "gzip, deflate", "User-Agent": "Switchyard/1.0", **headers}
        self._address = urlsplit(base_url.rstrip("/"))

    @cached_property
    def _pool(self) -> HTTPConnectionPool:
        """Connections to the one host; raises HTTPError for an address without one."""
        trusted = {"cert_reqs": "CERT_REQUIRED", "ca_certs": certifi.where()} if self._address.scheme == "https" else {}
        return connection_from_url(self._address.geturl(), maxsize=16, **trusted)

    def set_header(self, name: str, value: str) -> None:
        """Replace a header for the calls that follow, after a token was renewed."""
        self._headers = {**self._headers, name: value}

    def get(self, path: str, *, params: Mapping[str, Any] | None = None) -> Reply:
        """GET and parse JSON."""
        return self.request("GET", path, params=params)

    def post(self, path: str, *, json: Any = None, form: Mapping[str, str] | None = None) -> Reply:
        """POST JSON or a form and parse the JSON answer."""
        if form is not None:
            return self.request("POST", path, data=urlencode(form).encode(), headers={"Content-Type": "application/x-www-form-urlencoded"})
        return self.request("POST", path, data=orjson.dumps(json), headers={"Content-Type": "application/json"})

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Make the call; raises TryLater, SlowDown, Refused or Reconnect by transport fault, status and body.

        A value of None in `params` is not sent.
        """
        started = time.monotonic()
        asked = urlencode({name: value for name, value in (params or {}).items() if value is not None}, doseq=True)
        target = self._address.path + path + (f"?{asked}" if asked else "")
        try:
            response = self._pool.urlopen(
                method, target, body=data, headers={**self._headers, **(headers or {})}, timeout=TIMEOUT, retries=False, redirect=False,
                preload_content=False,
            )  # fmt: skip
            body = _read(response)
        except HTTPError as fault:
            raise TryLater(f"no answer: {type(fault).__name__}", code="network") from fault
        request_id = response.headers.get(self._id_header, "")
        if not 200 <= response.status < 300:
            own = self._judge(response.status, response.headers, body) if self._judge else None
            raise own or error_for(response, body, request_id=request_id, group=self._group)
        parsed, ms = _json(body, request_id), round((time.monotonic() - started) * 1000)
        return Reply(response.status, response.headers, parsed, request_id, ms)


def error_for(response: BaseHTTPResponse, body: bytes, *, request_id: str, group: str = "") -> PlatformError:
    """The error family of an unsuccessful answer; the message holds at most 300 characters of what the platform said."""
    status = response.status
    message = f"HTTP {status}: {_said(body)}"
    if status == 429 or (status == 503 and "Retry-After" in response.headers):
        seconds, stated = retry_after(response.headers), "Retry-After" in response.headers
        return SlowDown(message, seconds=seconds, stated=stated, group=group, status=status, code=str(status), request_id=request_id)
    if status in (401, 403):
        return Reconnect(message, status=status, code=str(status), request_id=request_id)
    if status in (408, 423, 425) or status >= 500:
        return TryLater(message, status=status, code=str(status), request_id=request_id)
    return Refused(message, status=status, code=str(status), request_id=request_id)


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds the platform asks us to wait, from seconds (fractions allowed) or a date by its own clock; one second when it names none."""
    said = headers.get("Retry-After", "")
    try:
        return max(0.0, float(said))
    except ValueError:
        until, now = _date(said), _date(headers.get("Date", "")) or datetime.now(UTC)
        return max(0.0, (until - now).total_seconds()) if until else DEFAULT_PAUSE


def _date(text: str) -> datetime | None:
    """An HTTP date as aware time, None for anything else."""
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _read(response: BaseHTTPResponse) -> bytes:
    """The whole body, unpacked; raises HTTPError for one that is too large, cut short or not what its encoding says."""
    chunks, size = [], 0
    try:
        for chunk in response.stream(256 * 1024, decode_content=True):
            size += len(chunk)
            if size > MAX_BODY:
                raise DecodeError("answer too large")
            chunks.append(chunk)
    except BaseException:
        response.close()  # what is left of it must not be taken for the next answer
        raise
    return b"".join(chunks)


def _json(body: bytes, request_id: str) -> Any:
    if not body.strip():
        return None
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as fault:
        raise TryLater("the answer was not JSON", code="not_json", request_id=request_id) from fault


def _said(body: bytes) -> str:
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body[:120].decode("utf-8", "replace").replace("\n", " ")
    if isinstance(parsed, dict):
        granted = ": ".join(str(parsed[name]) for name in ("error", "error_description") if parsed.get(name))  # OAuth: code and words
        parsed = parsed.get("message") or parsed.get("errors") or granted or parsed
    return str(parsed)[:300]
