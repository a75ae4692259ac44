"""Every list of the console can be taken along: what its filters leave, as CSV streamed row by row or as a workbook."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from operator import attrgetter
from typing import Any

import structlog
from django.contrib import messages
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.text import slugify

from integrations.admin.desk import MASK_PERMISSION
from integrations.admin.filters import chosen_filters
from integrations.admin.sheets import FORMATS, download
from integrations.admin.turns import Turn, take_turn
from mapping.admin.sheets import log_export

log = structlog.get_logger(__name__)
BATCH = 500
XLSX_ROWS = 50_000  # a workbook is built as a whole before it is sent; CSV has no limit
LONGEST_NAME = 80  # characters of a file name before its date
BUSY = "Other exports are being written right now, and only a few can be at a time. Try again in a moment."
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What is taken along: rows and how some of them become cells, the file's name and heading, what the rows were narrowed to, in words,
    and the address of the page that shows them."""

    name: str
    header: Sequence[str]
    rows: QuerySet
    cells: Callable[[list[Any]], Iterable[Sequence[object]]]
    chosen: Sequence[tuple[str, str]]
    back: str


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
        chosen = [*chosen_filters(shown), *([("search", "given")] if shown.query else [])]
        sheet = Sheet(
            name=file_name(str(self.opts.verbose_name_plural), chosen), header=self.export_header(), rows=shown.queryset, chosen=chosen,
            cells=partial(self._cells, request), back=reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"),
        )  # fmt: skip
        return take_along(request, form, sheet)

    def _cells(self, request: HttpRequest, rows: list[Any]) -> Iterable[Sequence[object]]:
        if complete := getattr(self, "complete", None):
            complete(request, rows)
        return self.export_rows(rows, personal=request.user.has_perm(MASK_PERMISSION))

    def export_header(self) -> list[str]:
        """The headings."""
        return [column.heading for column in self.export_columns]

    def export_rows(self, rows: Sequence[Any], *, personal: bool) -> Iterable[Sequence[object]]:
        """The cells of some rows; one row of the list may become several of the file."""
        reads = [column.read for column in self.export_columns]
        return ([read(row, personal) for read in reads] for row in rows)


def file_name(what: str, chosen: Iterable[tuple[str, str]]) -> str:
    """What is in the file, what it was narrowed to, and the day."""
    words = slugify(" ".join([what, *(label for _, label in chosen)]))
    return f"{words[:LONGEST_NAME].rstrip('-')}-{timezone.localdate():%Y-%m-%d}"


def take_along(request: HttpRequest, form: str, sheet: Sheet) -> HttpResponse:
    """The file, remembered; or back to the page with a plain word when it would be too large or others are being written."""
    if form == "xlsx" and sheet.rows.order_by()[XLSX_ROWS : XLSX_ROWS + 1].values("pk"):
        return _refused(request, sheet, _too_many())
    if request.method == "HEAD":
        return download(form, sheet.name, sheet.header, ())
    turn = take_turn()
    if turn is None:
        return _refused(request, sheet, BUSY)
    log_export(request, sheet.rows.model._meta, form, sheet.chosen)
    return download(form, sheet.name, sheet.header, _batches(request, sheet, turn))


def _batches(request: HttpRequest, sheet: Sheet, turn: Turn) -> Iterator[list[Sequence[object]]]:
    """The rows of the file, some hundred at a time: read through a cursor in one transaction, which shows one moment of the table."""
    count = 0
    with turn, transaction.atomic():
        found = sheet.rows.iterator(chunk_size=BATCH)
        while batch := list(islice(found, BATCH)):
            count += len(batch)
            yield list(sheet.cells(batch))
    log.info("list exported", model=sheet.rows.model._meta.label_lower, by=request.user.pk, rows=count)


def _refused(request: HttpRequest, sheet: Sheet, why: str) -> HttpResponse:
    messages.error(request, why)
    return HttpResponseRedirect(f"{sheet.back}?{request.GET.urlencode()}")


def _too_many() -> str:
    return f"These are more than {XLSX_ROWS:,} rows, which is too much for one workbook. Take CSV, or narrow the filters."
