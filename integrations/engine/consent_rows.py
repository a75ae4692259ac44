"""The ledger's rows: what is noted, what is told and what is known of people, in one statement each.

A person of the ledger is an address (for e-mail) or a number (for SMS), normalised, over all sources: a consent is given for where one is
written to. So a shared phone never speaks for an e-mail address, and an address or number that masking hides belongs to nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from integrations.engine.arrays import text_array
from integrations.engine.find_terms import WHOLE_NUMBER
from integrations.engine.statements import bound_cursor
from mapping.consent import Statement
from mapping.records import ConsentChange, ConsentState, Customer, CustomerRef, Record
from mapping.transforms import e164, email

Handle = tuple[str, str]  # channel and normalised address or number
Person = Customer | CustomerRef | ConsentChange
CHANNELS = {"email": "e-mail", "sms": "SMS"}
FORMER = "said for an earlier address"

# A word that is the last one heard of its connection is not written again. A withdrawal follows a person to a new address.
# The last word is looked for by contact: while a new table has no statistics, an index by connection seems as good, and reads all of it.
NOTE = """
WITH n AS MATERIALIZED (
  SELECT t.*, now() + t.place * interval '1 microsecond' AS seen_at
  FROM unnest(%(channels)s::text[], %(keys)s::text[], %(states)s::text[], %(times)s::timestamptz[], %(sources)s::text[],
              %(policies)s::text[], %(explicit)s::bool[], %(people)s::text[], %(versions)s::timestamptz[])
       WITH ORDINALITY AS t(channel, contact_key, state, stated_at, source, policy, explicit, record_key, as_of, place)),
moved AS (
  SELECT n.channel, n.contact_key, s.state, s.stated_at, %(former)s AS source, s.policy, s.explicit, n.record_key, n.as_of, n.seen_at
  FROM n JOIN mapping_consentstatement o ON o.connection_id = %(connection)s AND o.record_key = n.record_key AND n.record_key <> ''
         AND o.channel = n.channel AND o.contact_key <> n.contact_key AND NOT o.told
       JOIN mapping_consentstatement s ON s.contact_key = o.contact_key AND s.channel = o.channel AND s.state = 'withdrawn' AND NOT s.told
  WHERE NOT EXISTS (
    SELECT 1 FROM mapping_consentstatement h WHERE h.connection_id = %(connection)s AND h.record_key = n.record_key
      AND h.channel = n.channel AND h.contact_key = n.contact_key)),
heard AS (
  SELECT DISTINCT ON (x.contact_key, x.channel, x.state, x.stated_at) x.* FROM (
    SELECT channel, contact_key, state, stated_at, source, policy, explicit, record_key, as_of, seen_at FROM n
    UNION ALL SELECT * FROM moved) AS x
  ORDER BY x.contact_key, x.channel, x.state, x.stated_at, x.seen_at DESC)
INSERT INTO mapping_consentstatement AS c (connection_id, contact_key, channel, state, stated_at, source, policy, explicit, record_key,
                                           from_history, told, recorded_at, seen_at, as_of, is_news)
SELECT %(connection)s, x.contact_key, x.channel, x.state, x.stated_at, x.source, x.policy, x.explicit, x.record_key, %(history)s, false,
  x.seen_at, x.seen_at, x.as_of,
  %(carries)s AND (x.state IN ('withdrawn', 'suppressed')
                   OR (x.state = 'granted' AND NOT %(history)s AND x.explicit AND x.stated_at IS NOT NULL))
  OR EXISTS (SELECT 1 FROM mapping_consentstatement o
             WHERE o.contact_key = x.contact_key AND o.channel = x.channel AND o.connection_id <> %(connection)s AND NOT o.told
               AND o.state <> 'unknown')
FROM heard AS x
LEFT JOIN LATERAL (
  SELECT s.state, s.stated_at, s.from_history FROM mapping_consentstatement s
  WHERE s.contact_key = x.contact_key AND s.channel = x.channel AND s.connection_id + 0 = %(connection)s AND NOT s.told
  ORDER BY s.seen_at DESC LIMIT 1) AS last ON true
