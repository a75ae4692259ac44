"""Rows of reconciliation for tests and pictures of its pages: a month of comparisons, drifts of every cause, two people who may be one."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from django.utils import timezone

from integrations.engine import people
from integrations.models import Delivery, Flow
from mapping.crosswalk import KnownContact
from monitoring.models import Drift, Duplicate, Reconciliation
from monitoring.reconcile.causes import CAUSES

MASKED = "A••• B•••, a•••@example.com"
VALUES = {
    "never_received": ("£54.00 · paid", "nothing"), "not_updated": ("£27.00 · partially refunded", "£54.00 · paid"),
    "held": ("£129.90 · paid", "nothing"), "refused": ("£18.50 · paid", "an earlier state"), "missing": ("£75.00 · shipped", "nothing"),
    "changed_there": ("40.0", "1.0"), "differs": ("uk", "empty"), "consent": ("said no", "said yes"),
    "unsubscribed_there": ("said yes", "said no"), "extra": ("nothing", "£12.00"),
}  # fmt: skip
FIELDS = {"changed_there": "grand_total", "differs": "store", "consent": "E-mail consent", "unsubscribed_there": "E-mail consent"}


def furnish_reconciliation(orders: Flow, customers: Flow) -> None:
    """Comparisons, drifts and duplicates as a busy month leaves them."""
    run = _month(orders)
    _drifts(orders, customers, run)
    connection = orders.destination
    ada = KnownContact(contact_key="0001-0a1b2c-3d4e5f", emails=("ada@example.com",), first_name="Ada", last_name="Byron")
    people.store(connection.pk, [ada, KnownContact(contact_key="0002-6a7b8c-9d0e1f", phones=("+447700900123",))])
    for state, second in (("open", "0002-6a7b8c-9d0e1f"), ("different", "0003-6a7b8c-9d0e1f"), ("merging", "0004-6a7b8c-9d0e1f")):
        Duplicate.objects.create(
            connection=connection, first=ada.contact_key, second=second, reasons=["left_behind", "same_phone"], state=state,
            title="A••• B•••, a•••@example.com / •••23 (9d0e1f)",
        )  # fmt: skip


def _month(flow: Flow) -> Reconciliation:
    now = timezone.now()
    for ago in range(29, -1, -1):
        end = now - timedelta(days=ago)
        drifted = (ago * 7) % 23
        row = Reconciliation.objects.create(
            flow=flow, window_from=end - timedelta(days=1), window_to=end, nightly=True, state="done", stage="over", started_at=end,
            matched=1200 - ago * 11, drifted=drifted, closed=max(drifted - 3, 0), left_out=14, under_way=2, stored_count=1210,
            source_count=1214, value=Decimal(drifted * 37), currency="GBP", finished_at=end,
        )  # fmt: skip
        Reconciliation.objects.filter(pk=row.pk).update(created_at=end)
    days = [[(now - timedelta(days=number)).isoformat(), 120 + number, 120 + number - (number == 3)] for number in range(30, 0, -1)]
    Reconciliation.objects.create(
        flow=flow, level="counts", window_from=now - timedelta(days=30), window_to=now, state="done", stage="over", days=days, nightly=True
    )
    Reconciliation.objects.create(
        flow=flow, basis="placed", window_from=now - timedelta(days=90), window_to=now, state="running", stage="source", total=10_000,
        stored_count=10_040, source_count=6_120, matched=6_090, drifted=30, started_at=now - timedelta(minutes=4),
    )  # fmt: skip
    return row


def _drifts(orders: Flow, customers: Flow, run: Reconciliation) -> None:
    delivery = Delivery.objects.filter(flow=orders).first()
    for number, (cause, (ours, theirs)) in enumerate(VALUES.items()):
        consent = "consent" if cause in ("consent", "unsubscribed_there") else ""
        Drift.objects.create(
            flow=customers if consent else orders, run=run, cause=cause,
            aspect=consent or ("refund" if cause == "not_updated" else "order"),
            record_key=str(5400 + number), destination_key=f"shp-{5400 + number}", delivery=delivery,
            title=MASKED if consent else f"Order #{1040 + number} · £54.00 · paid · {MASKED}",
            field=FIELDS.get(cause, ""), ours=ours, theirs=theirs, more=int(cause == "changed_there"),
            value=None if consent else Decimal("54.00"), currency="" if consent else "GBP",
        )  # fmt: skip
    for state in ("repairing", "dismissed"):
        Drift.objects.create(
            flow=orders, run=run, aspect="order", cause="missing", record_key=state, title=f"Order #2040 {CAUSES['missing'].label}",
            ours="£75.00 · shipped", theirs="nothing", state=state, note="The finance team knows." if state == "dismissed" else "",
            asked_at=timezone.now() if state == "repairing" else None, delivery=delivery, tries=1,
        )  # fmt: skip
