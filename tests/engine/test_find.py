"""Finding anything: what is recognised in what people type, what is found by it, and that no look reads a whole table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.engine.find import Found, Thing, search
from integrations.engine.find_asked import from_token, recognise
from integrations.engine.find_terms import refill, remember
from integrations.engine.outbox import Cause, enqueue
from integrations.models import Delivery, Flow, SearchTerm
from mapping import codec
from mapping.models import Contact, ContactHandle
from mapping.records import CustomerRef, Product, Record, Variant
from tests.factories import BEGAN, CustomerFactory, OrderFactory
from tests.rows import make_attempt, make_delivery, make_event, make_exception, make_flow

ADA = CustomerFactory.build(key="7001", email="Ada.Byron@Example.com", phone="020 7946 0018", country="GB", last_name="Byron")


def shirt(key: str = "P1", title: str = "Red linen shirt") -> Product:
    return Product(key=key, occurred_at=BEGAN, title=title)


def variant(key: str = "V1", sku: str = "SHIRT-RED-M", **values: Any) -> Variant:
    return Variant(key=key, occurred_at=BEGAN, product_key="P1", sku=sku, product_title="Red linen shirt", title="M", **values)


def kept(record: Record) -> Delivery:
    """A record in the outbox, found as if it had just come."""
    flow = Flow.objects.filter(record_type=record.record_type).first() or make_flow(str(record.record_type))
    remember(flow.source_id, [record])
    return make_delivery(flow, record.key, record=orjson.loads(codec.dumps(record)))


@pytest.mark.parametrize(
    ("text", "personal", "handles", "key", "record_type"),
    [
        ("#1042", False, (), "#1042", ""),
        (" 1042 ", False, (), "1042", ""),
        ("Ada.Byron@Example.com", True, (("email", "ada.byron@example.com"),), "Ada.Byron@Example.com", ""),
        ("ada.byron@", True, (), "ada.byron@", ""),
        ("020 7946 0018", True, (("phone", "+442079460018"),), "020 7946 0018", ""),
        ("+44 (0)20 7946-0018", True, (("phone", "+442079460018"),), "+44 (0)20 7946-0018", ""),
        ("0044 20 79460018", True, (("phone", "+442079460018"),), "0044 20 79460018", ""),
        ("442079460018", True, (("phone", "+442079460018"),), "442079460018", ""),
        ("5678901234567", False, (), "5678901234567", ""),
        ("576460752303423488", False, (), "576460752303423488", ""),
        ("gid://shopify/Order/5678901234567", False, (), "5678901234567", "order"),
        ("https://admin.shopify.com/store/example/orders/5678901234567", False, (), "5678901234567", "order"),
        ("SHIRT-RED-M", False, (), "SHIRT-RED-M", ""),
    ],
)
def test_what_is_typed_is_recognised(text: str, personal: bool, handles: tuple[Any, ...], key: str, record_type: str):
    asked = recognise(text, ("GB",))

    assert (asked.personal, asked.handles, asked.key, asked.record_type) == (personal, handles, key, record_type)


def test_the_token_of_an_address_finds_the_same_and_cannot_be_turned_back(db: None):
    kept(ADA)
    token = recognise("ada.byron@example.com").token

    assert "ada" not in token
    assert [hit.thing for hit in search(from_token(token)).people] == [
        hit.thing for hit in search(recognise("ada.byron@example.com")).people
    ]
    assert [hit.thing.key for hit in search(from_token(token)).people] == ["7001"]


@pytest.mark.django_db(transaction=True)
def test_what_comes_to_the_outbox_can_be_found_without_keeping_addresses_in_clear():
    flow = make_flow("order")
    order = OrderFactory.build(key="5678", number="#1042", customer=CustomerRef(key="7001", email="ada@example.com", phone="+442079460018"))

    enqueue(flow.source, [order, ADA, shirt(), variant(barcode="4006381333931")], cause=Cause.WEBHOOK)
    enqueue(flow.source, [replace(order, occurred_at=order.occurred_at + timedelta(seconds=9))], cause=Cause.POLL)

    rows = SearchTerm.objects.exclude(kind__in=["email", "phone"]).order_by("kind", "term")
    assert list(rows.values_list("kind", "term", "record_type", "record_key")) == [
        ("barcode", "4006381333931", "variant", "V1"),
        ("number", "1042", "order", "5678"),
        ("sku", "shirt-red-m", "variant", "V1"),
        ("word", "linen", "product", "P1"),
        ("word", "red", "product", "P1"),
        ("word", "shirt", "product", "P1"),
    ]
    people = SearchTerm.objects.filter(kind__in=["email", "phone"])
    assert sorted(people.values_list("kind", "record_type", "record_key")) == [
        ("email", "customer", "7001"), ("email", "order", "5678"), ("phone", "customer", "7001"), ("phone", "order", "5678"),
    ]  # fmt: skip
    assert {term for term in people.values_list("term", flat=True) if "@" in term or "+" in term} == set()


@pytest.mark.django_db
def test_what_was_stored_before_there_were_terms_is_filled_up_once():
    flow = make_flow("order")
    make_delivery(flow, "5678", record=orjson.loads(codec.dumps(OrderFactory.build(key="5678", number="#1042"))))

    assert (refill(), refill(), [hit.thing.key for hit in search(recognise("1042")).orders]) == (2, 0, ["5678"])


@pytest.mark.django_db
def test_an_order_is_found_by_its_number_its_beginning_and_its_id_and_the_whole_number_comes_first():
    kept(OrderFactory.build(key="5678", number="#10420"))
    kept(OrderFactory.build(key="5679", number="#1042"))

    found = {text: [hit.thing.key for hit in search(recognise(text)).orders] for text in ("#1042", "1042", "104", "10420", "5678", "9")}

    assert found == {
        "#1042": ["5679", "5678"],
        "1042": ["5679", "5678"],
        "104": ["5679", "5678"],
        "10420": ["5678"],
        "5678": ["5678"],
        "9": [],
    }


@pytest.mark.django_db
@pytest.mark.parametrize(
    "text", ["ada.byron@example.com", "ADA.BYRON@EXAMPLE.COM", "020 7946 0018", "+44 20 7946 0018", "442079460018", "7001"]
)
def test_a_person_is_found_by_address_number_in_any_spelling_and_id(text: str):
    kept(ADA)

    assert [hit.thing for hit in search(recognise(text, ("GB",))).people] == [Thing("person", Flow.objects.get().source_id, "7001")]


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["ada.byron@", "ada", "0207946", "+4420794600"])
def test_nobody_is_found_by_the_beginning_of_an_address_or_number(text: str):
    kept(ADA)

    assert search(recognise(text, ("GB",))).count == 0


@pytest.mark.django_db
def test_customers_of_two_sources_that_are_one_contact_are_one_hit():
    kept(ADA)
    flow = Flow.objects.get()
    other = type(flow.source).objects.create(
        platform="tiktok_shop", name="Example TikTok", external_id="tts", base_url="http://127.0.0.1:9"
    )
    second = Flow.objects.create(source=other, destination=flow.destination, record_type="customer")
    buyer = CustomerFactory.build(key="tts:1:9", email="ada.byron@example.com")
    make_delivery(second, buyer.key, record=orjson.loads(codec.dumps(buyer)))
    remember(other.pk, [buyer])
    for key in ("7001", "tts:1:9"):
        ContactHandle.objects.create(connection=flow.destination, kind="source id", value=key, contact_key="om-1")

    (hit,) = search(recognise("ada.byron@example.com")).people

    assert (hit.also_at and True, len(hit.places), {hit.source, *hit.also_at}) == (True, 2, {"Example shop", "Example TikTok"})


@pytest.mark.django_db
def test_a_contact_that_only_the_destination_knows_is_found():
    flow = make_flow("customer")
    Contact.objects.create(connection=flow.destination, contact_key="om-9", facts={"emails": ["eve@example.com"], "first_name": "Eve"})
    ContactHandle.objects.create(connection=flow.destination, kind="email", value="eve@example.com", contact_key="om-9")

    (hit,) = search(recognise("eve@example.com")).people

    assert (hit.thing, hit.record["email"]) == (Thing("contact", flow.destination_id, "om-9"), "eve@example.com")


@pytest.mark.django_db
def test_products_are_found_by_words_in_any_order_and_skus_by_their_beginning_or_barcode():
    kept(shirt())
    kept(shirt("P2", "Red wool hat"))
    kept(variant(barcode="4006381333931"))

    def keys(text: str) -> tuple[list[str], list[str]]:
        found = search(recognise(text))
        return [hit.thing.key for hit in found.products], [hit.thing.key for hit in found.skus]

    assert {text: keys(text) for text in ("red", "shirt red", "lin", "hat blue", "shirt-red", "4006381333931")} == {
        "red": (["P1", "P2"], []), "shirt red": (["P1"], []), "lin": (["P1"], []), "hat blue": ([], []),
        "shirt-red": (["P1"], ["SHIRT-RED-M"]), "4006381333931": ([], ["SHIRT-RED-M"]),
    }  # fmt: skip


@pytest.mark.django_db
def test_ids_of_messages_requests_destinations_and_subjects_of_questions_are_found():
    flow = make_flow("order")
    row = make_delivery(flow, "5678", destination_key="shp-5678")
    make_attempt(row, request_id="req-77")
    event = make_event(flow.source, "wh-1", object_key="5678")
    question = make_exception(flow, subject="NEW-SKU")

    def kinds(text: str) -> dict[str, list[Any]]:
        found: Found = search(recognise(text))
        shown = {
            "orders": [hit.thing.key for hit in found.orders],
            "deliveries": found.deliveries,
            "events": found.events,
            "questions": found.questions,
        }
        return {name: rows for name, rows in shown.items() if rows}

    assert {text: kinds(text) for text in ("shp-5678", "req-77", "wh-1", "gid://shopify/Order/5678", "NEW-SKU")} == {
        "shp-5678": {"orders": ["5678"]}, "req-77": {"deliveries": [row]}, "wh-1": {"events": [event]},
        "gid://shopify/Order/5678": {"orders": ["5678"], "events": [event]}, "NEW-SKU": {"questions": [question]},
    }  # fmt: skip


# --- at volume ----------------------------------------------------------------------------------------------------------------

FILL = """
INSERT INTO integrations_delivery (flow_id, record_key, parent_key, record, occurred_at, version, lane, state, due_at, ready_since,
  attempts, destination_key, sent_hash, last_code, last_message, issues, manual, cause, created_at, updated_at)
