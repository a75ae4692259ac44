"""Exceptions over the API: lists, release, ignore, assign, snooze, comment, and taking back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from rest_framework.test import APIClient

from integrations.models import Delivery, ExceptionComment, SyncException
from integrations.models.kinds import KINDS
from tests.rows import make_exception, make_flow, make_person, minutes_ago

pytestmark = pytest.mark.django_db
LIST = "/api/v1/exceptions/"


@pytest.fixture
def api() -> APIClient:
    client = APIClient()
    client.force_authenticate(make_person("ecommerce"))
    return client


def subjects(api: APIClient, query: str) -> list[str]:
    return [row["subject"] for row in api.get(f"{LIST}?{query}").json()["results"]]


def test_exceptions_are_filtered_by_state_kind_origin_team_and_flow(api):
    order, customer = make_flow("order"), make_flow("customer")
    make_exception(order, "unmapped_sku", "sku", last_seen=minutes_ago(3))
    make_exception(customer, "ambiguous_contact", "contact", last_seen=minutes_ago(2))
    make_exception(order, "exhausted", "gone", state="resolved", last_seen=minutes_ago(1))

    assert subjects(api, "") == ["gone", "contact", "sku"]
    assert subjects(api, "state=open") == ["contact", "sku"]
    assert subjects(api, "kind=unmapped_sku") == ["sku"]
    assert subjects(api, "origin=destination") == ["contact"]
    assert subjects(api, "team=marketing") == ["contact"]
    assert subjects(api, f"flow={customer.pk}") == ["contact"]


def test_the_detail_says_why_and_what_to_do_next(api):
    exception = make_exception(make_flow(), waiting=2)

    body = api.get(f"{LIST}{exception.pk}/").json()

    kind = KINDS["unmapped_sku"]
    assert (body["origin"], body["team"], body["cause"], body["remedy"]) == ("storefront", "ecommerce", kind.cause, kind.remedy)
    assert body["waiting"] == list(Delivery.objects.order_by("id").values_list("id", flat=True))


def test_release_lets_go_what_waits(api):
    exception = make_exception(make_flow(), waiting=3)

    assert api.post(f"{LIST}{exception.pk}/release/").json() == {"count": 3}
    assert set(Delivery.objects.values_list("state", flat=True)) == {"ready"}


def test_ignoring_takes_a_reason_and_skips_what_waits(api):
    exception = make_exception(make_flow(), waiting=2)

    assert api.post(f"{LIST}{exception.pk}/ignore/", {"note": " "}, format="json").status_code == 400
    assert api.post(f"{LIST}{exception.pk}/ignore/", {"note": "samples"}, format="json").json() == {"count": 2}
    exception.refresh_from_db()
    assert (exception.state, exception.note, exception.resolved_by.username) == ("ignored", "samples", "ecommerce")
    assert set(Delivery.objects.values_list("state", flat=True)) == {"skipped"}


def test_a_question_is_given_to_a_colleague_and_back(api):
    exception = make_exception(make_flow())
    colleague = make_person("manager")

    assert api.post(f"{LIST}{exception.pk}/assign/", {"user": colleague.pk}, format="json").json()["assignee"] == colleague.pk
    assert api.post(f"{LIST}{exception.pk}/assign/", {"user": None}, format="json").json()["assignee"] is None


def test_nobody_outside_the_staff_is_given_a_question(api, django_user_model):
    exception = make_exception(make_flow())
    outsider = django_user_model.objects.create_user("outsider")

    answer = api.post(f"{LIST}{exception.pk}/assign/", {"user": outsider.pk}, format="json")

    assert (answer.status_code, list(answer.json())) == (400, ["user"])


def test_a_question_is_put_away_until_a_moment_or_until_it_changes_and_woken(api):
    exception = make_exception(make_flow(), waiting=2)
    place, soon = f"{LIST}{exception.pk}", timezone.now() + timedelta(days=3)

    assert parse_datetime(api.post(f"{place}/snooze/", {"until": soon}, format="json").json()["snoozed_until"]) == soon
    exception.refresh_from_db()
    assert (exception.snoozed_until, exception.snooze_limit) == (soon, exception.occurrences + 2)
    assert api.post(f"{place}/snooze/", {"until": None}, format="json").json()["snoozed_until"].startswith("9999")
    assert api.post(f"{place}/wake/").json()["snoozed_until"] is None


@pytest.mark.parametrize("days", [-1, 0, 400])
def test_a_question_is_not_put_away_into_the_past_nor_for_over_a_year(api, days):
    exception = make_exception(make_flow())

    answer = api.post(f"{LIST}{exception.pk}/snooze/", {"until": timezone.now() + timedelta(days=days)}, format="json")

    assert (answer.status_code, answer.json()) == (400, {"until": ["Choose a moment in the future, within a year."]})
    assert api.post(f"{LIST}{exception.pk}/snooze/", {}, format="json").status_code == 400


def test_what_was_done_last_is_taken_back_by_whoever_did_it(api):
    exception = make_exception(make_flow(), waiting=2)
    place, colleague = f"{LIST}{exception.pk}", make_person("manager")
    api.post(f"{place}/assign/", {"user": colleague.pk}, format="json")
    assert api.post(f"{place}/undo/").json()["assignee"] is None

    api.post(f"{place}/snooze/", {"until": None}, format="json")
    assert api.post(f"{place}/undo/").json()["snoozed_until"] is None

    api.post(f"{place}/ignore/", {"note": "samples"}, format="json")
    others = APIClient()
    others.force_authenticate(colleague)
    assert others.post(f"{place}/undo/").status_code == 409
    assert api.post(f"{place}/undo/").json()["state"] == "open"
    assert set(Delivery.objects.values_list("state", flat=True)) == {"blocked"}
    nothing = api.post(f"{place}/undo/")
    assert (nothing.status_code, nothing.json()["detail"]) == (409, "There is nothing of yours to take back here.")
    assert [entry.change_message for entry in LogEntry.objects.order_by("pk")][-1] == "Took back the last act, through the API"


@pytest.mark.parametrize(("act", "data"), [("assign", {"user": None}), ("snooze", {"until": None}), ("wake", {})])
def test_what_is_settled_is_neither_given_away_nor_put_away(api, act, data):
    exception = make_exception(make_flow(), state="resolved")

    answer = api.post(f"{LIST}{exception.pk}/{act}/", data, format="json")

    assert (answer.status_code, answer.json()["detail"]) == (409, "It is resolved already.")


def test_what_somebody_else_changed_meanwhile_stays_as_it_is(api):
    exception = make_exception(make_flow())
    api.post(f"{LIST}{exception.pk}/snooze/", {"until": None}, format="json")
    SyncException.objects.update(snoozed_until=timezone.now() + timedelta(days=1))

    answer = api.post(f"{LIST}{exception.pk}/undo/")

    assert (answer.status_code, answer.json()["detail"]) == (409, "It was changed meanwhile, so it stays as it is.")


def test_a_comment_is_kept_with_its_author(api):
    exception = make_exception(make_flow())

    answer = api.post(f"{LIST}{exception.pk}/comment/", {"text": "asked the supplier", "author": 1}, format="json")

    assert answer.status_code == 201
    assert ExceptionComment.objects.values_list("text", "author__username").get() == ("asked the supplier", "ecommerce")


ACTS = [
    ("release", {}), ("ignore", {"note": "no"}), ("assign", {"user": None}), ("snooze", {"until": None}), ("wake", {}),
    ("comment", {"text": "hm"}),
]  # fmt: skip


@pytest.mark.parametrize(("act", "data"), ACTS)
def test_marketing_settles_only_questions_of_its_team(act, data):
    client = APIClient()
    client.force_authenticate(make_person("marketing"))
    flow = make_flow("customer")
    theirs, other = make_exception(flow, "bad_phone", "p"), make_exception(flow, "unmapped_sku", "s")

    assert client.post(f"{LIST}{theirs.pk}/{act}/", data, format="json").status_code in (200, 201)
    refused = client.post(f"{LIST}{other.pk}/{act}/", data, format="json")
    assert (refused.status_code, refused.json()) == (403, {"detail": "Your role settles only questions of its own team."})


def test_a_list_takes_the_same_number_of_queries_for_one_row_and_for_fifty(api, django_assert_num_queries):
    flow = make_flow()
    for number in range(60):
        make_exception(flow, subject=str(number))

    with django_assert_num_queries(3):  # permissions of the person and of the groups, the page
        api.get(LIST)
