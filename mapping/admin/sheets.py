"""What the pages of this app share: the console's look, history, and spreadsheets both ways."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.options import BaseModelAdmin
from django.contrib.contenttypes.models import ContentType
from django.db.models import Field as DbField
from django.db.models import QuerySet
from django.db.models.options import Options
from django.forms import Field
from django.http import HttpRequest
from import_export.admin import ImportExportModelAdmin
from import_export.formats.base_formats import CSV, XLSX, Format
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

    def get_export_data(self, file_format: Format, request: HttpRequest, queryset: QuerySet, **options: Any) -> Any:
        """The file, remembered."""
        log_export(request, self.opts, file_format.get_extension())
        return super().get_export_data(file_format, request, queryset, **options)

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Whoever may look."""
        return self.has_view_permission(request)


def log_export(request: HttpRequest, opts: Options, form: str, chosen: Iterable[tuple[str, str]] = ()) -> None:
    """Remember who took which list along, and what it was narrowed to."""
    narrowed = ", ".join(f"{title}: {label}" for title, label in chosen)
    LogEntry.objects.create(
        user_id=request.user.pk, content_type=ContentType.objects.get_for_model(opts.model, for_concrete_model=False),
        object_repr=str(opts.verbose_name_plural).capitalize()[:200], action_flag=CHANGE,
        change_message=f"Exported as {form.upper()}: {narrowed or 'the whole list'}",
    )  # fmt: skip
