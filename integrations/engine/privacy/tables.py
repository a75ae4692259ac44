"""Every table of the installation as something that may hold personal data: which of its columns are texts, written by people, or keys.

Nothing is listed by hand but what is left out, so that a table that is added later is searched like the others.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import connection as database
from django.db import models

from integrations.engine.erased import shadow_key
from integrations.engine.privacy.subject import Subject
from integrations.engine.privacy.traces import Traces, by_name, distinctive
from integrations.models import Flow
from integrations.models.secret import EncryptedTextField

# Accounts of the staff, secrets and machinery; samples have no texts but the program's own; the queue's results are read by themselves.
LEFT_OUT = frozenset({
    "auth", "account", "mfa", "authtoken", "sessions", "contenttypes", "django_q", "integrations.Credential", "integrations.OAuthState",
    "integrations.PrivacyRequest", "integrations.PrivacyMark", "integrations.PrivacyFilePart", "monitoring.Sample",
})  # fmt: skip
SPOKEN = frozenset({"text", "note", "change_message", "object_repr", "words", "why", "comment", "query"})  # columns that people write into
# Columns that hold a key of a record, a contact or a browser.
KEYS = frozenset({
    "record_key", "parent_key", "destination_key", "contact_key", "customer_key", "customer_id", "anonymous_id", "visitor", "person_key",
    "object_key", "profile_id", "pull_key", "listing", "first", "second", "survivor", "key", "value", "subject",
})  # fmt: skip
NAMES = {"integrations.VisitorIdentity": "Browsers and whose they are", "integrations.DeskRun": "Runs over many exceptions"}
STEP = 5_000  # rows that are looked at in one transaction


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its model and the columns that are looked at."""

    model: type[models.Model]
    texts: tuple[models.Field, ...]
    spoken: tuple[models.Field, ...]
    keys: tuple[models.Field, ...]

    @property
    def name(self) -> str:
        """As steps and certificates call it: "integrations.Delivery"."""
        return self.model._meta.label

    @property
    def label(self) -> str:
        """In words."""
        of = getattr(self.model, "instance_type", None)  # of a table that holds the history of another
        name = NAMES.get(self.name) or _capital(str(self.model._meta.verbose_name_plural))
        return f"History of {table_of(of).label}" if of else name


@dataclass(frozen=True, slots=True)
class Hunt:
    """What is looked for: one person, their traces in any text, and those in texts that people wrote."""

    subject: Subject
    traces: Traces
    spoken: Traces
    places: dict[str, frozenset[int]]  # key → connections at which it means this person
    shadow: str
    ends: dict[int, frozenset[int]]  # flow → its two connections
    also: Counter[tuple[str, str]] = field(default_factory=Counter)  # table and what was done to rows that hang on others

    def is_mine(self, key: str, at: frozenset[int]) -> bool:
        """Whether a key means this person at one of these connections; without any, where it can mean nobody else."""
        where = self.places.get(key, frozenset())
        return bool(where & at) if at else bool(where) and self.traces.found.fullmatch(key) is not None

    def shadow_of(self, key: str, at: frozenset[int]) -> str:
        """What stands in the place of a key."""
        return shadow_key(min((self.places[key] & at) or self.places[key]), key)


def hunt_for(subject: Subject, shadow: str) -> Hunt:
    """How this person is looked for."""
    places: dict[str, set[int]] = {}
    for connection, key in subject.keys:
        places.setdefault(key, set()).add(connection)
    ends = {pk: frozenset((source, there)) for pk, source, there in Flow.objects.values_list("pk", "source", "destination")}
    return Hunt(
        subject, distinctive(subject), by_name(subject), {key: frozenset(at) for key, at in places.items()}, shadow, ends,
    )  # fmt: skip


def tables() -> list[Table]:
    """Every table with texts, except those left out."""
    found = []
    for model in apps.get_models(include_auto_created=True):
        opts = model._meta
        if opts.managed and not opts.proxy and not opts.abstract and not {opts.app_label, opts.label} & LEFT_OUT:
            table = table_of(model)
            if table.texts or table.spoken:
                found.append(table)
    return found


def table_of(model: type[models.Model]) -> Table:
    """The columns of one table."""
    mine = [field for field in model._meta.concrete_fields if _holds_text(field)]
    spoken = tuple(field for field in mine if field.name in SPOKEN)
    return Table(model, tuple(field for field in mine if field not in spoken), spoken, tuple(field for field in mine if field.name in KEYS))


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def _holds_text(field: models.Field) -> bool:
    kind = isinstance(field, models.CharField | models.TextField | models.JSONField)
    return kind and not field.choices and not isinstance(field, EncryptedTextField) and not field.is_relation


def look(table: Table, hunt: Hunt, after: Any, limit: int = STEP) -> tuple[Any, int, list[Any]]:
    """Rows of the table behind the one with that key: the last one looked at (None: no more), how many, and those that hold a trace."""
    quote, opts = database.ops.quote_name, table.model._meta
    key = quote(opts.pk.column)
    columns = {field.column for field in (*table.texts, *table.spoken)} | {opts.pk.column}
    where, params = _condition(table, hunt)
    begin = "" if after is None else f"WHERE {key} > %s"
    chosen = ", ".join(map(quote, sorted(columns)))
    statement = f"""
      WITH part AS MATERIALIZED (SELECT {chosen} FROM {quote(opts.db_table)} {begin} ORDER BY {key} LIMIT %s)
      SELECT (SELECT {key} FROM part ORDER BY {key} DESC LIMIT 1), (SELECT count(*) FROM part),
        (SELECT array_agg({key} ORDER BY {key}) FROM part WHERE {where})
    """  # noqa: S608 - names of columns, quoted
    with database.cursor() as cursor:
        cursor.execute(statement, [*([] if after is None else [after]), limit, *params])
        last, count, found = cursor.fetchone()
    return (last if count == limit else None), count, found or []


def _condition(table: Table, hunt: Hunt) -> tuple[str, list[Any]]:
    parts: list[str] = []
    params: list[Any] = []
    for fields, traces in ((table.texts, hunt.traces), (table.spoken, hunt.spoken)):
        if fields and traces:
            text = ", ".join(f"{database.ops.quote_name(field.column)}::text" for field in fields)
            parts.append(f"lower(concat_ws(chr(10), {text})) LIKE ANY(%s::text[])")
            params.append(list(traces.like))
    if hunt.places:
        for field in table.keys:
            parts.append(f"{database.ops.quote_name(field.column)}::text = ANY(%s::text[])")
            params.append(list(hunt.places))
    return (" OR ".join(parts) or "false"), params


def connections_of(row: models.Model, hunt: Hunt) -> frozenset[int]:
    """Which connections a row speaks of, as far as it says."""
    if (pk := getattr(row, "connection_id", None)) is not None:
        return frozenset((pk,))
    if (flow := getattr(row, "flow_id", None)) is not None:
        return hunt.ends.get(flow, frozenset())
    return frozenset()


def fits(field: models.Field, value: Any) -> Any:
    """A value cut to its column."""
    most = getattr(field, "max_length", None)
    return value[:most] if most and isinstance(value, str) else value
