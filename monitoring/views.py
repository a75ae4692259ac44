"""The overview page and the part of it that refreshes itself."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from monitoring.overview import overview


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
    if not request.user.has_perm("integrations.view_flow"):
        return {"overview": None}
    return {"overview": overview()}
