"""Addresses of pages and endpoints that watch."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from monitoring import health, metrics, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("overview/live/", views.live, name="overview_live"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
]
