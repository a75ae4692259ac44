"""Taking lists along: what the filters leave, as CSV and as a workbook, masked, safe to open, streamed and remembered."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import time_machine
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.db import connection as database
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from integrations.admin import exports, turns
from integrations.models import Delivery, ImpactRun, SyncException
from mapping.defaults import load_defaults
from mapping.resources import from_text
from tests.admin.test_lists import LISTS, RECORD, fill_deliveries
from tests.rows import make_attempt, make_delivery, make_exception, make_flow, make_person, minutes_ago

pytestmark = pytest.mark.django_db
DELIVERIES = "/admin/integrations/delivery/"
TAKEN = [
    "integrations_delivery", "integrations_inboxevent", "integrations_flow", "integrations_checkpoint", "integrations_syncexception",
    "integrations_connection", "mapping_mappingversion",
]  # fmt: skip


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
    with time_machine.travel(timezone.now(), tick=False):
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
    taken(manager, f"{DELIVERIES}export/csv/")  # content types are remembered from the first on
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


def test_no_list_of_the_console_is_without_a_way_to_take_it_along():
    lists = {model._meta.label: desk for model, desk in admin.site._registry.items()}
    taken_along = {name for name, desk in lists.items() if isinstance(desk, exports.Exports) or hasattr(desk, "get_export_data")}
    assert (len(taken_along) > 15, set(lists) - taken_along) == (True, set())


def test_questions_are_taken_with_what_waits_now_and_what_to_do(manager: Client):
    flow = make_flow()
    question = make_exception(flow, subject="TEE-RED", waiting=2, last_seen=timezone.now())
    Delivery.objects.update(record=RECORD)

    (row,) = taken(manager, "/admin/integrations/syncexception/export/csv/?kind=unmapped_sku")

    told = ("ID", "Question", "Subject", "Kind", "Team", "State", "Deliveries waiting", "Order value waiting", "Assignee")
    assert [row[name] for name in told] == [
        str(question.pk), question.title, "TEE-RED", "Unknown SKU", "ecommerce", "Open", "2", "£21.00", "",
    ]  # fmt: skip
    assert row["What to do"].startswith("Map the SKU")


@pytest.mark.parametrize(("role", "seen"), [("ecommerce", 0), ("marketing", 6)])
def test_what_a_destination_said_of_people_is_masked_in_questions_and_tries(sign_in: Callable[[str], Client], role: str, seen: int):
    said = "447700900123 of ann.realname@example.com is wrong"
    flow = make_flow("customer")
    make_exception(flow, "refused", said)
    SyncException.objects.update(title=said)
    make_attempt(make_delivery(flow, state="blocked"), "refused", message=said, at=minutes_ago(30))
    client = sign_in(role)

    (question,) = taken(client, "/admin/integrations/syncexception/export/csv/")
    (tried,) = taken(client, "/admin/attempts/export/csv/?what=refused")

    cells = (question["Question"], question["Subject"], tried["Answer"])
    assert sum(secret in cell for secret in ("447700900123", "ann.realname@example.com") for cell in cells) == seen


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_runs_over_records_are_taken_along(manager: Client, form: str):
    flow = make_flow()
    load_defaults(flow)
    version = flow.mapping_versions.first()
    ImpactRun.objects.create(flow=flow, version=version, rules=[], fingerprint="", state="done", looked_at=9, same=7, changed=2)

    (row,) = taken(manager, f"/admin/integrations/impactrun/export/{form}/")

    told = ("Run", "Flow", "Version", "Compared with version", "State", "Records looked at", "The same", "Would change", "Asked for by")
    assert [row[name] for name in told] == ["Impact run", str(flow), "1", "", "Done", "9", "7", "2", ""]


def test_people_are_taken_along_by_administrators_only(sign_in: Callable[[str], Client]):
    make_person("marketing", username="ann")
    page = sign_in("administrator")

    assert 'href="/admin/auth/user/export/csv/?q=ann"' in page.get("/admin/auth/user/?q=ann").content.decode()
    (row,) = taken(page, "/admin/auth/user/export/csv/?q=ann")
    assert (row["User name"], row["Roles"], row["May sign in"]) == ("ann", "marketing", "yes")
    assert sign_in("manager").get("/admin/auth/user/export/csv/").status_code == 403


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_while_two_exports_leave_the_next_is_told_to_wait_and_goes_when_one_is_through(manager: Client, form: str):
    fill_deliveries(0, 3)
    first, second = (manager.get(f"{DELIVERIES}export/csv/") for _ in range(turns.AT_ONCE))
    list(first.streaming_content)
    assert len(taken(manager, f"{DELIVERIES}export/{form}/")) == 3
    held = manager.get(f"{DELIVERIES}export/csv/")

    told = manager.get(f"{DELIVERIES}export/{form}/?state=blocked", follow=True)

    assert told.redirect_chain == [(f"{DELIVERIES}?state=blocked", 302)]
    assert [str(message) for message in get_messages(told.wsgi_request)] == [exports.BUSY]
    assert "Try again in a moment" in told.content.decode()
    assert LogEntry.objects.count() == 4  # nobody took the one that was refused
    for answer in (second, held):
        list(answer.streaming_content)
    assert len(taken(manager, f"{DELIVERIES}export/{form}/")) == 3


def test_a_download_that_breaks_off_or_is_only_asked_about_keeps_nobody_waiting(manager: Client, monkeypatch: pytest.MonkeyPatch):
    # The test client keeps its connection open over the end of a request, but not when an answer is left before its end.
    monkeypatch.setattr(connections["default"], "close_if_unusable_or_obsolete", lambda: None)
    fill_deliveries(0, 3)
    for _ in range(turns.AT_ONCE):
        broken = manager.get(f"{DELIVERIES}export/csv/")
        next(iter(broken.streaming_content)), next(iter(broken.streaming_content))
        broken.close()
        manager.head(f"{DELIVERIES}export/csv/")

    assert len(taken(manager, f"{DELIVERIES}export/csv/")) == 3


def test_a_download_on_which_nobody_reads_keeps_nobody_waiting_for_long(manager: Client, monkeypatch: pytest.MonkeyPatch):
    fill_deliveries(0, 3)
    held = [manager.get(f"{DELIVERIES}export/csv/") for _ in range(turns.AT_ONCE)]
    waits = manager.get(f"{DELIVERIES}export/csv/").status_code
    monkeypatch.setattr(turns, "LONGEST", 0)

    assert (len(held), waits, len(taken(manager, f"{DELIVERIES}export/csv/"))) == (2, 302, 3)
