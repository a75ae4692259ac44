"""The daily digest: a day of a team in words that are true, once a day at its hour, and without personal data."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from django.core import mail as mailbox
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from monitoring.alerts import messages
from monitoring.alerts.digest import digest_of
from monitoring.alerts.sending import send_due
from monitoring.models import Metric, Reconciliation, Sample
from tests.monitoring.alert_rows import add_event, make_alert, make_target
from tests.monitoring.moments import note, worker_runs
from tests.rows import make_delivery, make_exception, make_flow, minutes_ago

pytestmark = pytest.mark.django_db
EMAIL = "ann.realname@example.com"


@pytest.fixture
def day() -> Any:
    """A day with something of everything."""
    flow = make_flow("order")
    worker_runs()
    note(Metric.ARRIVED, 3, connection=flow.source)
    make_exception(flow, "unmapped_sku", f"TEE-RED {EMAIL}", waiting=2, first_seen=minutes_ago(120), detail=EMAIL)
    make_exception(flow, "bad_phone", "7001", waiting=1)
    latest = Sample.objects.filter(metric=Metric.PASS).latest("at").at
    Sample.objects.create(flow=flow, metric="asked.unmapped_sku.GBP", value=87.0, at=latest)
    make_delivery(flow, "late", ready_since=minutes_ago(12), due_at=minutes_ago(12))
    make_alert("drift", "1", severity="warning", teams=["ecommerce", "manager"], title="UK orders drift apart")
    make_alert("needs_auth", "1", teams=["administrator"], title="Ometria needs re-authorisation")
    over = make_alert("behind", "9", wrong=False, severity="warning", teams=["ecommerce"], title="UK orders are behind")
    over.events.update(at=minutes_ago(60 * 30))
    add_event(over, "over")
    Reconciliation.objects.create(
        flow=flow, level="records", state="done", window_from=minutes_ago(2000), window_to=minutes_ago(600), finished_at=minutes_ago(300),
        matched=980, drifted=20, value=310, currency="GBP",
    )  # fmt: skip
    return flow


def test_a_team_reads_what_is_wrong_what_is_over_what_waits_and_what_was_compared(day: Any):
    target = make_target("email", digest_hour=8, digest_teams=["ecommerce"])

    messages.make(target, "digest", messages.wording.of_digest(digest_of(target, timezone.now())), timezone.now())
    send_due(5)

    sent = mailbox.outbox[0]
    lines = [line for line in sent.body.splitlines() if line]
    assert sent.subject == "Ecommerce: 1 thing wrong now, 1 kind of exception open"
    for said in (
        "- Warning: UK orders drift apart, since",
        "UK orders are behind",
        "- Unknown SKU: 1, 2 deliveries wait, worth £87.00, the oldest 2 hours ago",
        "1 flow on, 0 in time.",
        f"- {day}: waits since 12 minutes, 1 ready",
        f"- {day}: 1,000 compared, 20 differ, worth £310.00",
    ):
        assert [line for line in lines if said in line], (said, sent.body)
    html = sent.alternatives[0][0]
    for absent in ("re-authorisation", "Phone number", EMAIL, "realname"):
        assert (absent in sent.body, absent in html) == (False, False), absent
    assert ("?state=open&amp;kind=unmapped_sku" in html, "£87.00" in html) == (True, True)


def test_of_all_teams_everything_is_told(day: Any):
    digest = digest_of(make_target("email", digest_hour=8), timezone.now())

    assert (digest.whose, len(digest.standing), [line.label for line in digest.waits]) == (
        "All teams", 2, ["Unknown SKU", "Phone number cannot be read"],
    )  # fmt: skip


def test_a_day_on_which_nothing_happened_says_so():
    target = make_target("webhook", digest_hour=8)

    words = messages.wording.of_digest(digest_of(target, timezone.now()))

    data = orjson.loads(words.body())
    assert (words.subject, data["type"]) == ("All teams: nothing is wrong, no exception is open", "alert.digest")
    assert (data["data"]["wrong"], data["data"]["waits"], data["data"]["fresh"]) == ([], [], "No flow is switched on")
    assert "Nothing was compared in the last day." in words.text


def test_it_comes_once_a_day_at_its_hour_by_its_own_clock():
    target = make_target("email", digest_hour=8, zone="Europe/Berlin")
    make_target("email", digest_hour=8, state="paused")
    make_target("email")
    moments = ["06:59Z", "07:00Z", "07:01Z", "23:30Z"]  # Berlin is an hour ahead in November
    day, next_day = "2026-11-21T", "2026-11-22T"

    made = [messages.digests(datetime.fromisoformat(f"{date}{moment}")) for date in (day, next_day) for moment in moments]

    assert (made, target.messages.count()) == ([0, 1, 0, 0, 0, 1, 0, 0], 2)


def test_it_costs_as_many_queries_for_many_rows_as_for_few(day: Any):
    target = make_target("email", digest_hour=8)
    with CaptureQueriesContext(database) as few:
        digest_of(target, timezone.now())
    for number in range(60):
        make_exception(day, "refused", str(number), waiting=1)
        make_alert("worth", str(number))
    with CaptureQueriesContext(database) as many:
        digest_of(target, timezone.now() + timedelta(seconds=1))

    assert len(many) == len(few) <= 22
