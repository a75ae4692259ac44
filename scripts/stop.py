"""`make stop`: end demos of this checkout that still run, then the embedded PostgreSQL."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STOP_SECONDS = 30
sys.path.insert(0, str(ROOT))

from config.embedded import guests, is_running, stop_embedded  # noqa: E402


def main() -> None:
    """Says what was stopped."""
    for note in (ROOT / ".local" / "demo").glob("*/pid"):
        pid = int(note.read_text() or 0)
        if not _is_demo(pid):
            continue
        os.kill(pid, signal.SIGTERM)
        end = time.monotonic() + STOP_SECONDS
        while _is_demo(pid) and time.monotonic() < end:
            time.sleep(0.2)
        print(f"demo {note.parent.name} {'still runs' if _is_demo(pid) else 'stopped'}")
    folder = ROOT / ".local" / "postgres"
    if not is_running(folder):
        return
    if busy := guests(folder):
        print(f"the database stays: {busy} connections use it")
    elif stop_embedded(folder):
        print("database stopped")


def _is_demo(pid: int) -> bool:
    """Whether that process is a demo of this checkout: a process id may have been given to something else since."""
    with suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        return b"manage.py" in words and b"demo" in words and Path(f"/proc/{pid}/cwd").resolve() == ROOT
    return False


if __name__ == "__main__":
    main()
