"""The overview, a page per route with its charts, and the list of what was tried; each with the part of it that refreshes itself."""

from __future__ import annotations

import csv
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from integrations.admin.exports import XLSX_ROWS
from integrations.admin.sheets import FORMATS
from integrations.admin.summaries import headline
from integrations.engine.masking import masked_text
from integrations.models import Flow
from integrations.routes import Route, flows_of, route_named, route_of
from monitoring.attempts import WHATS, Question, question_from, tries
from monitoring.attempts_export import attempts_file
from monitoring.overview import overview
from monitoring.route_page import ends_of, last_runs, route_now
from monitoring.trends import SPANS, Trend, rows_of, trend

VIEW = "integrations.view_flow"
VIEW_TRIES = "integrations.view_attempt"
MASK = "integrations.view_personal_data"
Page = Callable[..., HttpResponse]


def guarded(permission: str) -> Callable[[Page], Page]:
    """A page of the console for people with this permission; raises PermissionDenied for the others."""

    def guard(view: Page) -> Page:
        @wraps(view)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.has_perm(permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return admin.site.admin_view(never_cache(require_safe(inner)))

    return guard


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The admin's first page is the overview; people without a role are told so instead."""
    return {**context, "title": "Overview", **_live(request)}


@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """The refreshing part; a page whose session ended is told to load itself again, which leads to the sign-in."""
    if not admin.site.has_permission(request):
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return render(request, "monitoring/live.html", _live(request))


def _live(request: HttpRequest) -> dict[str, Any]:
    if not request.user.has_perm(VIEW):
        return {"overview": None}
    return {"overview": overview()}


@guarded(VIEW)
def route(request: HttpRequest, slug: str) -> HttpResponse:
    """One route: how it stands now, its charts over a day or a week, and what belongs to it."""
    found, now = _route_or_404(slug), timezone.now()
    route_state = route_now(found, now)
    if route_state is None:
        return _show(request, "monitoring/route_empty.html", found.name, route=found)
    chosen = SPANS.get(request.GET.get("span", ""), SPANS["day"])
    charts = trend([line.flow for line in route_state.line.flows], chosen, now)
    return _show(
        request,
        "monitoring/route.html",
        found.name,
        route=found,
        now=route_state,
        ends=ends_of(route_state.line.flows, now),
        runs=last_runs(route_state.line.flows),
        trend=charts,
        spans=SPANS.values(),
    )


@guarded(VIEW)
def route_live(request: HttpRequest, slug: str) -> HttpResponse:
    """The refreshing part of a route's page."""
    found = _route_or_404(slug)
    return render(request, "monitoring/route_live.html", {"route": found, "now": route_now(found, timezone.now())})


@guarded(VIEW)
def route_trend(request: HttpRequest, slug: str) -> HttpResponse:
    """The charts' numbers as a sheet."""
    found = _route_or_404(slug)
    chosen = SPANS.get(request.GET.get("span", ""), SPANS["day"])
    charts: Trend = trend(flows_of(found), chosen, timezone.now())
    until = f"{timezone.localtime(charts.window.until):%Y-%m-%d-%H%M}"
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{found.slug}-{chosen.slug}-{until}.csv"'
    csv.writer(answer).writerows(rows_of(charts))
    return answer


@guarded(VIEW_TRIES)
def attempts(request: HttpRequest) -> HttpResponse:
    """What was tried in a span: the rows that a volume of the overview counts."""
    flows = list(Flow.objects.select_related("source", "destination"))
    question = question_from(request.GET, flows)
    found = tries(question)
    personal = request.user.has_perm(MASK)
    said = (lambda text: text) if personal else masked_text
    rows = [(row, headline(row.delivery.flow.record_type, row.delivery.record, personal=personal), said(row.message)) for row in found.rows]
    kept = {name: request.GET[name] for name in ("route", "flow", "what") if request.GET.get(name)}
    span = {"from": question.window.since.isoformat(), "until": question.window.until.isoformat()}
    older = f"?{urlencode({**kept, **span, 'before': found.following})}" if found.following else ""
    sheets = [(form.upper(), f"{reverse('admin:attempts_export', args=[form])}?{urlencode({**kept, **span})}") for form in FORMATS]
    return _show(
        request,
        "monitoring/attempts.html",
        "What was tried",
        question=question,
        found=found,
        rows=rows,
        older=older,
        exports=sheets,
        most_in_a_workbook=f"{XLSX_ROWS:,}",
        whats=[(slug, what.label, f"?{urlencode({**kept, **span, 'what': slug})}") for slug, what in WHATS.items()],
        scope=_scope(question, flows),
    )


@guarded(VIEW_TRIES)
def attempts_export(request: HttpRequest, form: str) -> HttpResponse:
    """What was tried in a span as a file, every page of it."""
    question = question_from(request.GET, list(Flow.objects.select_related("source", "destination")))
    return attempts_file(request, form, question, personal=request.user.has_perm(MASK))


def _scope(question: Question, flows: list[Flow]) -> str:
    """Whose tries these are, in words."""
    if len(question.flows) == len(flows):
        return "every flow"
    if len(question.flows) == 1:
        return str(question.flows[0])
    names = {route_of(flow).name for flow in question.flows}
    return ", ".join(sorted(names)) or "no flow"


def _route_or_404(slug: str) -> Route:
    found = route_named(slug)
    if found is None:
        raise Http404("There is no such route.")
    return found


def _show(request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
    """One page in the console's frame."""
    request.current_app = admin.site.name
    return render(request, template, {**admin.site.each_context(request), "title": title, **context})


pages: list[URLPattern] = [
    path("route/<slug:slug>/", route, name="route"),
    path("route/<slug:slug>/live/", route_live, name="route_live"),
    path("route/<slug:slug>/trend.csv", route_trend, name="route_trend"),
    path("attempts/", attempts, name="attempts"),
    path("attempts/export/<slug:form>/", attempts_export, name="attempts_export"),
]
