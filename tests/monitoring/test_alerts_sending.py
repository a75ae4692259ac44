"""Sending over real HTTP and to a real mailbox: signed, tried again with the same id, by one worker, never to inside, and logged."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from smtplib import SMTPRecipientsRefused
from typing import Any

import orjson
import pytest
from django.core import mail as mailbox
from django.db import connection as database
from django.utils import timezone

from monitoring.alerts import messages, rounds, sending, tasks, watchdog, webhook, wording
from monitoring.alerts.sending import SCHEDULE, send_due, send_test
from monitoring.alerts.signing import new_secret
from monitoring.models import AlertMessage, AlertRound, AlertTarget, AlertTry
from tests.monitoring.alert_rows import SECRET, Receiver, add_event, make_alert, make_message, make_target, receiving, verified
from tests.monitoring.moments import worker_runs
from tests.rows import make_flow, minutes_ago

pytestmark = pytest.mark.django_db


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.ALERT_TARGETS_ALLOWED = ["127.0.0.0/8"]
    with receiving() as listening:
        yield listening


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that means to wait says so."""
    monkeypatch.setattr(sending, "SOON", 0.0)


def due_now(message: AlertMessage) -> None:
    AlertMessage.objects.filter(pk=message.pk).update(due_at=timezone.now())


def state_of(message: AlertMessage) -> str:
    return AlertMessage.objects.get(pk=message.pk).state