SELECT %(flow)s, 'k' || n, '', jsonb_build_object('key', 'k' || n, 'number', '#' || n, 'title', 'Thing ' || n), now(), 1, 0, 'delivered',
  now(), now(), 0, 'far-' || n, '', '', '', '[]', false, 'webhook', now(), now() FROM generate_series(1, %(count)s) AS n;
INSERT INTO integrations_attempt (delivery_id, number, at, outcome, code, message, ms, request_id, manual)
SELECT id, 1, now(), 'delivered', '', '', 1, 'req-' || id, false FROM integrations_delivery;
INSERT INTO integrations_inboxevent (connection_id, topic, dedup_key, body, hint, object_key, lane, state)
SELECT %(source)s, 't', 'd' || n, '{}', false, 'k' || n, 0, 'done' FROM generate_series(1, %(count)s) AS n;
INSERT INTO integrations_syncexception (flow_id, kind, subject, title, detail, state, occurrences, note)
SELECT %(flow)s, 'unmapped_sku', 'S' || n, '', '', 'open', 1, '' FROM generate_series(1, %(count)s) AS n;
INSERT INTO integrations_searchterm (kind, term, connection_id, record_type, record_key)
SELECT (ARRAY['number', 'sku', 'email', 'word'])[1 + n %% 4], CASE n %% 4 WHEN 2 THEN md5(n::text) ELSE 't' || n END, %(source)s, 'order',
  'k' || n FROM generate_series(1, %(count)s) AS n;
