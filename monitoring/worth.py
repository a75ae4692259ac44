"""The value of the orders that are held, per flow and currency: summed live while few are held, by the samples when many are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal

from django.db import connection as database
from django.db.models import DecimalField, QuerySet, Sum
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast

from integrations.models import Delivery
from integrations.words import money
from mapping.records import RecordType
from monitoring.latest import LatestSamples
from monitoring.models import Sample

PREFIX, ASKED_PREFIX = "worth.", "asked."
EVERY = 10  # minutes: so often many held orders are summed, as each has to be read; between, the last sum stands
MANY = 5000
ASKED = """
SELECT e.flow_id, e.kind, v.key, sum(v.value::numeric) FROM integrations_syncexception e, jsonb_each_text(e.waiting_values) v
WHERE e.state = 'open' AND e.snoozed_until IS NULL AND e.flow_id IS NOT NULL AND e.waiting_values <> '{}'
GROUP BY 1, 2, 3
"""
Worth = Mapping[str, Decimal]  # currency → net value


def held_orders() -> QuerySet[Delivery]:
    """Orders that wait for a person."""
    return Delivery.objects.filter(state=Delivery.State.BLOCKED, flow__record_type=RecordType.ORDER)


def worth_by_flow(orders: QuerySet[Delivery]) -> dict[int, dict[str, Decimal]]:
    """Flow → currency → net value of these orders; one query."""
    net = Cast(KeyTextTransform("net", KeyTransform("totals", "record")), DecimalField(max_digits=20, decimal_places=3))
    rows = orders.order_by().values_list("flow", KeyTextTransform("currency", "record")).annotate(worth=Sum(net))
    found: dict[int, dict[str, Decimal]] = defaultdict(dict)
    for flow_id, currency, worth in rows:
        if currency and worth is not None:
            found[flow_id][currency] = worth
    return found


def worth_of_held(few: Collection[int], samples: LatestSamples) -> dict[int, Worth]:
    """Flow → value held: live for the flows of `few`, which hold no more than can be looked at, else from the last samples."""
    live = worth_by_flow(held_orders().filter(flow__in=few))
    return {**samples.by_flow(PREFIX), **{flow_id: live.get(flow_id, {}) for flow_id in few}}


def held_worth(previous: datetime | None, until: datetime) -> Iterator[Sample]:
    """The samples of this minute."""
    many = held_orders()[MANY : MANY + 1].exists()
    if many and until.minute % EVERY and previous is not None:
        before = Sample.objects.filter(at=previous, metric__startswith=PREFIX, flow__isnull=False)
        for flow_id, metric, value in before.values_list("flow", "metric", "value"):
            yield Sample(flow_id=flow_id, metric=metric, value=value)
        return
    for flow_id, sums in worth_by_flow(held_orders()).items():
        for currency, worth in sums.items():
            yield Sample(flow_id=flow_id, metric=f"{PREFIX}{currency[:8]}", value=float(worth))


def asked_worth() -> Iterator[Sample]:
    """What the open questions of each flow and kind hold up per currency, from what is kept with each question; one query."""
    with database.cursor() as cursor:
        cursor.execute(ASKED)
        rows = cursor.fetchall()
    for flow_id, kind, currency, value in rows:
        yield Sample(flow_id=flow_id, metric=f"{ASKED_PREFIX}{kind}.{currency[:8]}", value=float(value))


def asked_of_flows(flow_ids: Iterable[int], samples: LatestSamples) -> dict[str, dict[str, Decimal]]:
    """Kind → currency → value, by the last samples."""
    found: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    by_flow = samples.by_flow(ASKED_PREFIX)
    for flow_id in flow_ids:
        for name, value in by_flow.get(flow_id, {}).items():
            kind, _, currency = name.partition(".")
            found[kind][currency] += value
    return found


def add_up(parts: Iterable[Worth]) -> dict[str, Decimal]:
    """Several flows' values as one, by currency."""
    total: dict[str, Decimal] = defaultdict(Decimal)
    for part in parts:
        for currency, worth in part.items():
            total[currency] += worth
    return dict(sorted(total.items()))


def in_words(worth: Worth) -> str:
    """ "£1,240.00 and €90.00"; empty when nothing of value waits."""
    return " and ".join(money(value, currency) for currency, value in sorted(worth.items()) if value)
