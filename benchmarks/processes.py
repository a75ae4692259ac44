"""Child processes of a benchmark: a small environment of their own, a log each, and an end for all of them."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

ROOT = Path(__file__).resolve().parent.parent
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
START_SECONDS, STOP_SECONDS = 60.0, 20.0
# how the web process runs in production too (docs/deploy.md)
GRANIAN = (
    "--interface", "asginl", "--workers", "1", "--backpressure", "256", "--no-ws", "--log-level", "warning",
)  # fmt: skip
WEB_ENVIRONMENT = {"DATABASE_POOL_SIZE": "16"}


class DidNotStart(Exception):
    """A child process ended or did not answer; the message names its log."""


@dataclass(slots=True)
class Processes:
    """A context manager whose end is the end of every process it started, and of theirs."""

    database_url: str
    folder: Path
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, arguments: list[str], extra: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start our interpreter with these arguments in a session of its own."""
        dying = [shutil.which("setpriv"), "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
        kept = {key: os.environ[key] for key in INHERITED if key in os.environ}
        own = {
            "DATABASE_URL": self.database_url, "DEMO": "1", "LOG_LEVEL": "WARNING", "LOG_JSON": "1", "PYTHONUNBUFFERED": "1",
            "SPOOL_DIR": str(self.folder / "spool"),
        }  # fmt: skip
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [*dying, sys.executable, *arguments], env={**kept, **own, **(extra or {})}, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True,
            )  # fmt: skip
        self._running[name] = process
        return process

    def start_web(self, application: str = "config.asgi:application", name: str = "web") -> int:
        """Serve an ASGI application as in production; returns its port."""
        port = free_port()
        self.start(name, ["-m", "granian", *GRANIAN, "--host", "127.0.0.1", "--port", str(port), application], WEB_ENVIRONMENT)
        self.wait(name, lambda: _listens(port))
        return port

    def start_worker(self, workers: int = 4) -> subprocess.Popen[bytes]:
        """Run one django-q2 cluster; both ends are compared at night, not while something is measured."""
        return self.start("worker", ["manage.py", "qcluster"], {"WORKERS": str(workers), "RECONCILE_HOUR": "24"})

    def wait(self, name: str, ready: Callable[[], bool]) -> None:
        """Wait until a process is ready; raises DidNotStart."""
        end = time.monotonic() + START_SECONDS
        while not ready():
            if self._running[name].poll() is not None or time.monotonic() > end:
                raise DidNotStart(f"{name} did not start; its log is {self.folder / f'{name}.log'}")
            time.sleep(0.05)

    def stop(self, *names: str) -> None:
        """Ask these processes to end, one after the other, then end whatever is left of their sessions."""
        for name in names:
            self._stop(name)

    def _stop(self, name: str) -> None:
        process = self._running.pop(name)
        family = _family(process.pid)
        _signal(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        _signal(process.pid, signal.SIGKILL)
        process.wait()
        psutil.wait_procs(family, timeout=5)

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop(*reversed(self._running))


def free_port() -> int:
    """A port of the loopback address that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def memory(pid: int) -> tuple[float, float]:
    """MB of a process and all its children: the largest resident one, and all together with shared pages counted once."""
    largest = together = 0.0
    for process in _family(pid):
        with suppress(psutil.Error):
            found = process.memory_full_info()
            largest, together = max(largest, found.rss / 1e6), together + found.pss / 1e6
    return largest, together


def _family(pid: int) -> list[psutil.Process]:
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
