"""Run a command and stop the embedded PostgreSQL afterwards if the command started it and nobody else uses it.

The command gets its own signals: Ctrl-C reaches it through the terminal, SIGTERM is passed on.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".local" / "postgres"
sys.path.insert(0, str(ROOT))

from config.embedded import guests, is_running, stop_embedded  # noqa: E402


def main(command: list[str]) -> int:
    """The command's exit code; 128 + number when a signal ended it."""
    ours = not os.environ.get("DATABASE_URL") and not is_running(FOLDER)
    child = subprocess.Popen(command, cwd=ROOT)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, frame: child.send_signal(number))
    code = child.wait()
    if ours and is_running(FOLDER) and not guests(FOLDER):
        stop_embedded(FOLDER)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
