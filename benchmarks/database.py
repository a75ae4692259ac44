"""The benchmark's own database on the server the project uses, and what that server can do at most."""

from __future__ import annotations

import os
import time
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from config.embedded import embedded_url, guests, is_running, stop_embedded
from integrations.engine.arrays import text_array

NAME = os.environ.get("BENCH_DATABASE", "switchyard_bench")
FOLDER = Path(__file__).resolve().parent.parent / ".local" / "postgres"
GIVEN = os.environ.get("DATABASE_URL", "")  # as it was before this process chose its own database
OURS = not GIVEN and not is_running(FOLDER)  # whether the embedded server runs for us only
SETTINGS = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "max_wal_size")
SECONDS = 2.0  # of each measurement below
ROWS = 500  # of a multi-row insert


class InUse(Exception):
    """Another benchmark works in the same database."""


def enter() -> str:
    """Make the database afresh; returns its address. Raises InUse."""
    with psycopg.connect(_server(), autocommit=True) as server:
        busy = server.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = %s", [NAME]).fetchone()
        if busy and busy[0]:
            raise InUse(f"The database {NAME} is in use: another benchmark seems to run.")
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(NAME)))
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(NAME)))
    return urlsplit(_server())._replace(path=f"/{NAME}").geturl()


def leave() -> None:
    """Drop the database, and stop the embedded server if we started it and nobody else uses it."""
    with psycopg.connect(_server(), autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(NAME)))
    if OURS and not guests(FOLDER):
        stop_embedded(FOLDER)


def settings_of(url: str) -> dict[str, str]:
    """The server's settings that durability and speed hang on."""
    with psycopg.connect(url) as connection:
        return {name: connection.execute(sql.SQL("SHOW {}").format(sql.Identifier(name))).fetchone()[0] for name in SETTINGS}


def single_commits(url: str, body: str) -> float:
    """Durable commits a second of one row each, one after the other on one connection."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE ceiling (id bigserial PRIMARY KEY, body text)")
        done, began = 0, time.perf_counter()
        while time.perf_counter() - began < SECONDS:
            connection.execute("INSERT INTO ceiling (body) VALUES (%s)", [body])
            done += 1
        speed = done / (time.perf_counter() - began)
        connection.execute("DROP TABLE ceiling")
    return speed


def rows_inserted(url: str, body: str) -> float:
    """Rows a second of multi-row inserts, each durable, on one connection."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE ceiling (id bigserial PRIMARY KEY, body text)")
        done, began = 0, time.perf_counter()
        while time.perf_counter() - began < SECONDS:
            connection.execute("INSERT INTO ceiling (body) SELECT unnest(%s::text[])", [text_array([body] * ROWS)])
            done += ROWS
        speed = done / (time.perf_counter() - began)
        connection.execute("DROP TABLE ceiling")
    return speed


def _server() -> str:
    return GIVEN or embedded_url(FOLDER)
