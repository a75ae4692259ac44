"""Real worker processes for tests that kill them: `manage.py qcluster` on the test's own database, each in a process group of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from django.db import connection
from django.utils import timezone

from tests.quiet import settled

ROOT = Path(__file__).resolve().parents[2]
LET_TIME_PASS = """
UPDATE integrations_delivery SET lease_until = lease_until - interval '2 minutes' WHERE state = 'sending';
UPDATE integrations_inboxevent SET lease_until = lease_until - interval '2 minutes' WHERE state = 'new';
UPDATE integrations_connection SET pump_until = pump_until - interval '2 minutes', woken_at = woken_at - interval '2 minutes';
UPDATE integrations_flow SET pump_until = pump_until - interval '2 minutes', woken_at = woken_at - interval '2 minutes';
UPDATE django_q_ormq SET lock = lock - interval '5 minutes';
"""


def database_url() -> str:
    """The address of the database this test works on."""
    values = connection.get_connection_params()
    secret = f":{values['password']}" if values.get("password") else ""
    host = str(values.get("host") or "")
    place, query = ("", f"?host={host}") if host.startswith("/") else (f"{host}:{values.get('port') or 5432}", "")
    return f"postgresql://{values['user']}{secret}@{place}/{values['dbname']}{query}"


def environment(url: str, **extra: str) -> dict[str, str]:
    """What a process of the product needs, and nothing of the shell the tests were started from."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "VIRTUAL_ENV") if name in os.environ}
    own = {"DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": url, "DEMO": "1", "WORKERS": "2"}
    return {**kept, **own, "LOG_LEVEL": "WARNING", "LOG_JSON": "0", **extra}


class Processes:
    """Processes of the product that a test started; whatever happens, they end with the test."""

    def __init__(self, url: str, log: Path) -> None:
        self._url, self._log = url, log
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, *command: str, **extra: str) -> subprocess.Popen[bytes]:
        """Start `python …` in a group of its own."""
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *command], env=environment(self._url, **extra), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        self.running.append(process)
        return process

    def start_worker(self) -> subprocess.Popen[bytes]:
        """One cluster of two workers."""
        return self.start("manage.py", "qcluster")

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """SIGKILL the process and everything it started."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
        self.running.remove(process)

    def said(self) -> str:
        """The end of what the processes wrote."""
        return self._log.read_text(errors="replace")[-3000:]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for process in list(self.running):
            self.kill(process)


def minutes_later() -> None:
    """All leases of the dead have run out, and the minute's sweep comes round."""
    with connection.cursor() as cursor:
        cursor.execute(LET_TIME_PASS)
    from django_q.tasks import async_task

    async_task("integrations.tasks.sweep")


def wait_until_settled(processes: Processes, seconds: float = 45) -> None:
    """Wait for the workers; fails with what is left and what they said."""
    until = time.monotonic() + seconds
    while not settled():
        assert time.monotonic() < until, f"{left()} {processes.said()}"
        time.sleep(0.1)


def left() -> dict[str, Any]:
    """What still waits, and for what."""
    from django_q.models import OrmQ

    from integrations.models import Connection, Delivery, Flow, InboxEvent, Receipt

    waiting = Delivery.objects.exclude(state="delivered").values("flow__record_type", "state", "due_at", "lease_until", "attempts")
    pumps = [*Flow.objects.values("record_type", "woken_at", "pump_until"), *Connection.objects.values("woken_at", "pump_until")]
    return {
        "deliveries": list(waiting[:5]),
        "events": list(InboxEvent.objects.filter(state="new").values("topic", "due_at", "lease_until", "attempts", "error")[:5]),
        "receipts": list(Receipt.objects.filter(state="open").values("check_at", "tries")[:5]),
        "pumps": pumps,
        "tasks": [(row.func(), row.lock) for row in OrmQ.objects.all()],
        "now": timezone.now(),
    }
