"""Everything about a person in one file: a ZIP with a page to begin with, one JSON file per table, and the orders as a table.

The file is written in pieces, each encrypted with the installation's keys, and read back in pieces: it never lies on a disk as it is.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any

import orjson
from django.apps import apps
from django.db import models
from django.utils import timezone
from django.utils.text import slugify

from integrations.engine.privacy.erase import is_mine, relations_of
from integrations.engine.privacy.tables import Hunt
from integrations.models import Connection, Delivery, Flow, Hold, InboxEvent, PrivacyFilePart, PrivacyRequest, SyncException
from integrations.models.secret import cipher
from mapping.anonymous import strings_of
from mapping.records import RecordType

if TYPE_CHECKING:
    from integrations.engine.privacy.work import Work

PART = 256 * 1024  # bytes of a piece
CHUNK = 500  # rows that are read at a time
ABOUT = """Everything that this installation of Switchyard holds about one person
Written on {now}, request {number}

person.json        every name by which the person is known here
orders.csv         the person's orders, one line each
tables/            one file per table that holds something about the person; each is a list of rows
  deliveries.json  what was moved for the person: the record as its source told it, and what was sent to which platform
  messages ...     messages of platforms as they came
  other files      what names the person anywhere else: comments, corrections, questions, logs

Rows of other people that only mention this person are given with the words that mention them, not whole.
Platforms keep data of their own; ask them for it there. They are: {platforms}.

This file is removed from Switchyard {days} days after it was written. Keep it safe: it holds personal data.
"""
ORDERS = ("number", "placed_at", "status", "currency", "net", "source", "id")


class _Sink:
    """Takes the bytes of the archive and stores them piece by piece."""

    def __init__(self, request: PrivacyRequest) -> None:
        self._request, self._held, self._number, self.size = request, bytearray(), 0, 0

    def write(self, data: bytes) -> int:
        """Take some bytes."""
        self._held += data
        self.size += len(data)
        while len(self._held) >= PART:
            self._store(self._held[:PART])
            del self._held[:PART]
        return len(data)

    def flush(self) -> None:
        """Pieces are whole before they are stored."""

    def close(self) -> None:
        """Store what is left."""
        if self._held:
            self._store(self._held)
        self._held.clear()

    def _store(self, piece: bytes | bytearray) -> None:
        PrivacyFilePart.objects.create(request=self._request, number=self._number, data=cipher().encrypt(bytes(piece)))
        self._number += 1


def write_file(work: Work) -> int:
    """Write the file of a request whose rows were found, in place of a former one; returns its size in bytes."""
    PrivacyFilePart.objects.filter(request=work.request).delete()
    sink = _Sink(work.request)
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in _beginning(work):
            archive.writestr(name, content)
        for name, rows in _files(work):
            with archive.open(name, "w") as held:
                _json_rows(held, rows)
    sink.close()
    return sink.size


def read_file(request: PrivacyRequest) -> Iterator[bytes]:
    """The file in pieces."""
    parts = PrivacyFilePart.objects.filter(request=request).order_by("number").values_list("data", flat=True)
    for data in parts.iterator(chunk_size=4):
        yield cipher().decrypt(bytes(data))


def _beginning(work: Work) -> Iterator[tuple[str, bytes]]:
    names = dict(Connection.objects.values_list("pk", "name"))
    subject = work.subject
    keyed = {"customers": subject.customers, "browsers": subject.visitors, "contacts": subject.contacts | subject.there}
    person: dict[str, Any] = {"emails": sorted(subject.emails), "phones": sorted(subject.phones), "names": sorted(subject.names)}
    person |= {what: [{"at": names.get(at, "?"), "id": key} for at, key in sorted(keys)] for what, keys in keyed.items()}
    platforms = ", ".join(sorted({names[at] for at, _ in subject.keys | subject.orders if at in names})) or "none"
    about = ABOUT.format(now=timezone.localtime().strftime("%-d %B %Y, %H:%M %Z"), number=work.request.pk, platforms=platforms, days=7)
    yield "README.txt", about.encode()
    yield "person.json", orjson.dumps(person, option=orjson.OPT_INDENT_2)
    yield "orders.csv", _orders(_own(work))


def _own(work: Work) -> models.QuerySet[Delivery]:
    rows = {key for step in work.request.steps if table_of_step(step) == Delivery._meta.label for key in step["rows"]}
    return Delivery.objects.filter(pk__in=rows).select_related("flow__source", "flow__destination").order_by("pk")


def table_of_step(step: Mapping[str, Any]) -> str:
    """The table whose rows a step found, empty for steps that look at none."""
    name = {"own": Delivery._meta.label, "inbox": InboxEvent._meta.label}.get(step["name"], step["name"])
    return name.removeprefix("table:") if "." in name else ""


def _orders(rows: models.QuerySet[Delivery]) -> bytes:
    held, seen = io.StringIO(), set()
    table = csv.writer(held)
    table.writerow(ORDERS)
    for row in rows.filter(flow__record_type=RecordType.ORDER).iterator(chunk_size=CHUNK):
        place, record = (row.flow.source_id, row.record_key), row.record
        if place not in seen:
            seen.add(place)
            cells = [str(record.get(name) or "") for name in ORDERS[:4]]
            net = str((record.get("totals") or {}).get("net", ""))
            table.writerow([_plain(cell) for cell in (*cells, net, row.flow.source.name, place[1])])
    return held.getvalue().encode("utf-8-sig")


def _plain(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t") else cell


def _files(work: Work) -> Iterator[tuple[str, Iterator[dict[str, Any]]]]:
    hunt, own = work.hunt, _own(work)
    mine = [row.pk for row in own.iterator(chunk_size=CHUNK) if is_mine(row, hunt)]
    found: dict[str, set[Any]] = {}
    for step in work.request.steps:
        if label := table_of_step(step):
            found.setdefault(label, set()).update(step["rows"])
    for label, keys in _hanging(mine).items():
        found.setdefault(label, set()).update(keys)
    for label, keys in sorted(found.items()):
        if keys:
            model = apps.get_model(label)
            yield f"tables/{slugify(model._meta.verbose_name_plural)}.json", _rows(model, keys, hunt, set(mine))


def _hanging(deliveries: Sequence[int]) -> dict[str, set[Any]]:
    """What hangs on the person's deliveries: tries, corrections, the questions they wait for and what was said of those."""
    found: dict[str, set[Any]] = {}
    asked = set(Hold.objects.filter(delivery__in=deliveries).values_list("exception", flat=True))
    found[SyncException._meta.label] = asked
    for relations, keys in ((relations_of(Delivery), deliveries), (relations_of(SyncException), asked)):
        for relation in relations:
            model = relation.related_model
            rows = model._base_manager.filter(**{f"{relation.field.name}__in": keys}).values_list("pk", flat=True)
            found.setdefault(model._meta.label, set()).update(rows)
    found.pop(Delivery._meta.label, None)
    return found


