"""Accepted is not delivered: error list, read-back, grace."""

from collections.abc import Callable

import pytest

from integrations.platforms.base import Outcome, OutcomeState, Sent
from integrations.platforms.errors import SlowDown, TryLater
from integrations.platforms.ometria import PLATFORM
from integrations.standins.faults import Fault
from mapping.records import RecordType

ORDERS, CONTACTS = PLATFORM.writers[RecordType.ORDER], PLATFORM.writers[RecordType.CUSTOMER]
PRODUCTS, EVENTS = PLATFORM.writers[RecordType.PRODUCT], PLATFORM.writers[RecordType.EVENT]
DELIVERED, REFUSED, LATER = OutcomeState.DELIVERED, OutcomeState.REFUSED, OutcomeState.LATER
YOUNG, OLD, ANCIENT = 1.0, 121.0, 601.0


@pytest.fixture
def send(client, item) -> Callable[..., tuple[str, list[Sent]]]:
    """Send payloads and give back the receipt with what a caller would ask about."""

    def go(writer, payloads: list) -> tuple[str, list[Sent]]:
        items = [item(payload, key=str(number)) for number, payload in enumerate(payloads)]
        outcomes = writer.send(client, items)
        keys = {outcome.key: outcome.destination_key for outcome in outcomes}
        return outcomes[0].receipt, [Sent(item.key, keys[item.key], item.payload) for item in items]

    return go


def _states(outcomes) -> dict[str, OutcomeState] | None:
    return outcomes and {outcome.key: outcome.state for outcome in outcomes}


@pytest.fixture
def flood(client, stand_in, sample):
    """A hundred errors of someone else's, so that ours have scrolled out of the list."""

    def go() -> None:
        client.push([sample("order", id=f"other-{number}", currency="nope") for number in range(100)])
        assert len(stand_in.account().errors) == 100

    return go


def test_a_record_in_the_error_list_is_refused_with_its_field_in_our_words(client, send, sample):
    order = sample("order")
    order["lineitems"][0]["sku"] = "s" * 300
    receipt, sent = send(ORDERS, [order])

    assert ORDERS.confirm(client, receipt, sent, YOUNG) == [
        Outcome(
            key="0",
            state=REFUSED,
            destination_key="shp-5001",
            code="push_error",
            message="Ometria refused the record: lineitems[0].sku: not a valid value",
            field="lineitems[0].sku",
            request_id=receipt,
        )
    ]


def test_a_young_record_is_delivered_as_soon_as_ometria_shows_our_values(client, pacer, send, sample):
    receipt, sent = send(ORDERS, [sample("order")])
    pacer.taken.clear()

    assert ORDERS.confirm(client, receipt, sent, YOUNG) == [
        Outcome(key="0", state=DELIVERED, destination_key="shp-5001", request_id=receipt)
    ]
    assert pacer.taken == ["read", "read"]


def test_a_young_record_that_is_not_processed_yet_is_asked_about_again(client, stand_in, send, sample):
    stand_in.change_settings({"delay": 60.0})
    receipt, sent = send(ORDERS, [sample("order")])

    assert ORDERS.confirm(client, receipt, sent, YOUNG) is None


def test_an_older_state_at_the_platform_does_not_confirm_a_newer_one(client, stand_in, send, sample):
    send(ORDERS, [sample("order", status="paid")])
    stand_in.account()
    stand_in.change_settings({"delay": 60.0})
    receipt, sent = send(ORDERS, [sample("order", status="shipped")])

    assert ORDERS.confirm(client, receipt, sent, YOUNG) is None


def test_without_its_payload_a_young_record_waits_for_the_grace(client, send, sample):
    receipt, sent = send(ORDERS, [sample("order")])
    pairs = [(item.key, item.destination_key) for item in sent]

    assert ORDERS.confirm(client, receipt, pairs, YOUNG) is None
    assert _states(ORDERS.confirm(client, receipt, pairs, OLD)) == {"0": DELIVERED}


def test_after_the_grace_no_error_means_delivered_without_another_read(client, pacer, send, sample):
    receipt, sent = send(ORDERS, [sample("order", id=f"shp-{number}") for number in range(100)])
    pacer.taken.clear()

    assert _states(ORDERS.confirm(client, receipt, sent, OLD)) == {str(number): DELIVERED for number in range(100)}
    assert pacer.taken == ["read"]


def test_the_grace_is_a_setting_of_the_connection(connect, client, stand_in, send, sample):
    stand_in.change_settings({"delay": 60.0})
    receipt, sent = send(ORDERS, [sample("order")])

    assert ORDERS.confirm(connect(confirm_grace_seconds=10), receipt, sent, 9.0) is None
    assert _states(ORDERS.confirm(connect(confirm_grace_seconds=10), receipt, sent, 11.0)) == {"0": DELIVERED}


