"""Find anything: the box of every page, the page of hits, the story of one thing, and asking a source for it.

What is typed travels in the body of a call, never in an address: the address of a search for a person holds a one-way code instead,
so that it can be kept and sent on while neither the address bar nor a log tells whom it is about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from integrations.admin.desk import MASK_PERMISSION
from integrations.admin.find_shown import Group, count, groups, link_url, only_line, trace_url
from integrations.admin.find_trace import shown as trace_shown
from integrations.engine.accounts import platform_of
from integrations.engine.find import Thing, search
from integrations.engine.find_absent import absences
from integrations.engine.find_ask import Answer, CannotAsk, ask_destination, ask_source, knows_people, look_there, ways_to_ask
from integrations.engine.find_asked import LONGEST, Asked, from_token, recognise
from integrations.engine.masking import masked
from integrations.engine.trace import trace
from integrations.models import Connection, Delivery

VIEW = "integrations.view_delivery"
ASK = "integrations.change_checkpoint"  # as for a backfill: it reads from the source
LIVE_HITS, PAGE_HITS = 4, 20  # lines of one group


def countries() -> tuple[str, ...]:
    """Where a phone number that names no country may be from, as connections' settings say."""
    found: dict[str, None] = {}
    for settings in Connection.objects.values_list("settings", flat=True):
        told = [settings.get("region"), settings.get("country"), *(settings.get("market_countries") or ())]
        found |= {str(country).upper(): None for country in told if country}
    return tuple(found)


def asked_by(request: HttpRequest) -> Asked:
    """What the person typed (in the body), or what the address says: a text that is nobody's, or the code of one."""
    text = request.POST.get("q", "") or request.GET.get("q", "")
    return recognise(text, countries()) if text.strip() else from_token(request.GET.get("who", "")[:LONGEST])


def shown_groups(request: HttpRequest, asked: Asked, limit: int) -> list[Group]:
    """What is found, as this person may see it."""
    return groups(search(asked, limit), personal=request.user.has_perm(MASK_PERMISSION))


def settled(asked: Asked, shown: Sequence[Group]) -> Asked:
    """Bare digits are somebody's only when somebody was found by them; otherwise they are a number or an id."""
    somebody = any(group.title == "People" for group in shown)
    return replace(asked, personal=False, handles=(), codes=()) if asked.personal and asked.is_number and not somebody else asked


def address_of(asked: Asked) -> str:
    """The address that a search may be kept by."""
    query = {"who": asked.token} if asked.personal else {"q": asked.text}
    base = reverse("admin:find")
    return f"{base}?{urlencode(query)}" if any(query.values()) else base


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def find_page(request: HttpRequest) -> HttpResponse:
    """All hits; a search with one hit opens it, one for nobody in particular goes on under its own address."""
    allow(request)
    asked = asked_by(request)
    hits = shown_groups(request, asked, PAGE_HITS)
    asked = settled(asked, hits)
    if request.method == "POST" and (only := only_line(hits)) is not None:
        return HttpResponseRedirect(only.url)
    if (request.method == "POST" and not asked.personal) or (asked.personal and "q" in request.GET):
        return HttpResponseRedirect(address_of(asked))
    context = {"asked": asked, "groups": hits, "count": count(hits), "address": address_of(asked), "may_ask": request.user.has_perm(ASK)}
    missing = shown_absences(asked) if asked.text and not asked.unfinished and not hits else []
    return show(request, "integrations/find.html", title="Find", absences=missing, typed=typed(request, asked), **context)


@never_cache
@require_POST
def find_live(request: HttpRequest) -> HttpResponse:
    """The hits under the box while somebody types; a page whose session ended is told to load itself again."""
    if not admin.site.has_permission(request):
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    allow(request)
    asked = asked_by(request)
    hits = shown_groups(request, asked, LIVE_HITS) if asked.text else []
    return TemplateResponse(request, "integrations/find_live.html", {"asked": asked, "groups": hits, "count": count(hits)})


@never_cache
@require_safe
def find_trace(request: HttpRequest, kind: str, connection: int, key: str) -> HttpResponse:
    """The story of one thing."""
    allow(request)
    thing = Thing(kind, connection, "" if key == "-" else key)
    found = trace(thing)
    if found is None:
        raise Http404("Nothing of that kind is known there.")
    page = trace_shown(request, found)
    may_ask = request.user.has_perm(ASK)
    can = [source for source in found.sources if ways_to_ask(source, asked_for(thing))] if may_ask else []
    return show(request, "integrations/find_trace.html", ask_sources=can, may_ask=may_ask, **page)


