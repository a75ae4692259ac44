"""Addresses of the manual, to stand among the console's own."""

from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, path

from integrations.admin.manual import views

urlpatterns: list[URLPattern] = [
    path("manual/", admin.site.admin_view(views.contents), name="manual"),
    path("manual/<slug:slug>/", admin.site.admin_view(views.article), name="manual_article"),
]
