"""People of whom a source shows only part: what is masked never gets in, what is known never gets lost, a cancellation stays."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.engine.outbox import Cause, Result, claim_deliveries, enqueue, store_results, upsert
from integrations.flows import spec_for
from integrations.models import Delivery, Flow
from mapping.models import MaskingRule
from mapping.records import Customer, Order, OrderStatus
from tests.factories import CustomerFactory, OrderFactory, at
from tests.rows import make_flow

pytestmark = [pytest.mark.django_db(transaction=True)]
RELAY = "v4bDEMO7QK2@scs.tiktokw.eu"


def people() -> Flow:
    flow = make_flow("customer")
    flow.settings = {"settle_seconds": 0}
    flow.save()
    return flow


def put(flow: Flow, *records: Any) -> int:
    return upsert(flow, spec_for("shopify", "ometria", flow.record_type), records, cause=Cause.WEBHOOK)


def part(second: float, **values: Any) -> Customer:
    """A state of one person of whom only these fields are shown."""
    return Customer(key="tts:1:2", occurred_at=at(second), partial=True, **values)


def held() -> dict[str, Any]:
    """What is known of the person."""
    record = Delivery.objects.get().record
    return {name: record[name] for name in ("email", "phone", "first_name", "last_name", "country") if record[name]}


def sent(flow: Flow) -> None:
    claim = claim_deliveries(flow, 10)
    store_results(claim, [Result(delivery_id=row.id, state="delivered", outcome="delivered", sent_hash="h") for row in claim.rows])


def test_a_masked_value_never_reaches_the_outbox() -> None:
    flow = people()
    enqueue(flow.source, [CustomerFactory(key="7", email=RELAY, partial=True, phone="000")], cause=Cause.WEBHOOK)
    assert (held(), Delivery.objects.get().record["attributes"]) == ({"first_name": "Ada"}, {"masked": ["email", "phone"]})


def test_a_rule_that_staff_add_counts_for_the_next_record() -> None:
    flow = people()
    MaskingRule.objects.create(field="email", how="domain", pattern="example.com")
    enqueue(flow.source, [CustomerFactory(key="7")], cause=Cause.WEBHOOK)
    assert held() == {"first_name": "Ada"}


def test_an_empty_field_says_nothing_about_a_person_shown_in_part() -> None:
    flow = people()
    put(flow, part(1, email="ada@example.com", phone="+442079460018", first_name="Ada"))
    put(flow, part(2, last_name="Byron", first_name="Augusta"))
    assert held() == {"email": "ada@example.com", "phone": "+442079460018", "first_name": "Augusta", "last_name": "Byron"}


def test_an_older_state_that_comes_late_only_fills_gaps() -> None:
    flow = people()
    put(flow, part(5, first_name="Ada"))
    assert put(flow, part(1, first_name="Old", email="ada@example.com")) == 1
    row = Delivery.objects.get()
    assert (held(), row.occurred_at, row.version) == ({"first_name": "Ada", "email": "ada@example.com"}, at(5), 2)
    put(flow, part(3, email="newer@example.com"))
    assert held()["email"] == "newer@example.com"


def test_a_state_that_adds_nothing_is_not_sent_again() -> None:
    flow = people()
    put(flow, part(1, email="ada@example.com", first_name="Ada"))
    sent(flow)
    assert (put(flow, part(2, first_name="Ada")), Delivery.objects.get().state) == (0, "delivered")
    assert put(flow, part(1.5, first_name="In between")) == 0
    assert held() == {"email": "ada@example.com", "first_name": "Ada"}


def test_a_person_shown_whole_loses_what_the_source_emptied() -> None:
    flow = people()
    put(flow, CustomerFactory(key="7", occurred_at=at(1), phone="+442079460018"))
    put(flow, CustomerFactory(key="7", occurred_at=at(2)))
    assert "phone" not in held()


values = st.sampled_from(["", "", "a", "b"])
states = st.lists(
    st.builds(
        lambda second, fields, tag: part(second, **dict(zip(("email", "phone", "first_name"), fields, strict=True)), tags=tag),
        st.integers(0, 4), st.tuples(values, values, values), st.sampled_from([(), ("x",), ("y", "z")]),
    ),
    min_size=2, max_size=6,
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(states, st.randoms(use_true_random=False), st.integers(1, 6))
def test_states_in_any_order_and_any_batches_end_in_the_same_person(states: list[Customer], shuffle: random.Random, size: int) -> None:
    flow = Flow.objects.filter(record_type="customer").first() or people()
    ends = []
    for order in (states, shuffle.sample(states, len(states)), [*reversed(states), *states]):
        Delivery.objects.all().delete()
        for start in range(0, len(order), size):
            put(flow, *order[start : start + size])
        row = Delivery.objects.get()
        ends.append((row.record, row.occurred_at))
    assert ends[1:] == ends[:1] * 2
    for name in ("email", "phone", "first_name"):
        stated = [(state.occurred_at, getattr(state, name)) for state in states if getattr(state, name)]
        assert ends[0][0][name] == max(stated, default=(None, ""))[1]


ORDER = OrderFactory(key="1")
PAID = [replace(ORDER, occurred_at=at(second), tags=(str(second),)) for second in (1, 5.0, 5.2, 5.999999)]
GONE = [replace(ORDER, occurred_at=at(second), tags=(str(second),), status=OrderStatus.CANCELLED) for second in (5.0, 5.2, 5.7)]


@pytest.mark.parametrize("gone", GONE)
def test_a_cancellation_stands_whatever_order_the_messages_of_its_second_come_in(gone: Order) -> None:
    flow = make_flow("order")
    for arrival in itertools.permutations([*PAID[1:], gone]):
        for together in (True, False):
            Delivery.objects.all().delete()
            for batch in [arrival] if together else [[state] for state in arrival]:
                put(flow, PAID[0], *batch)
            assert Delivery.objects.get().record["status"] == "cancelled", (arrival, together)


def test_an_order_that_lives_on_in_a_later_second_is_taken_as_its_source_says() -> None:
    flow = make_flow("order")
    put(flow, GONE[0])
    put(flow, replace(ORDER, occurred_at=at(7)))
    assert Delivery.objects.get().record["status"] == "paid"
