"""The consent writer against a shop over real HTTP: the last look, its own words for each fault, and never twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.platforms.base import Item, OutcomeState, Probe
from integrations.platforms.errors import Reconnect, SlowDown, TryLater
from integrations.platforms.shopify import PLATFORM
from integrations.standins.faults import Fault
from mapping.records import Consent, ConsentChange, ConsentState, RecordType

NOW = datetime.now(UTC).replace(microsecond=0)
WRITER = PLATFORM.writers[RecordType.CONSENT]
STATES = {"SUBSCRIBED": ConsentState.GRANTED, "UNSUBSCRIBED": ConsentState.WITHDRAWN}
PARTS = {"email": "emailMarketingConsent", "sms": "smsMarketingConsent"}


def minutes(ago: float) -> datetime:
    return NOW - timedelta(minutes=ago)


def item(state: str, ago: float = 1, *, channel: str = "email", explicit: bool = True, key: str = "k", **who: str) -> Item:
    """One channel of somebody, said so many minutes ago."""
    who = who or {"email": "zoe@example.com", "phone": "+447700900123"}
    consent = Consent(channel=channel, state=STATES[state], stated_at=minutes(ago), explicit=explicit)
    record = ConsentChange(key=key, occurred_at=minutes(ago), email=who.get("email", ""), phone=who.get("phone", ""), consents=(consent,))
    wish = {"marketingState": state, "consentUpdatedAt": minutes(ago).isoformat(), "marketingOptInLevel": "SINGLE_OPT_IN"}
    return Item(key=key, record=record, payload={"customer": dict(who), PARTS[channel]: wish})


def sent(client: Any, *items: Item) -> list[tuple[str, str]]:
    """State and code of each outcome."""
    return [(outcome.state, outcome.code) for outcome in WRITER.send(client, items)]


def effects(stand_in: Any) -> int:
    return len(stand_in.ledger.effects("consent"))


def test_a_withdrawal_is_written_with_its_own_time(stand_in: Any, client: Any, person: Any) -> None:
    (outcome,) = WRITER.send(client, [item("UNSUBSCRIBED", 2)])

    consent = stand_in.shop().customers.get(person.id).email_consent
    assert (outcome.state, outcome.destination_key) == (OutcomeState.DELIVERED, str(person.id))
    assert (consent.state, consent.updated_at) == ("UNSUBSCRIBED", minutes(2))
    assert WRITER.read_back(client, str(person.id))["emailMarketingConsent"] == {
        "marketingState": "UNSUBSCRIBED", "consentUpdatedAt": minutes(2).isoformat(),
    }  # fmt: skip


def test_what_the_shop_says_already_is_not_written_again(stand_in: Any, client: Any, person: Any) -> None:
    assert sent(client, item("UNSUBSCRIBED")) == [("delivered", "")]
    assert sent(client, item("UNSUBSCRIBED")) == [("delivered", "held_there")]
    assert effects(stand_in) == 1


def test_a_newer_word_in_the_shop_stands(stand_in: Any, client: Any, person: Any) -> None:
    stand_in.act("set_email_consent", customer_id=person.id, state="UNSUBSCRIBED", at=minutes(1))
    (outcome,) = WRITER.send(client, [item("SUBSCRIBED", 5)])

    assert (outcome.state, effects(stand_in)) == (OutcomeState.SKIPPED, 0)
    assert outcome.message == f"E-mail: Shopify holds a newer word of {minutes(1):%Y-%m-%d %H:%M:%S} UTC, which stands."
    assert sent(client, item("SUBSCRIBED", 1)) == [("skipped", "newer_there")]  # of one second, the withdrawal
    assert sent(client, item("SUBSCRIBED", 0.5)) == [("delivered", "")]


def test_nobody_is_subscribed_without_a_dated_act_of_the_person(stand_in: Any, client: Any, person: Any) -> None:
    stand_in.act("set_email_consent", customer_id=person.id, state="UNSUBSCRIBED", at=minutes(9))
    guessed = item("SUBSCRIBED", explicit=False)
    swapped = item("UNSUBSCRIBED", key="swapped")
    swapped.payload["emailMarketingConsent"]["marketingState"] = "SUBSCRIBED"  # a value table turned the wrong way round

    assert sent(client, guessed, swapped) == [("refused", "unproven_consent")] * 2
    assert effects(stand_in) == 0


def test_a_suppression_stands_against_a_newer_word(stand_in: Any, client: Any, person: Any) -> None:
    stand_in.act("set_email_consent", customer_id=person.id, state="UNSUBSCRIBED", at=minutes(9))
    stand_in.act("set_email_consent", customer_id=person.id, state="SUBSCRIBED", at=minutes(1))
    consent = Consent(channel="email", state=ConsentState.WITHDRAWN, stated_at=minutes(5), source="suppressed: bounce")
    record = ConsentChange(key="k", occurred_at=minutes(5), email="zoe@example.com", consents=(consent,))
    payload = item("UNSUBSCRIBED", 5).payload

    assert sent(client, Item(key="k", record=record, payload=payload)) == [("delivered", "")]


@pytest.mark.parametrize(
    "who",
    [{"email": "Zoe@Example.com"}, {"phone": "+447700900123"}, {"email": "gone@example.com", "phone": "+447700900123"}],
    ids=["address", "number", "number of somebody whose address is unknown"],
)
def test_people_are_found_by_what_is_known_of_them(client: Any, person: Any, who: dict[str, str]) -> None:
    channel = "email" if set(who) == {"email"} else "sms"
    (outcome,) = WRITER.send(client, [item("UNSUBSCRIBED", channel=channel, **who)])
    assert outcome.destination_key == str(person.id)


def test_an_id_of_another_system_that_looks_like_one_of_the_shop_s_changes_nobody(stand_in: Any, client: Any, person: Any) -> None:
    wrong = item("UNSUBSCRIBED", id=str(person.id), email="stranger@example.com")
    (outcome,) = WRITER.send(client, [wrong])

    assert (outcome.state, outcome.code, outcome.message) == (
        "skipped", "unknown_person", "Shopify has no customer with this address or number.",
    )  # fmt: skip
    assert effects(stand_in) == 0


def test_a_merged_customer_is_followed_to_the_one_that_is_left(stand_in: Any, client: Any, person: Any) -> None:
    other = stand_in.act("create_customer", first_name="Zoë")
    stand_in.act("merge_customers", kept_id=other.id, gone_id=person.id)
    (outcome,) = WRITER.send(client, [item("UNSUBSCRIBED", id=str(person.id), email="zoe@example.com")])

    assert (outcome.state, outcome.destination_key) == (OutcomeState.DELIVERED, str(other.id))


def test_who_has_no_number_there_needs_no_withdrawal_and_cannot_be_subscribed(stand_in: Any, client: Any) -> None:
    stand_in.act("create_customer", email="ada@example.com")
    who = {"email": "ada@example.com", "phone": "+442079460018"}
    withdrawn, granted = WRITER.send(
        client, [item("UNSUBSCRIBED", channel="sms", key="a", **who), item("SUBSCRIBED", channel="sms", key="b", **who)]
    )

    assert (withdrawn.state, withdrawn.code) == ("skipped", "no_handle")
    assert (granted.state, granted.code, granted.message) == (
        "refused", "MISSING_ARGUMENT", "A phone number is required to set the SMS consent state.",
    )  # fmt: skip


def test_a_consent_given_for_another_address_is_not_transferred(stand_in: Any, client: Any, person: Any) -> None:
    found_by_number = item("UNSUBSCRIBED", email="old@example.com", phone="+447700900123")
    assert sent(client, found_by_number) == [("skipped", "another_handle")]
    assert effects(stand_in) == 0


@pytest.mark.parametrize(("ahead", "state"), [(2, "later"), (600, "refused")])
def test_a_time_ahead_of_the_shop_s_clock_waits_for_it_unless_it_is_far_ahead(client: Any, person: Any, ahead: float, state: str) -> None:
    since_begun = (datetime.now(UTC) - NOW) / timedelta(minutes=1)
    (outcome,) = WRITER.send(client, [item("UNSUBSCRIBED", -since_begun - ahead)])
    assert (outcome.state, outcome.message) == (state, "Consent date can't be in the future")


def test_a_missing_scope_is_a_question_and_stops_nothing_else(stand_in: Any, client: Any, person: Any) -> None:
    stand_in.shop().scopes = set(stand_in.shop().scopes) - {"write_customers"}
    (outcome,) = WRITER.send(client, [item("UNSUBSCRIBED")])

    assert outcome.state == "refused"
    assert "write_customers" in outcome.message
    assert "Grant the scope" in outcome.message


def test_the_test_call_asks_for_the_scope_only_when_consent_is_to_be_written() -> None:
    lacks, has = Probe(ok=True, summary="", scopes=("read_customers",)), Probe(ok=True, summary="", scopes=("write_customers",))
    needs = {RecordType.CONSENT}

    assert [len(PLATFORM.write_problems(*case)) for case in ((lacks, set()), (lacks, needs), (has, needs))] == [0, 1, 0]
    assert "write_customers" in PLATFORM.write_problems(lacks, needs)[0]


def test_a_fault_before_anything_was_written_is_raised(stand_in: Any, client: Any, person: Any) -> None:
    stand_in.faults.add(Fault("status", path="graphql.json", status=401))
    with pytest.raises(Reconnect):
        WRITER.send(client, [item("UNSUBSCRIBED")])


def test_a_fault_after_the_first_write_spares_what_was_done(stand_in: Any, client: Any, person: Any) -> None:
    other = stand_in.act("create_customer", email="ada@example.com")
    stand_in.act("set_email_consent", customer_id=other.id, state="SUBSCRIBED", at=minutes(9))
    real, written = client.call, []

    def pause_after_one(name: str, variables: Any = None) -> Any:
        if name == "consent_email":
            if written:
                raise SlowDown("wait", seconds=3)
            written.append(name)
        return real(name, variables)

    client.call = pause_after_one
    outcomes = WRITER.send(client, [item("UNSUBSCRIBED", key="a"), item("UNSUBSCRIBED", key="b", email="ada@example.com")])

    assert [(outcome.key, outcome.state, outcome.resume_in) for outcome in outcomes] == [("a", "delivered", None), ("b", "later", 3)]
    assert stand_in.shop().customers.get(other.id).email_consent.state == "SUBSCRIBED"


def test_an_answer_that_was_lost_leads_to_one_effect(stand_in: Any, client: Any, person: Any) -> None:
    """What SIGKILL between write and store comes to: the same delivery is sent again."""
    real, lost = client.call, []

    def lose(name: str, variables: Any = None) -> Any:
        answer = real(name, variables)
        if name == "consent_email" and not lost:
            lost.append(name)
            raise TryLater("no answer", code="network")
        return answer

    client.call = lose
    with pytest.raises(TryLater):
        WRITER.send(client, [item("UNSUBSCRIBED")])

    assert sent(client, item("UNSUBSCRIBED")) == [("delivered", "held_there")]
    assert effects(stand_in) == 1


@pytest.mark.parametrize(
    ("payload", "fields"),
    [
        ({}, ["customer"]),
        ({"customer": {"id": "not-a-number"}}, ["customer"]),
        ({"customer": {"email": "a@example.com"}, "emailMarketingConsent": {"marketingState": "PENDING"}},
         ["emailMarketingConsent.marketingState"]),
        ({"customer": {"email": "a@example.com"}, "smsMarketingConsent": {"marketingState": "SUBSCRIBED", "marketingOptInLevel": "double"}},
         ["smsMarketingConsent.consentUpdatedAt", "smsMarketingConsent.marketingOptInLevel"]),
    ],
    ids=["nothing", "nobody", "unknown state", "no time and unknown level"],
)  # fmt: skip
def test_what_cannot_be_written_is_found_before_it_is_sent(payload: dict[str, Any], fields: list[str]) -> None:
    assert [problem.field for problem in WRITER.check(payload)] == fields
