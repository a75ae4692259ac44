"""The desk's engine: questions put away and coming back, what waits as numbers, acts that are taken back, and runs over many."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.utils import timezone

from integrations.engine import desk_acts, desk_runs, snoozes
from integrations.engine.exceptions import Question, ignore_exceptions, raise_for_connection, raise_questions, resolve_exceptions
from integrations.engine.weights import refresh, stored_values, weights
from integrations.models import Correction, Delivery, DeskAct, DeskRun, Flow, Hold, SyncException
from monitoring.retention import prune
from tests.desk_runs import finish
from tests.rows import make_connections, make_delivery, make_exception, make_flow, make_person

pytestmark = pytest.mark.django_db
TEE = Question("unmapped_sku", "TEE", "Unknown SKU TEE")


@pytest.fixture
def person() -> User:
    return make_person("ecommerce")


def ask(flow: Flow, key: str, question: Question = TEE, **record: Any) -> SyncException:
    delivery = make_delivery(flow, key, state="blocked", **({"record": record} if record else {}))
    raise_questions(flow, [(delivery.pk, [question])])
    return SyncException.objects.get(kind=question.kind, subject=question.subject, state="open")


def shown() -> list[str]:
    return list(SyncException.objects.filter(state="open", snoozed_until=None).order_by("pk").values_list("subject", flat=True))


def states() -> dict[str, str]:
    return dict(Delivery.objects.order_by("record_key").values_list("record_key", "state"))


class TestComingBack:
    def test_a_question_that_was_settled_comes_back_linked_to_its_former_row_and_to_who_looked_after_it(self, person: User) -> None:
        flow = make_flow()
        first = ask(flow, "1")
        desk_acts.do("assign", [first.pk], person, {"assignee": person.pk})
        resolve_exceptions([first.pk], person, "Mapped to T-1")

        second = ask(flow, "2")
        ignore_exceptions([second.pk], person, "A test article")
        third = ask(flow, "3")

        assert [(row.former, row.returned, row.assignee) for row in (first, second, third)] == [
            (None, 0, None), (first, 1, person), (second, 2, person),
        ]  # fmt: skip

    def test_a_question_about_a_connection_comes_back_the_same_way(self, person: User) -> None:
        shop, _ = make_connections()
        first = raise_for_connection(shop, "platform_down", "", "It does not answer")
        resolve_exceptions([first.pk], person, "Called them")

        again = raise_for_connection(shop, "platform_down", "", "It does not answer")

        assert (again.former, again.returned) == (first, 1)


class TestSnoozing:
    def test_a_snoozed_question_is_open_but_not_shown_until_its_time_comes(self, person: User) -> None:
        row = ask(make_flow(), "1")
        desk_acts.do("snooze", [row.pk], person, {"until": (timezone.now() + timedelta(hours=1)).isoformat()})
        away = shown()
        SyncException.objects.update(snoozed_until=timezone.now() - timedelta(seconds=1))

        woken = snoozes.wake_due()

        row.refresh_from_db()
        assert (away, woken, shown(), row.state, row.snooze_limit) == ([], 1, ["TEE"], "open", None)

    def test_one_that_doubles_comes_back_at_once(self, person: User) -> None:
        flow = make_flow()
        for key in ("1", "2", "3"):
            row = ask(flow, key)
        desk_acts.do("snooze", [row.pk], person, {"until": (timezone.now() + timedelta(days=9)).isoformat()})

        seen = []
        for key in ("4", "5", "6"):
            ask(flow, key)
            seen.append(shown())

        assert seen == [[], [], ["TEE"]]

    def test_one_put_away_until_it_changes_comes_back_with_the_next_record(self, person: User) -> None:
        flow = make_flow()
        for key in ("1", "2", "3"):
            row = ask(flow, key)
        desk_acts.do("snooze", [row.pk], person, {"until": snoozes.UNTIL_IT_CHANGES.isoformat()})
        away = shown()

        ask(flow, "4")

        assert (away, shown()) == ([], ["TEE"])

    def test_a_snoozed_question_about_a_connection_comes_back_when_it_doubles(self, person: User) -> None:
        shop, _ = make_connections()
        row = raise_for_connection(shop, "orphaned_events", "2026-01-01", "Visitors stayed unknown", count=5)
        desk_acts.do("snooze", [row.pk], person, {"until": snoozes.UNTIL_IT_CHANGES.isoformat()})

        raise_for_connection(shop, "orphaned_events", "2026-01-01", "Visitors stayed unknown")

        assert shown() == ["2026-01-01"]


class TestWeights:
    def test_what_waits_is_counted_and_its_orders_are_valued_per_currency(self) -> None:
        flow = make_flow("order")
        for key, net, currency in (("1", "10.50", "GBP"), ("2", "1.25", "GBP"), ("3", "700", "JPY")):
            row = ask(flow, key, currency=currency, totals={"net": net})

        refresh()

        row.refresh_from_db()
        live = weights([row.pk])[row.pk]
        assert (live.count, live.values) == (3, {"GBP": Decimal("11.75"), "JPY": Decimal("700")})
        assert (row.waiting_count, row.waiting_value, row.waiting_values) == (3, Decimal("700"), {"GBP": "11.75", "JPY": "700"})
        assert stored_values(SyncException.objects.all()) == {"GBP": Decimal("11.75"), "JPY": Decimal("700")}

    def test_a_question_is_weighed_again_when_it_is_asked_again_and_not_otherwise(self) -> None:
        flow = make_flow("order")
        ask(flow, "1", currency="GBP", totals={"net": "1.00"})
        done = [refresh(), refresh()]

        row = ask(flow, "2", currency="GBP", totals={"net": "2.00"})
        done.append(refresh())

        row.refresh_from_db()
        assert (done, row.waiting_count, row.waiting_value) == ([1, 0, 1], 2, Decimal("3.00"))

    def test_deliveries_that_are_no_orders_count_and_have_no_value(self) -> None:
        row = ask(make_flow("customer"), "1", Question("bad_phone", "1", "Phone"))

        refresh()

        row.refresh_from_db()
        assert (row.waiting_count, row.waiting_value, row.waiting_values) == (1, Decimal(0), {})


class TestTakingBack:
    def test_an_assignment_goes_back_to_whom_it_was(self, person: User) -> None:
        other = make_person("manager")
        row = make_exception(make_flow(), assignee=other)
        (act,), _ = desk_acts.do("assign", [row.pk], person, {"assignee": person.pk})

        desk_acts.undo(act)

        row.refresh_from_db()
        assert (row.assignee, DeskAct.objects.get().state) == (other, "undone")

    def test_a_snooze_ends(self, person: User) -> None:
        row = make_exception(make_flow())
        (act,), _ = desk_acts.do("snooze", [row.pk], person, {"until": (timezone.now() + timedelta(days=1)).isoformat()})
        away = shown()

        desk_acts.undo(act)

        assert (away, shown()) == ([], ["TEE-RED"])

    def test_an_ignored_question_is_open_again_and_what_was_not_sent_waits_again(self, person: User) -> None:
        flow = make_flow()
        row = make_exception(flow, subject="TEE", waiting=3)
        (act,), skipped = desk_acts.do("ignore", [row.pk], person, {"note": "A test"})
        sent = Delivery.objects.get(record_key="TEE-1")  # its record changed at the source meanwhile
        Delivery.objects.filter(pk=sent.pk).update(state="ready", updated_at=timezone.now())

        desk_acts.undo(act)

        row.refresh_from_db()
        assert (skipped, states()) == (3, {"TEE-0": "blocked", "TEE-1": "ready", "TEE-2": "blocked"})
        assert (row.state, row.note, row.resolved_by, row.holds.count()) == ("open", "", None, 2)

    def test_what_was_ignored_hangs_on_the_question_that_is_asked_anew(self, person: User) -> None:
        flow = make_flow()
        old = ask(flow, "1")
        (act,), _ = desk_acts.do("ignore", [old.pk], person, {"note": "A test"})
        new = ask(flow, "2")

        desk_acts.undo(act)

        old.refresh_from_db()
        assert (old.state, sorted(new.holds.values_list("delivery__record_key", flat=True))) == ("ignored", ["1", "2"])

    def test_what_somebody_else_changed_since_stays(self, person: User) -> None:
        row, other = make_exception(make_flow()), make_person("manager")
        (act,), _ = desk_acts.do("assign", [row.pk], person, {"assignee": person.pk})
        desk_acts.do("assign", [row.pk], other, {"assignee": other.pk})

        with pytest.raises(desk_acts.CannotUndo, match="changed meanwhile"):
            desk_acts.undo(act)

    def test_only_the_last_act_is_offered_and_none_that_cannot_be_taken_back(self, person: User) -> None:
        row = make_exception(make_flow(), waiting=1)
        desk_acts.do("assign", [row.pk], person, {"assignee": person.pk})
        offered = desk_acts.last_act(person)
        desk_acts.do("retry", [row.pk], person)

        assert (offered.name, desk_acts.last_act(person)) == ("assign", None)


class TestForgetting:
    def test_old_acts_runs_and_corrections_that_count_no_more_go_and_one_in_force_stays(self, person: User) -> None:
        old = timezone.now() - timedelta(days=400)
        row = make_exception(make_flow(), waiting=2)
        finish(desk_runs.start("assign", SyncException.objects.all(), person, arguments={"assignee": None}, words="Assigned"))
        desk_acts.do("assign", [row.pk], person, {"assignee": person.pk})
        dropped, counting = Delivery.objects.order_by("pk")
        Delivery.objects.filter(pk=dropped.pk).update(version=2)
        for delivery in (dropped, counting):
            Correction.objects.create(delivery=delivery, version=1, values={"phone_number": "+442079460018"}, by=person)
        kept = prune()
        DeskRun.objects.update(created_at=old)
        DeskAct.objects.update(at=old)
        Correction.objects.update(at=old)

        gone = prune()

        names = ("desk_runs", "desk_acts", "corrections")
        assert ([kept[name] for name in names], [gone[name] for name in names]) == ([0, 0, 0], [1, 1, 1])
        assert list(Correction.objects.values_list("delivery", flat=True)) == [counting.pk]


class TestRuns:
    def test_a_run_does_to_all_what_was_asked_and_leaves_what_was_settled_meanwhile(self, person: User) -> None:
        flow = make_flow()
        rows = [make_exception(flow, subject=f"S{number:03}", waiting=1) for number in range(250)]
        run = desk_runs.start("ignore", SyncException.objects.filter(flow=flow), person, arguments={"note": "Old"}, words="Ignored: Old")
        resolve_exceptions([rows[7].pk], person, "Done by hand")

        finish(run)

        assert (run.state, run.total, run.done, run.left, run.failed, run.deliveries) == ("done", 250, 249, 1, 0, 249)
        (left,) = run.items.filter(state="left")
        assert (left.exception, left.why) == (rows[7], "It is resolved already.")
        assert LogEntry.objects.filter(user=person, change_message=f"Ignored: Old (run {run.pk})").count() == 249

    def test_a_run_that_is_stopped_leaves_the_rest(self, person: User, monkeypatch: pytest.MonkeyPatch) -> None:
        flow = make_flow()
        for number in range(5):
            make_exception(flow, subject=f"S{number}")
        monkeypatch.setattr(desk_runs, "STEP", 2)
        run = desk_runs.start("assign", SyncException.objects.all(), person, arguments={"assignee": person.pk}, words="Assigned")
        desk_runs.work(run.pk, 0.0)  # no time at all: nothing is done
        assert desk_runs._lease(run.pk)
        assert desk_runs._step(run.pk)

        desk_runs.cancel(run)

        finish(run)
        assert (run.state, run.done, SyncException.objects.filter(assignee=person).count()) == ("cancelled", 2, 2)

    def test_a_run_is_taken_back_as_a_whole(self, person: User) -> None:
        flow = make_flow()
        for number in range(3):
            make_exception(flow, subject=f"S{number}", waiting=1)
        run = desk_runs.start(
            "ignore", SyncException.objects.all(), person, arguments={"note": "Wrong filter"}, words="Ignored: Wrong filter"
        )
        finish(run)
        gone = set(states().values())

        back = finish(desk_runs.start_undo(run, person))

        assert (gone, set(states().values()), shown()) == ({"skipped"}, {"blocked"}, ["S0", "S1", "S2"])
        assert (back.done, back.left, desk_acts.take_back_run(run), set(run.items.values_list("state", flat=True))) == (
            3,
            0,
            False,
            {"undone"},
        )

    @pytest.mark.django_db(transaction=True)
    def test_what_the_database_refuses_is_named_one_by_one(self) -> None:
        person, flow = make_person("ecommerce"), make_flow()
        for number in range(3):
            make_exception(flow, subject=f"S{number}")
        nobody = 2_000_000_000  # whom the database does not know

        run = desk_runs.start("assign", SyncException.objects.all(), person, arguments={"assignee": nobody}, words="Assigned")
        finish(run)

        assert (run.state, run.done, run.failed) == ("done", 0, 3)
        assert set(run.items.values_list("state", "why")) == {("failed", "The database would not do it: IntegrityError.")}

    def test_two_workers_never_do_the_same_run(self, person: User) -> None:
        make_exception(make_flow())
        run = desk_runs.start("assign", SyncException.objects.all(), person, arguments={"assignee": person.pk}, words="Assigned")

        assert (desk_runs._lease(run.pk), desk_runs._lease(run.pk)) == (True, False)

    def test_a_run_whose_worker_is_gone_goes_on(self, person: User) -> None:
        make_exception(make_flow())
        run = desk_runs.start("assign", SyncException.objects.all(), person, arguments={"assignee": person.pk}, words="Assigned")
        DeskRun.objects.update(state="running", created_at=timezone.now() - timedelta(minutes=5), lease_until=timezone.now())

        assert (desk_runs.resume_lost(), finish(run).state) == (1, "done")

    def test_retrying_many_lets_go_what_waits_for_each(self, person: User) -> None:
        flow = make_flow()
        for number in range(3):
            make_exception(flow, "refused", subject=f"S{number}", waiting=2)

        run = desk_runs.start("retry", SyncException.objects.all(), person, arguments={}, words="Retried what waits")

        assert (finish(run).deliveries, set(states().values()), Hold.objects.count()) == (6, {"ready"}, 0)
