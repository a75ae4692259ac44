"""The crew: web server and worker as child processes with an environment of their own, stopped with everything they started."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from django.conf import settings
from django.core.management.base import CommandError

INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
START_SECONDS, STOP_SECONDS = 60.0, 15.0


@dataclass(slots=True)
class Crew:
    """Processes of one demo; a context manager whose end is the end of all of them."""

    database_url: str
    port: int
    logs: Path
    workers: int = 4
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Where the console is."""
        return f"http://127.0.0.1:{self.port}"

    def start_web(self) -> None:
        """Serve the console; raises CommandError when it does not answer."""
        command = [sys.executable, "-m", "granian", "--interface", "asginl", "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--workers", "1", "--no-ws", "--log-level", "warning", "config.asgi:application"]
        self._start("web", command, {"DATABASE_POOL_SIZE": "16"})
        end = time.monotonic() + START_SECONDS
        while not _answers(self.address + "/accounts/login/"):
            self.check()
            if time.monotonic() > end:
                raise CommandError(f"The console did not answer within {START_SECONDS:.0f} seconds; its log is {self.logs / 'web.log'}.")
            time.sleep(0.2)

    def start_worker(self) -> None:
        """Run a cluster of workers."""
        self._start("worker", [sys.executable, "manage.py", "qcluster"], {"WORKERS": str(self.workers)})

    def check(self) -> None:
        """Raises CommandError when a process ended by itself."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise CommandError(f"The {name} process ended with code {process.returncode}; its log is {self.logs / f'{name}.log'}.")

    def stop(self) -> None:
        """Ask every process to end, wait, and kill what is left of its group. Only its head is asked: it ends its own children in order."""
        for process in self._running.values():
            process.terminate()
        end = time.monotonic() + STOP_SECONDS
        for process in self._running.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, end - time.monotonic()))
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._running.clear()

    def __enter__(self) -> Self:
        self.logs.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def _start(self, name: str, command: list[str], extra: dict[str, str]) -> None:
        dying = [shutil.which("setpriv"), "--pdeathsig", "TERM"] if shutil.which("setpriv") else []  # a killed demo takes them along
        with (self.logs / f"{name}.log").open("wb") as log:
            self._running[name] = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
                [*dying, *command],
                env=self._environment(extra),
                cwd=settings.BASE_DIR,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _environment(self, extra: dict[str, str]) -> dict[str, str]:
        """Nothing of ours but the bare necessities: what the demo is must not depend on the shell it was started from."""
        kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
        own = {
            "DATABASE_URL": self.database_url,
            "DEMO": "1",
            "PUBLIC_URL": self.address,
            "SPOOL_DIR": str(settings.SPOOL_DIR),
            "LOG_LEVEL": "INFO",
            "LOG_JSON": "0",
            "PYTHONUNBUFFERED": "1",
        }
        return {**kept, **own, **extra}


def free_port(wanted: int) -> int:
    """The wanted port of the loopback address, or another one when it is taken; 0 = any."""
    for port in (wanted, 0):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return probe.getsockname()[1]
    raise CommandError("No port is free on 127.0.0.1.")


def _answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False
