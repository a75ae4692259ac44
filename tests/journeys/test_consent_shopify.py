"""What people say about being written to, at Ometria and in the shop: the newest word reaches the other side, once."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.engine import accounts, pumps
from integrations.engine.consent import explain
from integrations.models import Connection, Flow, SyncException
from integrations.standins.faults import Fault
from tests.conftest import SPEC
from tests.journeys.consent_sides import IN, KEY, OUT, Sides

pytestmark = [pytest.mark.journey]


def test_who_opts_out_at_ometria_is_opted_out_in_the_shop_within_seconds(sides: Sides) -> None:
    ada = sides.customer(accepts_email=True)
    sides.run()
    assert (sides.in_shop(ada), sides.in_ometria()[0]) == ("SUBSCRIBED", True)
    sides.listen()
    sides.pass_time(5)

    began = time.monotonic()
    sides.say(OUT)
    while sides.in_shop(ada) != "UNSUBSCRIBED":
        assert time.monotonic() - began < 5
        sides.run()
    held = sides.route.shopify.shop().customers.get(ada.id).email_consent
    (left,) = sides.route.ometria.account().unsubscribes

    assert held.updated_at == datetime.fromisoformat(left["timestamp"])
    assert sides.in_ometria()[0] is False
    assert sides.hints() == [("done", "")]
    assert sides.route.ometria.automations.answers == [200]
    (effect,) = sides.route.shopify.ledger.effects("consent")
    assert (effect.payload["marketingState"], effect.payload["marketingOptInLevel"]) == ("UNSUBSCRIBED", "SINGLE_OPT_IN")


def test_who_leaves_where_no_automation_calls_is_found_by_asking(sides: Sides) -> None:
    ada = sides.customer(accepts_email=True)
    sides.run()
    sides.pass_time(5)
    sides.route.ometria.act("/unsubscribe", email="ada@example.com", type="list_unsubscribe")
    sides.poll()
    found: Any = explain(email="ada@example.com")["email"]

    assert (sides.in_shop(ada), sides.in_ometria()[0]) == ("UNSUBSCRIBED", False)
    assert (found.mailable, found.winner.place, found.winner.source) == (False, "Demo account", "list_unsubscribe")


def test_a_stop_word_ends_text_messages_in_the_shop_and_nothing_else(sides: Sides) -> None:
    ada = sides.customer(phone="+442079460123", accepts_email=True, accepts_sms=True)
    sides.run()
    assert sides.in_ometria() == (True, True)
    sides.pass_time(5)
    sides.route.ometria.act("/unsubscribe", email="ada@example.com", type="stopword_unsubscribe_TF")
    sides.poll()

    assert (sides.in_shop(ada, "sms"), sides.in_shop(ada, "email")) == ("UNSUBSCRIBED", "SUBSCRIBED")
    assert sides.in_ometria() == (True, False)


def test_who_subscribes_again_at_ometria_is_subscribed_again_in_the_shop(sides: Sides) -> None:
    with sides.route.shopify.shop().past(datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=30)):
        ada = sides.customer(accepts_email=True)
    sides.route.act("update_customer", customer_id=ada.id, last_name="Byron")
    sides.run()
    sides.poll()
    sides.say(OUT)
    sides.poll()
    assert (sides.in_shop(ada), sides.in_ometria()[0]) == ("UNSUBSCRIBED", False)

    sides.pass_time(5)
    sides.say(IN)
    sides.poll()

    assert (sides.in_shop(ada), sides.in_ometria()[0]) == ("SUBSCRIBED", True)


def test_a_newer_consent_in_the_shop_wins_over_an_opt_out_at_ometria(sides: Sides) -> None:
    ada = sides.customer(accepts_email=True)
    sides.run()
    sides.pass_time(5)
    sides.say(OUT)
    sides.poll()
    sides.pass_time(5)
    sides.route.act("set_email_consent", customer_id=ada.id, state="SUBSCRIBED")
    sides.run()

    assert (sides.in_shop(ada), sides.in_ometria()[0]) == ("SUBSCRIBED", True)
    sides.poll()
    assert (sides.in_shop(ada), sides.in_ometria()[0]) == ("SUBSCRIBED", True)


def test_an_older_consent_in_the_shop_that_arrives_late_does_not(sides: Sides) -> None:
    ada = sides.customer()
    sides.run()
    sides.route.hold_webhooks()
    sides.route.act("set_email_consent", customer_id=ada.id, state="SUBSCRIBED")
    sides.pass_time(5)
    sides.say(OUT)
    sides.pull()
    for sending in sides.route.held(ada.id, "customers"):
        assert sides.route.post(sending.headers, sending.body) == 200
    sides.run()

    assert (sides.in_shop(ada), sides.in_ometria()[0]) == ("UNSUBSCRIBED", False)


def test_history_opts_nobody_in_on_either_side(sides: Sides) -> None:
    sides.route.hold_webhooks()
    with sides.route.shopify.shop().past(datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)):
        subscribed = sides.customer(accepts_email=True)
        asked = sides.customer(email="grace@example.com", first_name="Grace")
        left = sides.customer(email="bea@example.com", first_name="Bea")
        sides.route.act("set_email_consent", customer_id=left.id, state="UNSUBSCRIBED")
    people = [("1", "ada@example.com", OUT), ("2", "grace@example.com", IN), ("3", "bea@example.com", IN)]
    rows = [{"@type": "contact", "@collection": "crm", "id": key, "email": email, "marketing_optin": said} for key, email, said in people]
    sides.route.http.post(
        f"{sides.route.destination.base_url}/v2/push", json=rows, headers={"X-Ometria-Auth": "demo-ometria-key"}, timeout=10
    ).raise_for_status()
    sides.backfill(sides.route.source, "customers")
    sides.backfill(sides.route.destination, "unsubscribes", "profiles")
    for _ in range(2):
        sides.poll()
        sides.poll(sides.route.source, "customers")

    assert [sides.in_shop(one) for one in (subscribed, asked, left)] == ["SUBSCRIBED", "NOT_SUBSCRIBED", "UNSUBSCRIBED"]
    assert sides.in_ometria("ada@example.com")[0] is False
    assert sides.in_ometria("bea@example.com")[0] is False


def test_once_quiet_both_sides_agree_and_nothing_further_is_written(sides: Sides) -> None:
    ada = sides.customer(accepts_email=True, phone="+442079460123", accepts_sms=True)
    sides.run()
    sides.listen()
    for statement in (OUT, IN, OUT):
        sides.pass_time(30)
        sides.say(statement)
        sides.run()
        sides.poll()
    sides.pass_time(30)
    sides.route.act("set_sms_consent", customer_id=ada.id, state="UNSUBSCRIBED")
    sides.run()
    sides.poll()
    agreed, effects = (sides.in_shop(ada), sides.in_shop(ada, "sms"), *sides.in_ometria()), sides.effects()
    for _ in range(2):
        sides.pass_time(300)
        sides.poll()
        sides.poll(sides.route.source, "customers")

    assert agreed == ("UNSUBSCRIBED", "UNSUBSCRIBED", False, False)
    assert (sides.in_shop(ada), sides.in_shop(ada, "sms"), *sides.in_ometria()) == agreed
    assert sides.effects() == effects


def test_a_call_without_the_key_or_for_nobody_s_account_is_refused_and_leaves_nothing(sides: Sides) -> None:
    ada = sides.customer(accepts_email=True)
    sides.run()
    sides.listen(key="guessed")
    sides.say(OUT)
    sides.run()
    assert (sides.route.ometria.automations.answers, sides.in_shop(ada)) == ([401], "SUBSCRIBED")

    account, key, url = {"X-Switchyard-Account": "demo"}, {"X-Switchyard-Key": KEY}, f"{sides.route.hooks}/hooks/ometria/"
    for headers, status in (({}, 401), (account, 401), (key, 401), ({**key, "X-Switchyard-Account": "another"}, 404)):
        answer = sides.route.http.post(url, json={"email": "ada@example.com"}, headers=headers, timeout=10)
        assert (answer.status_code, answer.content) == (status, b"")
    assert sides.hints() == []


def test_a_genuine_call_that_claims_what_is_not_so_changes_nobody(sides: Sides) -> None:
    ada = sides.customer(accepts_email=True)
    sides.run()
    headers = {"X-Switchyard-Account": "demo", "X-Switchyard-Key": KEY}
    for body in ({"email": "ada@example.com", "marketing_optin": "false"}, {"email": "nobody@example.com"}, {"hello": "world"}):
        assert sides.route.http.post(f"{sides.route.hooks}/hooks/ometria/", json=body, headers=headers, timeout=2).status_code == 200
    sides.run()

    assert (sides.in_shop(ada), sides.in_ometria()[0], sides.effects()[0]) == ("SUBSCRIBED", True, 0)
    assert [state for state, _ in sides.hints()] == ["done", "ignored", "ignored"]


def test_somebody_whom_the_shop_does_not_know_is_passed_over_with_words(sides: Sides) -> None:
    row = {"@type": "contact", "@collection": "crm", "id": "1", "email": "ada@example.com", "marketing_optin": IN}
    sides.route.http.post(
        f"{sides.route.destination.base_url}/v2/push", json=[row], headers={"X-Ometria-Auth": "demo-ometria-key"}, timeout=10
    ).raise_for_status()
    sides.say(OUT)
    sides.poll()

    found = sides.delivery()
    assert (found.state, found.last_code) == ("skipped", "unknown_person")
    assert found.last_message == "Shopify has no customer with this address or number."
    assert not SyncException.objects.filter(state="open").exists()


def test_a_refused_token_keeps_what_waits_and_it_goes_out_with_a_new_one(sides: Sides) -> None:
    ada = sides.customer(accepts_email=True)
    sides.run()
    sides.pass_time(5)
    accounts.set_credential(sides.route.source, "access_token", "shpat_gone")
    sides.say(OUT)
    sides.pull()
    pumps.pump_flow(sides.flow.pk, 5)
    assert Connection.objects.get(pk=sides.route.source.pk).state == "needs_auth"
    assert (sides.in_shop(ada), sides.delivery().state) == ("SUBSCRIBED", "ready")

    accounts.set_credential(sides.route.source, "access_token", SPEC.access_token)
    accounts.reconnected(Connection.objects.get(pk=sides.route.source.pk))
    sides.run()
    assert (sides.in_shop(ada), sides.delivery().state) == ("UNSUBSCRIBED", "delivered")


def test_a_missing_permission_is_asked_about_once_and_orders_go_on(sides: Sides) -> None:
    sides.customer(accepts_email=True)
    sides.run()
    shop = sides.route.shopify.shop()
    shop.scopes = set(shop.scopes) - {"write_customers"}
    sides.pass_time(5)
    sides.say(OUT)
    sides.poll()

    assert Connection.objects.get(pk=sides.route.source.pk).state == "active"
    asked = SyncException.objects.get(state="open")
    assert (asked.kind, "write_customers" in asked.title) == ("refused", True)
    probe = accounts.probe_connection(sides.route.source)
    assert [problem for problem in probe.problems if "write_customers" in problem]
    Flow.objects.filter(record_type="consent").update(enabled=False)
    assert not [problem for problem in accounts.probe_connection(sides.route.source).problems if "write_customers" in problem]


def test_an_answer_that_never_came_leads_to_one_effect(sides: Sides) -> None:
    sides.customer(accepts_email=True)
    sides.run()
    sides.pass_time(5)
    sides.say(OUT)
    sides.route.shopify.faults.add(Fault("reset_after_accept", path="graphql.json", body="customerEmailMarketingConsentUpdate"))
    sides.poll()

    assert sides.effects()[0] == 1
    assert sides.delivery().state in ("delivered", "skipped")  # by the shop's own word, whose webhook may come first
