"""Envelope failures ordered in advance: any code with any HTTP status, for calls whose path contains a text."""

from dataclasses import dataclass

from integrations.standins.failures import OrderedFailures
from integrations.standins.tiktok_shop.errors import Refusal
from integrations.standins.wire import Request


@dataclass(slots=True)
class Failure:
    """One order; ``times`` 0 is until cleared."""

    code: int
    message: str = "Internal error"
    status: int | None = None
    path: str = ""
    times: int = 1
    retry_after: str | None = None
    hits: int = 0


class Failures(OrderedFailures[Failure]):
    """Ordered failures of the envelope."""

    def strike(self, request: Request) -> None:
        """Raises Refusal when this call is to fail."""
        found = self.take(lambda order: order.path in request.path)
        if found is None:
            return
        headers = {"Retry-After": found.retry_after} if found.retry_after is not None else None
        raise Refusal(found.code, found.message, status=found.status, headers=headers)
