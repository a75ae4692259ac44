"""Looking: one message per change and one when it is over, to those who want it, whoever looks and however often."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from integrations.models import Connection, SyncException
from monitoring.alerts import looking, messages, rounds
from monitoring.alerts.looking import Found, Reading, made
from monitoring.alerts.watches import WATCHES
from monitoring.models import AlertEvent, AlertMessage, AlertRound, AlertState, AlertTarget, Metric, Sample, Segment
from monitoring.notices import PAUSED
from monitoring.overview import overview
from tests.monitoring.alert_rows import make_alert, make_target
from tests.monitoring.moments import note, worker_runs
from tests.rows import make_delivery, make_exception, make_flow, minutes_ago
from tests.segment_rows import make_segment

pytestmark = pytest.mark.django_db
BEGAN = timezone.now()


def found(slug: str = "silence", about: str = "1", **values: Any) -> Found:
    return made(slug, about, values.pop("title", f"{slug} {about}"), "It is so.", **values)


def look_at(monkeypatch: pytest.MonkeyPatch, minute: float, *wrong: Found, unknown: tuple[str, ...] = ()) -> list[str]:
    """One round in which just this is seen; returns what changed as "opened silence:1"."""
    reading = Reading({item.key: item for item in wrong}, frozenset(unknown))
    monkeypatch.setattr(rounds, "read", lambda now, **asked: reading)
    changed = rounds.look(BEGAN + timedelta(minutes=minute))
    return [f"{event.change} {event.alert.key}" for event in changed or []]


class TestOneMessagePerChange:
    def test_a_condition_that_lasts_is_told_once_and_its_end_once(self, monkeypatch: pytest.MonkeyPatch):
        make_target()

        told = [look_at(monkeypatch, minute, *([found()] if minute < 9 else [])) for minute in range(20)]

        assert [line for line in told if line] == [["opened silence:1"], ["over silence:1"]]
        assert [message.subject for message in AlertMessage.objects.order_by("pk")] == ["Urgent: silence 1", "Over: silence 1"]
        row = AlertState.objects.get()
        assert (row.wrong, row.since, row.recovered_at) == (False, BEGAN, BEGAN + timedelta(minutes=9))

    def test_what_flutters_is_told_once(self, monkeypatch: pytest.MonkeyPatch):
        make_target()

        told = [look_at(monkeypatch, minute, *([found()] if minute % 2 or minute < 5 else [])) for minute in range(30)]

        assert [line for line in told if line] == [["opened silence:1"]]

    def test_what_was_never_told_has_no_end_to_tell(self, monkeypatch: pytest.MonkeyPatch):
        make_target()

        assert [look_at(monkeypatch, 0, found()), look_at(monkeypatch, 1), look_at(monkeypatch, 9)] == [[], [], []]
        assert AlertMessage.objects.count() == 0

    def test_while_nothing_is_known_of_it_a_condition_is_neither_over_nor_new(self, monkeypatch: pytest.MonkeyPatch):
        for minute in range(4):
            look_at(monkeypatch, minute, found())

        told = [look_at(monkeypatch, minute, found(about="2"), unknown=("silence",)) for minute in range(4, 30)]

        assert (told, list(AlertState.objects.values_list("key", "wrong"))) == ([[]] * 26, [("silence:1", True)])

    def test_the_end_is_told_with_the_words_of_the_beginning_and_only_to_those_who_heard_it(self, monkeypatch: pytest.MonkeyPatch):
        heard = make_target()
        look_at(monkeypatch, 0, found("needs_auth", title="Shop needs re-authorisation"))
        make_target()

        look_at(monkeypatch, 1, found("needs_auth", title="Shop needs it urgently"))
        assert AlertState.objects.get().title == "Shop needs it urgently"
        look_at(monkeypatch, 2)

        assert list(AlertMessage.objects.order_by("pk").values_list("target", "subject")) == [
            (heard.pk, "Urgent: Shop needs re-authorisation"), (heard.pk, "Over: Shop needs re-authorisation"),
        ]  # fmt: skip

    def test_somebody_who_has_just_looked_is_enough(self, monkeypatch: pytest.MonkeyPatch):
        look_at(monkeypatch, 0)

        assert (rounds.look(BEGAN + timedelta(seconds=20)), rounds.look(BEGAN + timedelta(seconds=40))) == (None, [])

    @hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(seen=st.lists(st.sets(st.sampled_from(["a", "b"])), min_size=1, max_size=25))
    def test_messages_are_the_changes_of_what_people_believe_for_any_flutter(self, seen: list[set[str]], monkeypatch: pytest.MonkeyPatch):
        for model in (AlertState, AlertRound, AlertTarget):
            model.objects.all().delete()
        make_target()
        beliefs: list[dict[str, bool]] = [{"a": False, "b": False}]

        for minute, wrong in enumerate(seen):
            look_at(monkeypatch, minute, *[found(about=about) for about in sorted(wrong)])
            now = dict(AlertState.objects.values_list("key", "wrong"))
            beliefs.append({about: now.get(f"silence:{about}", False) for about in "ab"})

        turns = [
            f"{'Urgent' if after[about] else 'Over'}: silence {about}"
            for before, after in zip(beliefs, beliefs[1:], strict=False)
            for about in "ab"
            if before[about] != after[about]
        ]
        assert [message.subject for message in AlertMessage.objects.order_by("pk")] == turns


class TestWhoIsTold:
    @pytest.mark.parametrize(
        ("wanted", "told"),
        [
            ({}, {"drift:1", "silence:1", "kind:unmapped_sku", "kind:bad_phone"}),
            ({"teams": ["ecommerce"]}, {"drift:1", "kind:unmapped_sku"}),
            ({"teams": ["marketing"]}, {"kind:bad_phone"}),
            ({"watches": ["silence", "volume"]}, {"silence:1"}),
            ({"least": "urgent"}, {"silence:1"}),
            ({"least": "warning"}, {"silence:1", "drift:1"}),
            ({"least": "warning", "kinds": ["bad_phone"]}, {"silence:1", "drift:1", "kind:bad_phone"}),
            ({"state": "paused"}, set()),
            ({"state": "off"}, set()),
        ],
    )
    def test_a_target_hears_what_it_asked_for(self, wanted: dict[str, Any], told: set[str], monkeypatch: pytest.MonkeyPatch):
        target = make_target(**wanted)
        wrong = [
            found("silence"),
            found("drift"),
            found("kind", "unmapped_sku", teams=("ecommerce",)),
            found("kind", "bad_phone", teams=("marketing",)),
        ]

        for minute in range(4):
            look_at(monkeypatch, minute, *wrong)

        assert set(target.messages.values_list("event__alert__key", flat=True)) == told

    def test_when_somebody_was_told_is_kept(self, monkeypatch: pytest.MonkeyPatch):
        make_target(watches=["drift"])
        look_at(monkeypatch, 0, found("drift"), found("needs_auth"))

        told = dict(AlertState.objects.values_list("watch", "told_at"))

        assert told == {"drift": BEGAN, "needs_auth": None}


class TestQuietHours:
    QUIET = {"quiet_from": time(22), "quiet_until": time(7), "zone": "Europe/Berlin"}
    NIGHT = datetime.fromisoformat("2026-11-21T23:00+01:00")

    def tell(self, target: AlertTarget, *alerts: tuple[str, str, str]) -> None:
        """Events in the night: (about, severity, change)."""
        for about, severity, change in alerts:
            row = AlertState.objects.filter(key=f"silence:{about}").first() or make_alert(about=about, severity=severity)
            event = row.events.filter(change=change).first() or AlertEvent.objects.create(
                alert=row,
                at=self.NIGHT,
                change=change,
                since=row.since,
                until=self.NIGHT,
                watch=row.watch,
                severity=severity,
                title=row.title,
            )
            messages.of_change(target, event, self.NIGHT)

    def test_urgent_ones_pass_and_others_wait_for_the_morning(self):
        target = make_target(**self.QUIET)

        self.tell(target, ("1", "urgent", "opened"), ("2", "warning", "opened"))

        morning = datetime.fromisoformat("2026-11-22T07:00+01:00")
        assert list(target.messages.order_by("pk").values_list("state", "due_at")) == [("waiting", self.NIGHT), ("held", morning)]

    def test_whoever_wants_silence_is_not_woken_by_urgent_ones_either(self):
        target = make_target(**self.QUIET, urgent_passes=False)

        self.tell(target, ("1", "urgent", "opened"))

        assert target.messages.get().state == "held"

    def test_what_was_held_comes_as_one_message_in_the_morning(self):
        target, other = make_target("email", **self.QUIET), make_target("email", **self.QUIET)
        self.tell(target, ("1", "warning", "opened"), ("2", "warning", "opened"), ("1", "warning", "over"))
        self.tell(other, ("2", "warning", "opened"))

        made = [messages.sum_up(self.NIGHT + timedelta(hours=hours)) for hours in (7, 8, 9)]

        assert made == [0, 2, 0]
        summary = target.messages.get(kind="summary")
        assert summary.subject == "While it was quiet: 1 still wrong, 1 over again"
        assert ("Warning: silence 2" in summary.text, "- silence 1 (" in summary.text, "silence 2" in summary.html) == (True, True, True)
        assert list(target.messages.order_by("pk").values_list("state", flat=True)) == ["summed", "summed", "summed", "waiting"]
        assert list(other.messages.values_list("kind", "state")) == [("change", "waiting")]


class TestWhatIsSeen:
    """The real look at real rows: the same things in the same words as the overview, and no personal data."""

    @pytest.fixture
    def alive(self) -> Iterator[Any]:
        flow = make_flow()
        Connection.objects.update(created_at=minutes_ago(6000))
        worker_runs()
        note(Metric.ARRIVED, 3, connection=flow.source)
        return flow

    def seen(self, worth: int = 500, told: frozenset[str] = frozenset()) -> Reading:
        return looking.read(timezone.now(), worth=worth, told=told)

    def test_when_all_is_well_nothing_is_seen(self, alive: Any):
        assert self.seen() == Reading({}, frozenset())

    def test_what_the_overview_says_is_what_is_seen(self, alive: Any):
        Connection.objects.filter(platform="ometria").update(state="needs_auth")
        Sample.objects.all().delete()
        worker_runs()
        note(Metric.ARRIVED, 3, minutes=90, connection=alive.source)
        make_target(state="off", state_reason="Refused (HTTP 500).", name="Chat")

        reading = self.seen()

        said = {(notice.title, notice.text, notice.url) for notice in overview().notices}
        assert {(item.title, item.text, item.url) for item in reading.found.values()} == said
        assert {item.watch for item in reading.found.values()} == {"silence", "needs_auth", "target"}

    def test_a_stopped_worker_is_seen_and_what_it_would_count_is_unknown(self, alive: Any):
        Sample.objects.all().delete()
        worker_runs(minutes=9)

        reading = self.seen()

        assert (set(reading.found), reading.unknown) == ({"worker:stopped"}, {"silence", "volume"})

    def test_of_a_database_of_another_day_nothing_is_known(self, alive: Any):
        Sample.objects.all().delete()
        worker_runs(minutes=60 * 20)

        assert self.seen().unknown == frozenset(WATCHES)

    def test_a_pause_is_told_without_the_name_of_who_paused(self, alive: Any):
        Connection.objects.filter(platform="ometria").update(state="paused", state_reason="Paused by alice.")

        assert self.seen().found[f"paused:{alive.destination_id}"].text == PAUSED

    def test_a_flow_that_is_behind_every_day_at_this_hour_is_no_news(self, alive: Any):
        make_delivery(alive, ready_since=minutes_ago(10), due_at=minutes_ago(10))
        assert f"behind:{alive.pk}" in self.seen().found

        for day in range(1, 8):
            Sample.objects.create(flow=alive, metric=Metric.LAG, value=600, at=timezone.now() - timedelta(days=day, minutes=12))

        assert f"behind:{alive.pk}" not in self.seen().found

    def test_each_segment_is_a_thing_of_its_own(self, alive: Any):
        for number in range(3):
            row = make_segment(alive, title=f"Buyers {number}") if not number else None
            values = {"answer": "shrunk", "answered_at": timezone.now(), "reasons": ["Half its usual size."]}
            if row:
                Segment.objects.filter(pk=row.pk).update(**values)
            else:
                Segment.objects.create(connection=alive.destination, list_id=str(number), title=f"Buyers {number}", watched=True, **values)

        assert sorted(item.title for item in self.seen().found.values()) == [f"Segment “Buyers {n}”: smaller than usual" for n in range(3)]

    def test_exceptions_are_seen_by_kind_and_by_worth_in_the_kind_s_own_words(self, alive: Any):
        email = "ann.realname@example.com"
        for number, value in enumerate((700, 450, 420)):
            make_exception(
                alive,
                "refused",
                f"{email}-{number}",
                detail=email,
                waiting_value=value,
                waiting_values={"GBP": f"{value}.00"},
                waiting_count=2,
            )
        raised = SyncException.objects.order_by("pk")

        found = self.seen(told=frozenset({str(raised[1].pk)})).found

        assert set(found) == {"kind:refused", f"worth:{raised[0].pk}", f"worth:{raised[1].pk}"}
        assert found["kind:refused"].title == "Refused by the destination: 3 open exceptions"
        assert found[f"worth:{raised[0].pk}"].title == "Refused by the destination: £700.00 wait for one answer"
        assert (found["kind:refused"].teams, found[f"worth:{raised[0].pk}"].teams) == (("ecommerce",), ("ecommerce", "manager"))
        assert "realname" not in str(found)

    def test_an_answered_or_snoozed_exception_is_no_longer_seen(self, alive: Any):
        make_exception(alive, "refused", "a", waiting_value=900, state="resolved")
        make_exception(alive, "refused", "b", waiting_value=900, snoozed_until=timezone.now() + timedelta(days=1))

        assert self.seen().found == {}

    def test_what_a_platform_wants_is_seen_connection_by_connection(self, alive: Any):
        for kind in ("grant_ends", "missing_subscription"):
            SyncException.objects.create(connection=alive.source, kind=kind, subject="", title="x", detail="secret detail")

        found = self.seen().found

        assert sorted(item.title for item in found.values()) == [
            "Example shop: authorisation ends soon", "Example shop: webhook subscription missing",
        ]  # fmt: skip
        assert "secret detail" not in str(found)

    def test_versions_and_secrets_that_run_out_are_seen_but_not_what_renews_itself(self, alive: Any):
        now = timezone.now()
        version, ends = min(((v, e) for v, e in looking.PLATFORMS["shopify"].version_ends.items()), key=lambda pair: pair[1])
        Connection.objects.filter(pk=alive.source_id).update(api_version=version)
        for kind, left in (("access_token", timedelta(minutes=5)), ("refresh_token", timedelta(days=3)), ("api_key", timedelta(days=90))):
            alive.source.credentials.create(kind=kind, secret="x", expires_at=now + left)

        reading = looking.read(datetime.fromisoformat(f"{ends}T00:00Z") - timedelta(days=30), worth=500, told=frozenset())
        titles = sorted(item.title for item in self.seen().found.values() if item.watch == "expiry" and "version" not in item.title)

        assert [item.title for item in reading.found.values() if item.about.startswith("version")] == [
            f"Example shop: support of API version {version} ends on {datetime.fromisoformat(ends):%-d %B %Y}"
        ]
        assert titles == [f"Example shop: the refresh token ends on {now + timedelta(days=3):%-d %B %Y}"]

    def test_a_check_of_the_installation_that_fails_is_seen_with_its_reason(self, alive: Any, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(looking, "run_checks", lambda checks: {"broker": "The task queue does not answer."})

        assert [(item.key, item.title, item.text) for item in self.seen().found.values()] == [
            ("health:broker", "The check “broker” fails", "The task queue does not answer.")
        ]

    def test_looking_costs_as_many_queries_for_many_rows_as_for_few(self, alive: Any):
        make_exception(alive, "refused", "a", waiting_value=900)
        make_exception(alive, "bad_phone", "a", waiting=1)
        with CaptureQueriesContext(database) as few:
            self.seen()
        for number in range(30):
            make_exception(alive, "refused", f"b{number}", waiting_value=900)
            make_exception(alive, "bad_phone", f"c{number}", waiting=1)
        with CaptureQueriesContext(database) as many:
            self.seen()

        assert len(many) == len(few) <= 25