def test_good_and_bad_records_of_a_batch_part_ways(client, send, sample):
    payloads = [sample("contact", id=str(number), email=f"p{number}@example.com") for number in range(10)]
    payloads[3]["gender"] = payloads[7]["gender"] = "x"
    receipt, sent = send(CONTACTS, payloads)

    assert _states(CONTACTS.confirm(client, receipt, sent, OLD)) == {str(n): REFUSED if n in (3, 7) else DELIVERED for n in range(10)}


def test_errors_of_another_receipt_collection_or_type_are_not_ours(client, send, sample):
    receipt, sent = send(CONTACTS, [sample("contact")])
    send(CONTACTS, [sample("contact", gender="x")])
    send(PRODUCTS, [sample("product", id="7001", price=0)])

    assert _states(CONTACTS.confirm(client, receipt, sent, OLD)) == {"0": DELIVERED}


@pytest.mark.parametrize(
    ("changes", "ours"),
    [
        ({}, True),
        ({"request_id": "another"}, False),
        ({"record_type": "order"}, False),
        ({"record_id": "7002"}, False),
        ({"record": {"@type": "contact", "@collection": "tiktok_shop", "id": "7001"}}, False),
        ({"record": None}, True),
    ],
    ids=["all agree", "receipt", "type", "id", "collection", "no record repeated"],
)
def test_an_error_is_ours_when_receipt_type_id_and_collection_agree(client, stand_in, send, sample, changes, ours):
    receipt, sent = send(CONTACTS, [sample("contact")])
    record = {"@type": "contact", "@collection": "shopify", "id": "7001"}
    error = {"request_id": receipt, "record_type": "contact", "record_id": "7001", "record": record, "message": {"error_message": "no"}}
    stand_in.account().errors.append({**error, **changes})

    assert _states(CONTACTS.confirm(client, receipt, sent, OLD)) == {"0": REFUSED if ours else DELIVERED}


def test_a_share_of_zero_never_reads_back_early(connect, pacer, send, sample):
    receipt, sent = send(ORDERS, [sample("order")])
    pacer.taken.clear()

    assert ORDERS.confirm(connect(read_back_share=0), receipt, sent, YOUNG) is None
    assert pacer.taken == ["read"]


@pytest.mark.parametrize(
    ("writer", "name", "change", "most_reads"),
    [
        (ORDERS, "order", lambda n: {"id": f"shp-{n}", "timestamp": f"2026-01-08T14:{n % 60:02d}:00Z"}, 1),
        (CONTACTS, "contact", lambda n: {"id": f"c-{n}", "email": f"p{n}@example.com", "customer_id": f"m-{n}"}, 1),
        (PRODUCTS, "product", lambda n: {"id": f"P{n}"}, 1),
    ],
    ids=["orders", "contacts", "products"],
)
def test_a_whole_batch_is_confirmed_early_with_one_page(client, pacer, send, sample, writer, name, change, most_reads):
    receipt, sent = send(writer, [sample(name, **change(number)) for number in range(100)])
    pacer.taken.clear()

    assert _states(writer.confirm(client, receipt, sent, YOUNG)) == {str(number): DELIVERED for number in range(100)}
    assert pacer.taken == ["read"] * (1 + most_reads)


def test_contacts_of_two_collections_are_confirmed_together(client, send, sample):
    payloads = [sample("contact", id=str(n), **{"@collection": name}) for n, name in enumerate(["shopify", "optin:sms"])]
    receipt, sent = send(CONTACTS, payloads)

    assert _states(CONTACTS.confirm(client, receipt, sent, YOUNG)) == {"0": DELIVERED, "1": DELIVERED}


def test_events_are_looked_at_one_by_one_within_five_reads(client, pacer, send, sample):
    receipt, sent = send(EVENTS, [sample("event", id=f"{number:032d}") for number in range(8)])
    pacer.taken.clear()

    outcomes = EVENTS.confirm(client, receipt, sent, YOUNG)

    assert _states(outcomes) == {str(number): DELIVERED for number in range(5)}
    assert pacer.taken == ["read"] * 6


def test_a_batch_behind_a_thousand_others_stays_within_five_reads(client, pacer, send, sample):
    for start in range(0, 1_100, 100):
        client.push([sample("product", id=f"A{start + number:04d}") for number in range(100)])
    receipt, sent = send(PRODUCTS, [sample("product", id=f"Z{number}") for number in range(10)])
    pacer.taken.clear()

    outcomes = PRODUCTS.confirm(client, receipt, sent, YOUNG)

    assert set(_states(outcomes).values()) == {DELIVERED}
    assert pacer.taken == ["read"] * 6


