"""Starting the load generator beside everything else, and what it found."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict

from benchmarks.generator import Load, Sent
from benchmarks.outside import BODIES, DOMAIN, SECRET
from benchmarks.processes import ROOT


def load(folder: object, port: int, *, count: int, run: str, connections: int = 64, **more: object) -> Load:
    """The order webhooks of this run."""
    return Load(port=port, bodies=f"{folder}/{BODIES}", count=count, secret=SECRET, domain=DOMAIN, run=run, connections=connections, **more)


def begin(wanted: Load) -> subprocess.Popen[bytes]:
    """Start sending; `end` waits for it."""
    return subprocess.Popen([sys.executable, "-m", "benchmarks.generator", json.dumps(asdict(wanted))], cwd=ROOT, stdout=subprocess.PIPE)


def end(generator: subprocess.Popen[bytes], seconds: float = 300.0) -> Sent:
    """Wait for a generator; raises subprocess.TimeoutExpired."""
    try:
        told, _ = generator.communicate(timeout=seconds)
    finally:
        generator.kill()
    return Sent(**json.loads(told))
