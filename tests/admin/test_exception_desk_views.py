"""The exception list: its views and their counts, filters that people keep, what is put away, and the last act taken back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.models import Delivery, SavedView, SkuBacklog, SyncException
from mapping.models import SkuCrosswalk
from tests.admin.test_exception_desk import act, states
from tests.rows import make_exception, make_flow, minutes_ago

pytestmark = pytest.mark.django_db
LIST = "/admin/integrations/syncexception/"


def found(client: Client, query: str = "") -> list[str]:
    page = client.get(f"{LIST}?{query}")
    return [row.subject for row in page.context["cl"].result_list]


def me(client: Client) -> object:
    return client.get(reverse("admin:index")).wsgi_request.user


def test_each_view_shows_its_questions_and_how_many_there_are(ecommerce: Client):
    flow = make_flow()
    make_exception(flow, subject="OLD", first_seen=timezone.now() - timedelta(days=3))
    make_exception(flow, subject="MINE", assignee=me(ecommerce), first_seen=timezone.now() - timedelta(days=3))
    make_exception(flow, subject="BACK", returned=1, first_seen=timezone.now() - timedelta(days=3))
    make_exception(flow, subject="FRESH")
    make_exception(flow, subject="AWAY", snoozed_until=timezone.now() + timedelta(days=1))
    make_exception(flow, subject="DONE", state="resolved")
    make_exception(flow, subject="NO", state="ignored")

    page = ecommerce.get(LIST)
    tabs = {tab["label"]: tab for tab in page.context["tabs"]}

    shown = {label: sorted(found(ecommerce, tab["url"].removeprefix("?"))) for label, tab in tabs.items()}
    opened = ["BACK", "FRESH", "MINE", "OLD"]
    assert shown == {
        "Open": opened, "By value waiting": opened, "Mine": ["MINE"], "Unassigned": ["BACK", "FRESH", "OLD"], "New": ["FRESH"],
        "Returned": ["BACK"], "Snoozed": ["AWAY"], "Settled": ["DONE"], "Ignored": ["NO"],
        "All": sorted([*opened, "AWAY", "DONE", "NO"]),
    }  # fmt: skip
    counts = {label: tab["count"] for label, tab in tabs.items() if tab["count"]}
    assert counts == {"Open": "4", "Mine": "1", "Unassigned": "3", "New": "1", "Returned": "1", "Snoozed": "1"}
    assert [label for label, tab in tabs.items() if tab["current"]] == ["Open"]


def test_new_is_what_came_since_the_last_visit(ecommerce: Client):
    flow = make_flow()
    make_exception(flow, subject="BEFORE", first_seen=minutes_ago(300))
    make_exception(flow, subject="SINCE", first_seen=minutes_ago(100))
    session = ecommerce.session
    session["desk_visit"] = minutes_ago(200).isoformat()
    session.save()

    ecommerce.get(LIST)

    assert found(ecommerce, "seen=new") == ["SINCE"]


def test_the_list_is_sorted_by_the_value_that_waits(ecommerce: Client):
    flow = make_flow()
    for subject, value in (("LITTLE", "5"), ("MUCH", "900.50"), ("NONE", "0")):
        make_exception(flow, subject=subject, waiting_value=Decimal(value))

    assert found(ecommerce, "state=open&sort=value") == ["MUCH", "LITTLE", "NONE"]


def test_teams_are_one_click_away_and_other_filters_stay(ecommerce: Client):
    make_exception(make_flow("customer"), "bad_phone", "PHONE")
    make_exception(make_flow("order"), subject="SKU")

    teams = {label: url for label, url, _ in ecommerce.get(f"{LIST}?who=nobody").context["teams"]}

    assert (teams["Marketing"], found(ecommerce, teams["Marketing"].removeprefix("?"))) == ("?who=nobody&team=marketing", ["PHONE"])


def test_a_filter_is_kept_under_a_name_shared_with_a_team_and_forgotten(sign_in: Callable[[str], Client]):
    mine, other, stranger = sign_in("ecommerce"), Client(), sign_in("marketing")
    colleague = me(mine).__class__.objects.create_user("colleague", is_staff=True)
    colleague.groups.add(me(mine).groups.get())
    other.force_login(colleague, backend="django.contrib.auth.backends.ModelBackend")
    save = reverse("admin:integrations_syncexception_save_view")

    answer = mine.post(save, {"name": "Costly SKUs", "team": "ecommerce", "query": "sort=value&kind=unmapped_sku&p=3"})
    mine.post(save, {"name": "Costly SKUs", "team": "ecommerce", "query": "sort=value&kind=unmapped_sku"})

    view = SavedView.objects.get()
    assert (answer.url, view.query) == (f"{LIST}?kind=unmapped_sku&sort=value", "kind=unmapped_sku&sort=value")
    assert ["Costly SKUs" in client.get(LIST).content.decode() for client in (mine, other, stranger)] == [True, True, False]
    forget = reverse("admin:integrations_syncexception_delete_view", args=[view.pk])
    assert [other.post(forget).status_code, mine.get(forget).status_code, mine.post(forget).status_code] == [404, 405, 302]
    assert not SavedView.objects.exists()


def test_nobody_shares_a_filter_with_a_team_of_others(sign_in: Callable[[str], Client]):
    answer = sign_in("marketing").post(
        reverse("admin:integrations_syncexception_save_view"), {"name": "X", "team": "ecommerce", "query": ""}
    )

    assert (answer.status_code, SavedView.objects.exists()) == (403, False)


@pytest.mark.parametrize("choice", ["tomorrow", "monday", "week", "changes"])
def test_a_question_is_put_away_from_the_list_and_the_list_comes_back(choice: str, ecommerce: Client):
    row = make_exception(make_flow())
    url = reverse("admin:integrations_syncexception_snooze", args=[row.pk])

    answer = ecommerce.post(f"{url}?next={LIST}%3Fwho%3Dnobody", {"until": choice})

    row.refresh_from_db()
    assert (answer.url, found(ecommerce), found(ecommerce, "state=snoozed")) == (f"{LIST}?who=nobody", [], ["TEE-RED"])
    assert row.snoozed_until > timezone.now()


@pytest.mark.parametrize(("data", "told"), [
    ({"until": "day", "day": ""}, "a day in the future"), ({"until": "day", "day": "2001-01-01"}, "from tomorrow on"),
    ({"until": "day", "day": "2026-02-31"}, "a day in the future"), ({"until": "never"}, "a day in the future"),
])  # fmt: skip
def test_a_day_that_makes_no_sense_is_told(data: dict[str, str], told: str, ecommerce: Client):
    row = make_exception(make_flow())

    page = act(ecommerce, row, "snooze", data)

    row.refresh_from_db()
    assert (told in page, row.snoozed_until) == (True, None)


def test_the_last_act_is_offered_and_taken_back_from_the_list(ecommerce: Client):
    row = make_exception(make_flow(), subject="TEE", waiting=1)
    act(ecommerce, row, "ignore", {"reason": "wrong row"})
    offered = "You ignored" in " ".join(ecommerce.get(LIST).content.decode().split())

    act(ecommerce, row, "undo", {"next": LIST})

    assert (offered, found(ecommerce), states()) == (True, ["TEE"], {"TEE-0": "blocked"})
    assert list(LogEntry.objects.order_by("pk").values_list("change_message", flat=True)) == [
        "Ignored: wrong row", "Took back: the decision to ignore it",
    ]  # fmt: skip


def test_somebody_else_s_act_is_not_mine_to_take_back(ecommerce: Client, manager: Client):
    row = make_exception(make_flow())
    act(manager, row, "assign", {"assignee": "me"})

    page = act(ecommerce, row, "undo")

    row.refresh_from_db()
    assert ("nothing of yours" in page, row.assignee.get_username()) == (True, "manager")


def test_resolving_takes_a_note_and_sends_what_waits(ecommerce: Client):
    row = make_exception(make_flow(), subject="TEE", waiting=2)
    refused = "Say how it was settled" in act(ecommerce, row, "resolve", {"note": " "})

    act(ecommerce, row, "resolve", {"note": "The shop renamed it"})

    row.refresh_from_db()
    assert (refused, row.state, row.note, states()) == (True, "resolved", "The shop renamed it", {"TEE-0": "ready", "TEE-1": "ready"})


def test_an_ignored_question_can_be_asked_again_by_anybody_who_may_settle_it(ecommerce: Client, manager: Client):
    row = make_exception(make_flow(), subject="TEE", waiting=1)
    act(ecommerce, row, "ignore", {"reason": "test"})

    page = act(manager, row, "reopen")

    assert ("1 delivery waits for it." in page, states()) == (True, {"TEE-0": "blocked"})


def test_the_page_tells_how_it_was_settled_before_and_who_did_what(ecommerce: Client):
    flow = make_flow()
    old = make_exception(flow, subject="TEE", state="resolved", note="TEE: 1 × T-1", resolved_by=me(ecommerce), resolved_at=minutes_ago(60))
    row = make_exception(flow, subject="TEE", former=old, returned=1)
    act(ecommerce, row, "assign", {"assignee": "me"})
    act(ecommerce, row, "comment", {"text": "Asked the shop"})

    page = ecommerce.get(reverse("admin:integrations_syncexception_change", args=[row.pk]))

    said = [(event.who, event.text) for event in page.context["history"]]
    assert said == [
        ("ecommerce", "Asked the shop"), ("ecommerce", "Assigned to ecommerce"), ("the program", "Came back"),
        ("ecommerce", "Resolved before: TEE: 1 × T-1"),
    ]  # fmt: skip
    text = " ".join(page.content.decode().split())
    assert "It came back after 1 hour" in text or "It came back after 59 minutes" in text
    assert "by ecommerce: “TEE: 1 × T-1”" in text


def test_a_suggestion_is_accepted_in_the_list_in_one_click(ecommerce: Client):
    row = make_exception(make_flow(), subject="TEE", waiting=2)
    SkuBacklog.objects.create(exception=row, score=97, suggestion={"parts": [["T-1", 1, None]], "reasons": ["same GTIN"]})
    page = ecommerce.get(LIST).content.decode()

    answer = ecommerce.post(
        f"{reverse('admin:integrations_syncexception_accept', args=[row.pk])}?next={LIST}", {"parts": '[["T-1", 1, null]]'}
    )

    assert ("Accept T-1" in page, answer.url, states()) == (True, LIST, {"TEE-0": "ready", "TEE-1": "ready"})
    assert SkuCrosswalk.objects.get().components.get().target_sku == "T-1"


def test_a_role_without_the_crosswalk_is_offered_no_suggestion(sign_in: Callable[[str], Client]):
    row = make_exception(make_flow(), subject="TEE")
    SkuBacklog.objects.create(exception=row, score=97, suggestion={"parts": [["T-1", 1, None]]})

    page = sign_in("marketing").get(LIST).content.decode()

    assert ("Unknown: TEE" in page, "Accept T-1" in page, "Assign Unknown: TEE to me" in page) == (True, False, False)


def test_each_kind_s_remedy_leads_to_its_place_in_the_manual(manager: Client):
    row = make_exception(make_flow(), "bad_phone", "1")

    page = manager.get(reverse("admin:integrations_syncexception_change", args=[row.pk])).content.decode()

    assert 'href="/admin/manual/exceptions/#bad_phone"' in page


def test_buttons_send_nobody_to_a_strange_address(ecommerce: Client):
    row = make_exception(make_flow())

    answer = ecommerce.post(
        f"{reverse('admin:integrations_syncexception_assign', args=[row.pk])}?next=https://elsewhere.example.com/", {"assignee": "me"}
    )

    assert answer.url == reverse("admin:integrations_syncexception_change", args=[row.pk])
    assert Delivery.objects.count() == 0
    assert SyncException.objects.get().assignee.get_username() == "ecommerce"
