"""Repairing every drift that a filter leaves: what it would do first, then step by step, then what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from integrations.admin.filters import chosen_filters
from integrations.admin.stepped import Run
from integrations.words import money
from monitoring.models import Drift
from monitoring.reconcile.causes import CAUSES, REPAIR_LABELS
from monitoring.reconcile.drifts import STANDING
from monitoring.reconcile.repair import REPAIR, Repaired, repair, repairable

if TYPE_CHECKING:
    from monitoring.reconcile.pages.drifts import DriftDesk

STEP = 200  # drifts per call: a call takes well under a second, and the page shows how far it is after each


def repairs(desk: DriftDesk, request: HttpRequest) -> HttpResponse:
    """What would be repaired (GET), or the next step of repairing (POST)."""
    if not request.user.has_perm(REPAIR):
        raise PermissionDenied
    rows = repairable(request.user, desk.filtered(request)).order_by()
    if request.method != "POST":
        return desk.show(request, "monitoring/recon_repair.html", **_preview(desk, request, rows))
    run = _step(rows, Run.read(request.POST) or Run.begin(rows), request)
    template = "recon_repair_run.html" if request.headers.get("HX-Request") else "recon_repair.html"
    ended = timezone.now() if run.over else None
    return desk.show(request, f"monitoring/{template}", run=run, ended=ended, title="Repair", query=request.GET.urlencode())


def _step(rows: QuerySet[Drift], run: Run, request: HttpRequest) -> Run:
    part = Drift.objects.filter(pk__in=rows.filter(pk__gt=run.after, pk__lte=run.last).order_by("pk").values("pk")[:STEP])
    drifts = list(part.select_related("flow").order_by("pk"))
    done = repair(drifts, request.user) if drifts else Repaired()
    return run.stepped([drift.pk for drift in drifts], done.done, STEP)


def _preview(desk: DriftDesk, request: HttpRequest, rows: QuerySet[Drift]) -> dict[str, Any]:
    found = rows.values_list("cause", "currency").annotate(number=Count("pk"), value=Sum("value")).order_by("-number")
    lines = [(CAUSES[slug], REPAIR_LABELS[CAUSES[slug].repair], number, money(value, currency) if value and currency else "")
             for slug, currency, number, value in found]  # fmt: skip
    left = desk.filtered(request).order_by().filter(state__in=STANDING).count()
    count = sum(number for _, _, number, _ in lines)
    return {
        "title": "Repair", "query": request.GET.urlencode(), "count": count, "lines": lines, "others": max(left - count, 0),
        "filters": chosen_filters(desk.get_changelist_instance(request)),
    }  # fmt: skip


def progress(desk: DriftDesk, request: HttpRequest) -> HttpResponse:
    """What became of the drifts whose repair was asked for between two moments."""
    run, ended = Run.read(request.GET), parse_datetime(request.GET.get("ended", ""))
    if run is None or ended is None:
        return HttpResponse(status=400)
    counts = outcome(run, ended, request.user.pk)
    return desk.show(
        request, "monitoring/recon_repair_outcome.html", run=run, ended=ended, counts=counts, moving=bool(counts["repairing"]),
        query=request.GET.get("query", ""),
    )  # fmt: skip


def outcome(run: Run, ended: datetime, by: int) -> dict[str, int]:
    """Of the drifts this person asked to be repaired in that span: how many are healed, under way, open again or let be."""
    rows = Drift.objects.filter(pk__lte=run.last, asked_by=by, asked_at__gte=run.started, asked_at__lte=ended)
    states = dict(rows.order_by().values_list("state").annotate(number=Count("pk")))
    return {state: states.get(state, 0) for state in Drift.State.values}
