"""A cursor for statements with large parameters.

Django's own quotes every parameter into the text of the statement, and PostgreSQL reads it out of it again: for a batch of records that
costs more than the work itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection as database
from psycopg import Cursor


@contextmanager
def bound_cursor() -> Iterator[Cursor]:
    """A cursor of the current connection and transaction whose parameters travel beside the statement; raises Django's database errors."""
    database.ensure_connection()
    with database.wrap_database_errors, Cursor(database.connection) as cursor:
        yield cursor
