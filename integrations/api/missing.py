"""An address under /api/ that does not exist answers like the API, not like a page."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt


@csrf_exempt
def missing(request: HttpRequest, rest: str) -> JsonResponse:
    """404 as JSON."""
    return JsonResponse({"detail": "There is nothing at this address. See /api/schema/."}, status=404)
