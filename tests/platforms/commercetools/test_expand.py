"""Hints made whole: read once, as new as they say, and told in words when there is nothing to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from integrations.platforms.base import IncomingEvent, JsonObject
from integrations.platforms.commercetools.client import Query, Rows
from integrations.platforms.commercetools.expand import expand
from integrations.platforms.errors import SlowDown
from tests.platforms.commercetools.raw_orders import ACCOUNT, order, paid_with, payment

AT = datetime(2026, 11, 2, 16, 0, tzinfo=UTC)


class Project:
    """A project whose queries show what `shown` holds, while reads by id give what is there `now`; `asked` notes both."""

    account = ACCOUNT

    def __init__(self, *now: JsonObject) -> None:
        self.now = {row["id"]: row for row in now}
        self.shown = dict(self.now)
        self.asked: list[str] = []
        self.unfinished: dict[str, Any] = {}
        self.pause_at = ""

    def among(self, query: Query, ids: Sequence[str]) -> Iterator[JsonObject]:
        self.asked.append(f"{query.path} in {len(ids)}")
        yield from (self.shown[key] for key in ids if key in self.shown)

    def each(self, path: str, ids: Sequence[str], *, expand: Sequence[str] = ()) -> Iterator[tuple[str, JsonObject | None]]:
        for key in ids:
            if key == self.pause_at:
                raise SlowDown("one moment", seconds=1)
            self.asked.append(f"{path}/{key}")
            yield key, self.now.get(key)

    def page(self, query: Query) -> Rows:
        self.asked.append(f"{query.path} where {query.where[0].predicate}")
        wanted = set(query.where[0].variables["ids"])
        rows = [row for row in self.shown.values() if {entry["id"] for entry in row.get("paymentInfo", {}).get("payments", ())} & wanted]
        return Rows(rows, False)


def event(topic: str, key: str = "order-1", **body: Any) -> IncomingEvent:
    return IncomingEvent(topic=topic, dedup_key=f"{topic}:{key}", body=orjson.dumps(body), occurred_at=AT, hint=True, object_key=key)


def found(project: Project, *events: IncomingEvent) -> list[tuple[list[tuple[str, Any]], str]]:
    return [([(raw.shape, raw.data.get("version", raw.data)) for raw in done.objects], done.note) for done in expand(project, events)]


def test_many_hints_about_one_thing_are_one_question():
    project = Project(order(version=7), order(id="order-2", version=2))
    events = [event("order/OrderCreated"), event("order/ResourceUpdated", version=7), event("order/OrderStateChanged", "order-2")]

    assert found(project, *events) == [([("order", 7)], ""), ([("order", 7)], ""), ([("order", 2)], "")]
    assert project.asked == ["/orders in 2"]


def test_what_queries_do_not_show_yet_is_read_by_its_id():
    project = Project(order(version=7), order(id="order-2", version=2))
    project.shown = {"order-1": order(version=5)}

    message = event("order/OrderStateChanged", resourceVersion=7, sequenceNumber=3, version=1)

    assert found(project, message, event("order/OrderCreated", "order-2")) == [([("order", 7)], ""), ([("order", 2)], "")]
    assert project.asked == ["/orders in 2", "/orders/order-1", "/orders/order-2"]


def test_an_order_that_names_its_customer_only_gets_the_customer_s_address():
    row = {**order(version=7, customerId="c-1"), "customerEmail": None}
    project = Project(row, {"id": "c-1", "email": "ada@example.com"})
    (done,) = expand(project, [event("order/OrderCreated")])

    assert done.objects[0].data["customerEmail"] == "ada@example.com"
    assert project.asked == ["/orders in 1", "/customers in 1"]


def test_a_payment_leads_to_its_order_as_new_as_the_payment_is():
    old, new = order(**paid_with(payment(version=2))), order(version=7, **paid_with(payment(version=5)))
    project = Project(new)
    project.shown = {"order-1": old}
    (done,) = expand(project, [event("payment/PaymentTransactionAdded", "payment-1", resourceVersion=5, sequenceNumber=4)])

    assert [raw.data for raw in done.objects] == [new]
    assert project.asked == ["/orders where paymentInfo(payments(id in :ids))", "/orders/order-1"]


def test_a_payment_that_nobody_ordered_with_yet_is_told():
    assert found(Project(), event("payment/PaymentCreated", "payment-9")) == [
        ([], "Payment payment-9 belongs to no order (yet): its order brings it along."),
    ]  # fmt: skip


def test_a_deleted_customer_or_cart_is_taken_away_and_erasure_is_kept_in_mind():
    events = [event("customer/ResourceDeleted", "c-1", dataErasure=True, version=3), event("cart/ResourceDeleted", "k-1")]
    stamp = AT.isoformat()

    assert found(Project(), *events) == [
        ([("deleted:customer", {"id": "c-1", "at": stamp, "erased": True})], ""),
        ([("deleted:cart", {"id": "k-1", "at": stamp, "erased": False})], ""),
    ]  # fmt: skip


def test_a_deleted_order_is_told_in_words():
    assert found(Project(), event("order/OrderDeleted"), event("order/ResourceDeleted", dataErasure=True)) == [
        ([], "The order was deleted in commercetools."),
        ([], "The order was deleted in commercetools. The person asked for it: erase them here too, by their request."),
    ]


def test_a_deletion_is_not_believed_while_the_thing_is_there():
    assert found(Project(order(version=7)), event("order/OrderDeleted", version=99)) == [([("order", 7)], "")]


@pytest.mark.parametrize(
    ("topic", "words"),
    [("order/OrderCreated", "Order order-1 is not in commercetools any more"), ("subscription/ResourceCreated", "test notification"),
     ("review/ReviewCreated", "are not used")],
)  # fmt: skip
def test_an_event_about_nothing_is_told_in_words(topic, words):
    ((objects, note),) = found(Project(), event(topic))

    assert (objects, words in note) == ([], True)


def test_an_event_without_an_id_is_left_for_parsing_to_refuse():
    ((objects, _),) = found(Project(), event("order/OrderCreated", ""))

    assert objects[0][1]["reason"] == "no id of the order in it"


def test_what_was_fetched_before_a_pause_is_not_fetched_again():
    rows = [order(id=f"order-{number}", version=number) for number in (1, 2, 3)]
    project = Project(*rows)
    project.shown, project.pause_at = {}, "order-3"
    events = [event("order/OrderCreated", row["id"]) for row in rows]
    with pytest.raises(SlowDown):
        expand(project, events)
    project.pause_at, project.asked = "", []

    assert [objects for objects, _ in found(project, *events)] == [[("order", 1)], [("order", 2)], [("order", 3)]]
    assert (project.asked, project.unfinished) == (["/orders in 1", "/orders/order-3"], {})