def asked_for(thing: Thing) -> Asked:
    """A thing as its source is asked for it."""
    kinds = {"person": "customer", "variant": ""}
    if thing.kind == "sku":
        return Asked(text=thing.key, key=thing.key)
    return Asked(text=thing.key, key=thing.key, record_type=kinds.get(thing.kind, thing.kind))


@never_cache
@require_POST
def find_ask(request: HttpRequest) -> HttpResponse:
    """Ask one connection for what was searched, or for the thing whose page this is, and show what came."""
    if not request.user.has_perm(ASK):
        raise PermissionDenied
    connection = get_object_or_404(Connection, pk=number(request.POST.get("connection", "")))
    thing = _thing(request)
    asked = asked_for(thing) if thing else asked_by(request)
    back = trace_url(thing) if thing else address_of(settled(asked, []))
    try:
        answer = _ask(connection, asked, request)
    except CannotAsk as refusal:
        messages.error(request, str(refusal))
        return HttpResponseRedirect(back)
    if not answer.things:
        messages.warning(request, f"{connection.name} was asked just now and has nothing of it{_reach(connection)}.")
        return HttpResponseRedirect(back)
    messages.success(request, f"{connection.name} has it; it came in just now. This page follows it on its way.")
    return HttpResponseRedirect(back if thing else trace_url(answer.things[0]))


@never_cache
@require_POST
def find_there(request: HttpRequest, pk: int) -> HttpResponse:
    """What a destination holds of one delivery at this moment."""
    if not request.user.has_perm(ASK):
        raise PermissionDenied
    row = get_object_or_404(Delivery.objects.select_related("flow__source", "flow__destination").exclude(destination_key=""), pk=pk)
    try:
        held = look_there(row)
    except CannotAsk as refusal:
        messages.error(request, str(refusal))
        return HttpResponseRedirect(reverse("admin:integrations_delivery_change", args=[row.pk]))
    shown_there = held if request.user.has_perm(MASK_PERMISSION) else masked(held)
    title = f"{row.destination_key} at {row.flow.destination}"
    return show(request, "integrations/find_there.html", title=title, row=row, held=shown_there, as_of=timezone.now())


def _ask(connection: Connection, asked: Asked, request: HttpRequest) -> Answer:
    if ways_to_ask(connection, asked):
        return ask_source(connection, asked, request.user)
    if knows_people(connection):
        return ask_destination(connection, asked, request.user)
    raise CannotAsk(f"{connection.name} cannot be asked for that.")


def _thing(request: HttpRequest) -> Thing | None:
    kind = request.POST.get("kind", "")
    return Thing(kind, number(request.POST.get("at", "0")), request.POST.get("key", "")) if kind else None


def _reach(connection: Connection) -> str:
    lookup = platform_of(connection).lookup
    return f" ({lookup.reach[:1].lower()}{lookup.reach[1:].rstrip('.')})" if lookup and lookup.reach else ""


def number(text: str) -> int:
    """A row's id; 0 for what is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0  # noqa: PLR2004 - digits of a bigint


def shown_absences(asked: Asked) -> list[dict[str, Any]]:
    """Why nothing was found, connection by connection, with the addresses of the next steps."""
    return [
        {
            "connection": absence.connection, "says": absence.says, "reach": absence.reach, "can_ask": absence.can_ask,
            "links": [(step.label, link_url(step.link)) for step in absence.steps], "steps": absence.steps,
        }
        for absence in absences(asked)
    ]  # fmt: skip


def typed(request: HttpRequest, asked: Asked) -> str:
    """What the box of the page shows again; a search by its code does not know what was typed."""
    return request.POST.get("q", "") or ("" if asked.personal else asked.text)


def allow(request: HttpRequest) -> None:
    """Everybody with a role may search; raises PermissionDenied for others."""
    if not request.user.has_perm(VIEW):
        raise PermissionDenied


def show(request: HttpRequest, template: str, **context: Any) -> TemplateResponse:
    """A page in the console's frame."""
    frame = {**admin.site.each_context(request), "sees_personal_data": request.user.has_perm(MASK_PERMISSION)}
    request.current_app = admin.site.name
    return TemplateResponse(request, template, {**frame, **context})


urlpatterns: list[URLPattern] = [
    path("find/", admin.site.admin_view(find_page), name="find"),
    path("find/live/", find_live, name="find_live"),
    path("find/ask/", admin.site.admin_view(find_ask), name="find_ask"),
    path("find/there/<int:pk>/", admin.site.admin_view(find_there), name="find_there"),
    path("find/<slug:kind>/<int:connection>/<path:key>/", admin.site.admin_view(find_trace), name="find_trace"),
]
