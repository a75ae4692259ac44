"""Tables as CSV and XLSX, out of the console and back; no cell can be mistaken for a formula."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import IO

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.utils.exceptions import InvalidFileException

from mapping.resources import as_text, from_text

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMATS = ("csv", "xlsx")
BYTE_ORDER_MARK = "\ufeff"  # without it Excel reads a CSV file in the machine's own code page
DELIMITERS = (",", ";", "\t")
ENCODINGS = ("utf-8-sig", "utf-16", "cp1252")  # what spreadsheet programs save, tried in this order
Row = Sequence[object]


class Unreadable(ValueError):
    """A file that is no table; its text is one plain sentence."""


def download(form: str, name: str, header: Row, batches: Iterable[Iterable[Row]]) -> HttpResponse:
    """Batches of rows as a file of that name; raises Http404 for forms that we do not write."""
    if form not in FORMATS:
        raise Http404(f"There is no form {form}.")
    if form == "csv":
        answer = StreamingHttpResponse(csv_parts(header, batches), content_type="text/csv; charset=utf-8")
    else:
        answer = HttpResponse(xlsx_file(name, header, batches), content_type=XLSX_TYPE)
    answer["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return answer


def csv_parts(header: Row, batches: Iterable[Iterable[Row]]) -> Iterator[str]:
    """A CSV file in parts: the heading, then one part per batch of rows."""
    yield BYTE_ORDER_MARK + _lines([header])
    for rows in batches:
        yield _lines(rows)


def _lines(rows: Iterable[Row]) -> str:
    held = io.StringIO()
    csv.writer(held).writerows([_cell(value) for value in row] for row in rows)
    return held.getvalue()


def xlsx_file(name: str, header: Row, batches: Iterable[Iterable[Row]]) -> bytes:
    """A workbook of one sheet; what a workbook cannot hold (control characters) becomes a question mark."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(name[:31])
    sheet.append(list(header))
    for rows in batches:
        for row in rows:
            sheet.append([ILLEGAL_CHARACTERS_RE.sub("?", cell) if isinstance(cell, str) else cell for cell in map(_cell, row)])
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


def _cell(value: object) -> object:
    """A value as a spreadsheet takes it: moments in ISO 8601 with their zone, yes and no in words, formulas as text."""
    if isinstance(value, datetime):
        return timezone.localtime(value).isoformat(timespec="seconds")
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if value is None or isinstance(value, int | float | Decimal) else as_text(str(value))


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
