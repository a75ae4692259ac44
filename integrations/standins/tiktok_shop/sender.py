"""Threads that bring webhooks to their addresses: three seconds to answer, four retries by the stand-in's clock, then dropped."""

import threading
import time
from collections import deque

import requests

from integrations.standins.clock import Clock
from integrations.standins.tiktok_shop.timers import Timers
from integrations.standins.tiktok_shop.webhooks import Sending

# seconds to connect and to answer (page "TTS webhooks overview": an answer within three seconds)
TIMEOUT = (1.0, 3.0)
RETRY_DELAYS = (120.0, 1_800.0, 10_800.0, 43_200.0)
THREADS = 4


class Sender:
    """Sends in the background; ``speed`` divides the delays of the retry schedule."""

    def __init__(
        self, clock: Clock, timers: Timers, *, speed: float = 1.0, threads: int = THREADS, timeout: tuple[float, float] = TIMEOUT
    ) -> None:
        self.speed, self.timeout = speed, timeout
        self._clock, self._timers, self._wanted = clock, timers, threads
        self._threads: list[threading.Thread] = []
        self._queue: deque[Sending] = deque()
        self._busy = self._delayed = 0
        self._open = True
        self._wake = threading.Condition()

    def send(self, sending: Sending, delay: float = 0.0) -> None:
        """Queue a webhook, after so many seconds of the stand-in's clock; a closed sender forgets it."""
        if delay > 0:
            with self._wake:
                self._delayed += 1
            self._timers.at(self._clock.now() + delay, lambda: self._enqueue(sending, delayed=True))
        else:
            self._enqueue(sending)

    def waiting(self) -> int:
        """Webhooks queued or on their way, retries included."""
        with self._wake:
            return len(self._queue) + self._busy + self._delayed

    def wait(self, timeout: float = 10.0, *, retries: bool = True) -> bool:
        """Wait until nothing is left to send (without ``retries``: nothing that is due now); False when time is up."""
        end = time.monotonic() + timeout
        with self._wake:
            while self._queue or self._busy or (retries and self._delayed):
                left = end - time.monotonic()
                if left <= 0:
                    return False
                self._wake.wait(min(left, 0.1))
        return True

    def clear(self) -> None:
        """Forget what is queued."""
        with self._wake:
            self._queue.clear()
            self._delayed = 0

    def close(self) -> None:
        """Stop the threads; what is queued is forgotten."""
        with self._wake:
            self._open = False
            self._queue.clear()
            self._wake.notify_all()
        for thread in self._threads:
            thread.join(sum(self.timeout) + 1)

    def _enqueue(self, sending: Sending, *, delayed: bool = False) -> None:
        with self._wake:
            if delayed:
                self._delayed = max(0, self._delayed - 1)
            if not self._open:
                return
            self._queue.append(sending)
            if not self._threads:
                self._threads = [threading.Thread(target=self._work, name=f"tiktok-{n}", daemon=True) for n in range(self._wanted)]
                for thread in self._threads:
                    thread.start()
            self._wake.notify()

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
                if self._queue:
                    self._busy += 1
                    return self._queue.popleft()
                self._wake.wait()
        return None

    def _deliver(self, session: requests.Session, sending: Sending) -> None:
        sending.tries += 1
        try:
            answer: int | str = session.post(
                sending.address, data=sending.body, headers=sending.headers, timeout=self.timeout, allow_redirects=False
            ).status_code
        except requests.RequestException as error:
            answer = type(error).__name__
        sending.answers.append(answer)
        if isinstance(answer, int) and 200 <= answer < 300:
            sending.hooks.acknowledged(sending)
        elif sending.tries > len(RETRY_DELAYS):
            sending.hooks.dropped(sending)
        else:
            sending.status = "failed"
            self.send(sending, RETRY_DELAYS[sending.tries - 1] / self.speed)
