"""Who must have a second factor: people of the roles in REQUIRE_MFA_FOR get no further than to setting one up."""

from __future__ import annotations

from collections.abc import Callable

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import AbstractBaseUser, User
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse

# What is needed to set one up, and what no person asks for.
OPEN = ("/accounts/", "/admin/logout/", "/admin/jsi18n/", "/static/", "/healthz", "/readyz", "/metrics")
ADMINISTRATOR = "administrator"
WORDS = "Your role needs a second factor. Set up an authenticator app or a passkey here; then the console opens."


class SecondFactorMiddleware:
    """Leads people who lack a second factor that their role needs to where they set it up; API tokens are no sessions and go on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer, or the way to the set-up."""
        if not settings.REQUIRE_MFA_FOR or request.path.startswith(OPEN) or not lacks_factor(request.user):
            return self.get_response(request)
        place = reverse("mfa_index")
        if request.path.startswith("/api/"):
            return JsonResponse({"detail": WORDS}, status=403)
        if request.headers.get("HX-Request"):
            return HttpResponse(status=204, headers={"HX-Redirect": place})
        messages.warning(request, WORDS)
        return HttpResponseRedirect(place)


def lacks_factor(person: AbstractBaseUser) -> bool:
    """Whether this person's role needs a second factor and there is none; superusers count as administrators. One query."""
    if not person.is_authenticated:
        return False
    bound = Q(groups__name__in=settings.REQUIRE_MFA_FOR)
    if ADMINISTRATOR in settings.REQUIRE_MFA_FOR:
        bound |= Q(is_superuser=True)
    factors = Authenticator.objects.filter(user=OuterRef("pk")).exclude(type=Authenticator.Type.RECOVERY_CODES)
    return User.objects.filter(bound, ~Exists(factors), pk=person.pk).exists()
