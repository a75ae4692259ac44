"""The pages of alerts: what each role sees, what managers and administrators do, and that no secret is ever shown again."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from monitoring.alerts import guard
from monitoring.alerts.routing import hears
from monitoring.alerts.watches import WATCHES
from monitoring.models import AlertRound, AlertState, AlertTarget
from tests.monitoring.alert_rows import SECRET, add_event, furnish_alerts, make_alert, make_message, make_target, receiving, verified
from tests.rows import make_connections, minutes_ago, signed_in

pytestmark = pytest.mark.django_db
LIST, HISTORY, TARGETS = (reverse(f"admin:monitoring_{name}_changelist") for name in ("alertstate", "alertevent", "alerttarget"))


@pytest.fixture
def manager() -> Client:
    return signed_in("manager")


@pytest.fixture
def administrator() -> Client:
    return signed_in("administrator")


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def form_of(kind: str, **values: Any) -> dict[str, Any]:
    """What a browser sends."""
    where = {"url": "https://hooks.example.com/x"} if kind == "webhook" else {"addresses": "a@example.com"}
    return {"name": "On-call", "least": "warning", "zone": "Europe/Berlin", "urgent_passes": "on", **where, **values}


class TestTheList:
    def test_what_is_wrong_now_is_shown_the_gravest_first_and_what_is_over_is_not(self, manager: Client):
        make_alert("drift", "1", severity="warning", title="Orders drift apart")
        make_alert("silence", "2", since=minutes_ago(99), title="No data is arriving")
        make_alert("behind", "3", wrong=False, title="Orders are behind")
        AlertState.objects.create(key="silence:4", watch="silence", severity="urgent", title="Seen but not told", raw_since=minutes_ago(1))

        now, over, every = (page(manager, f"{LIST}?state={state}") for state in ("now", "over", "all"))

        assert now.index("No data is arriving") < now.index("Orders drift apart")
        assert ["Orders are behind" in text for text in (now, over, every)] == [False, True, True]
        assert ["Seen but not told" in text for text in (now, over, every)] == [False, False, False]

    @pytest.mark.parametrize(
        ("role", "seen"),
        [("ecommerce", {"drift"}), ("marketing", {"segment"}), ("manager", {"drift", "segment", "health"}),
         ("administrator", {"drift", "segment", "health"})],
    )  # fmt: skip
    def test_people_see_what_concerns_their_team_and_its_history(self, role: str, seen: set[str]):
        alerts = {
            slug: make_alert(slug, "1", teams=list(WATCHES[slug].teams), title=f"about {slug}") for slug in ("drift", "segment", "health")
        }
        client = signed_in(role)

        for address in (LIST, HISTORY):
            assert {slug for slug in alerts if f"about {slug}" in page(client, address)} == seen
        opens = {
            slug
            for slug, row in alerts.items()
            if client.get(reverse("admin:monitoring_alertstate_change", args=[row.pk])).status_code == 200
        }
        assert opens == seen

    def test_the_head_says_when_somebody_looked_and_reloads_when_the_number_changes(self, manager: Client):
        address = reverse("admin:monitoring_alertstate_standing")
        assert "Nobody has looked yet" in page(manager, address)
        AlertRound.objects.create(pk=1, looked_at=minutes_ago(0.1))
        make_alert()
        make_target()

        answers = [manager.get(f"{address}?wrong={number}") for number in (0, 1)]

        assert "1 thing is wrong, 1 of them urgent" in answers[1].content.decode()
        assert [answer.headers.get("HX-Refresh") for answer in answers] == ["true", None]
        AlertRound.objects.update(looked_at=minutes_ago(9))
        assert "Nobody looks at the moment" in page(manager, address)

    def test_filters_stay_in_the_address_and_empty_lists_say_what_they_mean(self, manager: Client):
        make_alert("drift", "1", severity="warning", teams=["ecommerce"])

        assert "drift 1" in page(manager, f"{LIST}?watch=drift&severity=warning&team=ecommerce")
        for query in ("watch=silence", "severity=urgent", "team=marketing"):
            assert "Nothing. An alert stands here" in page(manager, f"{LIST}?{query}")

    def test_the_page_of_an_alert_tells_its_past_who_was_told_and_where_to_go(self, manager: Client):
        row = make_alert("behind", "3", wrong=False, title="Orders are behind", url="/admin/integrations/flow/", action="See what waits")
        add_event(row, "over")
        target = make_target(name="Night watch")
        make_message(target, event=row.events.first(), kind="change", state="sent", sent_at=minutes_ago(1))

        shown = page(manager, reverse("admin:monitoring_alertstate_change", args=[row.pk]))

        for said in ("Over since", "Went wrong", "Over again", "Night watch", "See what waits", WATCHES["behind"].when):
            assert said in shown, said

    def test_an_event_leads_to_its_alert(self, manager: Client):
        row = make_alert()

        answer = manager.get(reverse("admin:monitoring_alertevent_change", args=[row.events.get().pk]))

        assert answer.url == reverse("admin:monitoring_alertstate_change", args=[row.pk])

    @pytest.mark.parametrize("address", [LIST, f"{LIST}?state=all", HISTORY, TARGETS])
    def test_a_list_of_many_costs_as_many_queries_as_one_of_few(self, manager: Client, address: str):
        def fill(start: int, number: int) -> None:
            for index in range(start, start + number):
                make_alert(about=str(index))
                make_target(name=f"Target {index}")

        def queries() -> int:
            manager.get(address)
            with CaptureQueriesContext(database) as captured:
                assert manager.get(address).status_code == 200
            return len(captured)

        fill(0, 3)
        few = queries()
        fill(3, 57)

        assert queries() == few <= 14


class TestWhoGetsWhat:
    def test_the_table_says_of_every_condition_who_hears_it(self, manager: Client):
        make_target(name="Night watch", least="urgent")
        shown = page(manager, reverse("admin:monitoring_alertstate_who"))

        assert [watch.label for watch in WATCHES.values() if watch.label not in shown] == []
        assert "Night watch" in shown

    @pytest.mark.parametrize(
        ("wanted", "said"),
        [
            ({}, {"silence": "all", "drift": "all", "kind": "all", "worth": "all"}),
            ({"least": "urgent"}, {"silence": "all", "drift": "", "worth": ""}),
            ({"teams": ["ecommerce"]}, {"silence": "", "drift": "all", "kind": "some", "worth": "some"}),
            ({"watches": ["drift"]}, {"silence": "", "drift": "all", "kind": "", "worth": ""}),
            ({"least": "urgent", "kinds": ["bad_phone"]}, {"silence": "all", "drift": "", "kind": "some", "worth": ""}),
        ],
    )
    def test_a_cell_is_what_the_target_asked_for(self, wanted: dict[str, Any], said: dict[str, str]):
        target = AlertTarget(**{"least": "notice", **wanted})

        assert {slug: hears(target, WATCHES[slug]) for slug in said} == said

    def test_others_see_the_table_of_what_concerns_them_and_no_address(self):
        make_target("email", name="Shop team", addresses=["ann.realname@example.com"])

        shown = page(signed_in("marketing"), reverse("admin:monitoring_alertstate_who"))

        assert ("Shop team" in shown, "realname" in shown, "A watched segment needs a look" in shown, "The two ends drift" in shown) == (
            True, False, True, False,
        )  # fmt: skip

    def test_managers_set_from_which_worth_on_an_exception_is_told(self, manager: Client):
        address = reverse("admin:monitoring_alertstate_threshold")

        assert manager.post(address, {"worth": "0"}).status_code == 200
        manager.post(address, {"worth": "1200"})

        assert AlertRound.objects.get().worth == 1200
        assert [entry.get_change_message() for entry in LogEntry.objects.all()] == ["Told from a worth of 1,200 on. Before: 500"]


class TestTargets:
    @pytest.fixture(autouse=True)
    def _reachable(self, settings: Any) -> None:
        settings.ALERT_TARGETS_ALLOWED = ["hooks.example.com", "127.0.0.0/8"]

    @pytest.fixture(autouse=True)
    def _resolved(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real = guard.addresses_of
        known = {"hooks.example.com": [ip_address("93.184.216.34")]}
        monkeypatch.setattr(guard, "addresses_of", lambda host, port: known.get(host) or real(host, port))

    def test_addresses_are_added_with_everything_that_was_chosen(self, manager: Client):
        chosen = {"teams": ["ecommerce"], "watches": ["drift", "behind"], "kinds": ["unmapped_sku"], "digest_teams": ["ecommerce"]}
        hours = {"quiet_from": "22:00", "quiet_until": "07:00", "digest_hour": "8"}

        answer = manager.post(
            f"{reverse('admin:monitoring_alerttarget_add')}?kind=email",
            form_of("email", addresses="a@example.com\nb@example.com", **chosen, **hours),
        )

        row = AlertTarget.objects.get()
        assert (answer.status_code, row.kind, row.addresses, row.created_by.username) == (
            302,
            "email",
            ["a@example.com", "b@example.com"],
            "manager",
        )
        assert {name: getattr(row, name) for name in chosen} == chosen
        assert (f"{row.quiet_from:%H:%M}", f"{row.quiet_until:%H:%M}", row.digest_hour, row.urgent_passes) == ("22:00", "07:00", 8, True)
        shown = page(manager, reverse("admin:monitoring_alerttarget_change", args=[row.pk]))
        assert "Quiet from 22:00 to 07:00 (Europe/Berlin); urgent ones pass." in shown

    @pytest.mark.parametrize(
        ("kind", "wrong", "said"),
        [
            ("email", {"addresses": "nobody"}, "valid email"),
            ("email", {"addresses": ""}, "required"),
            ("email", {"quiet_from": "22:00"}, "a beginning and an end"),
            ("email", {"zone": "Mars/Olympus"}, "valid choice"),
            ("webhook", {"url": "https://10.0.0.1/"}, "internal address"),
            ("webhook", {"url": "http://93.184.216.34/"}, "Only https"),
            ("webhook", {"url": "https://user:secret@hooks.example.com/"}, "name or password"),
            ("webhook", {"secret": "hunter2"}, "whsec_"),
        ],
    )
    def test_what_cannot_be_is_told_beside_its_field(self, manager: Client, kind: str, wrong: dict[str, str], said: str):
        answer = manager.post(f"{reverse('admin:monitoring_alerttarget_add')}?kind={kind}", form_of(kind, **wrong))

        assert (answer.status_code, AlertTarget.objects.count()) == (200, 0)
        assert said in answer.content.decode()

    def test_a_secret_is_shown_once_and_never_again(self, administrator: Client):
        answer = administrator.post(f"{reverse('admin:monitoring_alerttarget_add')}?kind=webhook", form_of("webhook"))
        row = AlertTarget.objects.get()
        old = row.secret
        rotated = administrator.post(reverse("admin:monitoring_alerttarget_rotate", args=[row.pk]))
        new = AlertTarget.objects.get().secret

        assert (old in answer.content.decode(), new in rotated.content.decode(), new != old) == (True, True, True)
        assert ["no-store" in one.headers["Cache-Control"] for one in (answer, rotated)] == [True, True]
        everywhere = [reverse("admin:monitoring_alerttarget_change", args=[row.pk]), TARGETS, f"{TARGETS}export/csv/"]
        everywhere.append(reverse("admin:monitoring_alerttarget_history", args=[row.pk]))
        for address in everywhere:
            asked = administrator.get(address, follow=True)
            text = (asked.getvalue() if asked.streaming else asked.content).decode()
            assert (old in text, new in text, "whsec_" in text) == (False, False, "manual" in address), address
        assert not LogEntry.objects.filter(change_message__contains="whsec_").exists()

    def test_a_secret_that_the_receiver_knows_already_is_taken_and_not_shown(self, manager: Client):
        answer = manager.post(f"{reverse('admin:monitoring_alerttarget_add')}?kind=webhook", form_of("webhook", secret=SECRET))

        assert (answer.status_code, AlertTarget.objects.get().secret) == (302, SECRET)

    def test_for_a_day_the_old_secret_signs_too_unless_it_is_ended(self, administrator: Client):
        with receiving() as receiver:
            row = make_target(url=receiver.url)
            for act in ("rotate", "test", "retire", "test"):
                administrator.post(reverse(f"admin:monitoring_alerttarget_{act}", args=[row.pk]))

        row.refresh_from_db()
        assert [[verified(secret, *call) for secret in (row.secret, SECRET)] for call in receiver.calls] == [[True, True], [True, False]]

    def test_a_test_says_at_once_whether_it_arrived(self, manager: Client):
        with receiving() as receiver:
            row = make_target(url=receiver.url)
            receiver.answers = [(500, {})]
            answers = [
                manager.post(reverse("admin:monitoring_alerttarget_test", args=[row.pk]), follow=True).content.decode() for _ in range(2)
            ]

        assert ("The test did not arrive. Refused (HTTP 500)." in answers[0], "The test went out. Taken (HTTP 204)." in answers[1]) == (
            True,
            True,
        )
        assert "Test: alerts reach" in answers[1]

    def test_settings_are_changed_and_told_in_words_and_the_secret_stays(self, manager: Client):
        row = make_target(name="On-call", url="https://hooks.example.com/old")

        manager.post(reverse("admin:monitoring_alerttarget_configure", args=[row.pk]), form_of("webhook", least="urgent"))

        row.refresh_from_db()
        assert (row.url, row.least, row.secret, row.zone) == ("https://hooks.example.com/x", "urgent", SECRET, "Europe/Berlin")
        assert "Only urgent ones; every condition." in LogEntry.objects.get().get_change_message()

    def test_a_wrong_change_is_shown_again_and_nothing_is_stored(self, manager: Client):
        row = make_target(name="On-call", url="https://hooks.example.com/old")

        answer = manager.post(reverse("admin:monitoring_alerttarget_configure", args=[row.pk]), form_of("webhook", url="https://10.0.0.1/"))

        row.refresh_from_db()
        assert (answer.status_code, "internal address" in answer.content.decode(), row.url) == (200, True, "https://hooks.example.com/old")

    def test_a_pause_drops_what_waits_and_resuming_begins_anew(self, manager: Client):
        row = make_target(failing_since=minutes_ago(9))
        waiting = make_message(row)

        manager.post(reverse("admin:monitoring_alerttarget_pause", args=[row.pk]))
        row.refresh_from_db()
        waiting.refresh_from_db()
        assert (row.state, waiting.state) == ("paused", "cancelled")
        manager.post(reverse("admin:monitoring_alerttarget_resume", args=[row.pk]))

        row.refresh_from_db()
        assert (row.state, row.failing_since) == ("active", None)

    def test_only_administrators_delete_and_change_secrets(self, manager: Client, administrator: Client):
        row = make_target(name="Gone")
        shown = page(manager, reverse("admin:monitoring_alerttarget_change", args=[row.pk]))
        acts = [reverse(f"admin:monitoring_alerttarget_{act}", args=[row.pk]) for act in ("rotate", "retire", "remove")]

        assert [manager.post(address).status_code for address in acts] == [403, 403, 403]
        assert [address in shown for address in acts] == [False, False, False]
        administrator.post(acts[2])
        assert (AlertTarget.objects.count(), [entry.object_repr for entry in LogEntry.objects.all()]) == (0, ["Gone"])

    def test_a_target_that_was_switched_off_is_a_notice_on_the_overview(self, manager: Client):
        make_target(name="Chat", state="off", state_reason="The last answer: Refused (HTTP 500).")

        assert "Nothing is connected yet" in page(manager, "/overview/live/")
        make_connections()

        assert "Alerts do not reach “Chat” any more" in page(manager, "/overview/live/")

    def test_the_delivery_log_shows_every_message_with_its_tries(self, manager: Client):
        furnish_alerts()

        shown = page(manager, reverse("admin:monitoring_alerttarget_change", args=[AlertTarget.objects.get(name="On-call").pk]))

        assert (shown.count("Refused (HTTP 500)."), "Taken (HTTP 204)." in shown, "Held until quiet hours end" in shown) == (3, True, True)