class TestWebhooks:
    def test_a_call_is_signed_and_an_independent_receiver_takes_it(self, receiver: Receiver):
        target = make_target(url=receiver.url)
        message = messages.of_change(target, make_alert().events.get(), timezone.now())

        assert send_due(5) == 1

        headers, body = receiver.calls[0]
        assert (verified(SECRET, headers, body), headers["webhook-id"], headers["content-type"]) == (True, message.uid, "application/json")
        assert abs(int(headers["webhook-timestamp"]) - datetime.now(UTC).timestamp()) < 5
        assert (state_of(message), list(message.log.values_list("ok", "status", "note"))) == ("sent", [(True, 204, "Taken (HTTP 204).")])

    def test_the_body_says_what_it_is_and_links_to_the_console(self, receiver: Receiver, settings: Any):
        settings.PUBLIC_URL = "https://console.example.com"
        alert = make_alert(
            title="No data is arriving from UK shop", text="Nothing for 1 hour.", url="/admin/integrations/connection/3/change/"
        )
        target = make_target(url=receiver.url)
        for change in ("opened", "over"):
            event = alert.events.filter(change=change).first() or add_event(alert, change)
            messages.of_change(target, event, timezone.now())

        send_due(5)

        opened, over = (orjson.loads(body) for _, body in receiver.calls)
        assert opened == {
            "type": "alert.opened",
            "timestamp": wording.instant(alert.events.get(change="opened").at),
            "data": {
                "alert": alert.pk, "condition": "silence", "label": "A source is silent", "about": "1", "severity": "urgent",
                "teams": ["administrator", "manager"], "title": "No data is arriving from UK shop", "text": "Nothing for 1 hour.",
                "since": wording.instant(alert.since), "until": None,
                "link": "https://console.example.com/admin/integrations/connection/3/change/",
            },
        }  # fmt: skip
        assert (over["type"], over["data"]["alert"], over["data"]["until"] is not None) == ("alert.recovered", alert.pk, True)

    def test_what_is_refused_is_tried_again_with_the_same_id_and_body_and_a_later_time(self, receiver: Receiver):
        receiver.answers = [(500, {}), (302, {"Location": "http://127.0.0.1:9/"}), (404, {})]
        message = make_message(make_target(url=receiver.url))

        waits = []
        for _ in range(4):
            before = timezone.now()
            send_due(5)
            waits.append((AlertMessage.objects.get(pk=message.pk).due_at - before).total_seconds())
            due_now(message)

        assert (receiver.ids, {body for _, body in receiver.calls}) == ([message.uid] * 4, {b'{"type":"alert.test"}'})
        assert [planned <= waited <= planned * 1.1 + 2 for planned, waited in zip(SCHEDULE, waits[:3], strict=False)] == [True] * 3
        assert list(message.log.order_by("pk").values_list("number", "status", "ok")) == [
            (1, 500, False),
            (2, 302, False),
            (3, 404, False),
            (4, 204, True),
        ]
        assert "redirects are not followed" in message.log.order_by("pk")[1].note

    def test_the_first_retry_comes_within_the_same_minute(self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(sending, "SOON", 6.0)
        monkeypatch.setattr(sending, "SCHEDULE", (0.3, *SCHEDULE[1:]))
        receiver.answers = [(503, {})]
        message = make_message(make_target(url=receiver.url))

        assert (send_due(10), state_of(message), len(receiver.calls)) == (2, "sent", 2)

    @pytest.mark.parametrize(("status", "header", "least"), [(429, "900", 900), (503, "900", 900), (500, "900", 5), (429, "nonsense", 5)])
    def test_what_a_busy_receiver_asks_for_is_respected(self, receiver: Receiver, status: int, header: str, least: int):
        receiver.answers = [(status, {"Retry-After": header})]
        message = make_message(make_target(url=receiver.url))

        send_due(5)

        waits = (AlertMessage.objects.get(pk=message.pk).due_at - timezone.now()).total_seconds()
        assert least - 2 < waits < least * 1.1 + 1

    def test_after_the_last_try_it_is_given_up_and_a_target_that_fails_for_days_is_switched_off(self, receiver: Receiver):
        target = make_target(url=receiver.url, failing_since=minutes_ago(60 * 24 * 3.2))
        message, other = make_message(target, tries=len(SCHEDULE)), make_message(target, due_at=timezone.now() + timedelta(hours=1))
        receiver.answers = [(500, {})]

        send_due(5)

        target.refresh_from_db()
        assert (state_of(message), state_of(other)) == ("failed", "cancelled")
        assert (target.state, target.state_reason) == ("off", "The last answer: Refused (HTTP 500).")

    def test_a_message_that_is_given_up_does_not_end_a_target_that_took_others(self, receiver: Receiver):
        target = make_target(url=receiver.url)
        make_message(target, tries=len(SCHEDULE))
        receiver.answers = [(500, {})]

        send_due(5)

        target.refresh_from_db()
        assert (target.state, target.failing_since is None) == ("active", False)

    def test_gone_means_gone(self, receiver: Receiver):
        target = make_target(url=receiver.url)
        message = make_message(target)
        receiver.answers = [(410, {})]

        send_due(5)

        target.refresh_from_db()
        assert (state_of(message), target.state) == ("failed", "off")

    def test_a_success_ends_the_failing(self, receiver: Receiver):
        target = make_target(url=receiver.url, failing_since=minutes_ago(9))
        make_message(target)

        send_due(5)

        target.refresh_from_db()
        assert (target.failing_since, target.last_ok_at is None) == (None, False)

    def test_one_dead_target_does_not_hold_up_the_others(self, receiver: Receiver):
        dead, alive = make_target(url="http://127.0.0.1:9/"), make_target(url=receiver.url)
        for target in (dead, dead, dead, alive):
            make_message(target)

        send_due(5)

        assert len(receiver.calls) == 1
        assert AlertTry.objects.filter(message__target=dead).count() == 1
        assert "nobody listens" in AlertTry.objects.get(message__target=dead).note

    def test_nothing_internal_is_called_unless_it_is_allowed(self, receiver: Receiver, settings: Any):
        settings.ALERT_TARGETS_ALLOWED = []
        message = make_message(make_target(url=receiver.url))

        send_due(5)

        assert (receiver.calls, "internal address" in message.log.get().note) == ([], True)

    def test_while_a_secret_is_changed_both_sign_and_afterwards_only_the_new_one(self, receiver: Receiver):
        fresh = new_secret()
        target = make_target(url=receiver.url, secret=fresh, former_secret=SECRET, former_until=timezone.now() + timedelta(hours=1))
        make_message(target)
        send_due(5)
        AlertTarget.objects.update(former_until=minutes_ago(1))
        make_message(target)
        send_due(5)

        assert [[verified(secret, *call) for secret in (fresh, SECRET)] for call in receiver.calls] == [[True, True], [True, False]]

    def test_a_secret_that_no_key_reads_any_more_is_told_and_holds_up_nobody_else(self, receiver: Receiver):
        broken, whole = make_target(url=receiver.url), make_target(url=receiver.url)
        with database.cursor() as cursor:
            cursor.execute("UPDATE monitoring_alerttarget SET secret = 'unreadable' WHERE id = %s", [broken.pk])
        messages_of = [make_message(target) for target in (broken, whole)]

        send_due(5)

        assert [state_of(message) for message in messages_of] == ["waiting", "sent"]
        assert "ENCRYPTION_KEYS" in messages_of[0].log.get().note

    def test_the_secret_is_not_readable_in_the_database(self, receiver: Receiver):
        target = make_target(url=receiver.url)
        with database.cursor() as cursor:
            cursor.execute("SELECT secret FROM monitoring_alerttarget WHERE id = %s", [target.pk])
            stored = cursor.fetchone()[0]

        assert (SECRET in stored, AlertTarget.objects.get(pk=target.pk).secret) == (False, SECRET)


class TestMail:
    def test_a_mail_has_text_html_a_deep_link_and_an_id_of_its_own(self, settings: Any):
        settings.PUBLIC_URL = "https://console.example.com"
        alert = make_alert(title="Demo shop needs re-authorisation", text="Its credentials are refused.", url="/admin/x/1/")
        message = messages.of_change(make_target("email", addresses=["a@example.com", "b@example.com"]), alert.events.get(), timezone.now())

        send_due(5)

        sent = mailbox.outbox[0]
        assert (sent.subject, sent.to, state_of(message)) == (
            "Urgent: Demo shop needs re-authorisation", ["a@example.com", "b@example.com"], "sent",
        )  # fmt: skip
        assert sent.extra_headers["Message-ID"] == f"<{message.uid}@console.example.com>"
        html = sent.alternatives[0][0]
        assert ("https://console.example.com/admin/x/1/" in sent.body, "Its credentials are refused." in sent.body) == (True, True)
        assert ('href="https://console.example.com/admin/x/1/"' in html, "<script" in html) == (True, False)

    def test_names_with_signs_stay_as_they_are_in_text_and_are_harmless_in_html(self):
        alert = make_alert(title="<b>Fish & Chips</b> is silent\nnow")
        messages.of_change(make_target("email"), alert.events.get(), timezone.now())

        send_due(5)

        sent = mailbox.outbox[0]
        assert sent.subject == "Urgent: <b>Fish & Chips</b> is silent now"
        assert ("<b>Fish & Chips</b>" in sent.body, "&lt;b&gt;Fish &amp; Chips" in sent.alternatives[0][0]) == (True, True)

    def test_without_a_server_nothing_is_claimed_to_be_sent(self, settings: Any):
        settings.EMAIL_READY = False
        message = make_message(make_target("email"))

        send_due(5)

        assert (mailbox.outbox, state_of(message), "EMAIL_URL" in message.log.get().note) == ([], "waiting", True)

    def test_a_mail_that_is_refused_is_tried_again_and_no_address_is_in_the_log(self, monkeypatch: pytest.MonkeyPatch):
        def refuse(self: Any, mails: Any) -> int:
            raise SMTPRecipientsRefused({"ann@example.com": (550, b"ann@example.com is unknown")})

        monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
        message = make_message(make_target("email"))

        send_due(5)

        assert (state_of(message), message.log.get().note) == ("waiting", "The mail server did not take it: SMTPRecipientsRefused.")


class TestOneWorkerSends:
    def test_a_worker_killed_between_sending_and_storing_leaves_a_message_that_goes_again_with_the_same_id(
        self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ):
        message = make_message(make_target(url=receiver.url))

        class Killed(BaseException):
            """As by SIGKILL."""

        def die(*args: Any, **options: Any) -> None:
            raise Killed

        with monkeypatch.context() as dying:
            dying.setattr(sending, "store", die)
            with pytest.raises(Killed):
                send_due(5)
        assert (send_due(1), len(receiver.calls)) == (0, 1)  # while the lease lasts nobody else takes it

        AlertMessage.objects.update(lease_until=minutes_ago(0.1))
        send_due(5)

        assert (receiver.ids, state_of(message)) == ([message.uid] * 2, "sent")

    def test_a_claim_that_ran_out_changes_nothing_any_more(self, receiver: Receiver):
        message = make_message(make_target(url=receiver.url))
        stale = sending._claim(timezone.now())
        AlertMessage.objects.update(lease_until=minutes_ago(0.1))
        send_due(5)

        sending.store(stale, webhook.Outcome(False, "Refused (HTTP 500).", status=500))

        assert (state_of(message), message.target.failing_since) == ("sent", None)

    def test_a_test_says_at_once_what_came_of_it_and_is_not_tried_again(self, receiver: Receiver):
        target = make_target(url=receiver.url)
        receiver.answers = [(500, {})]

        outcomes = [send_test(target, timezone.now()), send_test(target, timezone.now())]

        assert [(outcome.ok, outcome.status) for outcome in outcomes] == [(False, 500), (True, 204)]
        assert list(target.messages.order_by("pk").values_list("kind", "state")) == [("test", "failed"), ("test", "sent")]
        assert send_due(1) == 0

    @pytest.mark.parametrize("state", ["failed", "waiting"])
    def test_what_was_given_up_lately_is_tried_again_on_demand(self, receiver: Receiver, state: str):
        target = make_target(url=receiver.url)
        message = make_message(target, kind="change", state=state, tries=3, due_at=timezone.now() + timedelta(hours=5))
        make_message(target, kind="test", state="failed")
        make_message(target, kind="change", state="failed", made_at=minutes_ago(60 * 25))

        assert (sending.again(target, timezone.now()), send_due(5), receiver.ids) == (1, 1, [message.uid])


@pytest.mark.django_db(transaction=True)
def test_several_workers_at_once_look_once_and_send_each_message_once(receiver: Receiver):
    target = make_target(url=receiver.url)
    for _ in range(12):
        make_message(target)
    looked: list[Any] = []

    def work() -> None:
        try:
            looked.append(rounds.look())
            send_due(8)
        finally:
            database.close()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sorted(receiver.ids) == sorted(AlertMessage.objects.values_list("uid", flat=True))
    assert sorted(found is None for found in looked) == [False, True, True]


class TestTheMinute:
    def test_what_waits_is_sent_even_when_looking_fails(self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch):
        make_message(make_target(url=receiver.url))

        def broken(now: Any = None) -> None:
            raise ValueError("looking is broken")

        monkeypatch.setattr(rounds, "look", broken)

        with pytest.raises(ValueError, match="looking is broken"):
            tasks.tick()
        assert len(receiver.calls) == 1

    def test_a_stopped_worker_is_told_by_the_web_process(self, receiver: Receiver):
        make_flow()
        target = make_target(url=receiver.url, watches=["worker"])
        AlertRound.objects.create(pk=1, looked_at=minutes_ago(9))
        worker_runs(minutes=9)

        assert watchdog.stand_in()
        assert [orjson.loads(body)["data"]["title"] for _, body in receiver.calls] == ["No worker is running"]
        assert target.messages.get().state == "sent"

    @pytest.mark.parametrize(("sampled", "looked"), [(1, 1), (9, None), (60 * 20, 60 * 20)])
    def test_the_web_process_keeps_out_while_a_worker_runs_and_on_a_copy(self, sampled: float, looked: float | None):
        worker_runs(minutes=sampled)
        AlertRound.objects.create(pk=1, looked_at=looked and minutes_ago(looked))

        assert not watchdog.stand_in()
