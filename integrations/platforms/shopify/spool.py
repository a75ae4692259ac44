"""A bulk result on disk: streamed down line by line, children grouped under their root, read back page by page."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import orjson
import requests

from integrations.platforms.base import JsonObject
from integrations.platforms.errors import PlatformError, TryLater
from integrations.platforms.http import CONNECT_SECONDS, READ_SECONDS

CHUNK = 256 * 1024
MAX_LINE = 32 * 1024 * 1024
ROWS_PER_INSERT = 2000
GONE = {400, 403, 404, 410}  # what storage answers once a signed address has died

SCHEMA = """
CREATE TABLE root (row INTEGER PRIMARY KEY, gid TEXT UNIQUE NOT NULL, line BLOB NOT NULL);
CREATE TABLE child (parent TEXT NOT NULL, row INTEGER NOT NULL, gid TEXT NOT NULL, line BLOB NOT NULL);
CREATE TABLE fact (lines INTEGER NOT NULL, roots INTEGER NOT NULL);
"""
BELOW = """
WITH RECURSIVE below (root, gid, row, line) AS (
  SELECT r.row, c.gid, c.row, c.line FROM root r JOIN child c ON c.parent = r.gid WHERE r.row > ? AND r.row <= ?
  UNION SELECT b.root, c.gid, c.row, c.line FROM below b JOIN child c ON c.parent = b.gid
) SELECT root, line FROM below ORDER BY root, row
"""


class AddressGone(PlatformError):
    """The signed address of a bulk result no longer works; the job must be run again."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Lines and root objects found in a result."""

    lines: int
    roots: int


def download(url: str, path: Path, *, cut_short: bool = False) -> Counts:
    """Stream a JSONL result into a spool at `path`, replacing one that is there; whole or not at all.

    Raises AddressGone or TryLater. `cut_short` accepts a partial result whose last line may be broken.
    """
    work = path.with_suffix(".part")
    work.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with closing(sqlite3.connect(work, isolation_level=None)) as database:
            database.executescript(f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-8000; {SCHEMA}")
            database.execute("BEGIN")
            counts = _fill(database, _lines(url), cut_short=cut_short)
            database.execute("CREATE INDEX child_parent ON child (parent, row)")
            database.execute("COMMIT")
        work.replace(path)
    finally:
        work.unlink(missing_ok=True)
    return counts


def counts_of(path: Path) -> Counts | None:
    """What a spool holds, None when it is not there or is no whole spool."""
    if not path.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            row = database.execute("SELECT lines, roots FROM fact").fetchone()
    except sqlite3.DatabaseError:
        return None
    return Counts(*row) if row else None


def read(path: Path, after: int, limit: int) -> list[tuple[int, JsonObject, list[JsonObject]]]:
    """Up to `limit` roots after row number `after`: (row, root, its descendants in file order, each with its `__parentId`)."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        roots = database.execute("SELECT row, line FROM root WHERE row > ? ORDER BY row LIMIT ?", (after, limit)).fetchall()
        found = {row: (row, orjson.loads(line), []) for row, line in roots}
        for row, line in database.execute(BELOW, (after, roots[-1][0])) if roots else ():
            found[row][2].append(orjson.loads(line))
        return list(found.values())


def _fill(database: sqlite3.Connection, lines: Iterable[bytes], *, cut_short: bool) -> Counts:
    roots: list[tuple[int, str, bytes]] = []
    children: list[tuple[str, int, str, bytes]] = []
    number = found = 0
    for line in lines:
        try:
            node = orjson.loads(line)
        except orjson.JSONDecodeError as fault:
            if cut_short:
                break
            raise TryLater("the bulk result holds a broken line: it is downloaded again", code="broken_line") from fault
        number += 1
        parent = node.get("__parentId")
        if parent is None:
            found += 1
            roots.append((number, node["id"], line))
        else:
            children.append((parent, number, node.get("id") or "", line))
        if len(roots) + len(children) >= ROWS_PER_INSERT:
            _insert(database, roots, children)
    _insert(database, roots, children)
    database.execute("INSERT INTO fact VALUES (?, ?)", (number, found))
    return Counts(number, found)


def _insert(database: sqlite3.Connection, roots: list[tuple[int, str, bytes]], children: list[tuple[str, int, str, bytes]]) -> None:
    database.executemany("INSERT OR REPLACE INTO root VALUES (?, ?, ?)", roots)
    database.executemany("INSERT INTO child VALUES (?, ?, ?, ?)", children)
    roots.clear()
    children.clear()


def _lines(url: str) -> Iterator[bytes]:
    """Lines of the result; the signed address gets no token of ours and is not redirected."""
    with requests.Session() as session:
        session.trust_env = False
        try:
            with session.get(url, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS), allow_redirects=False) as response:
                if response.status_code in GONE:
                    raise AddressGone(f"the bulk result is no longer there (HTTP {response.status_code})", status=response.status_code)
                if response.status_code != 200:
                    raise TryLater(f"the bulk result was not handed out (HTTP {response.status_code})", status=response.status_code)
                yield from _split(response)
        except requests.RequestException as fault:
            raise TryLater(f"the download of the bulk result broke off: {type(fault).__name__}", code="network") from fault


def _split(response: requests.Response) -> Iterator[bytes]:
    rest, size = b"", 0
    for chunk in response.iter_content(CHUNK):
        size += len(chunk)
        *whole, rest = (rest + chunk).split(b"\n")
        if len(rest) > MAX_LINE:
            raise TryLater("the bulk result holds an endless line", code="endless_line")
        yield from (line for line in whole if line.strip())
    expected = response.headers.get("Content-Length")
    if expected and "Content-Encoding" not in response.headers and size != int(expected):
        raise TryLater("the download of the bulk result was cut short", code="network")
    if rest.strip():
        yield rest
