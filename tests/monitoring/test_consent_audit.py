"""The daily look at consents: what is stale, what is not, that it goes on where it stopped, and that sending again settles it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.utils import timezone

from integrations.models import SyncException
from mapping.models import ConsentStatement
from monitoring.consent import audit, repair
from monitoring.consent.person import cards, handles_of_statement
from monitoring.models import ConsentAudit, StaleConsent
from tests.consent_sides import G, S, Sides, W, ada, at, change, hear, sides, specs, tell, word
from tests.rows import make_person

__all__ = ["sides", "specs"]  # fixtures
pytestmark = pytest.mark.django_db(transaction=True)


def long_ago(**wanted: object) -> None:
    """What was heard is no news any more."""
    then = timezone.now() - timedelta(hours=3)
    for row in ConsentStatement.objects.filter(**wanted):
        age = {"recorded_at": then + (row.seen_at - timezone.now()), "seen_at": then + (row.seen_at - timezone.now())}
        ConsentStatement.objects.filter(pk=row.pk).update(**age)


def lost_withdrawal(sides: Sides, number: int = 0, state: object = W) -> None:
    """Somebody consented at Ometria and then took it back at the shop; what was brought to the others was lost."""
    who = {"email": f"p{number}@example.com"}
    hear(sides.mail, change(word(G, 1), key=f"m{number}", **who))
    hear(sides.shop, ada(word(state, 5), key=str(number), second=9, **who))
    long_ago()


def look() -> ConsentAudit:
    audit.start()
    while audit.step() is not None:
        pass
    return ConsentAudit.objects.latest("started_at")


def stale() -> list[tuple[str, str, str, str, str]]:
    rows = StaleConsent.objects.order_by("contact_key", "connection__name")
    return list(rows.values_list("contact_key", "connection__name", "wanted", "held", "state"))


def test_a_side_that_holds_something_else_is_one_line_and_one_question_that_names_nobody(sides):
    for number in range(3):
        lost_withdrawal(sides, number)

    run = look()

    question = SyncException.objects.get(kind="stale_consent")
    assert stale() == [(f"p{n}@example.com", "Ometria", "withdrawn", "granted", "open") for n in range(3)]
    assert (run.state, run.looked, run.withdrawn, run.stale, run.after_key) == ("done", 3, 3, 3, "")
    assert (question.connection, question.title, question.occurrences) == (
        sides.mail, "Ometria does not hold the consents that people stated", 3,
    )  # fmt: skip
    assert "example.com" not in f"{question.title}{question.detail}{question.subject}"


def test_sides_that_agree_or_never_heard_of_the_person_are_not_stale(sides):
    hear(sides.mail, change(word(W, 3)))
    hear(sides.shop, ada(word(W, 2)))
    long_ago()

    run = look()

    assert (stale(), run.looked, run.withdrawn, SyncException.objects.count()) == ([], 1, 1, 0)


def test_a_suppression_makes_every_side_stale_that_may_still_write(sides):
    hear(sides.shop, ada(word(G, 5)))
    hear(sides.mail, change(word(S, None)))
    long_ago()

    run = look()

    assert (stale(), run.suppressed) == ([("ada@example.com", "Shopify", "suppressed", "granted", "open")], 1)


def test_what_was_stated_minutes_ago_is_on_its_way_and_not_stale(sides):
    lost_withdrawal(sides)
    ConsentStatement.objects.filter(connection=sides.shop).update(recorded_at=timezone.now(), seen_at=timezone.now())

    look()

    assert stale() == []


def test_a_consent_known_from_history_alone_makes_nobody_stale(sides):
    lost_withdrawal(sides)
    ConsentStatement.objects.filter(connection=sides.shop).update(state="granted", from_history=True)
    ConsentStatement.objects.filter(connection=sides.mail).update(state="unknown", stated_at=None, explicit=False)

    look()

    assert stale() == []


def test_a_look_that_was_killed_goes_on_behind_the_last_part_and_counts_nobody_twice(sides):
    for number in range(5):
        lost_withdrawal(sides, number)
    audit.start()

    assert (audit.step(limit=2), audit.step(limit=2), audit.start()) == (2, 2, None)  # then its worker is gone, and nobody begins another
    between = ConsentAudit.objects.get()
    audit.pump()

    run = ConsentAudit.objects.get()
    assert ((between.looked, between.after_key), (run.looked, run.stale, run.state), len(stale())) == (
        (4, "p3@example.com"), (5, 5, "done"), 5,
    )  # fmt: skip


def test_sending_again_tells_the_side_and_closes_the_line_and_the_question(sides):
    hear(sides.mail, change(word(W, 5), key="m1"))
    hear(sides.shop, ada(word(G, 1)))
    long_ago()
    sides.flow(sides.mail, sides.shop).deliveries.all().delete()
    look()
    manager = make_person("manager")

    asked = repair.ask_again(StaleConsent.objects.all(), manager)
    sent = repair.send_asked()
    before = (repair.look_again(), StaleConsent.objects.get().state)
    told = tell(sides.flow(sides.mail, sides.shop))
    closed = repair.look_again()

    assert (asked, sent, before, closed, StaleConsent.objects.get().state) == (1, 1, (0, "asked"), 1, "closed")
    assert [(record.email, record.consents[0].state) for record in told] == [("ada@example.com", W)]
    assert (SyncException.objects.get().state, LogEntry.objects.get().user, LogEntry.objects.get().object_repr) == (
        "resolved", manager, "a•••@example.com at Shopify",
    )  # fmt: skip


def test_a_line_that_still_differs_after_an_hour_is_open_again(sides):
    lost_withdrawal(sides)
    look()
    repair.ask_again(StaleConsent.objects.all(), make_person("manager"))
    repair.send_asked()
    StaleConsent.objects.update(sent_at=timezone.now() - timedelta(minutes=61))

    assert (repair.look_again(), stale()[0][-1]) == (0, "open")


def test_a_line_that_is_not_found_again_agrees(sides):
    lost_withdrawal(sides)
    look()
    hear(sides.mail, change(word(W, 6), key="m0", email="p0@example.com", second=9))
    long_ago()

    look()

    assert (stale()[0][-1], SyncException.objects.get().state) == ("closed", "resolved")


def test_the_day_has_one_look_of_its_own_from_its_hour_on(sides, settings):
    settings.RECONCILE_HOUR = 3
    late = timezone.localtime().replace(hour=4)

    begun = [audit.start_daily(late.replace(hour=2)), audit.start_daily(late), audit.start_daily(late)]

    assert begun == [False, True, False]


def test_the_page_of_a_person_follows_the_account_to_the_number_and_never_back_from_a_shared_one(sides):
    shared = "+447700900123"
    for number, email in enumerate(("ada@example.com", "bob@example.com")):
        hear(sides.shop, ada(word(G, 1), word(W, 2, channel="sms"), key=str(number), email=email, phone=shared))
    first, phone = (ConsentStatement.objects.filter(contact_key=key).first() for key in ("ada@example.com", shared))

    assert [handles_of_statement(row) for row in (first, phone)] == [[("email", "ada@example.com"), ("sms", shared)], [("sms", shared)]]


def test_a_person_s_card_says_what_stands_and_what_each_side_holds_and_what_to_do(sides):
    lost_withdrawal(sides)

    [card] = cards([("email", "p0@example.com")], personal=False)

    assert (card.who, card.answer, [line.said for line in card.lines], card.can_send) == (
        "p•••@example.com", "Not mailable", ["Withdrawal", "Consent"], True,
    )  # fmt: skip
    assert [(side.name, side.holds, side.verdict) for side in card.sides] == [
        ("Commercetools", "nothing known", "Not told"), ("Ometria", "may write", "Does not agree"), ("Shopify", "may not write", "Agrees"),
    ]  # fmt: skip
    assert at(0) < card.lines[0].judged.statement.stated_at
