"""One act for all that a filter leaves: what is shown before, what a run does, who may; and values put right on their page."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from integrations.models import Correction, Delivery, DeskRun, Hold, SyncException
from tests.admin.test_exception_desk import states
from tests.desk_runs import finish
from tests.engine.test_corrections import held_customer
from tests.rows import make_exception, make_flow

pytestmark = pytest.mark.django_db


def bulk(act: str, query: str = "") -> str:
    return f"{reverse('admin:integrations_syncexception_bulk', args=[act])}?{query}"


def text_of(answer: object) -> str:
    return " ".join(answer.content.decode().split())


def finished(client: Client, url: str) -> str:
    """The run's page once a worker has done it."""
    finish(DeskRun.objects.latest("pk"))
    return text_of(client.get(url))


def test_the_preview_tells_how_many_what_they_are_worth_and_what_will_happen(ecommerce: Client):
    flow = make_flow()
    for number in range(12):
        make_exception(
            flow, subject=f"S{number:02}", waiting=1, waiting_count=1, waiting_value=Decimal(number), waiting_values={"GBP": str(number)}
        )
    make_exception(flow, "refused", "OTHER", waiting_value=Decimal(500), waiting_values={"EUR": "500"})

    page = ecommerce.get(bulk("ignore", "kind=unmapped_sku"))

    assert (page.context["count"], page.context["deliveries"], page.context["values"]) == (12, 12, "£66.00")
    assert page.context["does"].startswith("12 questions will be closed, and 12 deliveries")
    assert [row.subject for row, *_ in page.context["sample"]] == [f"S{number:02}" for number in range(11, 1, -1)]
    assert ("kind <strong>Unknown SKU</strong>" in text_of(page), "This can be taken back afterwards" in text_of(page)) == (True, True)


def test_all_that_the_filter_leaves_is_done_on_every_page_of_it_and_nothing_else(ecommerce: Client):
    flow = make_flow()
    for number in range(60):  # more than one page of the list
        make_exception(flow, subject=f"S{number:02}", waiting=1)
    make_exception(flow, "refused", "OTHER", waiting=1)

    answer = ecommerce.post(bulk("ignore", "kind=unmapped_sku&p=2"), {"note": "Test articles"})
    page = finished(ecommerce, answer.url)

    assert dict(SyncException.objects.values_list("kind", "state").distinct()) == {"unmapped_sku": "ignored", "refused": "open"}
    assert states()["OTHER-0"] == "blocked"
    assert ("Ignored: Test articles" in page, "60 of 60 questions" in page, "Take it all back" in page) == (True, True, True)
    assert LogEntry.objects.filter(change_message__startswith="Ignored: Test articles (run ").count() == 60


def test_a_run_is_taken_back_from_its_page(ecommerce: Client):
    flow = make_flow()
    for number in range(3):
        make_exception(flow, subject=f"S{number}", waiting=1)
    run_url = ecommerce.post(bulk("ignore"), {"note": "Wrong filter"}).url
    finished(ecommerce, run_url)

    back_url = ecommerce.post(f"{run_url}take-back/").url
    page = finished(ecommerce, back_url)

    assert (set(states().values()), "Taken back: Ignored: Wrong filter" in page) == ({"blocked"}, True)
    assert "It was taken back" in text_of(ecommerce.get(run_url))


@pytest.mark.parametrize(("act", "data", "done"), [
    ("assign", {"assignee": ""}, "Assigned to nobody"), ("snooze", {"until": "changes"}, "Snoozed until it changes"),
    ("retry", {}, "Retried what waits"), ("resolve", {"note": "by hand"}, "Resolved: by hand"),
])  # fmt: skip
def test_each_act_runs_and_says_so(act: str, data: dict[str, str], done: str, ecommerce: Client):
    make_exception(make_flow(), "refused", waiting=1)

    page = finished(ecommerce, ecommerce.post(bulk(act), data).url)

    assert (done in page, DeskRun.objects.get().done) == (True, 1)


def test_what_was_ignored_is_asked_again_in_bulk(ecommerce: Client):
    flow = make_flow()
    make_exception(flow, subject="TEE", waiting=1)
    finished(ecommerce, ecommerce.post(bulk("ignore"), {"note": "no"}).url)

    finished(ecommerce, ecommerce.post(bulk("reopen", "state=ignored"), {}).url)

    assert (states(), SyncException.objects.get().state) == ({"TEE-0": "blocked"}, "open")


@pytest.mark.parametrize("act", ["ignore", "resolve"])
def test_a_decision_about_many_takes_a_reason(act: str, ecommerce: Client):
    make_exception(make_flow())

    answer = ecommerce.post(bulk(act, "kind=unmapped_sku"), {"note": " "}, follow=True)

    assert ("Write why; others will read it." in text_of(answer), DeskRun.objects.exists()) == (True, False)


def test_ticked_rows_go_to_the_same_page(ecommerce: Client):
    flow = make_flow()
    rows = [make_exception(flow, subject=f"S{number}") for number in range(3)]
    data = {"action": "more_many", "_selected_action": [rows[0].pk, rows[2].pk], "index": 0}

    page = ecommerce.post(reverse("admin:integrations_syncexception_changelist"), data, follow=True)

    assert {row.subject for row, *_ in page.context["sample"]} == {"S0", "S2"}


