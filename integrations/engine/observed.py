"""What a source merely shows of consent, made a word where it turned round since it was last seen; see `mapping.consent_observed`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from integrations.engine.consent_rows import Ledger, handle_of, load
from integrations.models import Connection
from mapping.consent_observed import is_observed, turned
from mapping.records import Consent, ConsentChange, Record


def with_turns(connection: Connection, records: Sequence[Record]) -> Sequence[Record]:
    """The records with turned states as dated words; one query for all, none where nothing is merely shown."""
    wanted = {
        (consent.channel, handle)
        for record in records
        if isinstance(record, ConsentChange)
        for consent in record.consents
        if is_observed(consent) and (handle := handle_of(record, consent.channel))
    }
    if not wanted:
        return records
    known = load(wanted)
    return [_with_words(connection, record, known) if isinstance(record, ConsentChange) else record for record in records]


def _with_words(connection: Connection, record: ConsentChange, known: Ledger) -> ConsentChange:
    consents = tuple(_word(connection, record, consent, known) if is_observed(consent) else consent for consent in record.consents)
    return record if consents == record.consents else replace(record, consents=consents)


def _word(connection: Connection, record: ConsentChange, consent: Consent, known: Ledger) -> Consent:
    statements = known.get((consent.channel, handle_of(record, consent.channel)), ())
    return turned(consent, record.occurred_at, statements, connection=connection.pk)
