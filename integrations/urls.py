"""Addresses of the hand-shakes and of the API; webhooks come to `integrations.door`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from integrations import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("oauth/<slug:slug>/start/<int:pk>/", views.oauth_start, name="oauth_start"),
    path("oauth/<slug:slug>/callback/", views.oauth_callback, name="oauth_callback"),
    path("api/", include("integrations.api.urls")),
]