WHERE (last.state = x.state AND last.stated_at IS NOT DISTINCT FROM x.stated_at AND (%(history)s OR NOT last.from_history)) IS NOT TRUE
ORDER BY x.contact_key COLLATE "C", x.channel, x.state, x.stated_at
ON CONFLICT (connection_id, contact_key, channel, told, state, stated_at, delivery_id) DO UPDATE SET
  seen_at = excluded.seen_at, as_of = excluded.as_of, from_history = c.from_history AND excluded.from_history,
  is_news = c.is_news OR excluded.is_news, explicit = c.explicit OR excluded.explicit,
  record_key = COALESCE(NULLIF(excluded.record_key, ''), c.record_key)
RETURNING c.id, c.is_news
"""

TELL = """
INSERT INTO mapping_consentstatement AS c (connection_id, contact_key, channel, state, stated_at, source, policy, explicit, record_key,
                                           from_history, told, keeps_time, delivery_id, recorded_at, seen_at)
SELECT DISTINCT ON (t.contact_key, t.channel, t.state, t.stated_at, t.delivery_id)
  %(connection)s, t.contact_key, t.channel, t.state, t.stated_at, t.source, t.policy, t.explicit, '', t.history, true,
  %(keeps_time)s, t.delivery_id, clock_timestamp(), clock_timestamp()
FROM unnest(%(channels)s::text[], %(keys)s::text[], %(states)s::text[], %(times)s::timestamptz[], %(sources)s::text[],
            %(policies)s::text[], %(explicit)s::bool[], %(histories)s::bool[], %(deliveries)s::bigint[])
     AS t(channel, contact_key, state, stated_at, source, policy, explicit, history, delivery_id)
ORDER BY t.contact_key, t.channel, t.state, t.stated_at, t.delivery_id
ON CONFLICT (connection_id, contact_key, channel, told, state, stated_at, delivery_id) DO UPDATE SET
  seen_at = clock_timestamp(), keeps_time = c.keeps_time AND excluded.keeps_time,
  from_history = c.from_history AND excluded.from_history
"""

# A telling arrived when its delivery did after it, also where there was nothing to change; one that the destination left alone is none.
LOAD = """
SELECT s.id, s.contact_key, s.channel, s.state, s.stated_at, s.source, s.explicit, s.policy, s.connection_id, p.name, s.record_key,
       s.from_history, s.told, s.recorded_at, s.seen_at, s.as_of, s.keeps_time, s.delivery_id,
       COALESCE(d.delivered_at >= s.seen_at OR (d.state = 'delivered' AND d.last_code = 'unchanged' AND d.updated_at >= s.seen_at), false)
FROM mapping_consentstatement s JOIN integrations_connection p ON p.id = s.connection_id
LEFT JOIN integrations_delivery d ON s.told AND d.id = s.delivery_id
WHERE s.contact_key = ANY(%(keys)s::text[])
  AND NOT (s.told AND d.state IS NOT DISTINCT FROM 'skipped' AND d.updated_at >= s.seen_at AND COALESCE(d.delivered_at < s.seen_at, true))