def _rows(model: type[models.Model], keys: Iterable[Any], hunt: Hunt, mine: set[int]) -> Iterator[dict[str, Any]]:
    """The rows as a reader understands them; of another person's only the words that mention this one."""
    flows = {flow.pk: str(flow) for flow in Flow.objects.select_related("source", "destination")}
    names = dict(Connection.objects.values_list("pk", "name"))
    for row in model._base_manager.filter(pk__in=list(keys)).order_by("pk").iterator(chunk_size=CHUNK):
        if isinstance(row, Delivery) and row.pk not in mine:
            yield {"id": row.pk, "mentioned in": sorted(strings_of([row.record, row.sent_payload], hunt.traces.are_in))}
        else:
            yield _shown(row, flows, names)


def _shown(row: models.Model, flows: dict[int, str], names: dict[int, str]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for field in row._meta.concrete_fields:
        value = getattr(row, field.attname)
        if value in (None, "", [], {}) or isinstance(field, models.BinaryField):
            continue
        if field.name == "flow":
            value = flows.get(value, value)
        elif field.name == "connection":
            value = names.get(value, value)
        elif isinstance(row, InboxEvent) and field.name == "body":
            value = _body(value)
        shown[str(field.verbose_name)] = value
    return shown


def _body(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _json_rows(held: IO[bytes], rows: Iterable[dict[str, Any]]) -> None:
    held.write(b"[")
    for number, row in enumerate(rows):
        held.write(b",\n" if number else b"\n")
        held.write(orjson.dumps(row, default=str, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS))
    held.write(b"\n]\n")
