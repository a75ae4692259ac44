"""Tables that leave the console as CSV or XLSX, and come back; no cell can be mistaken for a formula."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import IO

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from openpyxl import Workbook, load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from mapping.resources import as_text, from_text

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMATS = ("csv", "xlsx")
BYTE_ORDER_MARK = "\ufeff"  # without it Excel reads a CSV file in the machine's own code page
DELIMITERS = (",", ";", "\t")
ENCODINGS = ("utf-8-sig", "utf-16", "cp1252")  # what spreadsheet programs save, tried in this order


class Unreadable(ValueError):
    """A file that is no table; its text is one plain sentence."""


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, line: str) -> str:
        """The line."""
        return line


def sheet_response(form: str, name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> HttpResponse:
    """The rows as a download in the form csv or xlsx, CSV streamed; raises Http404 for other forms."""
    if form not in FORMATS:
        raise Http404(f"There is no form {form}.")
    stamp = f"{timezone.localtime():%Y-%m-%d}"
    table = _safe(header, rows)
    response = _csv(table) if form == "csv" else _xlsx(name, table)
    response["Content-Disposition"] = f'attachment; filename="{name}-{stamp}.{form}"'
    return response


def _safe(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[list[object]]:
    yield list(header)
    for row in rows:
        yield [as_text(_plain(value)) for value in row]


def _plain(value: object) -> object:
    return f"{timezone.localtime(value):%Y-%m-%d %H:%M}" if isinstance(value, datetime) else value


def _csv(table: Iterable[list[object]]) -> StreamingHttpResponse:
    writer = csv.writer(_Echo())
    lines = (writer.writerow(row) for row in table)
    return StreamingHttpResponse(chain([BYTE_ORDER_MARK], lines), content_type="text/csv; charset=utf-8")


def _xlsx(name: str, table: Iterable[list[object]]) -> HttpResponse:
    book = Workbook(write_only=True)
    sheet = book.create_sheet(name[:31])
    for row in table:
        sheet.append(row)
    held = io.BytesIO()
    book.save(held)
    return HttpResponse(held.getvalue(), content_type=XLSX_TYPE)


def read_sheet(name: str, file: IO[bytes], most: int) -> list[dict[str, str]]:
    """The rows of an uploaded CSV or XLSX file by column name; raises Unreadable, also when there are more than `most`."""
    data = file.read()
    table = _rows_of_xlsx(data) if name.lower().endswith(".xlsx") else _rows_of_csv(data)
    header = [str(cell or "").strip().lower() for cell in next(table, [])]
    rows: list[dict[str, str]] = []
    for cells in table:
        texts = [str(from_text(_text(cell))) for cell in cells]
        if any(texts):
            rows.append(dict(zip(header, texts, strict=False)))
        if len(rows) > most:
            raise Unreadable(f"The file has more than {most:,} rows. Split it into several files.")
    return rows


def _text(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():  # a spreadsheet keeps the SKU 10020 as a number
        return str(int(cell))
    return "" if cell is None else str(cell).strip()


def _rows_of_csv(data: bytes) -> Iterator[list[str]]:
    text = _decoded(data)
    first = text.split("\n", 1)[0]
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=max(DELIMITERS, key=first.count))
    except csv.Error as fault:
        raise Unreadable(f"The file cannot be read as CSV: {fault}.") from fault


def _decoded(data: bytes) -> str:
    for encoding in ENCODINGS:
        if encoding == "utf-16" and data[:2] not in (b"\xff\xfe", b"\xfe\xff"):
            continue
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Unreadable("The file is not text. Save it as CSV in UTF-8, or as XLSX.")


def _rows_of_xlsx(data: bytes) -> Iterator[tuple[object, ...]]:
    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError) as fault:
        raise Unreadable("The file cannot be read as XLSX.") from fault
    sheet = book.worksheets[0] if book.worksheets else None
    if sheet is not None:
        yield from sheet.iter_rows(values_only=True)
