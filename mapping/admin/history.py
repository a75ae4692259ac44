"""The history page of a row: who, when, and what changed from what to what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from mapping.changes import changes_of


class ToldHistory(admin.ModelAdmin):
    """A model's page whose history says each value before and after."""

    def parts_of(self, row: Model) -> Sequence[QuerySet]:
        """Stored versions of the rows that belong to this one; none unless overridden."""
        return ()

    def history_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The row's latest changes; raises Http404, and PermissionDenied for people who may not see the row."""
        row = self.get_object(request, str(object_id))
        if row is None:
            raise Http404(f"There is no {self.opts.verbose_name} {object_id}.")
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        place = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk])
        context = {
            **self.admin_site.each_context(request), "title": f"History of {row}", "opts": self.opts, "object": row, "row_url": place,
            "log": changes_of(row, parts=self.parts_of(row)), **(extra_context or {}),
        }  # fmt: skip
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "integrations/history_page.html", context)
