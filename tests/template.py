"""A migrated, empty database that every test process copies: migrating takes twenty seconds, copying a fifth of one."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

ROOT = Path(__file__).resolve().parents[1]
PREFIX = "switchyard_template_"
LATEST = 3  # that stay: another run may be about to copy one
KNOWN = "SELECT datname FROM pg_database WHERE starts_with(datname, %s) AND datname NOT LIKE '%%unfinished' ORDER BY oid DESC"
# A table that was analysed while a test had left it empty makes the next test's plans for one row, not for its thousand.
TABLES = "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
LOCK = 7_310_099  # one process makes it, the others wait


def template_database(server: str) -> str:
    """The name of a database with all migrations applied on the server at this address; made when there is none yet."""
    name = PREFIX + _fingerprint()
    with psycopg.connect(server, autocommit=True) as session:
        session.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        known = [row[0] for row in session.execute(KNOWN, [PREFIX])]
        if name not in known:
            _make(session, server, name)
        for old in (one for one in known[LATEST:] if one != name):
            session.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(old)))
    return name


def _make(session: psycopg.Connection, server: str, name: str) -> None:
    """Under another name until it is whole, so that a killed run leaves nothing half-made behind."""
    unfinished = sql.Identifier(f"{name}_unfinished")
    session.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(unfinished))
    session.execute(sql.SQL("CREATE DATABASE {}").format(unfinished))
    address = urlsplit(server)._replace(path=f"/{name}_unfinished").geturl()
    subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, check=True,
                   env={**os.environ, "DATABASE_URL": address, "DEMO": "1"})  # fmt: skip
    with psycopg.connect(address, autocommit=True) as inside:
        for (table,) in inside.execute(TABLES).fetchall():
            inside.execute(sql.SQL("ALTER TABLE {} SET (autovacuum_enabled = off)").format(sql.SQL(table)))
    session.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(unfinished, sql.Identifier(name)))


def _fingerprint() -> str:
    """Of everything that decides what the tables are."""
    rest = [ROOT / "requirements" / "dev.txt", ROOT / "config" / "settings.py", Path(__file__)]
    files = sorted([*ROOT.glob("*/migrations/*.py"), *rest])
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]
