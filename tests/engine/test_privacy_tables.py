"""Every column of every table is searched: held against the database itself, so that a table which is added later is not forgotten."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from django.apps import apps
from django.db import connection as database
from django.db import models
from django.utils import timezone

from integrations.engine.privacy import runs, subject
from integrations.engine.privacy.tables import Table, hunt_for, look, tables
from integrations.models import Attempt, Delivery, PrivacyRequest
from integrations.models.secret import EncryptedTextField
from tests.canary import BESIDE, CANARY, lay_out, plant, tables_with
from tests.rows import make_attempt, make_delivery, make_person

pytestmark = pytest.mark.django_db
# Accounts and sessions of the staff, secrets (encrypted), machinery, requests and marks themselves (encrypted, one-way), and figures.
NOT_SEARCHED = ("auth_", "account_", "mfa_", "authtoken_", "django_session", "django_content_type", "django_migrations", "django_q_",
                "integrations_credential", "integrations_oauthstate", "integrations_privacy", "monitoring_sample")  # fmt: skip
# What the program itself reads to work: a word of a person there would stop it, not survive it.
WORKINGS = {("integrations.Flow", "record_type"), ("integrations.Checkpoint", "reader"), ("integrations.Connection", "external_id"),
            ("integrations.Connection", "name")}  # fmt: skip


def text_columns() -> set[tuple[str, str]]:
    """Table and column of every text in the database."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
            " AND data_type IN ('text', 'character varying', 'character', 'json', 'jsonb', 'ARRAY', 'xml')"
        )
        return {(table, column) for table, column in cursor.fetchall() if not table.startswith(NOT_SEARCHED)}


def with_choices() -> set[tuple[str, str]]:
    """Columns that hold a word of the program and nothing else, keys that name another row, and what is encrypted."""
    rows = ((model._meta.db_table, field) for model in apps.get_models() for field in model._meta.concrete_fields)
    return {(table, field.column) for table, field in rows if field.choices or field.is_relation or isinstance(field, EncryptedTextField)}


def test_every_text_column_of_the_database_is_searched():
    searched = {(table.model._meta.db_table, field.column) for table in tables() for field in (*table.texts, *table.spoken)}

    assert text_columns() - with_choices() - searched == set()


def writable(table: Table) -> list[models.Field]:
    """Columns of a table into which a word may be written without stopping the program."""
    fields = [field for field in (*table.texts, *table.spoken) if not field.primary_key and (table.name, field.name) not in WORKINGS]
    return [field for field in fields if isinstance(field, models.JSONField) or (getattr(field, "max_length", None) or 999) >= 60]


def write_into(table: Table, words: str) -> int:
    """Write words into every such column of the newest row of a table; returns how many columns."""
    fields, last = writable(table), table.model._base_manager.order_by("-pk").values_list("pk", flat=True).first()
    if not fields or last is None:
        return 0
    nested = orjson.loads(orjson.dumps({"a": [{"b": f"so {words}!"}]}))
    values: dict[str, Any] = {field.attname: nested if isinstance(field, models.JSONField) else f"<{words}>" for field in fields}
    table.model._base_manager.filter(pk=last).update(**values)
    return len(fields)


def test_a_word_in_any_column_of_any_table_is_found_and_taken_out():
    flows = lay_out()
    plant(flows, CANARY)
    plant(flows, BESIDE)
    columns = sum(write_into(table, CANARY["email"]) for table in tables())
    assert columns > 60

    request = runs.ask("erasure", subject.named(CANARY["email"]), make_person("manager"))
    PrivacyRequest.objects.filter(pk=request.pk).update(start_at=timezone.now())
    runs.pump(request.pk)

    request.refresh_from_db()
    assert (request.error, tables_with([CANARY["email"], CANARY["phone"]])) == ("", {})


def test_a_table_is_walked_to_its_end_in_steps_that_meet_every_row_once():
    flow = lay_out()["customer"]
    row = make_delivery(flow, "1001")
    for number in range(25):
        make_attempt(row, message=f"try {number} of {CANARY['email']}" if number % 5 == 0 else "fine")
    hunt = hunt_for(subject.named(CANARY["email"]), "erased-x")
    table = next(table for table in tables() if table.model is Attempt)

    last, met, found = None, 0, []
    while True:
        last, looked, pks = look(table, hunt, last, limit=10)
        met += looked
        found += pks
        if last is None:
            break

    assert (met, found) == (25, list(Attempt.objects.filter(message__startswith="try").order_by("pk").values_list("pk", flat=True)))
    assert Delivery.objects.count() == 1
