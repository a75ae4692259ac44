"""Addresses of what is recorded, to stand among the console's own."""

from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, path

from monitoring.routine import audit

urlpatterns: list[URLPattern] = [path("manual/monthly-audit/record/", admin.site.admin_view(audit.record), name="audit_record")]
