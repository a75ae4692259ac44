"""The latest changes of a whole table, deleted rows too, and the button that takes one back."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from mapping.undo import ADDED, CHANGED, DELETED, CannotUndo, latest_changes, undo

SHOWN = 50
WHAT = {ADDED: ("added", "good"), CHANGED: ("changed", "warn"), DELETED: ("deleted", "bad")}


class WayBack(admin.ModelAdmin):
    """A table whose every change can be taken back."""

    list_before_template = "integrations/way_back_link.html"

    def get_urls(self) -> list[URLPattern]:
        """The changes, and the undo of one, before the table's own addresses."""
        name, view = f"{self.opts.app_label}_{self.opts.model_name}", self.admin_site.admin_view
        return [
            path("changes/", view(self.way_back), name=f"{name}_way_back"),
            path("changes/<int:history_id>/undo/", view(self.undo), name=f"{name}_undo"),
            *super().get_urls(),
        ]

    def way_back(self, request: HttpRequest) -> HttpResponse:
        """Who changed what, newest first."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = latest_changes(self.model, SHOWN)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Latest changes of {self.opts.verbose_name_plural}",
            "opts": self.opts,
            "original": None,
            "list_url": self._address("changelist"),
            "rows": [self._shown(request, row) for row in rows],
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "integrations/way_back.html", context)

    def undo(self, request: HttpRequest, history_id: int) -> HttpResponse:
        """Take back one change by POST; raises Http404, and PermissionDenied for people who may not."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not (self.has_add_permission(request) or self.has_change_permission(request) or self.has_delete_permission(request)):
            raise PermissionDenied
        change = self.model.history.filter(history_id=history_id).first()
        if change is None:
            raise Http404(f"There is no change {history_id}.")
        if not self._may_undo(request, change):
            raise PermissionDenied
        try:
            done = undo(change, request.user)
        except CannotUndo as refusal:
            messages.error(request, f"Not taken back: {refusal}")
        else:
            messages.success(request, f"Taken back. {done}")
        return HttpResponseRedirect(self._address("way_back"))

    def _may_undo(self, request: HttpRequest, change: Any) -> bool:
        """Taking back an addition is deleting, a deletion adding."""
        if change.history_type == ADDED:
            return self.has_delete_permission(request)
        return self.has_add_permission(request) if change.history_type == DELETED else self.has_change_permission(request)

    def _shown(self, request: HttpRequest, change: Any) -> dict[str, Any]:
        """One change as the page shows it."""
        what, tone = WHAT[change.history_type]
        earlier = change.earlier if change.history_type == CHANGED else None
        parts = change.diff_against(earlier).changes if earlier is not None else []
        undoable = change.undoable and self._may_undo(request, change) and (change.history_type != CHANGED or earlier is not None)
        return {
            "row": str(change.instance),
            "url": self._address("history", change.id) if change.history_type != DELETED else "",
            "what": what,
            "tone": tone,
            "by": change.history_user.get_username() if change.history_user else "the program",
            "at": change.history_date,
            "reason": change.history_change_reason or "",
            "parts": [(self.opts.get_field(part.field).verbose_name, part.old, part.new) for part in parts if part.field != "updated_at"],
            "undo_url": self._address("undo", change.history_id) if undoable else "",
        }

    def _address(self, name: str, *args: object) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{name}", args=args)