INSERT INTO mapping_contacthandle (connection_id, kind, value, contact_key, chosen, created_at)
SELECT %(far)s, (ARRAY['email', 'source id'])[1 + n %% 2], 'v' || n || '@example.com', 'c' || n / 2, false, now()
FROM generate_series(1, %(count)s) AS n;
"""
BIG = {
    "integrations_delivery", "integrations_attempt", "integrations_inboxevent", "integrations_syncexception", "integrations_searchterm",
    "mapping_contacthandle",
}  # fmt: skip


@pytest.fixture
def filled(db: None) -> Callable[[int], None]:
    """Fills every table that is searched."""
    flow = make_flow("order")

    def fill(count: int) -> None:
        with database.cursor() as cursor:
            cursor.execute(FILL, {"flow": flow.pk, "source": flow.source_id, "far": flow.destination_id, "count": count})
            for table in BIG:
                cursor.execute(f"ANALYZE {table}")

    return fill


SEARCHES = ("t1001", "#1001", "k1001", "far-1001", "req-1001", "d1001", "S1001", "v1001@example.com", "+442079460018", "thing 1001", "t1")


def asked_of_the_database(text: str) -> list[str]:
    with CaptureQueriesContext(database) as captured:
        search(recognise(text))
    return [query["sql"] for query in captured.captured_queries]


def test_no_search_reads_a_whole_table(filled: Callable[[int], None]):
    filled(30_000)

    read = set()
    for text in SEARCHES:
        for sql in asked_of_the_database(text):
            with database.cursor() as cursor:
                cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}")
                read |= {(text, table) for table in whole_tables(cursor.fetchone()[0][0]["Plan"]) if table in BIG}
    assert read == set()


def whole_tables(plan: dict[str, Any]) -> set[str]:
    """Tables that a plan reads from end to end."""
    own = {plan["Relation Name"]} if plan["Node Type"] == "Seq Scan" else set()
    return own.union(*(whole_tables(part) for part in plan.get("Plans", ())))


def test_a_search_asks_the_database_equally_often_however_much_there_is(filled: Callable[[int], None]):
    few = {text: len(asked_of_the_database(text)) for text in SEARCHES}
    filled(3000)
    many = {text: len(asked_of_the_database(text)) for text in SEARCHES}

    assert max(many.values()) <= 22
    assert {text: (few[text], many[text]) for text in SEARCHES if many[text] - few[text] > 8} == {}


def test_a_search_of_much_takes_less_than_a_third_of_a_second(filled: Callable[[int], None]):
    filled(30_000)
    search(recognise("t1001"))
    began = timezone.now()
    for text in SEARCHES:
        search(recognise(text))

    assert (timezone.now() - began).total_seconds() / len(SEARCHES) < 0.3
