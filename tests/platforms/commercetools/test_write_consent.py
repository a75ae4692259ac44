"""The consent writer against a project over real HTTP: only named fields, by version, after a last look."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.platforms.base import Item, OutcomeState
from integrations.platforms.commercetools import PLATFORM
from integrations.platforms.commercetools.client import CommercetoolsClient
from mapping.records import Consent, ConsentChange, ConsentState, RecordType

WRITER = PLATFORM.writers[RecordType.CONSENT]
NAMED = {
    "email_consent_field": "emailOptIn", "email_consent_time_field": "emailOptInAt",
    "sms_consent_field": "smsOptIn", "sms_consent_time_field": "smsOptInAt",
}  # fmt: skip
NOW = datetime.now(UTC).replace(microsecond=0)


def minutes(ago: float) -> datetime:
    return NOW - timedelta(minutes=ago)


def item(grants: bool, ago: float = 1, *, channel: str = "email", value: object = None, key: str = "k", **who: str) -> Item:
    """One channel of somebody, said so many minutes ago; `value` is what the mapping made of it."""
    who = who or {"email": "ada@example.com"}
    state = ConsentState.GRANTED if grants else ConsentState.WITHDRAWN
    consent = Consent(channel=channel, state=state, stated_at=minutes(ago), explicit=True)
    record = ConsentChange(key=key, occurred_at=minutes(ago), consents=(consent,), email=who.get("email", ""), phone=who.get("phone", ""))
    wish = {"value": grants if value is None else value, "at": minutes(ago).isoformat()}
    return Item(key=key, record=record, payload={"customer": dict(who), channel: wish})


@pytest.fixture
def client(connect: Callable[..., CommercetoolsClient]) -> CommercetoolsClient:
    return connect(**NAMED)


@pytest.fixture
def ada(stand_in: Any) -> Any:
    return stand_in.act("register", email="Ada@Example.com", consent={"email": True, "at": minutes(60).isoformat()})


def fields(stand_in: Any, row: Any) -> dict[str, Any]:
    return stand_in.project().get("customer", row.id).doc().get("custom", {}).get("fields", {})


def written(stand_in: Any) -> list[str]:
    """Names of the actions that reached the project."""
    return [effect.kind for effect in stand_in.ledger.effects() if effect.kind.startswith("customer.set")]


def test_value_and_time_are_written_to_the_named_fields_together(stand_in: Any, client: Any, ada: Any) -> None:
    (outcome,) = WRITER.send(client, [item(False, 2)])

    assert (outcome.state, outcome.destination_key) == (OutcomeState.DELIVERED, ada.id)
    assert fields(stand_in, ada)["emailOptIn"] is False
    assert datetime.fromisoformat(fields(stand_in, ada)["emailOptInAt"]) == minutes(2)
    assert WRITER.read_back(client, ada.id)["email"] == {"value": False, "at": minutes(2).isoformat()}


def test_what_is_there_already_is_not_written_again(stand_in: Any, client: Any, ada: Any) -> None:
    assert [outcome.code for _ in range(2) for outcome in WRITER.send(client, [item(False)])] == ["", "held_there"]
    assert written(stand_in) == ["customer.setCustomField"] * 2


def test_a_newer_word_there_stands(stand_in: Any, client: Any, ada: Any) -> None:
    stand_in.act("change_consent", customer=ada.id, email=False, at=minutes(1).isoformat())
    (outcome,) = WRITER.send(client, [item(True, 5)])

    assert (outcome.state, outcome.code) == (OutcomeState.SKIPPED, "newer_there")
    assert fields(stand_in, ada)["emailOptIn"] is False


def test_without_named_fields_nothing_is_ever_written(stand_in: Any, connect: Any, ada: Any) -> None:
    (outcome,) = WRITER.send(connect(), [item(False)])

    assert (outcome.state, outcome.code, written(stand_in)) == (OutcomeState.SKIPPED, "not_named", [])
    assert outcome.message == "E-mail: the connection names no custom field for it, so nothing is written back."


def test_a_change_made_in_between_is_read_again_and_decided_anew(stand_in: Any, client: Any, ada: Any) -> None:
    real, turns = client.post, []

    def meanwhile(path: str, body: Any) -> Any:
        if not turns:
            turns.append(path)
            stand_in.act("change_consent", customer=ada.id, email=False, at=minutes(0).isoformat())
        return real(path, body)

    client.post = meanwhile
    stand_in.act("change_consent", customer=ada.id, email=False, at=minutes(30).isoformat())
    (outcome,) = WRITER.send(client, [item(True, 5)])

    assert (outcome.state, outcome.code) == (OutcomeState.SKIPPED, "newer_there")
    assert fields(stand_in, ada)["emailOptIn"] is False


def test_a_customer_without_custom_fields_is_asked_about_until_a_type_is_named(stand_in: Any, client: Any, connect: Any) -> None:
    bea = stand_in.act("register", email="bea@example.com")
    (asked,) = WRITER.send(client, [item(False, email="bea@example.com")])
    assert (asked.state, asked.code, asked.field, written(stand_in)) == (OutcomeState.REFUSED, "no_custom_type", "emailOptIn", [])
    assert "Name the type that holds emailOptIn" in asked.message

    (done,) = WRITER.send(connect(**NAMED, consent_type_key="marketing-consent"), [item(False, email="bea@example.com")])
    assert (done.state, fields(stand_in, bea)["emailOptIn"]) == (OutcomeState.DELIVERED, False)


def test_a_field_that_the_type_does_not_have_names_the_remedy_and_wipes_nothing(stand_in: Any, connect: Any, ada: Any) -> None:
    before = fields(stand_in, ada)
    (outcome,) = WRITER.send(connect(email_consent_field="newsletter"), [item(False)])

    assert (outcome.state, outcome.field, fields(stand_in, ada)) == (OutcomeState.REFUSED, "newsletter", before)
    assert outcome.message.startswith("E-mail: commercetools does not take the field newsletter: ")
    assert outcome.message.endswith("Add it to the customer's custom type, or correct its name.")


@pytest.mark.parametrize(
    "who",
    [{"email": "nobody@example.com"}, {"id": "00000000-0000-4000-8000-000000000000"}, {"id": "../orders/1", "email": "nobody@example.com"}],
    ids=["address", "id", "no id at all"],
)
def test_somebody_unknown_is_passed_over_with_words(client: Any, ada: Any, who: dict[str, str]) -> None:
    (outcome,) = WRITER.send(client, [item(False, **who)])
    assert (outcome.state, outcome.code, outcome.message) == (
        "skipped", "unknown_person", "commercetools has no customer of this id or address.",
    )  # fmt: skip


def test_nobody_is_found_by_a_number(client: Any, ada: Any) -> None:
    (outcome,) = WRITER.send(client, [item(False, channel="sms", phone="+442079460018")])
    assert (outcome.state, outcome.code) == ("skipped", "unknown_person")
    assert "number" in outcome.message


def test_text_messages_of_a_known_customer_have_fields_of_their_own(stand_in: Any, client: Any, ada: Any) -> None:
    (outcome,) = WRITER.send(client, [item(False, channel="sms", id=ada.id, phone="+442079460018")])
    assert (outcome.state, fields(stand_in, ada)["smsOptIn"], fields(stand_in, ada)["emailOptIn"]) == ("delivered", False, True)


def test_one_address_in_two_stores_is_withdrawn_in_both_and_subscribed_in_none(stand_in: Any, client: Any) -> None:
    pair = [
        stand_in.act("register", email="ada@example.com", store=store, consent={"email": True, "at": minutes(60).isoformat()})
        for store in ("uk", "de")
    ]
    (withdrawn,) = WRITER.send(client, [item(False, 5)])
    (granted,) = WRITER.send(client, [item(True, 1)])

    assert (withdrawn.state, granted.state, granted.code) == ("delivered", "skipped", "several_people")
    assert [fields(stand_in, row)["emailOptIn"] for row in pair] == [False, False]


def test_nobody_is_subscribed_by_a_value_table_turned_the_wrong_way_round(stand_in: Any, client: Any, ada: Any) -> None:
    stand_in.act("change_consent", customer=ada.id, email=False, at=minutes(30).isoformat())
    (outcome,) = WRITER.send(client, [item(False, value=True)])

    assert (outcome.state, outcome.code) == ("refused", "unproven_consent")
    assert fields(stand_in, ada)["emailOptIn"] is False


def test_what_cannot_be_written_is_found_before_it_is_sent() -> None:
    problems = WRITER.check({"customer": {}, "email": {"value": 7}})
    assert [problem.field for problem in problems] == ["customer", "email.value"]
