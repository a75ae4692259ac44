"""Asking about a person: found by what somebody has of them, shown with what is held where, then exported, or erased for good.

What is typed travels in the body of a call, never in an address.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect

from integrations.admin.desk import MASK_PERMISSION
from integrations.admin.find import countries
from integrations.engine.erased import let_back, shadows
from integrations.engine.privacy import runs
from integrations.engine.privacy.held import held_of
from integrations.engine.privacy.subject import Subject, complete, named
from integrations.models import Connection, PrivacyRequest

if TYPE_CHECKING:
    from integrations.admin.privacy import PrivacyDesk

ADD = "integrations.add_privacyrequest"
LONGEST = 200  # characters that are looked at
Kind = PrivacyRequest.Kind
INTENTS = {"export": "Export everything about a person", "erase": "Erase a person"}


def ask_page(desk: PrivacyDesk, request: HttpRequest) -> HttpResponse:
    """The search, and what is held of the person it finds."""
    _allow(request)
    intent = request.POST.get("intent") or request.GET.get("for", "")
    intent = intent if intent in INTENTS else "export"
    text = request.POST.get("q", "").strip()[:LONGEST]
    return _page(desk, request, text, intent)


def export_page(desk: PrivacyDesk, request: HttpRequest) -> HttpResponse:
    """Make the file of the person who was shown."""
    return _asked(desk, request, Kind.EXPORT)


def erase_page(desk: PrivacyDesk, request: HttpRequest) -> HttpResponse:
    """Erase the person who was shown, once what was searched for is typed again."""
    return _asked(desk, request, Kind.ERASURE)


def let_back_page(desk: PrivacyDesk, request: HttpRequest) -> HttpResponse:
    """Somebody who was erased is a customer again and wants to be: what arrives of them is kept from now on."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    _allow(request)
    text = request.POST.get("q", "").strip()[:LONGEST]
    rows = let_back(named(text, countries()))
    for row in rows:
        desk.log_change(request, row, "Let back in: what arrives of this person is kept from now on")
    if rows:
        messages.success(request, "Let back in. What arrives of this person from now on is kept and sent like everybody's.")
    else:
        messages.error(request, "Nobody with that name was erased here.")
    return _page(desk, request, text, "export")


def _asked(desk: PrivacyDesk, request: HttpRequest, kind: Kind) -> HttpResponse:
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    _allow(request)
    text = request.POST.get("q", "").strip()[:LONGEST]
    subject = _found(text)
    if not subject:
        return _page(desk, request, text, "erase" if kind == Kind.ERASURE else "export")
    if kind == Kind.ERASURE and request.POST.get("typed", "").strip().lower() != text.lower():
        messages.error(request, "Nothing was erased: what you typed to confirm is not what you searched for.")
        return _page(desk, request, text, "erase")
    row = runs.ask(kind, subject, request.user)
    desk.log_addition(request, row, "Asked for in the console")
    begun = "The file is being made." if kind == Kind.EXPORT else "The erasure begins in a minute. Until then it can be cancelled."
    messages.success(request, begun)
    return HttpResponseRedirect(desk.view_url("change", row.pk))


def _page(desk: PrivacyDesk, request: HttpRequest, text: str, intent: str) -> HttpResponse:
    subject = _found(text) if text else Subject()
    context: dict[str, Any] = {
        "title": INTENTS[intent], "intent": intent, "text": text, "subject": subject, "intents": INTENTS.items(), "asked": bool(text),
        "erased_before": bool(text and shadows(named(text, countries()).codes())),
    }  # fmt: skip
    if subject:
        names = dict(Connection.objects.values_list("pk", "name"))
        context |= {
            "held": held_of(subject), "emails": sorted(subject.emails), "phones": sorted(subject.phones), "names": sorted(subject.names),
            "keys": [(names.get(at, "?"), key) for at, key in sorted(subject.customers)],
            "orders": len(subject.orders), "browsers": len(subject.visitors),
        }  # fmt: skip
    return desk.show(request, "integrations/privacy_ask.html", **context)


def _found(text: str) -> Subject:
    subject = named(text, countries())
    return complete(subject) if subject else subject


def _allow(request: HttpRequest) -> None:
    if not (request.user.has_perm(ADD) and request.user.has_perm(MASK_PERMISSION)):
        raise PermissionDenied
