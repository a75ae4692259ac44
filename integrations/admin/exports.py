"""Every list of the console can be taken along: what its filters leave, as CSV streamed row by row or as a workbook."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter
from typing import Any

import structlog
from django.contrib import messages
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.text import slugify

from integrations.admin.desk import MASK_PERMISSION
from integrations.admin.sheets import FORMATS, download
from mapping.admin.sheets import log_export

log = structlog.get_logger(__name__)
BATCH = 500
XLSX_ROWS = 50_000  # a workbook is built as a whole before it is sent; CSV has no limit
LONGEST_NAME = 80  # characters of a file name before its date
Read = Callable[[Any, bool], object]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an export: its heading, and where a row's value is: a dotted name, or a function of the row and of whether the reader
    may see personal data."""

    heading: str
    value: str | Read

    @property
    def read(self) -> Read:
        """The value of a row."""
        return _attribute(self.value) if isinstance(self.value, str) else self.value


def _attribute(name: str) -> Read:
    get = attrgetter(name)

    def read(row: Any, personal: bool) -> object:
        found = get(row)
        return found() if callable(found) else found

    return read


class Exports:
    """What a list needs to be taken along; put it before the desk among the bases and fill `export_columns`.

    Rows are completed (`complete`) as those of the list's pages are, so that columns may use what it adds.
    """

    export_columns: Sequence[Column] = ()

    def get_urls(self) -> list[URLPattern]:
        """The downloads before the list's own addresses."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        behind_sign_in = getattr(self, "wrapped", self.admin_site.admin_view)
        return [path("export/<slug:form>/", behind_sign_in(self.export), name=name), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list with the addresses of its downloads."""
        query = request.GET.urlencode()
        address = f"admin:{self.opts.app_label}_{self.opts.model_name}_export"
        links = [(form.upper(), f"{reverse(address, args=[form])}{f'?{query}' if query else ''}") for form in FORMATS]
        return super().changelist_view(request, {"exports": links, "most_in_a_workbook": f"{XLSX_ROWS:,}", **(extra_context or {})})

    def export(self, request: HttpRequest, form: str) -> HttpResponse:
        """What the filters in the address leave; raises Http404 for other forms and for filters that make no sense."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if form not in FORMATS:
            raise Http404(f"There is no form {form}.")
        try:
            shown = self.get_changelist_instance(request)
        except (IncorrectLookupParameters, DisallowedModelAdminLookup) as fault:
            raise Http404("There is no such filter.") from fault
        if form == "xlsx" and shown.queryset.order_by()[XLSX_ROWS : XLSX_ROWS + 1].values("pk"):
            self.message_user(request, _too_many(), messages.ERROR)
            back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
            return HttpResponseRedirect(f"{back}?{request.GET.urlencode()}")
        chosen = [*chosen_filters(shown), *([("search", "given")] if shown.query else [])]
        log_export(request, self.opts, form, chosen)
        return download(form, _file_name(self, chosen), self.export_header(), self._batches(request, shown.queryset))

    def _batches(self, request: HttpRequest, rows: QuerySet) -> Iterator[list[Sequence[object]]]:
        """The rows of the file, some hundred at a time: read through a cursor in one transaction, which shows one moment of the table."""
        personal, count = request.user.has_perm(MASK_PERMISSION), 0
        with transaction.atomic():
            found = rows.iterator(chunk_size=BATCH)
            while batch := list(islice(found, BATCH)):
                if complete := getattr(self, "complete", None):
                    complete(request, batch)
                count += len(batch)
                yield list(self.export_rows(batch, personal=personal))
        log.info("list exported", model=self.opts.label_lower, by=request.user.pk, rows=count)

    def export_header(self) -> list[str]:
        """The headings."""
        return [column.heading for column in self.export_columns]

    def export_rows(self, rows: Sequence[Any], *, personal: bool) -> Iterable[Sequence[object]]:
        """The cells of some rows; one row of the list may become several of the file."""
        reads = [column.read for column in self.export_columns]
        return ([read(row, personal) for read in reads] for row in rows)


def chosen_filters(shown: ChangeList) -> list[tuple[str, str]]:
    """The drop-down filters of a list that are set, in words."""
    found = []
    for spec in shown.filter_specs:
        value = getattr(spec, "value", None)
        label = dict(spec.lookup_choices).get(value()) if callable(value) else None
        if label:
            found.append((str(spec.title), str(label)))
    return found


def _file_name(desk: Any, chosen: Iterable[tuple[str, str]]) -> str:
    """The list, what it was narrowed to, and the day."""
    words = slugify(" ".join([str(desk.opts.verbose_name_plural), *(label for _, label in chosen)]))
    return f"{words[:LONGEST_NAME].rstrip('-')}-{timezone.localdate():%Y-%m-%d}"


def _too_many() -> str:
    return f"These are more than {XLSX_ROWS:,} rows, which is too much for one workbook. Take CSV, or narrow the filters."
