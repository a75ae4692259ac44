"""A watched segment with a past, for tests of pages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from integrations.models import Delivery, Flow
from monitoring.models import ReadBack, ReadBackRow, Segment, SegmentFlip, SegmentReading, SegmentSource
from monitoring.segments import facts, reading
from monitoring.segments.rule import Rule

NEVER_SO_LONG = "Bought something of the spring collection in any of our shops and opened a newsletter since, without the staff"


def make_segment(flow: Flow, *, title: str = "Buyers", size: int = 40, **values: Any) -> Segment:
    """Watched, with the rule "ordered anywhere within 30 days", five earlier readings and a measured one; its source was just read."""
    now = timezone.now()
    seen = {"status": "READY", "kind": "DYNAMIC", "refreshed_at": now, "read_at": now, "watched": True, "size": size}
    rule = Rule(sources=("any",), days=30).stored()
    row = Segment.objects.create(connection=flow.destination, list_id="2101", title=title, rule=rule, **{**seen, **values})
    source = {"due_at": now + timedelta(hours=1), "read_at": now}
    SegmentSource.objects.get_or_create(connection=flow.destination, defaults=source)
    for back in range(1, 6):
        at = now - timedelta(days=back)
        SegmentReading.objects.create(segment=row, at=at, size=size + back, status="READY", answer="healthy")
    facts.catch_up(10)
    reading.measure(row, timezone.now())
    return row


def make_read_back(segment: Segment, *deliveries: Delivery) -> ReadBack:
    """One that is done and found these orders changed, with a flip beside it."""
    now = timezone.now()
    done = ReadBack.objects.create(
        segment=segment, asked_at=now, due_at=now, finished_at=now, state="done", chosen=[row.pk for row in deliveries],
        done=len(deliveries), fields={"order.status": [len(deliveries), len(deliveries)], "order.currency": [len(deliveries), 0]},
    )  # fmt: skip
    for row in deliveries:
        differences = [{"field": "customer.email", "sent": "ann@example.com", "there": "bob@example.com"}]
        ReadBackRow.objects.create(
            read_back=done, delivery=row, kind="order", found=True, member=False, cause="not_taken", differences=differences
        )  # fmt: skip
    SegmentFlip.objects.create(segment=segment, at=now, before="healthy", after="shrunk", reason=f"{NEVER_SO_LONG}: fewer than usual.")
    return done
