"""Every address of the product."""

from __future__ import annotations

from allauth.account.decorators import secure_admin_login
from allauth.account.views import logout
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from integrations.admin.find import urlpatterns as find_pages
from integrations.admin.manual.urls import urlpatterns as manual_pages
from monitoring.routine.urls import urlpatterns as routine_pages
from monitoring.views import pages as route_pages

admin.site.login = secure_admin_login(admin.site.login)  # one sign-in, throttled and with a second factor

# Pages of the console that belong to no one table; their names stand in the console's own room ("admin:manual").
pages: list[URLPattern | URLResolver] = [*find_pages, *manual_pages, *routine_pages, *route_pages]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/logout/", logout),
    path("admin/", ([*pages, *admin.site.get_urls()], "admin", admin.site.name)),
    path("accounts/", include("allauth.urls")),
    path("", include("integrations.urls")),
    path("", include("monitoring.urls")),
]
