"""Webhooks to their addresses as Shopify sends them: short time-outs, eight retries with the same ids, then giving up."""

from integrations.standins.couriers import THREADS, Couriers
from integrations.standins.shopify.webhooks import Sending

# seconds to connect and to answer; any redirect is a failure (webhook delivery structure)
TIMEOUT = (1.0, 5.0)
# eight retries over four hours with growing delay
RETRY_DELAYS = (60, 180, 420, 900, 1800, 2700, 3600, 4740)


class Sender(Couriers[Sending]):
    """Sends in the background; ``retry_seconds`` presses the four hours of retries into that many seconds."""

    def __init__(self, *, retry_seconds: float | None = None, threads: int = THREADS, timeout: tuple[float, float] = TIMEOUT) -> None:
        super().__init__("webhooks", threads=threads, timeout=timeout)
        self.retry_seconds = retry_seconds

    def address_of(self, sending: Sending) -> str:
        """The subscription's address."""
        return sending.uri

    def settle(self, sending: Sending, *, taken: bool) -> None:
        """Sent, tried again, or given up after the last retry."""
        if taken:
            sending.status = "sent"
            sending.hooks.sent(sending)
        elif sending.tries > len(RETRY_DELAYS):
            sending.status = "given_up"
            sending.hooks.gave_up(sending)
        else:
            sending.status = "failed"
            pressed = 1.0 if self.retry_seconds is None else self.retry_seconds / sum(RETRY_DELAYS)
            self.send(sending, RETRY_DELAYS[sending.tries - 1] * pressed)
