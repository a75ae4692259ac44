"""Taking lists along: what the filters leave, as CSV and as a workbook, masked, safe to open, streamed and remembered."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from integrations.admin import exports
from integrations.models import Delivery
from mapping.resources import from_text
from tests.admin.test_lists import LISTS, RECORD, fill_deliveries
from tests.rows import make_delivery, make_flow

pytestmark = pytest.mark.django_db
DELIVERIES = "/admin/integrations/delivery/"
TAKEN = ["integrations_delivery", "integrations_inboxevent", "integrations_flow", "integrations_checkpoint"]


def taken(client: Client, address: str) -> list[dict[str, str]]:
    answer = client.get(address)
    assert answer.status_code == 200
    if "csv" in answer["Content-Type"]:
        return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    head, *rows = load_workbook(io.BytesIO(answer.content)).active.iter_rows(values_only=True)
    return [dict(zip(head, ["" if cell is None else str(cell) for cell in row], strict=True)) for row in rows]


@pytest.mark.parametrize("name", TAKEN)
def test_every_list_leads_to_its_sheets_and_both_say_the_same(name: str, manager: Client):
    LISTS[name](0, 3)
    page = manager.get(reverse(f"admin:{name}_changelist")).content.decode()
    sheets = []
    for form in ("csv", "xlsx"):
        address = reverse(f"admin:{name}_export", args=[form])
        assert f'href="{address}"' in page
        sheets.append(taken(manager, address))

    assert sheets[0] == sheets[1]
    assert len(sheets[0]) >= 3
    assert len({row["ID"] for row in sheets[0]}) == len(sheets[0])


def test_the_sheet_holds_what_the_filters_leave_in_words_ids_and_exact_times(manager: Client):
    moment = datetime(2026, 11, 20, 8, 30, 15, 999, tzinfo=UTC)
    flow = make_flow()
    held = make_delivery(flow, "1001", state="blocked", record=RECORD, occurred_at=moment, updated_at=moment, cause="poll", last_code="422")
    make_delivery(flow, "1002", state="delivered")

    (row,) = taken(manager, f"{DELIVERIES}export/csv/?state=blocked&flow={flow.pk}")

    assert row == {
        "ID": str(held.pk), "Record": "Order #1 · £10.50 · paid · Annabel Realname, ann.realname@example.com", "Type": "order",
        "Key at the source": "1001", "Key at the destination": "", "Source": "Example shop", "Destination": "Example Ometria",
        "State": "Held", "Brought by": "poll", "Code": "422", "Last answer": "", "Tries": "0",
        "Changed at the source": "2026-11-20T08:30:15+00:00", "Last sent": "", "Delivered": "", "Last change": "2026-11-20T08:30:15+00:00",
    }  # fmt: skip


@pytest.mark.parametrize(("role", "seen"), [("ecommerce", 0), ("marketing", 3), ("manager", 3), ("administrator", 3)])
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_people_are_masked_for_those_who_may_not_see_them(sign_in: Callable[[str], Client], role: str, seen: int, form: str):
    fill_deliveries(0, 1)
    Delivery.objects.update(last_message="447700900123 of ann.realname@example.com is wrong")
    (row,) = taken(sign_in(role), f"{DELIVERIES}export/{form}/")
    text = " ".join(row.values())
    assert sum(secret in text for secret in ("Realname", "ann.realname@example.com", "447700900123")) == seen


EVIL = ["=1+1", "+44", "-5", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1", "'=1", "plain"]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_no_cell_is_taken_for_a_formula_and_an_import_reads_what_it_was(manager: Client, form: str):
    flow = make_flow()
    for number, text in enumerate(EVIL):
        make_delivery(flow, str(number), destination_key=text)
    cells = [row["Key at the destination"] for row in taken(manager, f"{DELIVERIES}export/{form}/")]

    kept = [text.replace("\r", "\n") if form == "xlsx" else text for text in EVIL]  # XML knows one kind of line end
    assert sorted(str(from_text(cell)) for cell in cells) == sorted(kept)
    assert [cell for cell in cells if cell.lstrip()[:1] in "=+-@＝\t\r\n"] == []


def test_a_workbook_takes_text_that_workbooks_cannot_hold(manager: Client):
    make_delivery(make_flow(), "1001", destination_key="a\x0bb")
    assert [row["Key at the destination"] for row in taken(manager, f"{DELIVERIES}export/xlsx/")] == ["a?b"]


def test_the_file_is_named_after_its_list_filters_and_day_and_who_took_it_is_remembered(manager: Client):
    make_delivery(make_flow(), "ann@example.com", state="blocked")
    with time_machine.travel(datetime(2026, 11, 21, 12, tzinfo=UTC), tick=False):
        answer = manager.get(f"{DELIVERIES}export/csv/?state=blocked&q=ann@example.com")

    assert answer["Content-Disposition"] == 'attachment; filename="deliveries-held-given-2026-11-21.csv"'
    entry = LogEntry.objects.get()
    assert (entry.user.username, entry.content_type.model, entry.object_repr, entry.change_message) == (
        "manager", "delivery", "Deliveries", "Exported as CSV: state: Held, search: given",
    )  # fmt: skip


def test_csv_leaves_in_parts_and_costs_the_same_queries_however_long_it_is(manager: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(exports, "BATCH", 4)
    fill_deliveries(0, 2)
    numbers = []
    for more in (0, 10):
        fill_deliveries(2, more)
        with CaptureQueriesContext(database) as captured:
            parts = list(manager.get(f"{DELIVERIES}export/csv/").streaming_content)
        numbers.append((len(captured), len(parts)))
    assert numbers[0][0] == numbers[1][0]
    assert [parts for _, parts in numbers] == [2, 4]  # the heading, then four rows at a time


def test_a_workbook_that_would_be_too_large_is_refused_in_words_and_csv_is_not(manager: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(exports, "XLSX_ROWS", 2)
    fill_deliveries(0, 3)

    page = manager.get(f"{DELIVERIES}export/xlsx/?state=blocked", follow=True)

    assert page.redirect_chain == [(f"{DELIVERIES}?state=blocked", 302)]
    assert "more than 2 rows" in page.content.decode()
    assert len(taken(manager, f"{DELIVERIES}export/csv/")) == 3
    assert len(taken(manager, f"{DELIVERIES}export/xlsx/?q=key-1")) == 1


def test_people_without_a_role_take_nothing_along(sign_in: Callable[[str], Client]):
    answer = sign_in("").get(f"{DELIVERIES}export/csv/")
    assert (answer.status_code, LogEntry.objects.count()) == (403, 0)


@pytest.mark.parametrize("address", ["export/pdf/", "export/csv/?no_such_column=1"])
def test_an_address_that_makes_no_sense_leads_nowhere(manager: Client, address: str):
    assert manager.get(f"{DELIVERIES}{address}").status_code == 404
