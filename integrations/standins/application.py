"""The WSGI application over all stand-ins: finds the one addressed, lets it answer, commits the ordered faults."""

import logging
from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus
from threading import Event
from time import time
from urllib.parse import parse_qsl

from integrations.standins.clock import http_date
from integrations.standins.faults import WIRE_KINDS, Fault
from integrations.standins.wire import Request, Response, StandIn, json_response

logger = logging.getLogger(__name__)

CONTROL = "/_control"
GATEWAY_PAGE = b"<!DOCTYPE html><html><head><title>One moment</title></head><body><h1>We will be right back</h1></body></html>"
STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


class ConnectionDropped(Exception):  # noqa: N818 - an order to the server, not an error
    """The call was processed; its connection is to be dropped without an answer."""


class Application:
    """WSGI callable; the first path segment names the stand-in."""

    def __init__(self, stand_ins: Sequence[StandIn]) -> None:
        self._stand_ins = {stand_in.slug: stand_in for stand_in in stand_ins}
        self._closing = Event()

    def __call__(self, environ: dict, start_response: Callable) -> Iterable[bytes]:
        """Answer one call; raises ConnectionDropped when a fault says so."""
        response, declared, sent = self._respond(environ)
        headers = [*response.headers.items(), ("Content-Length", str(declared))]
        if "Date" not in response.headers:
            headers.append(("Date", http_date(int(time()))))
        start_response(STATUS_LINES.get(response.status) or f"{response.status} Unknown", headers)
        return [response.body[:sent]] if response.file is None else response.chunks(sent)

    def close(self) -> None:
        """Wake calls that are being delayed and close the stand-ins."""
        self._closing.set()
        for stand_in in self._stand_ins.values():
            stand_in.close()

    def _respond(self, environ: dict) -> tuple[Response, int, int]:
        """The answer, the length it claims to have, and the length that is sent, which differ when it is to be truncated."""
        slug, rest = _split(environ["PATH_INFO"])
        stand_in = self._stand_ins.get(slug)
        if stand_in is None:
            response = json_response({"error": f"No stand-in at /{slug}", "stand_ins": sorted(self._stand_ins)}, 404)
            return response, len(response.body), len(response.body)
        raw = _split(environ.get("RAW_URI", "").partition("?")[0])[1] if "RAW_URI" in environ else ""
        if rest == CONTROL or rest.startswith(CONTROL + "/"):
            response = _safely(stand_in.control, _request(environ, rest[len(CONTROL) :] or "/", raw[len(CONTROL) :]))
            return response, len(response.body), len(response.body)
        request = _request(environ, rest, raw)
        fault = stand_in.faults.take(request, WIRE_KINDS)
        response = self._answer(stand_in, request, fault)
        declared = response.length()
        if fault is not None and fault.kind == "truncate":
            return response, max(declared, 1), declared // 2
        return response, declared, declared

    def _answer(self, stand_in: StandIn, request: Request, fault: Fault | None) -> Response:
        if fault is None:
            return _safely(stand_in.handle, request)
        if fault.kind == "status":
            extra = {"Retry-After": fault.retry_after} if fault.retry_after is not None else None
            message = f"Ordered failure {fault.status}"
            return json_response({"status": "ERROR", "message": message, "errors": message}, fault.status, extra)
        if fault.kind == "html":
            return Response(200, GATEWAY_PAGE, {"Content-Type": "text/html; charset=utf-8"})
        response = _safely(stand_in.handle, request)
        if fault.kind == "latency":
            self._closing.wait(fault.seconds)
        if fault.kind == "reset_after_accept":
            raise ConnectionDropped
        return response


def _split(path: str) -> tuple[str, str]:
    """('shopify', '/admin/x') from '/shopify/admin/x'."""
    slug, slash, rest = path.removeprefix("/").partition("/")
    return slug, slash + rest or "/"


def _request(environ: dict, path: str, raw_path: str) -> Request:
    headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    if "CONTENT_TYPE" in environ:
        headers["content-type"] = environ["CONTENT_TYPE"]
    length = int(environ.get("CONTENT_LENGTH") or 0)
    raw_query = environ.get("QUERY_STRING", "")
    query = dict(parse_qsl(raw_query, keep_blank_values=True)) if raw_query else {}
    body = environ["wsgi.input"].read(length) if length else b""
    method, decoded = environ["REQUEST_METHOD"], path.encode("latin-1").decode(errors="replace")
    return Request(method, decoded, query, headers, body, raw_path, raw_query)


def _safely(answer: Callable[[Request], Response], request: Request) -> Response:
    """A stand-in's own defect becomes a loud 500, never a dead connection."""
    try:
        return answer(request)
    except Exception:
        logger.exception("Stand-in failed on %s %s", request.method, request.path)
        return json_response({"status": "ERROR", "message": "Defect of the stand-in; see its log"}, 500)
