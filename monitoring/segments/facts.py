"""Facts for counting, filled from the outbox in small steps, so that no question about people has to read a million records.

They hold no personal data: a person is a hash of the e-mail address in lower case, or of source and customer where there is none.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection as database
from django.db import transaction
from django.utils import timezone

from integrations.models import Delivery
from monitoring.models import FactMark

STEP = 2000  # changes of the outbox looked at in one transaction
OVERLAP = timedelta(seconds=30)  # read again each time, for transactions that were open meanwhile
NAME = "segments"
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)

PERSON = """hashtextextended(CASE WHEN COALESCE({who}->>'email', '') <> '' THEN lower(btrim({who}->>'email'))
  ELSE f.source_id || ':' || COALESCE(NULLIF({key}, ''), d.record_key) END, 0)"""
CHANGED = "d.updated_at > %(since)s AND d.updated_at <= %(until)s"

ORDERS = f"""
INSERT INTO monitoring_orderfact AS fact (delivery_id, flow_id, person, placed_at, status, status_since, net, currency, skus, state,
  state_since, delivered_at)
SELECT d.id, d.flow_id, {PERSON.format(who="(d.record->'customer')", key="d.record->'customer'->>'key'")},
  COALESCE((d.record->>'placed_at')::timestamptz, d.occurred_at),
  CASE WHEN d.record->>'removed' = 'true' THEN 'removed' ELSE left(COALESCE(d.record->>'status', ''), 30) END, d.occurred_at,
  COALESCE((d.record->'totals'->>'net')::numeric, 0), left(COALESCE(d.record->>'currency', ''), 3),
  CASE jsonb_typeof(d.record->'lines') WHEN 'array' THEN jsonb_path_query_array(d.record, '$.lines[*].sku') ELSE '[]' END,
  d.state, d.updated_at, d.delivered_at
FROM integrations_delivery d JOIN integrations_flow f ON f.id = d.flow_id AND f.record_type = 'order'
WHERE {CHANGED}
ORDER BY d.id
ON CONFLICT (delivery_id) DO UPDATE SET person = excluded.person, placed_at = excluded.placed_at, net = excluded.net,
  currency = excluded.currency, skus = excluded.skus, status = excluded.status, state = excluded.state,
  delivered_at = excluded.delivered_at,
  status_since = CASE WHEN fact.status = excluded.status THEN fact.status_since ELSE excluded.status_since END,
  state_since = CASE WHEN fact.state = excluded.state THEN fact.state_since ELSE excluded.state_since END
"""  # noqa: S608 - made of constants
CONTACTS = f"""
INSERT INTO monitoring_contactfact AS fact (delivery_id, flow_id, person, consent, consent_since, state, state_since)
SELECT d.id, d.flow_id, {PERSON.format(who="d.record", key="d.record_key")},
  COALESCE(said.consent->>'state', 'unknown'), COALESCE((said.consent->>'stated_at')::timestamptz, d.occurred_at), d.state, d.updated_at
FROM integrations_delivery d JOIN integrations_flow f ON f.id = d.flow_id AND f.record_type = 'customer'
LEFT JOIN LATERAL (SELECT jsonb_path_query_first(d.record, '$.consents[*] ? (@.channel == "email")') AS consent) said ON true
WHERE {CHANGED}
ORDER BY d.id
ON CONFLICT (delivery_id) DO UPDATE SET person = excluded.person, consent = excluded.consent, state = excluded.state,
  consent_since = CASE WHEN fact.consent = excluded.consent THEN fact.consent_since ELSE excluded.consent_since END,
  state_since = CASE WHEN fact.state = excluded.state THEN fact.state_since ELSE excluded.state_since END
"""  # noqa: S608 - made of constants


@dataclass(frozen=True, slots=True)
class Filled:
    """How far the facts are: the change of the outbox up to which they are complete, and whether that was ever "now"."""

    until: datetime
    complete: bool


def catch_up(seconds: float) -> bool:
    """Fill in what changed since the last time; False when time ran out before all of it, or another worker does it."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        left = _step()
        if left is None or not left:
            return left is False
    return False


def filled() -> Filled:
    """How far the facts are."""
    mark = FactMark.objects.filter(name=NAME).first()
    return Filled(mark.until, mark.caught_up_at is not None) if mark else Filled(BEGINNING, False)


def _step() -> bool | None:
    """Take in some thousand changes; True when more may be left, None when another worker holds the mark."""
    FactMark.objects.get_or_create(name=NAME, defaults={"until": BEGINNING})
    with transaction.atomic():
        mark = FactMark.objects.select_for_update(skip_locked=True).filter(name=NAME).first()
        if mark is None:
            return None
        now = timezone.now()
        moments = Delivery.objects.filter(updated_at__gt=mark.until).order_by("updated_at").values_list("updated_at", flat=True)
        page = list(moments[:STEP])
        if page:
            with database.cursor() as cursor:
                for statement in (ORDERS, CONTACTS):
                    cursor.execute(statement, {"since": mark.until, "until": page[-1]})
        left = len(page) == STEP and page[-1] < now - OVERLAP
        mark.until = page[-1] if left else max(mark.until, min(page[-1] if page else now, now - OVERLAP))
        mark.caught_up_at = mark.caught_up_at if left else now
        mark.save()
    return left
