"""What a comparison makes of one record, how drifts are kept, and the pages that show them."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest
from django.contrib.admin.models import LogEntry
from django.utils import timezone

from integrations.flows import spec_for
from integrations.models import Delivery, Flow
from mapping import codec
from mapping.records import Consent, ConsentState, OrderStatus, Totals
from monitoring.models import Drift, Reconciliation
from monitoring.notices import Notice
from monitoring.reconcile import drifts, judge, repair, runs
from monitoring.reconcile.causes import CAUSES
from monitoring.reconcile.ends import Ends
from monitoring.reconcile.judge import Bench, Result, There, Verdict
from monitoring.reconcile.numbers import alarms, by_day
from monitoring.reconcile.pages.comparisons import chart
from monitoring.reconcile.steps import bench_for
from tests.factories import CustomerFactory, OrderFactory
from tests.rows import make_delivery, make_exception, make_flow, make_person, signed_in

pytestmark = pytest.mark.django_db
NOW = timezone.now()
LIST, RUNS = "/admin/monitoring/drift/", "/admin/monitoring/reconciliation/"


@pytest.fixture
def flow() -> Flow:
    return make_flow("order")


@pytest.fixture
def bench(flow: Flow) -> Bench:
    return Bench(flow=flow, spec=spec_for("shopify", "ometria", "order"), now=timezone.now(), grace=timedelta(minutes=30))


def worth(total: str, refunded: str = "0") -> Totals:
    return Totals(subtotal=Decimal(total), total=Decimal(total), refunded=Decimal(refunded), net=Decimal(total) - Decimal(refunded))


def delivered(flow: Flow, record: Any, **values: Any) -> Delivery:
    old = timezone.now() - timedelta(days=1)
    held = {"record": orjson.loads(codec.dumps(record)), "occurred_at": record.occurred_at, "state": "delivered"}
    times = dict.fromkeys(("delivered_at", "sent_at", "updated_at", "ready_since"), old)
    return make_delivery(flow, record.key, **{**held, **times, "sent_payload": {"id": "x"}, **values})


def make_drift(flow: Flow, key: str = "1001", **values: Any) -> Drift:
    facts = {"aspect": "order", "cause": "missing", "title": f"Order {key}", "ours": "£10.00", "theirs": "nothing"}
    return Drift.objects.create(flow=flow, record_key=key, **{**facts, "value": "10", "currency": "GBP", **values})


def outcome(verdict: Verdict | None) -> tuple[str, str, str]:
    assert verdict is not None
    found = verdict.finding
    return (verdict.result, found.aspect, found.cause) if found else (verdict.result, "", "")


class TestOneRecord:
    def test_a_record_that_never_came_is_a_drift_of_its_whole_value_once_it_is_old_enough(self, bench: Bench):
        old, young = OrderFactory(totals=worth("40")), OrderFactory(occurred_at=timezone.now())

        verdict = judge.at_our_door(bench, old, None)

        assert outcome(verdict) == ("drifted", "order", "never_received")
        assert (verdict.finding.value, verdict.finding.theirs, verdict.finding.title) == (
            Decimal("40.00"), "nothing", f"Order {old.number} · £40.00 · paid · A•••, a•••@example.com",
        )  # fmt: skip
        assert outcome(judge.at_our_door(bench, young, None)) == ("under_way", "", "")

    def test_a_test_order_is_left_out_and_not_missed(self, bench: Bench):
        assert outcome(judge.at_our_door(bench, OrderFactory(test=True), None)) == ("left_out", "", "")

    def test_a_refund_that_never_came_is_worth_the_difference(self, bench: Bench, flow: Flow):
        held = OrderFactory(totals=worth("40"))
        row = delivered(flow, held)
        newer = OrderFactory(key=held.key, number=held.number, second=60, status=OrderStatus.PARTIALLY_REFUNDED, totals=worth("40", "15"))

        verdict = judge.at_our_door(bench, newer, row)

        assert outcome(verdict) == ("drifted", "refund", "not_updated")
        assert (verdict.finding.value, verdict.finding.ours, verdict.finding.theirs) == (
            Decimal("15.00"), "£25.00 · partially refunded", "£40.00 · paid",
        )  # fmt: skip

    def test_the_same_state_seen_later_is_no_change(self, bench: Bench, flow: Flow):
        held = OrderFactory()
        row = delivered(flow, held)

        assert judge.at_our_door(bench, OrderFactory(key=held.key, number=held.number, second=90), row) is None

    @pytest.mark.parametrize(
        ("state", "values", "cause"),
        [("ready", {}, "waiting"), ("accepted", {}, "unconfirmed"), ("blocked", {}, "held"), ("skipped", {}, "")],
    )
    def test_what_waits_here_says_for_what(self, bench: Bench, flow: Flow, state: str, values: dict[str, Any], cause: str):
        row = delivered(flow, OrderFactory(), state=state, **values)

        verdict = judge.at_our_door(bench, None, row)

        assert outcome(verdict) == (("drifted", "order", cause) if cause else ("left_out", "", ""))

    def test_a_refused_record_names_its_question(self, flow: Flow):
        question = make_exception(flow, "refused", "1001", waiting=1)
        row = question.holds.get().delivery
        Delivery.objects.filter(pk=row.pk).update(updated_at=timezone.now() - timedelta(hours=2))
        row.refresh_from_db()

        verdict = judge.at_our_door(bench_for(Ends(flow), timedelta(minutes=30), [row]), None, row)

        assert (outcome(verdict), verdict.finding.exception_id) == (("drifted", "order", "refused"), question.pk)

    @pytest.mark.parametrize(
        ("there", "expected"),
        [
            (There(), ("matched", "", "")),
            (There(found=False), ("drifted", "order", "missing")),
            (There(differences=(("status", "paid", "complete"),)), ("drifted", "order", "changed_there")),
            (There(differences=(("lineitems[0].refunded", 0, 5),), value=Decimal("35")), ("drifted", "refund", "changed_there")),
        ],
    )
    def test_what_the_destination_shows_decides(self, bench: Bench, flow: Flow, there: There, expected: tuple[str, str, str]):
        assert outcome(judge.at_destination(bench, delivered(flow, OrderFactory()), there)) == expected

    def test_a_value_that_stood_so_when_we_left_differs_by_rule_and_not_by_another_hand(self, bench: Bench, flow: Flow):
        row = delivered(flow, OrderFactory())
        there = There(differences=(("store", "uk", None),), changed_at=row.delivered_at)

        assert outcome(judge.at_destination(bench, row, there)) == ("drifted", "order", "differs")

    def test_without_the_sent_payload_the_net_value_is_compared(self, bench: Bench, flow: Flow):
        row = delivered(flow, OrderFactory(totals=worth("40", "15")), sent_payload=None)

        assert outcome(judge.at_destination(bench, row, There(value=Decimal("25.00")))) == ("matched", "", "")
        verdict = judge.at_destination(bench, row, There(value=Decimal("40.00")))
        assert (outcome(verdict)[2], verdict.finding.field, verdict.finding.value) == ("changed_there", "net value", Decimal("15.00"))

    def test_personal_values_are_masked_before_they_are_kept(self, bench: Bench):
        customers = make_flow("customer")
        row = delivered(customers, CustomerFactory(key="7", email="ada@example.com"))
        there = There(differences=(("email", "ada@example.com", "bea@example.com"),))

        found = judge.at_destination(bench_for(Ends(customers), timedelta(), [row]), row, there).finding

        assert (found.field, found.ours, found.theirs) == ("email", "a•••@example.com", "b•••@example.com")

    @pytest.mark.parametrize(
        ("ours", "theirs", "cause"),
        [
            (ConsentState.GRANTED, True, ""), (ConsentState.GRANTED, False, "unsubscribed_there"), (ConsentState.GRANTED, None, "consent"),
            (ConsentState.WITHDRAWN, False, ""), (ConsentState.WITHDRAWN, True, "consent"), (ConsentState.UNKNOWN, True, ""),
        ],
    )  # fmt: skip
    def test_consent_is_compared_only_where_the_source_heard_something(self, ours: ConsentState, theirs: bool | None, cause: str):
        customers = make_flow("customer")
        row = delivered(customers, CustomerFactory(key="7", consents=(Consent(channel="email", state=ours),)))

        verdict = judge.consent(bench_for(Ends(customers), timedelta(), [row]), row, theirs, "om-1")

        assert outcome(verdict) == (("drifted", "consent", cause) if cause else ("matched", "", ""))


class TestKeepingDrifts:
    def finding(self, key: str = "1001", **values: Any) -> Verdict:
        facts = {"aspect": "order", "cause": "missing", "title": "Order", "theirs": "nothing"}
        return Verdict(key, Result.DRIFT, judge.Finding(record_key=key, **{**facts, **values}))

    def test_a_drift_is_kept_once_however_often_it_is_found(self, flow: Flow):
        for cause in ("missing", "missing", "changed_there"):
            drifts.record(flow, None, [self.finding(cause=cause)])

        assert list(Drift.objects.values_list("record_key", "cause", "state")) == [("1001", "changed_there", "open")]

    def test_what_matches_now_is_closed_and_consent_is_left_alone(self, flow: Flow):
        make_drift(flow), make_drift(flow, aspect="consent", cause="consent"), make_drift(flow, "1002")

        closed = drifts.record(flow, None, [Verdict("1001", Result.MATCHED), Verdict("1002", Result.UNDER_WAY)])

        states = set(Drift.objects.values_list("record_key", "aspect", "state"))
        assert (closed.closed, states) == (1, {("1001", "order", "closed"), ("1001", "consent", "open"), ("1002", "order", "open")})

    def test_what_a_person_let_be_is_not_listed_again_until_it_differs_otherwise(self, flow: Flow):
        drifts.dismiss(make_drift(flow), "the finance team knows")

        drifts.record(flow, None, [self.finding()])
        assert not Drift.objects.filter(state="open").exists()
        drifts.record(flow, None, [self.finding(theirs="£3.00")])
        assert Drift.objects.filter(state="open").count() == 1

    def test_a_repair_that_did_not_help_opens_the_drift_again(self, flow: Flow):
        row = make_drift(flow)
        drifts.asked([row.pk], None)
        drifts.record(flow, None, [self.finding()])
        row.refresh_from_db()
        assert row.state == "repairing"

        Drift.objects.update(asked_at=timezone.now() - timedelta(minutes=5))
        drifts.record(flow, None, [self.finding()])

        row.refresh_from_db()
        assert (row.state, row.note) == ("open", "A repair was tried 1 time and it still differs.")


class TestRepair:
    def test_a_resend_goes_out_at_once_and_is_attributed(self, flow: Flow):
        row = make_drift(flow, delivery=delivered(flow, OrderFactory(key="1001")))
        person = make_person("ecommerce")

        done = repair.repair([row], person)

        row.refresh_from_db()
        delivery = Delivery.objects.get()
        assert (done.resent, row.state, row.asked_by, delivery.state, delivery.cause) == (1, "repairing", person, "ready", "replay")
        assert LogEntry.objects.filter(object_id=str(row.pk), user=person, change_message="Sent again").count() == 1

    def test_marketing_repairs_contacts_only(self, flow: Flow):
        mine = make_drift(make_flow("customer"), "7", aspect="customer")
        make_drift(flow)

        assert list(repair.repairable(make_person("marketing"), Drift.objects.all())) == [mine]

    def test_what_no_repair_helps_is_not_offered(self, flow: Flow):
        for cause in CAUSES:
            make_drift(flow, cause, cause=cause)

        offered = set(repair.repairable(make_person("manager"), Drift.objects.all()).values_list("cause", flat=True))

        assert offered == {"never_received", "not_updated", "missing", "changed_there", "differs", "consent"}


class TestRuns:
    def test_every_night_starts_yesterday_and_the_counts_of_a_month_once(self, flow: Flow):
        make_flow("customer")
        morning = timezone.localtime().replace(hour=3, minute=0)

        first, second = runs.start_nightly_once(morning), runs.start_nightly_once(morning)

        rows = set(Reconciliation.objects.values_list("flow__record_type", "level", "nightly"))
        assert (first, second, rows) == (3, 0, {("order", "records", True), ("order", "counts", True), ("customer", "records", True)})

    def test_nothing_is_started_before_its_hour(self, flow: Flow):
        assert runs.start_nightly_once(timezone.localtime().replace(hour=1)) == 0

    def test_a_second_comparison_of_a_flow_waits_for_the_first(self, flow: Flow):
        runs.start(flow, NOW - timedelta(days=1), NOW)

        with pytest.raises(runs.CannotCompare, match="under way already"):
            runs.start(flow, NOW - timedelta(days=2), NOW)

    def test_a_cancelled_comparison_forgets_what_it_read(self, flow: Flow):
        run = runs.start(flow, NOW - timedelta(days=1), NOW)
        run.seen.create(side="d", key="shp-1")

        assert (runs.cancel(run), run.state, run.seen.count()) == (True, "cancelled", 0)

    def test_much_drift_is_told_on_the_overview_little_is_not(self, flow: Flow):
        run = runs.start(flow, NOW - timedelta(days=1), NOW)
        Reconciliation.objects.filter(pk=run.pk).update(state="done", matched=1000, drifted=19)
        assert alarms() == []

        Reconciliation.objects.filter(pk=run.pk).update(drifted=60)
        answer = signed_in("manager").get("/admin/")

        told: list[Notice] = [each for each in answer.context["overview"].notices if "drift" in each.title]
        assert [(each.text, each.url) for each in told] == [
            ("The last comparison found 60 of 1,060 records different.", f"{LIST}?state=all&run={run.pk}")
        ]

    def test_the_days_are_summed_and_drawn(self, flow: Flow):
        run = runs.start(flow, NOW - timedelta(days=1), NOW)
        Reconciliation.objects.filter(pk=run.pk).update(state="done", matched=90, drifted=10, closed=5, value="120.50", currency="GBP")

        days = by_day()

        assert len(days) == 30
        assert (days[-1].compared, days[-1].repaired, days[-1].worth) == (100, 5, "£120.50")
        bar = chart(days)["bars"][-1]
        assert (bar["drift_h"], bar["done_h"]) == (190, 95)


class TestPages:
    def test_a_drift_is_repaired_in_one_click_from_the_list(self, flow: Flow):
        row = make_drift(flow, delivery=delivered(flow, OrderFactory(key="1001")))
        client = signed_in("ecommerce")

        shown = client.get(LIST).content.decode()
        answer = client.post(f"{LIST}{row.pk}/repair/", {"next": LIST})

        row.refresh_from_db()
        assert f'formaction="{LIST}{row.pk}/repair/"' in shown
        assert (answer.status_code, answer.url, row.state) == (302, LIST, "repairing")

    def test_many_are_repaired_by_their_filter_after_a_preview(self, flow: Flow):
        for number in range(3):
            key = f"10{number}"
            make_drift(flow, key, delivery=delivered(flow, OrderFactory(key=key)))
        make_drift(flow, "held", cause="held")
        client = signed_in("manager")

        preview = client.get(f"{LIST}repairs/").context
        over = client.post(f"{LIST}repairs/").context["run"]
        span = {"started": over.started.isoformat(), "ended": timezone.now().isoformat()}
        became = client.get(f"{LIST}progress/", {**span, "last": over.last})

        assert (preview["count"], preview["others"], preview["lines"][0][2:]) == (3, 1, (3, "£30.00"))
        assert (over.done, over.over, became.context["counts"]["repairing"]) == (3, True, 3)

    def test_a_drift_is_left_with_a_reason_and_put_back(self, flow: Flow):
        row = make_drift(flow)
        client = signed_in("ecommerce")

        client.post(f"{LIST}{row.pk}/dismiss/", {"note": ""})
        row.refresh_from_db()
        assert row.state == "open"
        client.post(f"{LIST}{row.pk}/dismiss/", {"note": "written off"})
        row.refresh_from_db()
        assert (row.state, row.note) == ("dismissed", "written off")
        client.post(f"{LIST}{row.pk}/reopen/")
        row.refresh_from_db()
        assert row.state == "open"

    def test_a_comparison_is_started_paused_and_cancelled_on_its_page(self, flow: Flow):
        client = signed_in("manager")
        today = timezone.localdate().isoformat()

        answer = client.post(f"{RUNS}start/", {"flow": flow.pk, "since": today, "until": today, "basis": "placed"})

        run = Reconciliation.objects.get()
        assert (answer.url, run.basis, run.requested_by.username) == (f"{RUNS}{run.pk}/change/", "placed", "manager")
        for act, state in (("pause", "paused"), ("resume", "waiting"), ("cancel", "cancelled")):
            client.post(f"{RUNS}{run.pk}/{act}/")
            run.refresh_from_db()
            assert run.state == state

    def test_a_wrong_window_is_refused_in_words(self, flow: Flow):
        tomorrow = (timezone.localdate() + timedelta(days=1)).isoformat()

        answer = signed_in("manager").post(
            f"{RUNS}start/", {"flow": flow.pk, "since": tomorrow, "until": tomorrow, "basis": "placed"}, follow=True
        )

        assert "The first day lies in the future." in answer.content.decode()
        assert not Reconciliation.objects.exists()

    @pytest.mark.parametrize("path", [LIST, RUNS, "/admin/monitoring/duplicate/"])
    def test_a_full_list_takes_no_more_queries_than_a_short_one(self, flow: Flow, path: str, django_assert_max_num_queries: Any):
        make_drift(flow, "first"), runs.start(flow, NOW - timedelta(days=1), NOW)
        client = signed_in("manager")
        counts = []
        for number in (0, 40):
            for each in range(number):
                make_drift(flow, f"k{each}", delivery=None)
                Reconciliation.objects.create(flow=flow, window_from=NOW, window_to=NOW, state="done")
            client.get(path)
            with django_assert_max_num_queries(25) as seen:
                assert client.get(path).status_code == 200
            counts.append(len(seen))

        assert counts[0] == counts[1]

    def test_the_export_says_what_the_list_says_and_is_safe(self, flow: Flow):
        make_drift(flow, title="=cmd|' /C calc'!A0")

        answer = signed_in("ecommerce").get(f"{LIST}export/csv/")

        (row,) = csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig")))
        assert not row["Record (masked)"].startswith("=")
        assert (row["Probable cause"], row["Should be"], row["Is at the destination"]) == (CAUSES["missing"].label, "£10.00", "nothing")

    def test_the_days_leave_as_a_sheet(self, flow: Flow):
        answer = signed_in("ecommerce").get(f"{RUNS}days/csv/")

        assert len(b"".join(answer.streaming_content).splitlines()) == 31
