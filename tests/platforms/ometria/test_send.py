"""One push per batch, and the search for bad records that Ometria only counts."""

import pytest

from integrations.platforms.base import OutcomeState
from integrations.platforms.errors import Reconnect, SlowDown, TryLater
from integrations.platforms.ometria import PLATFORM
from integrations.platforms.ometria.write.push import MAX_SPLITS
from integrations.standins.faults import Fault
from mapping.records import RecordType

ORDERS, CONTACTS = PLATFORM.writers[RecordType.ORDER], PLATFORM.writers[RecordType.CUSTOMER]
ACCEPTED, REFUSED, LATER = OutcomeState.ACCEPTED, OutcomeState.REFUSED, OutcomeState.LATER
SAMPLE_OF = {"customer": "contact", "order": "order", "product": "product", "variant": "variant", "checkout": "checkout", "event": "event"}
KEY_OF = {
    "customer": "shopify:7001",
    "order": "shp-5001",
    "product": "P100",
    "variant": "V100-M",
    "checkout": "abandoned_checkout:9f1c2d3e4a5b46778899aabbccddeeff",
    "event": "order_delivered:1f1c2d3e4a5b46778899aabbccddee00",
}


@pytest.fixture
def orders(sample, item):
    """Orders by number."""
    return lambda count: [item(sample("order", id=f"shp-{number}"), key=str(number)) for number in range(count)]


@pytest.fixture
def contacts(sample, item):
    """Contacts by number; those in `bad` have no id, so Ometria rejects them as they arrive and only counts them."""

    def build(count: int, bad: set[int]) -> list:
        names = [{"id": None, "@collection": f"bad-{number}"} if number in bad else {"id": f"c-{number}"} for number in range(count)]
        return [item(sample("contact", **name), key=str(number)) for number, name in enumerate(names)]

    return build


def _states(outcomes) -> dict[str, OutcomeState]:
    return {outcome.key: outcome.state for outcome in outcomes}


@pytest.mark.parametrize("record_type", list(SAMPLE_OF))
def test_a_valid_record_of_every_type_is_accepted_with_a_receipt_and_stored(client, stand_in, sample, item, record_type):
    writer = PLATFORM.writers[record_type]

    outcomes = writer.send(client, [item(sample(SAMPLE_OF[record_type]), key="k")])

    assert [(outcome.key, outcome.state, outcome.destination_key) for outcome in outcomes] == [("k", ACCEPTED, KEY_OF[record_type])]
    assert outcomes[0].receipt == outcomes[0].request_id != ""
    assert writer.read_back(client, KEY_OF[record_type]) is not None
    assert stand_in.ledger.effects(kind="rejected") == []


def test_nothing_we_may_send_is_unknown_to_the_platform(client, stand_in, sample, item):
    for record_type, name in SAMPLE_OF.items():
        PLATFORM.writers[record_type].send(client, [item(sample(name))])

    assert dict(stand_in.account().unknown_keys) == {}


@pytest.mark.parametrize("record_type", list(SAMPLE_OF))
def test_every_target_field_is_one_the_platform_knows(client, stand_in, sample, record_type):
    values = {"string": "GB", "number": 1, "integer": 1, "boolean": True, "list": [], "object": {},
              "datetime": "2026-01-01T00:00:00Z", "date": "2026-01-01"}  # fmt: skip
    payload = {}
    for target in PLATFORM.targets[record_type]:
        level = payload
        *parents, name = target.path.split(".")
        for part in parents:
            child = level.setdefault(part.removesuffix("[]"), [{}] if part.endswith("[]") else {})
            level = child[0] if part.endswith("[]") else child
        level[name] = values[target.type]
    client.push([{**sample(SAMPLE_OF[record_type]), **payload, "@type": sample(SAMPLE_OF[record_type])["@type"]}])
    stand_in.account()

    assert dict(stand_in.account().unknown_keys) == {}


def test_a_batch_is_one_push(client, pacer, stand_in, orders):
    outcomes = ORDERS.send(client, orders(100))

    assert pacer.taken == ["push"]
    assert {outcome.receipt for outcome in outcomes} == {outcomes[0].receipt}
    assert _states(outcomes) == dict.fromkeys(map(str, range(100)), ACCEPTED)
    assert stand_in.ledger.counts()["order"] == 100


def test_an_empty_batch_makes_no_call(client, pacer):
    assert (list(ORDERS.send(client, [])), pacer.taken) == ([], [])


def test_what_does_not_fit_into_one_push_waits(client, pacer, orders):
    outcomes = ORDERS.send(client, orders(103))

    assert pacer.taken == ["push"]
    assert sorted(_states(outcomes).values()) == [ACCEPTED] * 100 + [LATER] * 3


def test_records_that_share_an_id_go_one_after_the_other_oldest_first(client, stand_in, sample, item):
    newer, older = sample("order", status="refunded"), sample("order", status="paid")

    outcomes = ORDERS.send(client, [item(newer, key="newer", minutes=1), item(older, key="older")])

    assert _states(outcomes) == {"older": ACCEPTED, "newer": LATER}
    assert [effect.payload["status"] for effect in stand_in.ledger.effects(kind="order")] == ["paid"]


