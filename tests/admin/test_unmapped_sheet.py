"""Unmapped products: the way out and back of a spreadsheet."""

from __future__ import annotations

import csv
import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import Workbook, load_workbook

from integrations.engine import backlog
from integrations.models import Flow
from tests.admin.unmapped_words import LIST, RUN, UPLOAD, crosswalk, said
from tests.rows import make_flow
from tests.shelf_rows import stock_shelf, wait_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def orders() -> Flow:
    """Orders of a shop whose catalogue is known."""
    stock_shelf()
    return make_flow("order")


def exported(client: Client, form: str = "csv") -> list[dict[str, str]]:
    answer = client.get(f"{LIST}export/{form}/")
    if form == "xlsx":
        head, *rows = load_workbook(io.BytesIO(answer.content)).active.iter_rows(values_only=True)
        return [dict(zip(head, row, strict=True)) for row in rows]
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))


def uploaded(client: Client, rows: list[dict[str, object]], form: str = "csv", delimiter: str = ",") -> str:
    held = io.StringIO()
    writer = csv.DictWriter(held, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    data = held.getvalue().encode()
    if form == "xlsx":
        book, held = Workbook(), io.BytesIO()
        book.active.append(list(rows[0]))
        for row in rows:
            book.active.append(list(row.values()))
        book.save(held)
        data = held.getvalue()
    return said(client, UPLOAD, {"sheet": SimpleUploadedFile(f"sheet.{form}", data)})


def apply(client: Client, preview: str) -> None:
    choices = re.search(r'name="choices" value="(.*?)"><div', preview).group(1)
    client.post(RUN, {"choices": choices})


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_sheet_holds_what_waits_and_the_suggestion_and_leaves_the_target_empty(form: str, orders: Flow, ecommerce: Client):
    question = wait_for(orders, "MUG.BLUE", 2, title="Mug", option="Blue", price="9.00")
    backlog.refresh(5)

    (row,) = exported(ecommerce, form)

    told = {
        name: str(row[name] or "")
        for name in ("id", "source_sku", "title", "options", "price", "orders", "value waiting", "suggestion", "target_sku")
    }
    assert told == {
        "id": str(question.pk), "source_sku": "MUG.BLUE", "title": "Mug", "options": "Blue", "price": "£9.00", "orders": "2",
        "value waiting": "£18.00", "suggestion": "MUG-BLUE", "target_sku": "",
    }  # fmt: skip


def test_no_cell_of_the_sheet_is_taken_for_a_formula_and_it_comes_back_as_it_was(orders: Flow, ecommerce: Client):
    wait_for(orders, "=1+1", title="@SUM(A1)")
    rows = exported(ecommerce)
    rows[0]["target_sku"] = "SOAP"

    apply(ecommerce, uploaded(ecommerce, rows))

    assert ([rows[0]["source_sku"], rows[0]["title"]], crosswalk()) == (["'=1+1", "'@SUM(A1)"], {"=1+1": [("SOAP", 1)]})


@pytest.mark.parametrize(("form", "delimiter"), [("csv", ","), ("csv", ";"), ("xlsx", ",")])
def test_a_filled_sheet_is_tried_first_and_then_applied(form: str, delimiter: str, orders: Flow, ecommerce: Client):
    wait_for(orders, "Q9", 2, price="9.00")
    wait_for(orders, "1000")
    rows = sorted(exported(ecommerce, "csv"), key=lambda row: row["source_sku"])
    rows[1]["target_sku"] = "SOAP"

    preview = uploaded(ecommerce, rows, form, delimiter)
    before = crosswalk()
    apply(ecommerce, preview)

    assert ("Answer 1 SKU" in preview, "2 orders, £18.00" in preview, "Nothing is filled in, so it stays." in preview) == (True, True, True)
    assert (before, crosswalk()) == ({}, {"Q9": [("SOAP", 1)]})


def test_several_rows_of_one_id_make_a_bundle(orders: Flow, ecommerce: Client):
    wait_for(orders, "SET")
    (row,) = exported(ecommerce)

    apply(ecommerce, uploaded(ecommerce, [row | {"target_sku": "SOAP", "quantity": "2"}, row | {"target_sku": "DISH"}]))

    assert crosswalk() == {"SET": [("SOAP", 2), ("DISH", 1)]}


def test_actions_of_the_sheet_take_the_suggestion_or_let_through(orders: Flow, ecommerce: Client):
    wait_for(orders, "MUG.BLUE", title="Mug", option="Blue", price="9.00")
    wait_for(orders, "GIFT-CARD", title="Xylophone", price="1777.00")
    backlog.refresh(5)
    actions = {"MUG.BLUE": "accept", "GIFT-CARD": "Ignore"}

    apply(ecommerce, uploaded(ecommerce, [row | {"action": actions[row["source_sku"]]} for row in exported(ecommerce)]))

    assert crosswalk() == {"MUG.BLUE": [("MUG-BLUE", 1)], "GIFT-CARD": []}


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ({"target_sku": "SOAP", "quantity": "many"}, "The quantity of SOAP must be a whole number"),
        ({"target_sku": "SOAP", "source_sku": "Q8"}, "The id belongs to Q9, not to Q8."),
        ({"target_sku": "SOAP", "id": "999999"}, "No question has the id “999999”"),
        ({"target_sku": "SOAP", "id": "first"}, "No question has the id “first”"),
        ({"action": "explode"}, "The action “explode” is not known."),
        ({"action": "accept"}, "There is no suggestion to accept."),
        ({"action": "ignore", "target_sku": "SOAP"}, "only one of the two is possible"),
        ({"target_sku": "NOWHERE"}, "The catalogue does not know NOWHERE"),
    ],
)
def test_the_dry_run_says_what_is_wrong_with_a_row(cells: dict[str, str], told: str, orders: Flow, ecommerce: Client):
    wait_for(orders, "Q9")
    (row,) = exported(ecommerce)

    text = uploaded(ecommerce, [row | cells])

    assert (told in text, crosswalk()) == (True, {})


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("a.csv", b"colour,size\r\nred,1\r\n", "The sheet has no column “id”."),
        ("a.csv", b"", "The sheet has no rows."),
        ("a.csv", b"id,source_sku,target_sku\r\n", "The sheet has no rows."),
        ("a.xlsx", b"not a workbook", "The file cannot be read as XLSX."),
        ("a.csv", b"\x81\x8d\x8f", "The file is not text."),
        ("a.csv", b"id,source_sku,target_sku\r\n" + b"1,A,B\r\n" * 5001, "more than 5,000 rows"),
    ],
)
def test_a_file_that_is_no_sheet_of_ours_is_told(name: str, data: bytes, told: str, orders: Flow, ecommerce: Client):
    assert told in said(ecommerce, UPLOAD, {"sheet": SimpleUploadedFile(name, data)})
