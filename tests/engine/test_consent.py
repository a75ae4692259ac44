"""The consent ledger in the database: what is noted, and who hears of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connections, transaction
from django.utils import timezone

from integrations.engine import consent, masks, outbox, ownership
from integrations.engine.outbox import Cause, Result, claim_deliveries, enqueue, store_results
from integrations.models import Delivery, Flow, SearchTerm
from mapping.models import ConsentStatement
from mapping.records import Consent, ConsentChange
from tests.consent_sides import G, S, Sides, U, W, ada, at, change, hear, questions, rows, sides, specs, tell, word
from tests.factories import CustomerFactory, OrderFactory

__all__ = ["sides", "specs"]  # fixtures
pytestmark = [pytest.mark.django_db(transaction=True)]


# --- noting --------------------------------------------------------------------------------------------------------------


def test_what_a_customer_says_is_noted_once_however_often_it_comes(sides):
    said = ada(word(G, 1, policy="Footer"), word(U, None, channel="sms", explicit=False), phone="+447700900123")
    for second in range(3):
        hear(sides.shop, replace(said, occurred_at=at(second)))
    row = ConsentStatement.objects.get(channel="email")
    assert (row.contact_key, row.record_key, row.stated_at, row.policy) == ("ada@example.com", "501", at(3600), "Footer")
    assert rows() == [("email", "granted", False, True), ("sms", "unknown", False, False)]


def test_each_new_word_is_a_row_and_the_old_ones_stay(sides):
    hear(sides.shop, ada(word(G, 1)))
    hear(sides.shop, ada(word(W, 2), second=1))
    assert rows() == [("email", "granted", False, True), ("email", "withdrawn", False, True)]


def test_what_a_backfill_brought_is_history_until_it_is_said_live(sides):
    hear(sides.shop, ada(word(G, 1)), cause=Cause.BACKFILL)
    before = rows()
    hear(sides.shop, ada(word(G, 1), second=1))
    hear(sides.shop, ada(word(G, 1), second=2), cause=Cause.BACKFILL)
    assert (before, rows()) == ([("email", "granted", True, True)], [("email", "granted", False, True)])


def test_a_word_heard_again_after_another_is_the_last_word_again(sides):
    for second, state in enumerate((U, G, U)):
        hear(sides.shop, ada(word(state, None, explicit=False), second=second))
    last = ConsentStatement.objects.order_by("-seen_at").values_list("state", flat=True)
    assert list(last) == ["unknown", "granted"]


def test_addresses_that_are_none_and_people_without_one_say_nothing(sides):
    hear(sides.shop, ada(word(G, 1), email="not an address"), ada(word(G, 1), key="502", email=""))
    assert rows() == []


def test_the_ledger_is_written_with_the_records_or_not_at_all(sides):
    @transaction.atomic
    def killed() -> None:
        enqueue(sides.mail, [change(word(W, 1))], cause=Cause.POLL)
        enqueue(sides.shop, [ada(word(G, 1))], cause=Cause.WEBHOOK)
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        killed()
    assert (rows(), Delivery.objects.count()) == ([], 0)


def test_orders_and_people_who_say_nothing_never_touch_the_ledger(sides):
    plain = [OrderFactory(), *CustomerFactory.create_batch(5)]
    assert questions(lambda: hear(sides.shop, *plain)) == 0


def test_a_batch_of_customers_takes_one_statement_however_many_they_are():
    sides = Sides(carried=False)
    people = [ada(word(G, 1), key=str(number), email=f"person{number}@example.com") for number in range(50)]
    first = questions(lambda: hear(sides.shop, *people))
    again = questions(lambda: hear(sides.shop, *(replace(one, occurred_at=at(9)) for one in people)))
    assert (first, again, ConsentStatement.objects.count()) == (1, 1, 50)


def test_bringing_news_to_others_takes_as_many_questions_for_fifty_people_as_for_five(sides, monkeypatch):
    for kept in (masks, ownership):
        monkeypatch.setattr(kept, "FRESH", 600.0)  # else one of the two may read the rules again

    def said(count: int, name: str) -> list[ConsentChange]:
        return [change(word(W, 1), key=f"{name}{number}", email=f"{name}{number}@example.com") for number in range(count)]

    hear(sides.mail, *said(1, "first"))
    few = questions(lambda: hear(sides.mail, *said(5, "few")), about="")
    many = questions(lambda: hear(sides.mail, *said(50, "many")), about="")
    assert few == many


def test_a_withdrawal_follows_a_person_to_a_new_address(sides):
    hear(sides.shop, ada(word(G, 1)))
    hear(sides.mail, change(word(W, 2)))
    hear(sides.shop, ada(word(G, 1), email="ada.new@example.com", second=9))
    found = consent.explain(email="ada.new@example.com")["email"]
    assert (found.state, found.winner.source, found.winner.stated_at) == (W, "said for an earlier address", at(7200))


def test_a_shared_phone_says_nothing_about_an_address(sides):
    family = "+447700900123"
    hear(sides.shop, ada(word(G, 1), word(W, 1, channel="sms"), phone=family))
    hear(sides.shop, ada(word(W, 1), word(G, 2, channel="sms"), key="502", email="ben@example.com", phone=family))
    found = [
        {channel: one.state for channel, one in consent.explain(email=who, phone=family).items()}
        for who in ("ada@example.com", "ben@example.com")
    ]
    assert found == [{"email": G, "sms": G}, {"email": W, "sms": G}]


# --- bringing it to the others ---------------------------------------------------------------------------------------------


def test_a_withdrawal_at_ometria_goes_to_every_other_side_once(sides):
    for _ in range(2):
        hear(sides.mail, change(word(W, 1)))
    assert sides.waiting() == [("Ometria", "Commercetools", "email", "withdrawn"), ("Ometria", "Shopify", "email", "withdrawn")]


def test_a_consent_change_is_addressed_and_says_what_stands(sides):
    hear(sides.shop, ada(word(U, None, explicit=False), key="7001"))
    hear(sides.mail, change(word(W, 1, source="link_unsubscribe")))
    (sent,) = tell(sides.flow(sides.mail, sides.shop))
    said = Consent(channel="email", state=W, stated_at=at(3600), source="link_unsubscribe", explicit=True, forced=True)
    assert (sent.email, sent.phone, sent.customer_key, sent.consents) == ("ada@example.com", "", "7001", (said,))
    assert "ada" not in Delivery.objects.get(flow=sides.flow(sides.mail, sides.shop)).record_key


def test_a_suppression_reaches_the_others_as_a_withdrawal_with_its_reason(sides):
    hear(sides.mail, change(word(S, None, source="bounce", explicit=False)))
    (sent,) = tell(sides.flow(sides.mail, sides.shop))
    assert (sent.consents[0].state, sent.consents[0].source) == (W, "suppressed: bounce")


def test_a_backfilled_consent_is_brought_to_nobody_but_a_backfilled_withdrawal_is(sides):
    hear(sides.shop, ada(word(G, 1)), ada(word(W, 1), key="502", email="ben@example.com"), cause=Cause.BACKFILL)
    assert sides.waiting() == [("Shopify", "Commercetools", "email", "withdrawn")]


@pytest.mark.parametrize(("first", "second", "expected"), [(1, 2, "withdrawn"), (2, 1, "granted")])
def test_the_newer_act_reaches_the_side_of_the_older_one(sides, first, second, expected):
    hear(sides.store, ada(word(G, first)))
    tell(sides.flow(sides.store, sides.shop))
    hear(sides.shop, ada(word(W, second), key="502"))
    to_store = ("Shopify", "Commercetools", "email", "withdrawn")
    to_shop = ("Commercetools", "Shopify", "email", "granted")
    assert (to_store if expected == "withdrawn" else to_shop) in sides.waiting()
    assert {state for *_, state in sides.waiting()} == {expected}


def test_a_burst_of_changes_is_one_delivery_with_the_last_of_them(sides):
    for hours, state in enumerate((W, G, W, G)):
        hear(sides.mail, change(word(state, hours)))
    assert Delivery.objects.filter(flow=sides.flow(sides.mail, sides.shop)).count() == 1
    assert [sent.consents[0].state for sent in tell(sides.flow(sides.mail, sides.shop))] == [G]


def test_the_echo_of_a_change_goes_to_nobody(sides):
    hear(sides.mail, change(word(W, 1)))
    tell(sides.flow(sides.mail, sides.shop))
    tell(sides.flow(sides.mail, sides.store))
    hear(sides.shop, ada(word(W, 1)))
    hear(sides.store, ada(word(W, 1), key="c1"))
    assert sides.waiting() == []
    assert not ConsentStatement.objects.filter(is_news=True).exists()


def test_a_side_that_was_told_already_is_not_told_again_when_a_third_one_speaks(sides):
    hear(sides.mail, change(word(W, 1)))
    tell(sides.flow(sides.mail, sides.shop))
    tell(sides.flow(sides.mail, sides.store))
    hear(sides.mail, change(word(W, 1), second=5), change(word(W, 0), second=6))
    assert tell(sides.flow(sides.mail, sides.shop)) == []


def test_a_side_that_turns_back_to_an_older_word_is_told_again(sides):
    hear(sides.mail, change(word(W, 2)))
    tell(sides.flow(sides.mail, sides.shop))
    hear(sides.shop, ada(word(G, 1)))
    assert [sent.consents[0].state for sent in tell(sides.flow(sides.mail, sides.shop))] == [W]


def test_a_change_that_comes_while_one_is_sent_goes_out_after_it(sides):
    flow = sides.flow(sides.mail, sides.shop)
    hear(sides.mail, change(word(W, 1)))
    claim = claim_deliveries(flow, 10)
    hear(sides.mail, change(word(G, 2), second=1))
    store_results(claim, [Result(delivery_id=row.id, state="delivered", outcome="", sent_hash="h", payload={}) for row in claim.rows])
    assert [sent.consents[0].state for sent in tell(flow)] == [G]


def test_a_change_whose_outcome_is_unknown_is_sent_again_and_one_that_arrived_is_not(sides):
    flow = sides.flow(sides.mail, sides.shop)
    hear(sides.mail, change(word(W, 1)))
    assert [len(tell(flow, state="ready")), len(tell(flow)), len(tell(flow))] == [1, 1, 0]


def test_somebody_who_is_unknown_at_a_side_is_told_of_when_they_turn_up_there(sides):
    hear(sides.mail, change(word(W, 1)))
    tell(sides.flow(sides.mail, sides.shop), state="skipped", code="unknown_person")
    hear(sides.shop, ada(word(U, None, explicit=False), second=5))
    assert [sent.customer_key for sent in tell(sides.flow(sides.mail, sides.shop))] == ["501"]


def test_a_flow_that_is_off_carries_nothing(sides):
    Flow.objects.filter(source=sides.mail, destination=sides.shop).update(enabled=False)
    hear(sides.mail, change(word(W, 1)))
    assert sides.waiting() == [("Ometria", "Commercetools", "email", "withdrawn")]


def test_a_word_travels_on_from_the_side_that_was_told_where_no_flow_goes_straight(sides):
    Flow.objects.filter(source=sides.mail, destination=sides.store).update(enabled=False)
    hear(sides.mail, change(word(W, 1)))
    tell(sides.flow(sides.mail, sides.shop))
    hear(sides.shop, ada(word(W, 1)))
    assert sides.waiting() == [("Shopify", "Commercetools", "email", "withdrawn")]


def test_two_sides_that_speak_at_the_same_moment_end_up_with_the_newer_word(sides):
    def speak(number: int) -> None:
        start.wait(10)
        try:
            if number:
                hear(sides.shop, ada(word(G, 2)))
            else:
                hear(sides.store, ada(word(W, 3), key="c1"))
        finally:
            connections.close_all()

    start = Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(speak, range(2)))
    to_shop, to_store = tell(sides.flow(sides.store, sides.shop)), tell(sides.flow(sides.shop, sides.store))
    assert ([sent.consents[0].state for sent in to_shop], to_store) == ([W], [])


def test_news_of_a_worker_that_was_killed_are_brought_a_minute_later(sides, monkeypatch):
    monkeypatch.setattr("integrations.engine.consent.spread", lambda news, bring: None)
    hear(sides.mail, change(word(W, 1)))
    assert sides.waiting() == []
    ConsentStatement.objects.update(seen_at=timezone.now() - timedelta(minutes=1))
    assert consent.spread_left_behind(outbox.bring_consents) == 2
    assert consent.spread_left_behind(outbox.bring_consents) == 0
    assert len(sides.waiting()) == 2


def test_customers_of_other_sources_go_out_again_when_something_else_stands(sides):
    hear(sides.shop, ada(word(G, 1)), ada(word(G, 1), key="502", email="ben@example.com"))
    Delivery.objects.filter(flow__record_type="customer").update(state="delivered")
    assert SearchTerm.objects.filter(record_key="501").exists()
    hear(sides.mail, change(word(W, 2)))
    ready = Delivery.objects.filter(flow__record_type="customer", state="ready")
    assert list(ready.values_list("flow__source__name", "record_key")) == [("Shopify", "501")]


def test_customers_stay_where_they_are_when_the_same_is_said_again(sides):
    hear(sides.shop, ada(word(G, 2)))
    Delivery.objects.filter(flow__record_type="customer").update(state="delivered")
    hear(sides.store, ada(word(G, 1), key="c1"))
    assert not Delivery.objects.filter(flow=sides.flow(sides.shop, sides.mail, "customer"), state="ready").exists()
