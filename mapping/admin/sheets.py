"""What the pages of this app share: the console's look, history, and spreadsheets both ways."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.options import BaseModelAdmin
from django.db.models import Field as DbField
from django.forms import Field
from django.http import HttpRequest
from import_export.admin import ImportExportModelAdmin
from import_export.formats.base_formats import CSV, XLSX
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin
from unfold.contrib.import_export.forms import ExportForm, ImportForm

from mapping.admin.history import ToldHistory
from mapping.admin.undo import WayBack


class NamedFields(BaseModelAdmin):
    """Fields in the cells of a table have no label of their own; this tells screen readers what they are."""

    def formfield_for_dbfield(self, db_field: DbField, request: HttpRequest, **options: Any) -> Field | None:
        """The field, named after its column."""
        field = super().formfield_for_dbfield(db_field, request, **options)
        if field is not None and field.label:
            field.widget.attrs.setdefault("aria-label", str(field.label))
        return field


class SheetAdmin(WayBack, ToldHistory, NamedFields, ImportExportModelAdmin, ModelAdmin):
    """A table that staff edit, import (after a dry run) and export as CSV or XLSX. Importing adds and changes, so it takes both rights."""

    formats = [CSV, XLSX]
    import_form_class = ImportForm
    export_form_class = ExportForm
    list_per_page = 50
    show_full_result_count = False
    list_fullwidth = True

    def has_import_permission(self, request: HttpRequest) -> bool:
        """Whoever may add and change."""
        return self.has_add_permission(request) and self.has_change_permission(request)

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Whoever may look."""
        return self.has_view_permission(request)
