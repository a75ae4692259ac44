"""Webhooks to their addresses as TikTok Shop sends them: three seconds to answer, four retries by the stand-in's clock, then dropped."""

from integrations.standins.clock import Clock
from integrations.standins.couriers import THREADS, Couriers
from integrations.standins.tiktok_shop.timers import Timers
from integrations.standins.tiktok_shop.webhooks import Sending

# seconds to connect and to answer (page "TTS webhooks overview": an answer within three seconds)
TIMEOUT = (1.0, 3.0)
RETRY_DELAYS = (120.0, 1_800.0, 10_800.0, 43_200.0)


class Sender(Couriers[Sending]):
    """Sends in the background; ``speed`` divides the delays of the retry schedule."""

    def __init__(
        self, clock: Clock, timers: Timers, *, speed: float = 1.0, threads: int = THREADS, timeout: tuple[float, float] = TIMEOUT
    ) -> None:
        super().__init__("tiktok", threads=threads, timeout=timeout)
        self.speed = speed
        self._clock, self._timers = clock, timers
        self._delayed = 0

    def send(self, sending: Sending, delay: float = 0.0) -> None:
        """Queue a webhook, after so many seconds of the stand-in's clock."""
        if delay <= 0:
            super().send(sending)
            return
        with self._wake:
            self._delayed += 1
        self._timers.at(self._clock.now() + delay, lambda: self._due(sending))

    def address_of(self, sending: Sending) -> str:
        """The address of its event type."""
        return sending.address

    def settle(self, sending: Sending, *, taken: bool) -> None:
        """Acknowledged, tried again, or dropped after the last retry."""
        if taken:
            sending.hooks.acknowledged(sending)
        elif sending.tries > len(RETRY_DELAYS):
            sending.hooks.dropped(sending)
        else:
            sending.status = "failed"
            self.send(sending, RETRY_DELAYS[sending.tries - 1] / self.speed)

    def waiting(self) -> int:
        """Webhooks queued or on their way, those that wait for the clock included."""
        return super().waiting() + self._delayed

    def wait(self, timeout: float = 10.0, *, retries: bool = True) -> bool:
        """Wait until nothing is left to send (without ``retries``: nothing that is due now); False when time is up."""
        return self._wait(timeout, self.waiting if retries else super().waiting)

    def clear(self) -> None:
        """Forget what is queued."""
        super().clear()
        self._delayed = 0

    def _due(self, sending: Sending) -> None:
        with self._wake:
            self._delayed = max(0, self._delayed - 1)
            super().send(sending)
