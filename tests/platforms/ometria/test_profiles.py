"""A purchase event goes only where a profile waits for it."""

from collections.abc import Callable

import pytest

from integrations.platforms.base import Outcome, OutcomeState
from integrations.platforms.ometria import PLATFORM
from integrations.platforms.ometria.write.profiles import LOOK_AGAIN
from mapping.records import RecordType

EVENTS = PLATFORM.writers[RecordType.EVENT]
ACCEPTED, LATER, REFUSED = OutcomeState.ACCEPTED, OutcomeState.LATER, OutcomeState.REFUSED


@pytest.fixture
def send(connect, item, sample) -> Callable[..., Outcome]:
    """Sends one event of Ada, whose contact is there or not."""

    def go(event_type: str = "purchased", *, contact: bool = False, young: bool = False, settings: dict | None = None) -> Outcome:
        client = connect(**settings or {})
        if contact:
            client.push([sample("contact", email="ada@example.com")])
        payload = sample("event", event_type=event_type, identity_email="ada@example.com")
        made = item(payload)
        minutes = (client.now() - made.record.occurred_at).total_seconds() / 60 - 1 if young else 0
        (outcome,) = EVENTS.send(client, [item(payload, minutes=minutes)])
        return outcome

    return go


def test_a_purchase_of_somebody_known_is_pushed(send, stand_in):
    assert send(contact=True).state is ACCEPTED
    (event,) = stand_in.look("/events").values()
    assert event["profile_id"]


def test_a_purchase_of_nobody_is_not_pushed_and_says_so(send, stand_in):
    outcome = send()
    assert (outcome.state, outcome.code) == (REFUSED, "no_profile")
    assert outcome.message == "Ometria has no profile that “purchased” could update."
    assert stand_in.look("/events") == {}


def test_a_purchase_of_a_moment_ago_waits_for_its_contact(send):
    outcome = send(young=True)
    assert (outcome.state, outcome.code, outcome.resume_in) == (LATER, "no_profile", LOOK_AGAIN)


@pytest.mark.parametrize("values", [{"event_type": "product_viewed"}, {"settings": {"must_reach_profile": []}}], ids=["view", "off"])
def test_events_that_need_no_profile_are_pushed_without_a_look(send, stand_in, values):
    assert send(**values).state is ACCEPTED
    assert set(stand_in.look("/calls")) == {"POST /push"}


def test_an_event_that_names_no_address_is_pushed(client, item, sample):
    (outcome,) = EVENTS.send(client, [item(sample("event", event_type="purchased"))])
    assert outcome.state is ACCEPTED


def test_good_events_of_a_batch_go_when_another_has_nobody(client, item, sample):
    kinds = {"purchased": "1" * 32, "seen": "2" * 32}
    rows = [item(sample("event", id=key, event_type=kind, identity_email="ada@example.com"), key=kind) for kind, key in kinds.items()]
    assert {outcome.key: outcome.state for outcome in EVENTS.send(client, rows)} == {"purchased": REFUSED, "seen": ACCEPTED}
