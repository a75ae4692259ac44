"""Every address of the product."""

from __future__ import annotations

from allauth.account.decorators import secure_admin_login
from allauth.account.views import logout
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

admin.site.login = secure_admin_login(admin.site.login)  # one sign-in, throttled and with a second factor

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/logout/", logout),
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("", include("integrations.urls")),
    path("", include("monitoring.urls")),
]
