"""Numbers of reconciliation: open drifts by cause, a line per day, and whether there is too much of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.conf import settings
from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from integrations.words import money
from monitoring.models import Drift, Reconciliation
from monitoring.reconcile.causes import CAUSES, Cause

DAYS = 30
PEEK = 10_000  # open drifts that are counted one by one; beyond it a number says "more"
FEWEST = 20  # drifts below which a share says nothing


@dataclass(frozen=True, slots=True)
class CauseLine:
    """Open drifts of one cause."""

    cause: Cause
    number: int
    value: Decimal


@dataclass(frozen=True, slots=True)
class Day:
    """What was compared on one day, and what came of it."""

    day: date
    matched: int
    drifted: int
    repaired: int
    value: Decimal
    currency: str

    @property
    def compared(self) -> int:
        """Records that were compared."""
        return self.matched + self.drifted

    @property
    def worth(self) -> str:
        """The value of its drifts in words, empty where there is none or it is of several currencies."""
        return money(self.value, self.currency) if self.currency else ""


@dataclass(frozen=True, slots=True)
class Alarm:
    """Too much drift in one flow's last night."""

    flow: str
    drifted: int
    compared: int
    run: int
    flow_id: int


def open_by_cause(rows: QuerySet[Drift] | None = None) -> list[CauseLine]:
    """Open drifts by cause, the most first; no more than PEEK of them are looked at."""
    rows = (Drift.objects.filter(state=Drift.State.OPEN) if rows is None else rows).order_by("-last_seen", "-pk").values("pk")[:PEEK]
    found = Drift.objects.filter(pk__in=rows).order_by().values_list("cause").annotate(number=Count("pk"), value=Sum("value"))
    lines = [CauseLine(CAUSES[slug], number, value or Decimal(0)) for slug, number, value in found if slug in CAUSES]
    return sorted(lines, key=lambda line: -line.number)


def by_day(days: int = DAYS, flow: int | None = None) -> list[Day]:
    """A line per day, oldest first, of comparisons record by record; days without any are there with zeros."""
    today = timezone.localdate()
    since = today - timedelta(days=days - 1)
    begin = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days - 1)
    rows = Reconciliation.objects.filter(level=Reconciliation.Level.RECORDS, created_at__gte=begin)
    rows = rows.filter(flow=flow) if flow else rows
    found = rows.order_by().annotate(day=TruncDate("created_at")).values("day", "currency").annotate(
        matched=Sum("matched"), drifted=Sum("drifted"), repaired=Sum("closed"), value=Sum("value")
    )  # fmt: skip
    lines: dict[date, list[dict[str, object]]] = {}
    for row in found:
        lines.setdefault(row["day"], []).append(row)
    return [_day(since + timedelta(days=number), lines.get(since + timedelta(days=number), [])) for number in range(days)]


def _day(day: date, rows: Sequence[dict[str, object]]) -> Day:
    currencies = sorted({str(row["currency"]) for row in rows if row["value"] and row["currency"]})
    value = sum((Decimal(row["value"] or 0) for row in rows), Decimal(0)) if len(currencies) == 1 else Decimal(0)
    sums = {name: sum(int(row[name] or 0) for row in rows) for name in ("matched", "drifted", "repaired")}
    return Day(day, **sums, value=value, currency=currencies[0] if len(currencies) == 1 else "")


def alarms() -> list[Alarm]:
    """Flows whose newest finished comparison of the last two days drifted more than the threshold; one query."""
    since = timezone.now() - timedelta(days=2)
    rows = Reconciliation.objects.filter(
        level=Reconciliation.Level.RECORDS, state=Reconciliation.State.DONE, created_at__gte=since
    ).select_related("flow__source", "flow__destination")  # fmt: skip
    newest: dict[int, Reconciliation] = {}
    for row in rows.order_by("-created_at")[:100]:
        newest.setdefault(row.flow_id, row)
    found = [Alarm(str(row.flow), row.drifted, row.matched + row.drifted, row.pk, row.flow_id) for row in newest.values()]
    return [alarm for alarm in found if alarm.drifted >= FEWEST and alarm.drifted > settings.DRIFT_ALARM_SHARE * alarm.compared]