def test_sending_the_same_record_again_changes_nothing(client, stand_in, orders):
    for _ in range(2):
        ORDERS.send(client, orders(3))

    assert len(stand_in.account().orders) == 3


@pytest.mark.parametrize(
    "bad",
    [{0}, {99}, {50}, {0, 99}, {10, 11, 12}, {0, 49, 50, 99}],
    ids=lambda bad: "-".join(map(str, sorted(bad))),
)
def test_rejected_records_are_found_and_the_others_accepted(client, stand_in, contacts, bad):
    outcomes = CONTACTS.send(client, contacts(100, bad))

    assert _states(outcomes) == {str(number): REFUSED if number in bad else ACCEPTED for number in range(100)}
    stored = {effect.key for effect in stand_in.ledger.effects(kind="contact")}
    assert stored == {f"shopify:c-{number}" for number in range(100) if number not in bad}


@pytest.mark.parametrize("bad", [0, 49, 73, 99])
def test_one_bad_record_of_a_hundred_costs_at_most_seven_further_pushes(client, pacer, contacts, bad):
    outcomes = CONTACTS.send(client, contacts(100, {bad}))

    refused = [outcome for outcome in outcomes if outcome.state is REFUSED]
    assert [(outcome.key, outcome.code) for outcome in refused] == [(str(bad), "rejected")]
    assert len(pacer.taken) <= 8


def test_accepted_records_keep_the_receipt_of_the_push_that_took_them(client, contacts, stand_in):
    outcomes = CONTACTS.send(client, contacts(4, {0}))

    delivered = CONTACTS.confirm(client, outcomes[-1].receipt, [(o.key, o.destination_key) for o in outcomes if o.receipt], 500)
    assert {outcome.state for outcome in delivered} == {OutcomeState.DELIVERED}
    assert all(outcome.receipt for outcome in outcomes if outcome.state is ACCEPTED)


def test_a_batch_rejected_whole_is_known_at_once(client, pacer, contacts):
    outcomes = CONTACTS.send(client, contacts(8, set(range(8))))

    assert set(_states(outcomes).values()) == {REFUSED}
    assert len(pacer.taken) == 1


def test_a_record_too_large_for_the_platform_is_the_only_one_refused(client, stand_in, orders):
    items = orders(20)
    items[7].payload["coupon_code"] = "x" * 61_000

    outcomes = ORDERS.send(client, items)

    assert _states(outcomes) == {str(number): REFUSED if number == 7 else ACCEPTED for number in range(20)}
    refused = next(outcome for outcome in outcomes if outcome.state is REFUSED)
    assert (refused.code, refused.message) == ("400", "HTTP 400: Payload invalid: Record is too large")


def test_the_search_stops_in_time_and_leaves_the_rest_for_later(client, pacer, orders):
    items = orders(100)
    for bad in items[::2]:
        bad.payload["coupon_code"] = "x" * 61_000

    states = _states(ORDERS.send(client, items))

    assert len(pacer.taken) == MAX_SPLITS + 1
    assert set(states) == {str(number) for number in range(100)}
    assert {state for state in states.values() if state is not LATER} == {ACCEPTED, REFUSED}
    assert all(number % 2 == 0 for number in map(int, states) if states[str(number)] is REFUSED)


def test_a_pause_asked_for_during_the_search_is_an_outcome_not_an_error(client, stand_in, orders):
    items = orders(4)
    items[0].payload["coupon_code"] = "x" * 61_000
    stand_in.faults.add(Fault(kind="status", path="/push", status=429, retry_after="7", every=2))

    outcomes = ORDERS.send(client, items)

    assert {(outcome.state, outcome.resume_in) for outcome in outcomes if outcome.code == "429"} == {(LATER, 7.0)}
    assert len(_states(outcomes)) == len(outcomes) == 4


@pytest.mark.parametrize(
    ("fault", "family"),
    [
        (Fault(kind="status", path="/push", status=429, retry_after="7"), SlowDown),
        (Fault(kind="status", path="/push", status=500), TryLater),
        (Fault(kind="status", path="/push", status=403), Reconnect),
    ],
    ids=["429", "500", "403"],
)
def test_a_fault_before_anything_was_considered_is_raised(client, stand_in, orders, fault, family):
    stand_in.faults.add(fault)

    with pytest.raises(family):
        ORDERS.send(client, orders(2))


def test_a_dropped_answer_is_sent_again_without_doubling(client, stand_in, orders):
    stand_in.faults.add(Fault(kind="reset_after_accept", path="/push"))
    with pytest.raises(TryLater):
        ORDERS.send(client, orders(2))

    outcomes = ORDERS.send(client, orders(2))

    assert _states(outcomes) == {"0": ACCEPTED, "1": ACCEPTED}
    assert len(stand_in.account().orders) == 2
