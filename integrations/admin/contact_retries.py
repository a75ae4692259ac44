"""Trying again everything that a filter of the failed contact syncs leaves: how many first, then step by step, then what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from integrations.access import replayable
from integrations.admin.filters import chosen_filters
from integrations.admin.stepped import Run
from integrations.engine.replay import replay
from integrations.models import ContactSync, Delivery, Hold
from integrations.models.kinds import KINDS

if TYPE_CHECKING:
    from integrations.admin.contact_syncs import ContactDesk

REPLAY = "integrations.change_delivery"
STEP = 200  # rows per call: a call takes well under a second, and the page shows how far it is after each
ON_THEIR_WAY = (Delivery.State.READY, Delivery.State.SENDING, Delivery.State.ACCEPTED)


def retries(desk: ContactDesk, request: HttpRequest) -> HttpResponse:
    """How many the filter leaves (GET), or the next step of trying them again (POST)."""
    if not request.user.has_perm(REPLAY):
        raise PermissionDenied
    rows = replayable(request.user, desk.filtered(request)).order_by()
    if request.method != "POST":
        return desk.show(request, "integrations/contact_syncs_retry.html", **_preview(desk, request, rows))
    run = _step(rows, Run.read(request.POST) or Run.begin(rows), request)
    template = "contact_syncs_run.html" if request.headers.get("HX-Request") else "contact_syncs_retry.html"
    words = {"title": "Try again", "query": request.GET.urlencode()}
    return desk.show(request, f"integrations/{template}", run=run, ended=timezone.now() if run.over else None, **words)


def _step(rows: QuerySet[ContactSync], run: Run, request: HttpRequest) -> Run:
    part = rows.filter(pk__gt=run.after, pk__lte=run.last).order_by("pk").prefetch_related(None)
    ids = list(part.values_list("pk", flat=True)[:STEP])
    done = replay(ids, request.user) if ids else 0
    return run.stepped(ids, done, STEP)


def _preview(desk: ContactDesk, request: HttpRequest, rows: QuerySet[ContactSync]) -> dict[str, Any]:
    held = Hold.objects.filter(delivery__in=rows.values("pk")).values_list("exception__kind").annotate(number=Count("delivery"))
    return {
        "title": "Try again",
        "query": request.GET.urlencode(),
        "count": rows.count(),
        "filters": chosen_filters(desk.get_changelist_instance(request)),
        "reasons": [(KINDS[slug], number) for slug, number in held.order_by("-number") if slug in KINDS],
    }


def progress(desk: ContactDesk, request: HttpRequest) -> HttpResponse:
    """What became of those that were tried again between two moments."""
    run = Run.read(request.GET)
    ended = parse_datetime(request.GET.get("ended", ""))
    if run is None or ended is None:
        return HttpResponse(status=400)
    counts = outcome(desk.model.objects.filter(pk__lte=run.last), run.started, ended)
    words = {"run": run, "ended": ended, "counts": counts, "moving": bool(counts["moving"]), "query": request.GET.get("query", "")}
    return desk.show(request, "integrations/contact_syncs_outcome.html", **words)


def outcome(rows: QuerySet[ContactSync], started: datetime, ended: datetime) -> dict[str, int]:
    """Of those set to ready by hand in that span: how many are delivered, on their way, held again, or not sent on purpose."""
    again = rows.filter(cause="replay", updated_at__gte=started, ready_since__gte=started, ready_since__lte=ended)
    states = dict(again.order_by().values_list("state").annotate(number=Count("pk")))
    return {
        "delivered": states.get(Delivery.State.DELIVERED, 0),
        "moving": sum(states.get(state, 0) for state in ON_THEIR_WAY),
        "held": states.get(Delivery.State.BLOCKED, 0),
        "skipped": states.get(Delivery.State.SKIPPED, 0),
    }
