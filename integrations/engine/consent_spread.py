"""Bringing what is new in the ledger to the other sides: consent changes into their flows, customers out once more.

News are rows of the ledger (`is_news`), written in the transaction that brought them, so that none is lost with a killed worker; spreading
them is done after it, in small steps that may be repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from integrations.engine.arrays import text_array
from integrations.engine.consent_rows import Handle, load_around
from integrations.engine.consent_words import change_of, person_at
from integrations.engine.find_terms import one_way, plain
from integrations.engine.statements import bound_cursor
from integrations.engine.wake import wake_flow
from integrations.models import Flow, SearchTerm
from integrations.platforms.base import Lane
from mapping.consent import Statement, carries, heard, holding, newest_word
from mapping.models import ConsentStatement
from mapping.records import ConsentChange, RecordType

Bring = Callable[[Flow, Sequence[ConsentChange], bool], int]  # flow, changes, whether they are history → deliveries changed
PART = 500
LEFT_BEHIND = timedelta(seconds=20)  # after which news were left behind by a worker that is gone
MOST_PARTS = 200  # of one look for what was left behind

# Customers as the sources know them, by what they are found by and by who said something for this address or number.
RESEND = """
WITH theirs AS MATERIALIZED (
  SELECT d.id FROM integrations_delivery d JOIN integrations_flow f ON f.id = d.flow_id
  JOIN (SELECT connection_id, record_key FROM integrations_searchterm
        WHERE kind = ANY(%(kinds)s) AND term = ANY(%(terms)s::text[]) AND record_type = %(customer)s
        UNION
        SELECT connection_id, record_key FROM mapping_consentstatement
        WHERE contact_key = ANY(%(keys)s::text[]) AND NOT told AND record_key <> '') AS who
    ON who.connection_id = f.source_id AND who.record_key = d.record_key
  WHERE f.id = %(flow)s AND d.state <> 'ready'
  ORDER BY d.record_key COLLATE "C" FOR UPDATE OF d)
UPDATE integrations_delivery d SET version = version + 1,
  state = CASE WHEN state IN ('sending', 'accepted') THEN state ELSE 'ready' END,
  lane = %(lane)s, due_at = now(), ready_since = now(), updated_at = now(),
  attempts = CASE WHEN state = 'sending' THEN attempts ELSE 0 END
FROM theirs WHERE d.id = theirs.id
"""


def spread(ids: Sequence[int], bring: Bring) -> int:
    """Bring these news to the other sides; returns how many deliveries changed. Safe to repeat."""
    changed = 0
    for start in range(0, len(ids), PART):
        changed += _spread(ids[start : start + PART], bring)
    return changed


def spread_left_behind(bring: Bring) -> int:
    """Every minute: news whose worker was lost before they were spread; returns how many deliveries changed."""
    changed = 0
    for _ in range(MOST_PARTS):
        old = ConsentStatement.objects.filter(is_news=True, seen_at__lt=timezone.now() - LEFT_BEHIND)
        ids = list(old.order_by("pk").values_list("pk", flat=True)[:PART])
        if not ids:
            break
        changed += _spread(ids, bring)
    return changed


def _spread(ids: Sequence[int], bring: Bring) -> int:
    began = timezone.now()
    known, news = load_around(ids)
    flows = list(Flow.objects.filter(record_type=RecordType.CONSENT, enabled=True).select_related("source", "destination").order_by("pk"))
    changed = 0
    for flow, history, changes in _outgoing(flows, known):
        changed += bring(flow, changes, history)
    moved = [handle for handle, statements in known.items() if _stands_anew(handle, statements, news[handle])]
    live = {handle for handle, places in news.items() if any(not known[handle][place].history for place in places)}
    changed += _resend([handle for handle in moved if handle in live], Lane.REALTIME)
    changed += _resend([handle for handle in moved if handle not in live], Lane.BULK)
    ConsentStatement.objects.filter(pk__in=ids, seen_at__lte=began).update(is_news=False)  # what was heard again since is news again
    return changed


def _outgoing(flows: Sequence[Flow], known: dict[Handle, list[Statement]]) -> Iterator[tuple[Flow, bool, list[ConsentChange]]]:
    """Which changes each flow is to carry, those known from history apart."""
    found: dict[tuple[int, bool], list[ConsentChange]] = {}
    for handle, statements in known.items():
        winner = newest_word(heard(statements, handle[0]))
        if winner is None or not carries(winner):
            continue
        for flow in _carriers(flows, statements, winner):
            found.setdefault((flow.pk, winner.history), []).append(
                change_of(handle, winner, person=person_at(statements, flow.destination_id))
            )
    by_id = {flow.pk: flow for flow in flows}
    return ((by_id[pk], history, changes) for (pk, history), changes in sorted(found.items(), key=lambda entry: entry[0]))


def _carriers(flows: Sequence[Flow], statements: Sequence[Statement], winner: Statement) -> Iterator[Flow]:
    """For every destination that does not hold what stands, the flow that tells it: from where it was stated, or from who agrees."""
    for destination in sorted({flow.destination_id for flow in flows}):
        if holding(statements, destination, winner.channel).agrees(winner):
            continue
        into = [flow for flow in flows if flow.destination_id == destination]
        straight = [flow for flow in into if flow.source_id == winner.connection]
        agreeing = [flow for flow in into if holding(statements, flow.source_id, winner.channel).agrees(winner)]
        if winner.connection == destination:  # it was told something older after it had said this: whoever told it takes it back
            agreeing = agreeing or into
        yield from (straight or agreeing)[:1]


def _stands_anew(handle: Handle, statements: Sequence[Statement], news: Collection[int]) -> bool:
    """Whether something else stands than stood before these news."""
    after = newest_word(heard(statements, handle[0]))
    before = newest_word(heard([s for position, s in enumerate(statements) if position not in news], handle[0]))
    return (after.state, after.stated_at) != (before.state, before.stated_at) if after and before else after is not before


def _resend(moved: Sequence[Handle], lane: Lane) -> int:
    """Let the customers who are reached by these handles go out again, of whatever source: their consents are other ones now."""
    if not moved:
        return 0
    keys = sorted({key for _, key in moved})
    values = {
        "kinds": [SearchTerm.Kind.EMAIL, SearchTerm.Kind.PHONE], "terms": text_array(one_way(plain(key)) for key in keys),
        "keys": text_array(keys), "customer": RecordType.CUSTOMER, "lane": int(lane),
    }  # fmt: skip
    changed = 0
    for flow_id in Flow.objects.filter(record_type=RecordType.CUSTOMER, enabled=True).order_by("pk").values_list("pk", flat=True):
        with transaction.atomic(), bound_cursor() as cursor:
            cursor.execute(RESEND, {**values, "flow": flow_id})
            found = cursor.rowcount
            if found:
                wake_flow(flow_id)
        changed += found
    return changed
