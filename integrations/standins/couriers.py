"""Threads that bring webhooks to their addresses; how often one is tried again is each platform's own."""

import heapq
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from itertools import count
from typing import Generic, Protocol, TypeVar

import requests

THREADS = 4


class Letter(Protocol):
    """One webhook on its way; ``answers`` are status codes or names of what went wrong."""

    headers: dict[str, str]
    body: bytes
    tries: int
    answers: list[int | str]


Sending = TypeVar("Sending", bound=Letter)


class Couriers(ABC, Generic[Sending]):
    """Sends in the background, one session a thread; ``timeout`` are the seconds to connect and to answer."""

    def __init__(self, name: str, *, threads: int, timeout: tuple[float, float]) -> None:
        self.timeout = timeout
        self._name, self._wanted = name, threads
        self._threads: list[threading.Thread] = []
        self._queue: list[tuple[float, int, Sending]] = []
        self._order = count()
        self._busy = 0
        self._open = True
        self._wake = threading.Condition()

    @abstractmethod
    def address_of(self, sending: Sending) -> str:
        """Where it goes."""

    @abstractmethod
    def settle(self, sending: Sending, *, taken: bool) -> None:
        """What follows from the newest answer: done, another try, or giving up."""

    def send(self, sending: Sending, delay: float = 0.0) -> None:
        """Send it after so many seconds; once closed it is forgotten."""
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
        return self._wait(timeout, self.waiting)

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
            thread.join(sum(self.timeout) + 1)

    def _wait(self, timeout: float, left: Callable[[], int]) -> bool:
        end = time.monotonic() + timeout
        with self._wake:
            while left():
                rest = end - time.monotonic()
                if rest <= 0:
                    return False
                self._wake.wait(min(rest, 0.1))
        return True

    def _start(self) -> None:
        self._threads = [threading.Thread(target=self._work, name=f"{self._name}-{n}", daemon=True) for n in range(self._wanted)]
        for thread in self._threads:
            thread.start()

    def _work(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            while (sending := self._next()) is not None:
                try:
                    self.settle(sending, taken=self._deliver(session, sending))
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

    def _deliver(self, session: requests.Session, sending: Sending) -> bool:
        """Whether the address took it; a redirect is a refusal."""
        sending.tries += 1
        answer: int | str
        try:
            answer = session.post(
                self.address_of(sending), data=sending.body, headers=sending.headers, timeout=self.timeout, allow_redirects=False
            ).status_code
        except requests.RequestException as error:
            answer = type(error).__name__
        sending.answers.append(answer)
        return isinstance(answer, int) and 200 <= answer < 300
