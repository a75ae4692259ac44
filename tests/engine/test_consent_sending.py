"""What the consent ledger gives to a customer on its way to Ometria, to the page that explains it, and to an older installation."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from integrations.engine import consent, outbox
from integrations.engine.outbox import Cause, claim_deliveries
from integrations.engine.prepare import Prepared
from integrations.models import Delivery
from mapping.models import ConsentStatement
from tests.consent_sides import G, Sides, U, W, ada, change, hear, questions, rows, sides, specs, tell, word

__all__ = ["sides", "specs"]  # fixtures
pytestmark = [pytest.mark.django_db(transaction=True)]


# --- what a customer carries to Ometria --------------------------------------------------------------------------------------


def carried(sides: Sides, *, state: str = "delivered") -> list[tuple[str, bool]]:
    return [(one.consents[0].state, one.consents[0].forced) for one in tell(sides.flow(sides.shop, sides.mail, "customer"), state=state)]


def again(sides: Sides) -> None:
    Delivery.objects.filter(flow=sides.flow(sides.shop, sides.mail, "customer")).update(state="ready", due_at=timezone.now())


def test_an_act_of_the_person_is_forced_until_it_arrived_and_never_again(sides):
    hear(sides.shop, ada(word(G, 1)))
    first, tried = carried(sides, state="ready"), carried(sides)
    again(sides)
    assert (first, tried, carried(sides)) == ([(G, True)], [(G, True)], [(G, False)])


def test_what_a_backfill_brought_is_never_forced(sides):
    hear(sides.shop, ada(word(G, 1)), cause=Cause.BACKFILL)
    assert carried(sides) == [(G, False)]


def test_what_was_said_at_ometria_goes_with_the_customer_and_is_not_forced_on_ometria(sides):
    hear(sides.mail, change(word(W, 2)))
    hear(sides.shop, ada(word(G, 1)))
    assert carried(sides) == [(W, False)]


def test_ometrias_withdrawal_from_before_a_forced_consent_arrived_is_forced_back(sides):
    hear(sides.shop, ada(word(G, 1)))
    carried(sides)
    hear(sides.mail, change(word(W, 2)))
    assert carried(sides) == [(W, True)]


def test_a_consent_is_not_forced_on_an_account_that_shows_a_no_of_unknown_age(sides):
    hear(sides.mail, change(word(W, None, explicit=False, source="profile")))
    hear(sides.shop, ada(word(G, 1)))
    assert carried(sides) == [(G, False)]


def test_a_withdrawal_elsewhere_is_forced_whatever_brought_it(sides):
    hear(sides.store, ada(word(W, 2), key="c1"), cause=Cause.BACKFILL)
    hear(sides.shop, ada(word(G, 1)))
    assert carried(sides) == [(W, True)]


def test_a_withdrawal_is_forced_once_on_each_entry_of_the_person(sides):
    store = sides.flow(sides.store, sides.mail, "customer")
    hear(sides.shop, ada(word(G, 1)))
    hear(sides.store, ada(word(G, 2), key="c1"))
    entries = [carried(sides), [one.consents[0].forced for one in tell(store)]]
    hear(sides.store, ada(word(W, 3), key="c1", second=9))
    at_the_stores_entry = [one.consents[0].forced for one in tell(store)]
    again(sides)
    at_the_shops_entry = carried(sides)
    again(sides)

    assert (entries, at_the_stores_entry, at_the_shops_entry, carried(sides)) == ([[(G, True)], [False]], [True], [(W, True)], [(W, False)])


def test_a_record_from_before_the_ledger_counts_as_history(sides):
    hear(sides.shop, ada(word(G, 1)))
    ConsentStatement.objects.all().delete()
    assert carried(sides) == [(G, False)]


def test_a_consent_that_does_not_count_is_carried_as_never_asked(sides):
    hear(sides.shop, ada(word(G, None, explicit=False)))
    assert carried(sides) == [(U, False)]


def test_a_batch_of_customers_is_prepared_with_a_constant_number_of_questions(sides):
    flow = sides.flow(sides.shop, sides.mail, "customer")
    hear(sides.shop, *(ada(word(G, 1), key=str(number), email=f"p{number}@example.com") for number in range(30)))
    claim = claim_deliveries(flow, 100)
    pairs = [(row, outbox.codec.loads("customer", row.record_json)) for row in claim.rows]
    assert questions(lambda: consent.speaking(flow, pairs, Prepared()), about="") == 2  # one that reads, one that notes what is told


# --- the page ----------------------------------------------------------------------------------------------------------------


def test_the_whole_chain_is_told_with_places_and_what_each_side_holds(sides):
    hear(sides.shop, ada(word(G, 1)))
    hear(sides.mail, change(word(W, 2)))
    tell(sides.flow(sides.mail, sides.shop))
    found = consent.explain(email=" ADA@example.com ")["email"]
    assert (found.mailable, found.why) == (False, "May not be written to: the newest statement is a withdrawal at Ometria.")
    assert [(one.statement.place, one.statement.state, one.statement.told, one.why) for one in found.chain] == [
        ("Shopify", G, False, "Overruled by a newer statement."),
        ("Ometria", W, False, "It stands: no later consent by a dated act of the person."),
        ("Shopify", W, True, "We told it so."),
    ]
    assert {pk: held.state for pk, held in consent.sides(found).items()} == {sides.shop.pk: W, sides.mail.pk: W}


def test_a_side_that_holds_something_else_is_behind_until_it_was_told(sides):
    hear(sides.shop, ada(word(U, None, explicit=False)))
    hear(sides.mail, change(word(W, 2)))
    before = consent.behind(consent.explain(email="ada@example.com")["email"])
    tell(sides.flow(sides.mail, sides.shop))
    assert (before, consent.behind(consent.explain(email="ada@example.com")["email"])) == ([sides.shop.pk], [])


def test_everybody_in_the_ledger_is_walked_over_part_by_part(sides):
    hear(sides.shop, *(ada(word(G, 1), key=str(number), email=f"p{number}@example.com") for number in range(5)))
    found, last = [], None
    while part := consent.walk(last, limit=2):
        found += part
        last = part[-1]
    assert found == [("email", f"p{number}@example.com") for number in range(5)]


def test_many_people_are_explained_in_one_question(sides):
    people = [ada(word(G, 1), key=str(number), email=f"p{number}@example.com") for number in range(10)]
    hear(sides.shop, *people)
    found: list[Any] = []
    assert questions(lambda: found.extend(consent.explain_all(people))) == 1
    assert [one["email"].mailable for one in found] == [True] * 10


def test_the_ledger_is_filled_once_from_stored_customers_and_opts_nobody_in(sides):
    hear(sides.shop, ada(word(G, 1)), ada(word(W, 1), key="502", email="ben@example.com"))
    ConsentStatement.objects.all().delete()
    Delivery.objects.filter(flow__record_type="consent").delete()
    for _ in range(2):
        call_command("fill_consents", verbosity=0)
    assert rows() == [("email", "granted", True, True), ("email", "withdrawn", True, True)]
    assert sides.waiting() == [("Shopify", "Commercetools", "email", "withdrawn")]
