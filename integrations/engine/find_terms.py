"""What things can be found by, kept beside the outbox: written once per source and change, never when a delivery changes its state.

An expression index on the record would be written again by each claim and each outcome of a delivery; a row here is written once.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache, partial

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from integrations.engine.arrays import text_array
from integrations.engine.statements import bound_cursor
from integrations.models import Connection, Delivery, SearchTerm
from mapping import codec
from mapping.records import Customer, CustomerRef, Order, Product, Record, RecordType, Variant
from mapping.transforms import e164, email

Kind = SearchTerm.Kind
Term = tuple[str, str]  # kind and term as stored
Row = tuple[str, str, str, str]  # kind, term, record type and key
MOST_NOTED = 100_000  # rows that a process remembers having written, so that it need not write them again
_NOTED: set[tuple[int, Row]] = set()
LONGEST, SHORTEST_WORD, MOST_WORDS = 100, 2, 12  # characters of a term, of a word, and words of one title
CODE_LENGTH = 32  # hexadecimal digits of a one-way code
CATCH_UP = timedelta(days=2)
PART = 2000  # records of one step of filling up
WHOLE_NUMBER = re.compile(r"\+[1-9]\d{7,14}")  # already as E.164 writes it
WORDS = re.compile(r"\w+")

REMEMBER = """
INSERT INTO integrations_searchterm (kind, term, connection_id, record_type, record_key)
SELECT k, t, %(connection)s, y, r FROM unnest(%(kinds)s::text[], %(terms)s::text[], %(types)s::text[], %(keys)s::text[]) AS n(k, t, y, r)
ORDER BY k COLLATE "C", t COLLATE "C", y COLLATE "C", r COLLATE "C"
ON CONFLICT DO NOTHING
"""


def remember_later(connection: Connection, records: Iterable[Record]) -> None:
    """Note what these records are found by once they are stored.

    Afterwards, in a statement of its own that takes its rows in one order: it can neither undo a batch nor meet another in a deadlock.
    """
    wanted = [record for record in records if record.record_type in TERMS]
    if wanted:
        transaction.on_commit(partial(_remember_news, connection.pk, wanted), robust=True)


def remember(connection_id: int, records: Iterable[Record]) -> int:
    """Note what these records of a source are found by; returns how many terms are new."""
    return _write(connection_id, _rows(records))


def _remember_news(connection_id: int, records: Iterable[Record]) -> None:
    """The same for what this process has not noted lately: most changes of a thing do not change what it is called."""
    rows = {row for row in _rows(records) if (connection_id, row) not in _NOTED}
    _write(connection_id, rows)
    if len(_NOTED) > MOST_NOTED:
        _NOTED.clear()
    _NOTED.update((connection_id, row) for row in rows)


def _rows(records: Iterable[Record]) -> set[Row]:
    return {(kind, term, str(record.record_type), record.key[:200]) for record in records for kind, term in terms_of(record)}


def _write(connection_id: int, rows: set[Row]) -> int:
    if not rows:
        return 0
    kinds, terms, types, keys = (text_array(column) for column in zip(*rows, strict=True))
    with bound_cursor() as cursor:
        cursor.execute(REMEMBER, {"connection": connection_id, "kinds": kinds, "terms": terms, "types": types, "keys": keys})
        return cursor.rowcount


def refill(since: datetime | None = None) -> int:
    """Note what all records of the outbox are found by that changed since then (None: all of them); returns how many terms are new.

    For what was stored before there were terms, and every night for what a killed worker left out.
    """
    rows = Delivery.objects.filter(flow__record_type__in=list(TERMS))
    rows = rows.filter(updated_at__gte=since) if since else rows
    columns = ("flow__source", "flow__record_type", "record")
    added, waiting = 0, dict[int, list[Record]]()
    for source, record_type, data in rows.values_list(*columns).iterator(chunk_size=PART):
        part = waiting.setdefault(source, [])
        part.append(codec.from_json(record_type, data))
        if len(part) >= PART:
            added += remember(source, waiting.pop(source))
    return added + sum(remember(source, part) for source, part in waiting.items())


def catch_up() -> int:
    """Every night: what changed since the night before last, or everything while nothing is noted yet; returns how many terms are new."""
    return refill(timezone.now() - CATCH_UP if SearchTerm.objects.exists() else None)


def terms_of(record: Record) -> Iterator[Term]:
    """Kind and term of everything a record is found by, as stored."""
    find = TERMS.get(record.record_type)
    for kind, value in find(record) if find else ():
        term = plain(value)
        if term:
            yield str(kind), one_way(term) if kind in (Kind.EMAIL, Kind.PHONE) else term


def plain(text: str) -> str:
    """A name as it is compared: small letters, no spaces around, no leading number sign."""
    return text.replace("\x00", "").strip().lower().removeprefix("#").strip()[:LONGEST]


def one_way(value: str) -> str:
    """The code of an address or number of a person (normalised): the same for the same value, and nobody can turn it back."""
    return hmac.digest(_key(settings.SECRET_KEY), value.encode(), "sha256").hex()[:CODE_LENGTH]


@cache
def _key(secret: str) -> bytes:
    """The key of the codes, made of the installation's secret for this purpose alone."""
    return salted_hmac("integrations.SearchTerm", "", secret=secret, algorithm="sha256").digest()


def words_of(text: str) -> list[str]:
    """The words of a title, or of what somebody types to find it."""
    return list(dict.fromkeys(word for word in WORDS.findall(text.lower()) if len(word) >= SHORTEST_WORD))[:MOST_WORDS]


def _person(who: Customer | CustomerRef, country: str = "") -> Iterator[Term]:
    if who.email:
        yield Kind.EMAIL, email(who.email)
    if who.phone:
        yield Kind.PHONE, who.phone if WHOLE_NUMBER.fullmatch(who.phone) else e164(who.phone, country)


def _order(order: Order) -> Iterator[Term]:
    yield Kind.NUMBER, order.number
    address = order.shipping_address or order.billing_address
    yield from _person(order.customer, address.country if address else "")


def _customer(customer: Customer) -> Iterator[Term]:
    yield from _person(customer, customer.country)


def _product(product: Product) -> Iterator[Term]:
    yield from ((Kind.WORD, word) for word in words_of(product.title))


def _variant(variant: Variant) -> Iterator[Term]:
    yield Kind.SKU, variant.sku
    yield Kind.BARCODE, variant.barcode


TERMS: Mapping[str, Callable[[Record], Iterator[Term]]] = {
    RecordType.ORDER: _order, RecordType.CUSTOMER: _customer, RecordType.PRODUCT: _product, RecordType.VARIANT: _variant,
}  # fmt: skip
