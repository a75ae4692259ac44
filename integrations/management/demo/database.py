"""The demo's own database, beside whatever else the server holds."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import CommandError
from django.db import connection
from psycopg import sql

DATABASE = "switchyard_demo"


def enter(name: str, *, keep: bool) -> str:
    """Make the database, afresh unless `keep`, and let this process use it; returns its address. Raises CommandError while it is in use."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()", [name])
        if cursor.fetchone()[0]:
            raise CommandError(
                f"The database {name} is in use: another demo seems to run. Stop it first, or choose another with --database."
            )
        cursor.execute("SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = %s)", [name])
        exists = cursor.fetchone()[0]
        if exists and not keep and connection.settings_dict["NAME"] != name:
            cursor.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)).as_string(cursor.cursor))
            exists = False
        if not exists:
            cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)).as_string(cursor.cursor))
    connection.close()
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name
    return urlsplit(settings.DATABASE_URL)._replace(path=f"/{name}").geturl()
