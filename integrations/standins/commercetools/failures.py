"""Failures in commercetools' own words, ordered in advance: before anything is done, or after it is done."""

import time
from dataclasses import dataclass
from http import HTTPStatus

from integrations.standins.commercetools.errors import STATUSES, Refusal
from integrations.standins.failures import OrderedFailures
from integrations.standins.wire import Request

WORDS = {"General": "Write operation failed.", "OverCapacity": "Service Unavailable. Please try again later."}
TOO_MANY = 429


class Dropped(Exception):  # noqa: N818 - an answer, not an error
    """An answer from the infrastructure: an HTML page instead of JSON."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status
        words = f"{status} {HTTPStatus(status).phrase}"
        self.page = f"<html><head><title>{words}</title></head><body><h1>{words}</h1></body></html>".encode()


@dataclass(slots=True)
class Failure:
    """One order; ``times`` 0 is until cleared.

    ``after`` lets the call happen first (500 after commit, timeout after commit), ``seconds`` waits, ``html`` answers with a page,
    ``status`` without ``code`` answers in the error shape with a code that suits it.
    """

    code: str = ""
    status: int = 0
    path: str = ""
    method: str = ""
    times: int = 1
    retry_after: str | None = None
    after: bool = False
    html: bool = False
    seconds: float = 0.0
    hits: int = 0

    def __post_init__(self) -> None:
        if not (self.code or self.status or self.seconds):
            raise ValueError("A failure needs a code, a status or seconds.")


class Failures(OrderedFailures[Failure]):
    """Ordered failures of a call that was not processed, or that was."""

    def before(self, request: Request) -> None:
        """Raises Refusal or Dropped when this call is to fail without being processed."""
        self._strike(request, after=False)

    def after(self, request: Request) -> None:
        """The same for a call that was processed."""
        self._strike(request, after=True)

    def _strike(self, request: Request, *, after: bool) -> None:
        found = self.take(lambda order: order.after == after and _meant(order, request))
        if found is None:
            return
        time.sleep(found.seconds)
        if found.html:
            raise Dropped(found.status or 503)
        if found.code or found.status:
            raise _refusal(found)


def _meant(order: Failure, request: Request) -> bool:
    return order.path in request.path and order.method in ("", request.method)


def _refusal(order: Failure) -> Refusal:
    code = order.code or next((name for name, status in STATUSES.items() if status == order.status), "General")
    headers = {"Retry-After": order.retry_after} if order.retry_after is not None else None
    status = order.status or STATUSES.get(code, 400)
    words = "Too many requests." if status == TOO_MANY else WORDS.get(code, f"Ordered failure {code}.")
    return Refusal("TooManyRequests" if status == TOO_MANY else code, words, status=status, headers=headers)
