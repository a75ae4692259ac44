"""Emptying the database after a test: only tables that hold something, and the framework's own rows stay.

Truncating every table, and making content types and permissions anew, took longer than most of the tests it came after.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

KEPT = frozenset({"auth_permission", "django_content_type", "django_site"})  # written once by the migrations
# Nothing vacuums these tables (see template.py). Truncated are those over a megabyte, and those that a test has analysed.
WORN = """SELECT name FROM unnest(%s::text[]) name JOIN pg_class t ON t.oid = name::regclass
    WHERE t.reltuples >= 0 OR pg_relation_size(t.oid) > 1 << 20"""


@pytest.fixture(scope="session", autouse=True)
def prompt_flush() -> Iterator[None]:
    """Every flush of this run deletes instead of truncating."""
    from django.db.backends.postgresql.operations import DatabaseOperations

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(DatabaseOperations, "sql_flush", _deletions)
        patched.setattr("django.core.management.commands.flush.emit_post_migrate_signal", lambda *arguments: None)
        yield


def _deletions(operations: Any, style: Any, tables: Sequence[str], **options: bool) -> list[str]:
    """Statements that empty what is filled. Foreign keys are looked at when the transaction ends, so the order does not matter."""
    names = [operations.quote_name(table) for table in tables if table not in KEPT]
    asked = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in names)  # noqa: S608 - our own tables
    with operations.connection.cursor() as cursor:
        cursor.execute(asked)
        filled = [name for (name,) in cursor.fetchall()]
        cursor.execute(WORN, [names])
        worn = [name for (name,) in cursor.fetchall()]
    if not filled and not worn:
        return []
    locked = f"LOCK TABLE {', '.join({*filled, *worn})} IN ACCESS EXCLUSIVE MODE"
    emptied = [f"DELETE FROM {name}" for name in filled if name not in worn]  # noqa: S608
    return [locked, *emptied, *([f"TRUNCATE {', '.join(worn)} CASCADE"] if worn else [])]