def test_records_scattered_over_many_pages_take_no_more_than_five_reads(client, pacer, sample):
    wanted = []
    for number in range(6):
        wanted.append(sample("order", id=f"ours-{number}"))
        client.push([wanted[-1]])
        for batch in (range(100), range(100, 200), range(200, 249)):
            client.push([sample("order", id=f"other-{number}-{other}") for other in batch])
    pacer.taken.clear()

    outcomes = ORDERS.confirm(client, "receipt", [Sent(order["id"], order["id"], order) for order in wanted], YOUNG)

    assert _states(outcomes) == {f"ours-{number}": DELIVERED for number in range(5)}
    assert pacer.taken == ["read"] * 6


def test_a_pause_during_the_early_look_leaves_the_question_open(client, stand_in, send, sample):
    receipt, sent = send(ORDERS, [sample("order")])
    stand_in.faults.add(Fault(kind="status", path="/orders", status=429))

    assert ORDERS.confirm(client, receipt, sent, YOUNG) is None


def test_an_error_list_that_cannot_be_had_is_asked_for_again(client, stand_in, send, sample):
    receipt, sent = send(ORDERS, [sample("order")])
    stand_in.faults.add(Fault(kind="status", path="/push/_errors", status=500))

    with pytest.raises(TryLater):
        ORDERS.confirm(client, receipt, sent, OLD)


def test_a_pause_stated_for_the_error_list_is_passed_on(client, stand_in, send, sample):
    receipt, sent = send(ORDERS, [sample("order")])
    stand_in.faults.add(Fault(kind="status", path="/push/_errors", status=429, retry_after="3"))

    with pytest.raises(SlowDown) as raised:
        ORDERS.confirm(client, receipt, sent, OLD)

    assert (raised.value.seconds, raised.value.group) == (3.0, "read")


def test_when_errors_may_have_scrolled_away_only_what_is_seen_is_delivered(client, send, sample, flood):
    receipt, sent = send(ORDERS, [sample("order"), sample("order", id="shp-bad", currency="nope")])
    flood()

    assert _states(ORDERS.confirm(client, receipt, sent, OLD)) == {"0": DELIVERED}


def test_what_neither_failed_nor_shows_up_for_long_is_sent_again(client, send, sample, flood):
    receipt, sent = send(ORDERS, [sample("order"), sample("order", id="shp-bad", currency="nope")])
    flood()

    outcomes = ORDERS.confirm(client, receipt, sent, ANCIENT)

    assert _states(outcomes) == {"0": DELIVERED, "1": LATER}
    assert outcomes[1].code == "unconfirmed"


def test_an_old_full_error_list_that_reaches_back_is_enough(client, pacer, stand_in, send, sample, flood):
    flood()
    for error in stand_in.account().errors:
        error["timestamp"] = "2020-01-01T00:00:00+00:00"
    receipt, sent = send(ORDERS, [sample("order")])
    pacer.taken.clear()

    assert _states(ORDERS.confirm(client, receipt, sent, OLD)) == {"0": DELIVERED}
    assert pacer.taken == ["read"]


def test_an_anonymous_error_makes_us_look_before_calling_anything_delivered(client, stand_in, send, sample):
    receipt, sent = send(ORDERS, [sample("order"), sample("order", id="shp-bad", currency="nope")])
    errors = stand_in.account().errors
    errors.clear()
    errors.append({"error_message": "not a valid value", "error_path": "root > currency"})

    assert _states(ORDERS.confirm(client, receipt, sent, OLD)) == {"0": DELIVERED}


def test_an_account_with_positive_discounts_is_confirmed_by_what_was_really_sent(connect, stand_in, sample, item):
    client = connect(discount_sign="positive", default_store="example.com/uk")
    payload = sample("order", store="")
    outcome = ORDERS.send(client, [item(payload)])[0]

    delivered = ORDERS.confirm(client, outcome.receipt, [Sent(outcome.key, outcome.destination_key, payload)], YOUNG)

    assert _states(delivered) == {outcome.key: DELIVERED}
    assert ORDERS.read_back(client, "shp-5001")["discount"] == 5.0


def test_a_removed_product_is_sent_as_inactive_and_confirmed(client, send, sample):
    receipt, sent = send(PRODUCTS, [sample("product", is_active=False)])

    assert _states(PRODUCTS.confirm(client, receipt, sent, YOUNG)) == {"0": DELIVERED}
    assert PRODUCTS.read_back(client, "P100")["is_active"] is False
