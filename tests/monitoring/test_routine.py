"""The daily check ticks what is fine and names what is not; the monthly audit is recorded by whom with the evidence of the day."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.admin.manual import manual_url
from integrations.models import Connection, InboxEvent, SyncException
from monitoring.models import Audit, Drift, Metric, Reconciliation, Sample, Segment
from monitoring.reconcile.drifts import dismiss
from monitoring.routine import audit
from tests.rows import make_event, make_exception, make_flow, make_person, minutes_ago, signed_in

pytestmark = pytest.mark.django_db
LINES = ("worker", "arrivals", "connections", "freshness", "held", "old-questions", "authorisation", "inbox", "drifts", "segments")
FINE = dict.fromkeys(LINES, "fine")


@pytest.fixture
def at_work() -> Any:
    """A flow whose source spoke just now, and a worker that reports."""
    flow = make_flow("order")
    Connection.objects.update(last_event_at=timezone.now())
    Sample.objects.create(metric=Metric.PASS, value=1, at=minutes_ago(1))
    return flow


def levels(client: Client) -> dict[str, str]:
    return {item.name: str(item.level) for item in client.get(manual_url("daily-check")).context["items"]}


def compared(flow: Any, **values: Any) -> Reconciliation:
    """A finished comparison of 100 records or more."""
    span = {"window_from": minutes_ago(1500), "window_to": minutes_ago(60), "state": "done", "stage": "over"}
    return Reconciliation.objects.create(flow=flow, matched=100, **span, **values)


def test_a_good_day_is_all_ticks(at_work: Any):
    assert levels(signed_in("manager")) == FINE


def test_each_line_names_what_is_not_fine(at_work: Any):
    Sample.objects.update(at=minutes_ago(30))
    question = make_exception(at_work, waiting=2)
    SyncException.objects.filter(pk=question.pk).update(first_seen=timezone.now() - timedelta(days=2))
    make_exception(at_work, "needs_auth", "x")
    make_event(at_work.source, "bad", state=InboxEvent.State.FAILED)
    Connection.objects.filter(platform="ometria").update(state=Connection.State.NEEDS_AUTH)
    compared(at_work, drifted=30)
    Segment.objects.create(connection=at_work.destination, list_id="1", title="Buyers", watched=True, answer="shrunk")

    assert levels(signed_in("manager")) == {
        "worker": "wrong", "arrivals": "fine", "connections": "wrong", "freshness": "fine", "held": "look", "old-questions": "look",
        "authorisation": "wrong", "inbox": "look", "drifts": "wrong", "segments": "wrong",
    }  # fmt: skip


def test_every_line_leads_to_a_page_and_to_a_place_in_the_manual(at_work: Any):
    client = signed_in("administrator")

    for article in ("daily-check", "monthly-audit"):
        for item in client.get(manual_url(article)).context["items"]:
            assert client.get(item.url).status_code == 200, item.url
            assert not item.anchor or f'id="{item.anchor}"' in client.get(manual_url(item.article)).content.decode(), item.name


def test_people_without_a_role_see_the_words_and_no_numbers(at_work: Any):
    client = signed_in("")

    for article in ("daily-check", "monthly-audit"):
        answer = client.get(manual_url(article))
        assert (answer.status_code, "items" in answer.context) == (200, False)


def test_the_daily_check_costs_the_same_queries_whatever_there_is(at_work: Any, django_assert_max_num_queries: Any):
    client = signed_in("manager")
    client.get(manual_url("daily-check"))
    for number in range(30):
        make_exception(at_work, subject=f"S-{number}", waiting=1)

    with django_assert_max_num_queries(17):
        client.get(manual_url("daily-check"))


class TestTheAudit:
    URL = "/admin/manual/monthly-audit/record/"

    def test_it_is_recorded_with_the_evidence_by_whom_and_the_note(self, at_work: Any):
        seen = [look(timezone.now()).name for look in audit.LOOKS]

        answer = signed_in("manager").post(self.URL, {"seen": seen, "note": "Backup restored on a spare machine."})

        row = Audit.objects.get()
        assert answer.url == manual_url("monthly-audit", "history")
        assert (row.by.username, row.by_name, row.note) == ("manager", "manager", "Backup restored on a spare machine.")
        assert [(finding["name"], finding["seen"]) for finding in row.findings] == [(name, True) for name in seen]
        assert all(finding["title"] and finding["answer"] and finding["level"] in ("fine", "look", "wrong") for finding in row.findings)

    def test_what_was_not_looked_at_needs_a_word(self, at_work: Any):
        client = signed_in("administrator")

        refused = client.post(self.URL, {"seen": ["people"]})
        assert (refused.url, Audit.objects.count()) == (manual_url("monthly-audit", "evidence"), 0)

        client.post(self.URL, {"seen": ["people"], "note": "The rest is looked at by the agency."})
        assert [finding["seen"] for finding in Audit.objects.get().findings].count(True) == 1

    def test_it_outlives_the_account_of_whoever_recorded_it(self, at_work: Any):
        signed_in("manager").post(self.URL, {"note": "All looked at."})
        User.objects.get(username="manager").delete()

        shown = signed_in("administrator").get(manual_url("monthly-audit")).content.decode()

        assert ("manager: All looked at." in shown, Audit.objects.get().by) == (True, None)

    @pytest.mark.parametrize("role", ["", "ecommerce", "marketing"])
    def test_others_look_and_do_not_record(self, role: str, at_work: Any):
        client = signed_in(role)

        assert client.post(self.URL, {"note": "x"}).status_code == 403
        assert reverse("admin:audit_record") not in client.get(manual_url("monthly-audit")).content.decode()
        assert not Audit.objects.exists()

    def test_reading_the_address_records_nothing(self, at_work: Any):
        assert signed_in("manager").get(self.URL).status_code == 405

    def test_what_was_left_as_it_is_and_segments_nobody_watches_are_named(self, at_work: Any):
        now = timezone.now()
        assert (audit.drifts(now).answer, audit.segments(now).answer) == ("Nothing was compared", "None is watched")

        run = compared(at_work, drifted=2, closed=1)
        for number in range(2):
            row = Drift.objects.create(flow=at_work, run=run, aspect="order", cause="missing", record_key=str(number), title="Order")
        dismiss(row, "The finance team knows.")
        Segment.objects.create(connection=at_work.destination, list_id="1", title="Buyers", watched=True, answer="healthy")

        drifts, segments = audit.drifts(now), audit.segments(now)
        assert (drifts.answer, str(drifts.level), drifts.url.partition("?")[2]) == (
            "102 compared, 2 drifted, 1 found repaired; 1 left as they are", "look", "state=dismissed",
        )  # fmt: skip
        assert (segments.answer, str(segments.level)) == ("Buyers", "fine")

    def test_administrators_without_a_second_factor_and_people_not_seen_are_named(self, at_work: Any):
        make_person("administrator", username="ada")
        User.objects.filter(username="ada").update(date_joined=timezone.now() - timedelta(days=90))
        now = timezone.now()

        assert (audit.factors(now).answer, str(audit.factors(now).level)) == ("With the password alone: ada", "look")
        assert audit.people(now).answer == "1 person may sign in; not seen for two months: ada"