ORDER BY s.id
"""
BY_ID = LOAD.replace(
    "WHERE s.contact_key = ANY(%(keys)s::text[])",
    "WHERE s.contact_key IN (SELECT contact_key FROM mapping_consentstatement WHERE id = ANY(%(ids)s::bigint[]))",
)
WALK = """
SELECT DISTINCT contact_key, channel FROM mapping_consentstatement WHERE (contact_key, channel) > (%(key)s, %(channel)s)
ORDER BY contact_key, channel LIMIT %(limit)s
"""
Ledger = Mapping[Handle, Sequence[Statement]]


@dataclass(frozen=True, slots=True)
class Told:
    """What one delivery is about to tell a destination."""

    handle: Handle
    statement: Statement
    delivery_id: int


def handle_of(person: Person, channel: str) -> str:
    """The normalised address or number that a channel writes to, "" when the person shows none that can be used."""
    if channel == "email":
        return email(person.email) if person.email else ""
    if channel != "sms" or not person.phone:
        return ""
    return person.phone if WHOLE_NUMBER.fullmatch(person.phone) else e164(person.phone, getattr(person, "country", ""))


def handles(person: Person) -> list[Handle]:
    """Channel and handle of everything a person can be written to by."""
    return [(channel, found) for channel in CHANNELS if (found := handle_of(person, channel))]


def note_rows(connection_id: int, records: Iterable[Record], *, history: bool, carries: bool) -> list[int]:
    """Note what these records say about being written to; returns the ids of the rows that other sides are to hear of."""
    said = [
        (consent, handle, record)
        for record in sorted(records, key=lambda record: record.occurred_at)
        if isinstance(record, Customer | ConsentChange)
        for consent in record.consents
        if (handle := handle_of(record, consent.channel))
    ]
    if not said:
        return []
    values = {
        "connection": connection_id, "history": history, "carries": carries, "former": FORMER,
        "channels": [consent.channel for consent, _, _ in said], "keys": text_array(handle[:255] for _, handle, _ in said),
        "states": [str(consent.state) for consent, _, _ in said], "times": [consent.stated_at for consent, _, _ in said],
        "sources": text_array(_plain(consent.source, 100) for consent, _, _ in said),
        "policies": text_array(_plain(consent.policy, 200) for consent, _, _ in said),
        "explicit": [consent.explicit for consent, _, _ in said], "people": text_array(record.key[:200] for _, _, record in said),
        "versions": [record.occurred_at for _, _, record in said],
    }  # fmt: skip
    with bound_cursor() as cursor:
        cursor.execute(NOTE, values)
        return [pk for pk, is_news in cursor.fetchall() if is_news]


def tell_rows(connection_id: int, told: Collection[Told], *, keeps_time: bool) -> None:
    """Remember what a destination is about to be told, before it is: what comes back of it is then known as an echo.

    `keeps_time` = the destination shows the time that it is told, so that an echo of another time is none.
    """
    if not told:
        return
    words = [(one.handle, one.statement, one.delivery_id) for one in told]
    values = {
        "connection": connection_id, "keeps_time": keeps_time, "channels": [handle[0] for handle, _, _ in words],
        "keys": text_array(handle[1][:255] for handle, _, _ in words),
        "states": [str(ConsentState.WITHDRAWN if word.is_no else word.state) for _, word, _ in words],
        "times": [word.stated_at for _, word, _ in words], "sources": text_array(word.source[:100] for _, word, _ in words),
        "policies": text_array(word.policy[:200] for _, word, _ in words), "explicit": [word.explicit for _, word, _ in words],
        "histories": [word.history for _, word, _ in words], "deliveries": [delivery for _, _, delivery in words],
    }  # fmt: skip
    with bound_cursor() as cursor:
        cursor.execute(TELL, values)


def load(wanted: Iterable[Handle]) -> dict[Handle, list[Statement]]:
    """Everything the ledger knows about these handles, oldest row first."""
    found: dict[Handle, list[Statement]] = {handle: [] for handle in wanted}
    if not found:
        return found
    with bound_cursor() as cursor:
        cursor.execute(LOAD, {"keys": text_array({value for _, value in found})})
        for _, handle, statement in map(_statement, cursor.fetchall()):
            if handle in found:
                found[handle].append(statement)
    return found


def walk(after: Handle | None = None, limit: int = 500) -> list[Handle]:
    """The next people of the ledger in the order of their addresses and numbers, one per channel; begin with None, end when it is empty."""
    channel, key = after or ("", "")
    with bound_cursor() as cursor:
        cursor.execute(WALK, {"channel": channel, "key": key, "limit": limit})
        return [(channel, key) for key, channel in cursor.fetchall()]


def load_around(ids: Sequence[int]) -> tuple[dict[Handle, list[Statement]], dict[Handle, set[int]]]:
    """Everything about the handles of these rows, and which statements (by position) of each are these rows."""
    known: dict[Handle, list[Statement]] = {}
    news: dict[Handle, set[int]] = {}
    chosen = set(ids)
    with bound_cursor() as cursor:
        cursor.execute(BY_ID, {"ids": list(ids)})
        for pk, handle, statement in map(_statement, cursor.fetchall()):
            if pk in chosen:
                news.setdefault(handle, set()).add(len(known.get(handle, ())))
            known.setdefault(handle, []).append(statement)
    return {handle: known[handle] for handle in news}, news


def _statement(row: tuple) -> tuple[int, Handle, Statement]:
    pk, key, channel, state, at, source, explicit, policy, connection, name, person, history, told, noted, seen, *more = row
    as_of, keeps_time, delivery, confirmed = more
    return pk, (channel, key), Statement(
        channel=channel, state=ConsentState(state), stated_at=at, source=source, explicit=explicit, policy=policy, connection=connection,
        place=name, person=person, history=history, told=told, noted_at=noted, seen_at=seen, as_of=as_of,
        confirmed=confirmed, keeps_time=keeps_time, entry=delivery,
    )  # fmt: skip


def _plain(text: str, longest: int) -> str:
    return text.replace("\x00", "")[:longest]
