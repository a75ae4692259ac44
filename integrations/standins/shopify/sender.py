"""The threads that bring webhooks to their addresses: short time-outs, eight retries with the same ids, then giving up."""

import heapq
import threading
import time
from collections.abc import Sequence
from itertools import count

import requests

from integrations.standins.shopify.webhooks import Sending

# seconds to connect and to answer; any redirect is a failure (webhook delivery structure)
TIMEOUT = (1.0, 5.0)
# eight retries over four hours with growing delay
RETRY_DELAYS = (60, 180, 420, 900, 1800, 2700, 3600, 4740)
THREADS = 4


class Sender:
    """Sends in the background; ``retry_seconds`` presses the four hours of retries into that many seconds."""

    def __init__(self, *, retry_seconds: float | None = None, threads: int = THREADS, timeout: tuple[float, float] = TIMEOUT) -> None:
        self.retry_seconds, self.timeout = retry_seconds, timeout
        self._wanted = threads
        self._threads: list[threading.Thread] = []
        self._queue: list[tuple[float, int, Sending]] = []
        self._order = count()
        self._busy = 0
        self._open = True
        self._wake = threading.Condition()

    def send(self, sending: Sending, delay: float = 0.0) -> None:
        """Queue a webhook; a closed sender forgets it."""
        with self._wake:
            if not self._open:
                return
            heapq.heappush(self._queue, (time.monotonic() + delay, next(self._order), sending))
            if not self._threads:
                self._start()
            self._wake.notify()

    def waiting(self) -> int:
        """Webhooks queued or on their way, retries included."""
        with self._wake:
            return len(self._queue) + self._busy

    def wait(self, timeout: float = 10.0) -> bool:
        """Wait until nothing is left to send; False when time is up."""
        end = time.monotonic() + timeout
        with self._wake:
            while self._queue or self._busy:
                left = end - time.monotonic()
                if left <= 0:
                    return False
                self._wake.wait(min(left, 0.1))
        return True

    def clear(self) -> None:
        """Forget what is queued."""
        with self._wake:
            self._queue.clear()

    def close(self) -> None:
        """Stop the threads; what is queued is forgotten."""
        with self._wake:
            self._open = False
            self._queue.clear()
            self._wake.notify_all()
        for thread in self._threads:
            thread.join(self.timeout[0] + self.timeout[1] + 1)

    def _start(self) -> None:
        self._threads = [threading.Thread(target=self._work, name=f"webhooks-{n}", daemon=True) for n in range(self._wanted)]
        for thread in self._threads:
            thread.start()

    def _work(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            while (sending := self._next()) is not None:
                try:
                    self._deliver(session, sending)
                finally:
                    with self._wake:
                        self._busy -= 1
                        self._wake.notify_all()

    def _next(self) -> Sending | None:
        with self._wake:
            while self._open:
                if self._queue and self._queue[0][0] <= time.monotonic():
                    self._busy += 1
                    return heapq.heappop(self._queue)[2]
                self._wake.wait(self._queue[0][0] - time.monotonic() if self._queue else None)
        return None

    def _deliver(self, session: requests.Session, sending: Sending) -> None:
        sending.tries += 1
        try:
            answer = session.post(
                sending.uri, data=sending.body, headers=sending.headers, timeout=self.timeout, allow_redirects=False
            ).status_code
        except requests.RequestException as error:
            answer = type(error).__name__
        sending.answers.append(answer)
        if isinstance(answer, int) and 200 <= answer < 300:
            sending.status = "sent"
            sending.hooks.sent(sending)
        elif sending.tries > len(RETRY_DELAYS):
            sending.status = "given_up"
            sending.hooks.gave_up(sending)
        else:
            sending.status = "failed"
            self.send(sending, self._delay(RETRY_DELAYS, sending.tries))

    def _delay(self, delays: Sequence[int], tries: int) -> float:
        factor = 1.0 if self.retry_seconds is None else self.retry_seconds / sum(delays)
        return delays[tries - 1] * factor
