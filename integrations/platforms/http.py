"""The one HTTP session of a platform client: time-outs, size cap, and the step from status to error family."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import orjson
import requests
from requests.adapters import HTTPAdapter

from integrations.platforms.errors import PlatformError, Reconnect, Refused, SlowDown, TryLater

CONNECT_SECONDS, READ_SECONDS = 5.0, 30.0
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
        self._base, self._id_header, self._group, self._judge = base_url.rstrip("/"), request_id_header, group, judge
        self._session = requests.Session()
        self._session.headers.update({"Accept": "application/json", "User-Agent": "Switchyard/1.0", **headers})
        self._session.trust_env = False
        adapter = HTTPAdapter(pool_connections=4, pool_maxsize=16, max_retries=0)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def set_header(self, name: str, value: str) -> None:
        """Replace a header for the calls that follow, after a token was renewed."""
        self._session.headers[name] = value

    def get(self, path: str, *, params: Mapping[str, Any] | None = None) -> Reply:
        """GET and parse JSON."""
        return self.request("GET", path, params=params)

    def post(self, path: str, *, json: Any = None, form: Mapping[str, str] | None = None) -> Reply:
        """POST JSON or a form and parse the JSON answer."""
        if form is not None:
            return self.request("POST", path, data=dict(form))
        return self.request("POST", path, data=orjson.dumps(json), headers={"Content-Type": "application/json"})

    def request(self, method: str, path: str, **options: Any) -> Reply:
        """Make the call; raises TryLater, SlowDown, Refused or Reconnect by transport fault, status and body."""
        started = time.monotonic()
        try:
            response = self._session.request(
                method, self._base + path, timeout=(CONNECT_SECONDS, READ_SECONDS), allow_redirects=False, stream=True, **options
            )
            body = _read(response)
        except requests.RequestException as fault:
            raise TryLater(f"no answer: {type(fault).__name__}", code="network") from fault
        request_id = response.headers.get(self._id_header, "")
        if not 200 <= response.status_code < 300:
            own = self._judge(response.status_code, response.headers, body) if self._judge else None
            raise own or error_for(response, body, request_id=request_id, group=self._group)
        parsed, ms = _json(body, request_id), round((time.monotonic() - started) * 1000)
        return Reply(response.status_code, response.headers, parsed, request_id, ms)


def error_for(response: requests.Response, body: bytes, *, request_id: str, group: str = "") -> PlatformError:
    """The error family of an unsuccessful answer; the message holds at most 300 characters of what the platform said."""
    status = response.status_code
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


def _read(response: requests.Response) -> bytes:
    chunks, size = [], 0
    with response:
        for chunk in response.iter_content(256 * 1024):
            size += len(chunk)
            if size > MAX_BODY:
                raise requests.exceptions.ContentDecodingError("answer too large")
            chunks.append(chunk)
    expected = response.headers.get("Content-Length")
    if expected and "Content-Encoding" not in response.headers and size != int(expected):
        raise requests.exceptions.ChunkedEncodingError("answer cut short")
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