def test_a_narrowed_role_acts_on_its_own_questions_only(sign_in: Callable[[str], Client]):
    make_exception(make_flow("customer"), "bad_phone", "1", waiting=1)
    make_exception(make_flow("order"), subject="S", waiting=1)
    marketing = sign_in("marketing")

    finished(marketing, marketing.post(bulk("ignore"), {"note": "old"}).url)

    assert dict(SyncException.objects.values_list("kind", "state")) == {"bad_phone": "ignored", "unmapped_sku": "open"}


def test_only_people_who_may_settle_act_on_many_and_only_the_owner_or_a_manager_stops_a_run(sign_in: Callable[[str], Client]):
    make_exception(make_flow())
    newcomer, ecommerce, marketing, manager = (sign_in(role) for role in ("", "ecommerce", "marketing", "manager"))
    run_url = ecommerce.post(bulk("assign"), {"assignee": ""}).url

    assert [newcomer.get(bulk("assign")).status_code, newcomer.get(run_url).status_code] == [403, 403]
    assert [client.post(f"{run_url}cancel/").status_code for client in (newcomer, marketing)] == [403, 403]
    assert (ecommerce.get(f"{run_url}cancel/").status_code, marketing.get(run_url).status_code) == (405, 200)
    assert manager.post(f"{run_url}cancel/").status_code == 302
    assert DeskRun.objects.get().state == "cancelled"


def test_past_runs_are_listed_with_who_and_what(ecommerce: Client):
    make_exception(make_flow())
    empty = "Nobody has acted on a whole filter yet" in text_of(ecommerce.get(reverse("admin:integrations_syncexception_runs")))
    finished(ecommerce, ecommerce.post(bulk("assign"), {"assignee": ""}).url)

    page = text_of(ecommerce.get(reverse("admin:integrations_syncexception_runs")))

    assert (empty, "Assigned to nobody" in page, "ecommerce" in page) == (True, True, True)


@pytest.mark.parametrize("path", ["", "bulk/assign/?kind=unmapped_sku"])
def test_the_pages_cost_the_same_queries_whatever_they_hold(path: str, ecommerce: Client):
    url, flow = f"{reverse('admin:integrations_syncexception_changelist')}{path}", make_flow()

    def queries() -> int:
        ecommerce.get(url)
        with CaptureQueriesContext(database) as captured:
            assert ecommerce.get(url).status_code == 200
        return len(captured)

    make_exception(flow, subject="ONE", waiting=1)
    few = queries()
    for number in range(60):
        make_exception(flow, subject=f"S{number}", waiting=1)

    assert queries() == few <= 20


# --- values put right --------------------------------------------------------------------------------------------------


@pytest.fixture
def asked(db: None) -> SyncException:
    held = held_customer()
    row = SyncException.objects.create(flow=held.flow, kind="bad_phone", subject="7001", title="Phone number cannot be read")
    Hold.objects.create(exception=row, delivery=held)
    return row


def edit_url(row: SyncException) -> str:
    return reverse("admin:integrations_syncexception_edit", args=[row.pk, row.holds.get().delivery_id])


def test_a_value_is_put_right_with_the_difference_shown_first(asked: SyncException, sign_in: Callable[[str], Client]):
    marketing, url = sign_in("marketing"), edit_url(asked)
    page = text_of(marketing.get(reverse("admin:integrations_syncexception_change", args=[asked.pk])))
    delivery = asked.holds.get().delivery

    shown = marketing.post(url, {"field:phone_number": "+442079460018", "do": "preview"})
    before_sending = (Correction.objects.count(), Delivery.objects.get().state)
    marketing.post(url, {"field:phone_number": "+442079460018", "do": "send", "note": "Asked her"})

    assert (f'href="{url}"' in page, shown.context["changes"]) == (True, [("Phone number", "", "+442079460018")])
    assert (before_sending, Delivery.objects.get().state) == ((0, "blocked"), "ready")
    correction = Correction.objects.get()
    assert (correction.values, correction.by.get_username(), correction.note) == (
        {"phone_number": "+442079460018"},
        "marketing",
        "Asked her",
    )
    told = text_of(marketing.get(reverse("admin:integrations_delivery_change", args=[delivery.pk])))
    assert [word for word in ("Values put right", "in force", "+442079460018", "By marketing") if word not in told] == []


def test_what_is_wrong_with_a_value_is_told_and_it_cannot_be_sent(asked: SyncException, sign_in: Callable[[str], Client]):
    page = sign_in("marketing").post(edit_url(asked), {"field:phone_number": "0", "do": "preview"})

    assert (page.context["ready"], [label for label, _ in page.context["problems"]]) == (False, ["Phone number"])
    assert "Keep these values and send" not in text_of(page)


def test_personal_values_are_masked_for_people_without_the_permission_and_stay_when_left_empty(asked: SyncException, ecommerce: Client):
    page = text_of(ecommerce.get(edit_url(asked)))
    shown = ecommerce.post(
        edit_url(asked), {"field:email": "", "field:firstname": "", "field:phone_number": "+442079460018", "do": "preview"}
    )

    assert [secret for secret in ("una@example.com", ">Una<", 'value="Una"') if secret in page] == []
    assert "u•••@example.com" in page
    assert [label for label, *_ in shown.context["changes"]] == ["Phone number"]


def test_a_delivery_of_another_question_or_another_role_s_is_not_edited(asked: SyncException, sign_in: Callable[[str], Client]):
    other = make_exception(make_flow("order"), subject="SKU", waiting=1)
    wrong = reverse("admin:integrations_syncexception_edit", args=[other.pk, asked.holds.get().delivery_id])

    assert [sign_in("manager").get(wrong).status_code, sign_in("marketing").get(edit_url(other)).status_code] == [404, 403]
