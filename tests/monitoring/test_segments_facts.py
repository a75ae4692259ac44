"""Facts, the rule and its causes: people are counted once, and every number has its rows."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest
from django.utils import timezone

from integrations.models import Connection, Delivery, Flow
from mapping import codec
from mapping.records import Consent, ConsentState, CustomerRef, OrderStatus, Totals
from monitoring.models import ContactFact, FactMark, OrderFact, Segment
from monitoring.segments import causes, facts
from monitoring.segments.rule import Rule
from tests.factories import CustomerFactory, OrderFactory
from tests.rows import make_delivery, make_exception, make_flow

pytestmark = pytest.mark.django_db


def days_ago(number: float) -> Any:
    return timezone.now() - timedelta(days=number)


def order(
    flow: Flow, key: str, email: str = "", *, placed: float = 1, state: str = "delivered", worth: int = 10, **values: Any
) -> Delivery:
    """An order of somebody, some days ago."""
    moment, customer = days_ago(placed), CustomerRef(key=f"c-{email or key}", email=email)
    totals = Totals(total=Decimal(worth), net=Decimal(worth))
    record = OrderFactory(key=key, placed_at=moment, occurred_at=moment, customer=customer, totals=totals, **values)
    arrived = {"delivered_at": moment} if state == "delivered" else {}
    return make_delivery(flow, key, record=orjson.loads(codec.dumps(record)), occurred_at=moment, state=state, **arrived)


def contact(flow: Flow, email: str, said: ConsentState = ConsentState.GRANTED, *, state: str = "delivered") -> Delivery:
    """A contact who said something about e-mail."""
    consents = (Consent(channel="sms", state=ConsentState.GRANTED), Consent(channel="email", state=said, stated_at=days_ago(2)))
    record = CustomerFactory(key=f"c-{email}", email=email, consents=consents)
    return make_delivery(flow, f"c-{email}", record=orjson.loads(codec.dumps(record)), state=state)


def change(delivery: Delivery, **record: Any) -> None:
    """A later version of a record."""
    delivery.record |= record
    delivery.occurred_at = delivery.updated_at = timezone.now()
    delivery.save()


@pytest.fixture
def orders() -> Flow:
    return make_flow("order")


@pytest.fixture
def contacts(orders: Flow) -> Flow:
    return make_flow("customer")


def segment(flow: Flow, **rule: Any) -> Segment:
    made = Rule(sources=rule.pop("sources", ("any",)), days=rule.pop("days", 30), **rule)
    return Segment.objects.create(connection=flow.destination, list_id="1", title="Buyers", watched=True, rule=made.stored())


def size(row: Segment) -> int:
    scope = causes.scope_of(row, timezone.now())
    return causes.expected_size(scope)


def found(row: Segment, cause: str, since: Any = None) -> list[str]:
    scope = causes.scope_of(row, timezone.now(), since)
    return sorted(causes.CAUSES[cause].rows(scope).values_list("delivery__record_key", flat=True))


class TestFacts:
    def test_a_person_is_one_however_the_address_is_written_and_nobody_can_be_read_from_it(self, orders: Flow):
        order(orders, "1", "Ann@Example.com ")
        order(orders, "2", "ann@example.com")
        order(orders, "3")

        assert facts.catch_up(10)

        people = [fact.person for fact in OrderFact.objects.order_by("delivery__record_key")]
        readable = any("ann" in str(row).lower() for row in OrderFact.objects.values_list())
        assert (people[0] == people[1], people[0] == people[2], readable) == (True, False, False)

    def test_only_what_changed_is_read_again(self, orders: Flow):
        order(orders, "1", "ann@example.com")
        facts.catch_up(10)
        FactMark.objects.update(until=timezone.now())
        order(orders, "2", "bob@example.com")
        Delivery.objects.filter(record_key="1").update(record={})

        facts.catch_up(10)

        assert list(OrderFact.objects.order_by("pk").values_list("net", flat=True)) == [Decimal(10), Decimal(10)]

    def test_facts_remember_since_when_a_status_stands_and_not_when_it_was_merely_told_again(self, orders: Flow):
        delivery = order(orders, "1", "ann@example.com", placed=5)
        facts.catch_up(10)
        first = OrderFact.objects.get().status_since
        change(delivery, number="#other")
        facts.catch_up(10)
        unmoved = OrderFact.objects.get().status_since
        change(delivery, status="cancelled")
        facts.catch_up(10)

        assert (unmoved == first, OrderFact.objects.get().status_since == delivery.occurred_at) == (True, True)

    def test_records_that_lack_everything_do_not_stop_the_others(self, orders: Flow, contacts: Flow):
        make_delivery(orders, "bare", record={"lines": "none", "customer": None})
        make_delivery(contacts, "bare", record={"removed": True})
        order(orders, "1", "ann@example.com")

        facts.catch_up(10)

        assert (OrderFact.objects.count(), ContactFact.objects.get().consent, facts.filled().complete) == (2, "unknown", True)

    def test_a_deleted_delivery_takes_its_facts_along(self, orders: Flow):
        order(orders, "1", "ann@example.com")
        facts.catch_up(10)

        Delivery.objects.all().delete()

        assert OrderFact.objects.count() == 0


class TestTheRule:
    def test_people_are_counted_once_within_the_window_and_only_with_orders_that_count(self, orders: Flow):
        order(orders, "1", "ann@example.com")
        order(orders, "2", "ann@example.com", placed=3)
        order(orders, "3", "bob@example.com", placed=31)
        order(orders, "4", "cyd@example.com", status=OrderStatus.CANCELLED)
        order(orders, "5", "dan@example.com", state="blocked")
        facts.catch_up(10)

        assert size(segment(orders)) == 2  # ann, and dan whose order is held

    def test_value_is_what_a_person_spent_in_all_in_that_currency(self, orders: Flow):
        order(orders, "1", "ann@example.com", worth=60)
        order(orders, "2", "ann@example.com", worth=40)
        order(orders, "3", "bob@example.com", worth=99)
        order(orders, "4", "cyd@example.com", worth=500, currency="EUR")
        facts.catch_up(10)

        assert size(segment(orders, min_value=Decimal(100), currency="GBP")) == 1

    def test_any_of_the_products_is_enough(self, orders: Flow):
        order(orders, "1", "ann@example.com", skus=("MUG", "TEE"))
        order(orders, "2", "bob@example.com", skus=("CAP",))
        facts.catch_up(10)

        assert size(segment(orders, skus=("TEE", "SOCK"))) == 1

    def test_a_withdrawal_anywhere_outweighs_a_consent(self, orders: Flow, contacts: Flow):
        for name in ("ann", "bob", "cyd"):
            order(orders, name, f"{name}@example.com")
        contact(contacts, "ann@example.com")
        contact(contacts, "bob@example.com", ConsentState.WITHDRAWN)
        facts.catch_up(10)
        row = segment(orders, consent=True)

        assert (size(row), found(row, "no_consent")) == (1, ["bob", "cyd"])

    @pytest.mark.parametrize(("sources", "people"), [(("any",), 1), (("platform:shopify",), 1), (("platform:tiktok_shop",), 0)])
    def test_sources_are_all_of_a_platform_or_any(self, orders: Flow, sources: tuple[str, ...], people: int):
        order(orders, "1", "ann@example.com")
        facts.catch_up(10)

        assert size(segment(orders, sources=sources)) == people

    def test_a_rule_says_itself_in_a_sentence(self, orders: Flow):
        shop = Connection.objects.get(platform="shopify")
        rule = Rule(sources=(str(shop.pk),), days=90, min_value=Decimal(50), currency="GBP", skus=("A", "B"), consent=True)

        assert rule.words() == (
            "Everybody who placed an order at Example shop with A or B within 90 days and spent at least £50.00 there in that time "
            "and consented to e-mail and did not withdraw."
        )


class TestCausesOfWhatIsMissing:
    def test_each_state_on_the_way_is_a_cause_unless_another_order_of_the_person_arrived(self, orders: Flow):
        for key, state in (("held", "blocked"), ("ready", "ready"), ("sent", "accepted"), ("left-out", "skipped")):
            order(orders, key, f"{key}@example.com", state=state)
        order(orders, "arrived", "held-too@example.com")
        order(orders, "second", "held-too@example.com", state="blocked")
        facts.catch_up(10)
        row = segment(orders)

        assert {cause: found(row, cause) for cause in ("held", "on_the_way", "unconfirmed", "skipped")} == {
            "held": ["held"], "on_the_way": ["ready"], "unconfirmed": ["sent"], "skipped": ["left-out"],
        }  # fmt: skip

    def test_what_is_held_names_the_questions_it_waits_for(self, orders: Flow):
        question = make_exception(orders, subject="OLD-SKU")
        delivery = order(orders, "1", "ann@example.com", state="blocked")
        delivery.holds.create(exception=question)
        facts.catch_up(10)
        rows = causes.MISSING["held"].rows(causes.scope_of(segment(orders), timezone.now()))

        assert (causes.tally(rows), causes.questions(rows)) == (causes.Tally(1, 1), [(question.pk, "Unknown: OLD-SKU", 1)])

    def test_orders_that_arrived_after_the_last_refresh_are_told_apart(self, orders: Flow):
        order(orders, "before", "ann@example.com", placed=5)
        order(orders, "after", "bob@example.com", placed=1)
        order(orders, "again", "ann@example.com", placed=1)
        facts.catch_up(10)
        row = segment(orders)
        row.refreshed_at = days_ago(2)

        assert found(row, "too_new") == ["after"]

    def test_people_whose_contact_is_held_are_named(self, orders: Flow, contacts: Flow):
        order(orders, "1", "ann@example.com")
        contact(contacts, "ann@example.com", state="blocked")
        facts.catch_up(10)

        assert found(segment(orders), "contact_failed") == ["1"]


class TestCausesOfWhatChanged:
    def test_why_a_segment_shrank_is_told_with_exactly_the_records(self, orders: Flow, contacts: Flow):
        order(orders, "aged", "ann@example.com", placed=30.5)
        order(orders, "aged-but-back", "bob@example.com", placed=30.5)
        order(orders, "back", "bob@example.com", placed=2)
        cancelled = order(orders, "cancelled", "cyd@example.com", placed=5)
        held = order(orders, "held", "dan@example.com", placed=5)
        gone = contact(contacts, "eve@example.com")
        order(orders, "eves", "eve@example.com", placed=5)
        failed = contact(contacts, "fay@example.com")
        order(orders, "fays", "fay@example.com", placed=5)
        Delivery.objects.update(updated_at=days_ago(4))
        facts.catch_up(10)
        change(cancelled, status="cancelled")
        Delivery.objects.filter(pk=held.pk).update(state="blocked", updated_at=timezone.now())
        Delivery.objects.filter(pk=failed.pk).update(state="blocked", updated_at=timezone.now())
        said = {"channel": "email", "state": "withdrawn", "stated_at": timezone.now().isoformat()}
        change(gone, consents=[said])
        order(orders, "new", "gil@example.com", placed=0.1)
        facts.catch_up(10)
        row = segment(orders)

        assert {cause: found(row, cause, days_ago(1)) for cause in causes.CHANGED} == {
            "left_window": ["aged"], "newly_cancelled": ["cancelled"], "newly_held": ["held"], "unsubscribed": ["c-eve@example.com"],
            "newly_failed": ["c-fay@example.com"], "joined": ["new"],
        }  # fmt: skip
