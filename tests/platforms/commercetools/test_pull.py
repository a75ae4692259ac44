"""Pulling from a project that keeps changing: nothing missed, nothing read for ever, up to where the server's own clock says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from integrations.platforms.base import SoughtBy, Window
from integrations.platforms.commercetools import PLATFORM
from integrations.platforms.commercetools.client import Query, Where
from integrations.platforms.commercetools.find import find
from integrations.platforms.commercetools.look import LOOK
from integrations.platforms.commercetools.parse import parse
from integrations.platforms.commercetools.resources import CARTS, CUSTOMERS, ORDERS, PAYMENTS
from integrations.standins.commercetools.filler import fill, fill_orders, rewrite
from mapping.records import RecordType
from tests.platforms.commercetools.conftest import last_days, pull_all

LINES = [{"sku": "TEE", "quantity": 2}]
VOUCHER = {"name": {"en-GB": "Voucher"}, "slug": "voucher", "money": {"currencyCode": "GBP", "centAmount": -700}}
FEE = {"name": {"en-GB": "Wrapping"}, "slug": "wrapping", "money": {"currencyCode": "GBP", "centAmount": 250}}


@pytest.fixture
def small_pages(monkeypatch):
    """Pages of ten rows."""
    monkeypatch.setattr("integrations.platforms.commercetools.client.MOST", 10)


def goods(stand_in, *skus):
    for sku in skus or ("TEE", "MUG"):
        stand_in.act("create_product", name=f"Thing {sku}", variants=[{"sku": sku, "price": "20.00"}])


def test_changes_are_read_in_their_order_page_after_page(stand_in, connect, small_pages):
    made = fill(stand_in.project(), 45, days=10)
    found = pull_all(connect(), "customers", last_days())

    assert [raw.data["id"] for raw in found] == made
    assert {raw.shape for raw in found} == {"customer"}


def test_what_changes_while_pages_are_read_lies_in_the_next_window_and_nothing_is_missed(stand_in, connect, small_pages):
    project = stand_in.project()
    made = fill(project, 60, days=10)
    client = connect()
    first = pull_all(client, "customers", last_days(), between=lambda page: rewrite(project, count=15, seed=page) if page < 5 else None)
    since = datetime.fromisoformat(first[0].data["createdAt"])
    second = pull_all(client, "customers", Window(since=since))
    newest = {raw.data["id"]: raw.data["version"] for raw in (*first, *second)}

    assert set(newest) == set(made)
    assert newest == {key: row.version for key, row in project["customer"].rows.items()}


def test_a_pull_ends_at_the_server_s_clock_and_never_at_ours(stand_in, connect):
    fill(stand_in.project(), 3, days=1)
    client, window = connect(), Window(since=datetime.now(UTC) - timedelta(days=5), until=datetime.now(UTC) + timedelta(hours=3))
    page = PLATFORM.readers["customers"].pull(client, window, None)
    stand_in.advance(3600)
    later = PLATFORM.readers["customers"].pull(client, window, None)

    assert abs(page.reached - datetime.now(UTC)) < timedelta(seconds=5)
    assert timedelta(minutes=59) < later.reached - page.reached < timedelta(minutes=61)


def test_a_wider_overlap_reaches_further_back_than_the_usual_one(stand_in, connect):
    stand_in.act("register", email="ada@example.com", in_past_at=datetime.now(UTC).timestamp() - 400)
    window = Window(since=datetime.now(UTC) - timedelta(seconds=120))

    assert [len(pull_all(connect(**more), "customers", window)) for more in ({}, {"overlap_seconds": 600})] == [0, 1]


def test_history_is_swept_by_id_with_its_total_and_goes_on_where_it_stopped(stand_in, connect, small_pages):
    made = fill(stand_in.project(), 35, days=10)
    client, backfill = connect(), PLATFORM.readers["customers"].backfill
    first = backfill(client, last_days(), None)
    rest, cursor = [], first.cursor
    while cursor:
        page = backfill(connect(), last_days(), cursor)
        rest += page.objects
        cursor = page.cursor
    ids = [raw.data["id"] for raw in (*first.objects, *rest)]

    assert (first.total, ids) == (35, sorted(made))


def test_history_leaves_out_what_lies_outside_of_its_window(stand_in, connect):
    fill(stand_in.project(), 20, days=20)
    now = datetime.now(UTC)
    window = Window(since=now - timedelta(days=10), until=now - timedelta(days=5))
    client, found = connect(), pull_all(connect(), "customers", window, history=True)

    assert 0 < len(found) < 20
    assert PLATFORM.readers["customers"].backfill(client, window, None).total == len(found)


def test_what_is_made_during_a_sweep_comes_with_the_changes_since_before_it(stand_in, connect, small_pages):
    project = stand_in.project()
    fill(project, 40, days=10)
    began = datetime.now(UTC) - timedelta(seconds=1)
    client = connect()
    swept = pull_all(
        client, "customers", last_days(), history=True, between=lambda page: fill(project, 5, days=0.0001, prefix=f"new{page}")
    )
    since = pull_all(client, "customers", Window(since=began - timedelta(minutes=2)))

    assert {raw.data["id"] for raw in (*swept, *since)} == set(project["customer"].rows)


def test_orders_are_swept_by_time_of_purchase(stand_in, connect):
    fill_orders(stand_in.project(), 12, days=20)
    for row in list(stand_in.project()["order"].rows.values())[:3]:
        stand_in.act("touch", type_id="order", id=row.id)
    now = datetime.now(UTC)
    old = pull_all(connect(), "orders", Window(since=now - timedelta(days=25), until=now - timedelta(days=10.8)), history=True)

    assert len(old) == 6
    assert all(datetime.fromisoformat(raw.data["createdAt"]) < now - timedelta(days=10.8) for raw in old)


def test_a_refund_brings_its_order_though_the_order_did_not_change(stand_in, connect):
    goods(stand_in)
    order = stand_in.act("guest_order", email="ada@example.com", lines=LINES, paid=True, in_past_at=datetime.now(UTC).timestamp() - 86_400)
    stand_in.act("refund", order=order.id, amount=500, mark=False)
    window = Window(since=datetime.now(UTC) - timedelta(hours=1))
    client = connect()

    assert pull_all(client, "orders", window) == []
    (raw,) = pull_all(client, "payments", window)
    (record, *_) = parse(client.account, raw)
    assert (record.key, str(record.totals.refunded)) == (order.id, "5.00")


def test_carts_of_nobody_are_left_out(stand_in, connect):
    goods(stand_in)
    carts = [stand_in.act("add_to_cart", sku="TEE", anonymous_id=f"anon-{number}") for number in range(3)]
    stand_in.act("start_checkout", cart=carts[0].id, email="ada@example.com")
    stand_in.act("start_checkout", cart=carts[1].id)

    assert [raw.data["id"] for raw in pull_all(connect(), "carts", last_days())] == [carts[0].id]


# --- one thing ---------------------------------------------------------------------------------------------------------


def test_one_thing_is_found_by_number_id_address_or_customer(stand_in, connect):
    goods(stand_in)
    person = stand_in.act("register", email="Ada@example.com")
    own = stand_in.act("order", customer=person.id, lines=LINES, number="W-77")
    guest = stand_in.act("guest_order", email="eve@example.com", lines=LINES)
    client = connect()

    def ids(by, value):
        return [raw.data["id"] for raw in find(client, by, value)]

    assert ids(SoughtBy.ORDER_NUMBER, "W-77") == ids(SoughtBy.ORDER_NUMBER, "#W-77") == ids(SoughtBy.ORDER_ID, own.id) == [own.id]
    assert ids(SoughtBy.EMAIL, "ada@EXAMPLE.com") == ids(SoughtBy.CUSTOMER_ID, person.id) == [person.id]
    assert ids(SoughtBy.EMAIL, "eve@example.com") == [guest.id]
    assert ids(SoughtBy.ORDER_NUMBER, 'x" or id != "') == ids(SoughtBy.ORDER_ID, "../customers") == ids(SoughtBy.ORDER_ID, "none") == []


def test_single_objects_are_read_by_key_and_orders_counted_by_purchase(stand_in, connect):
    fill_orders(stand_in.project(), 12, days=20)
    keys = list(stand_in.project()["order"].rows)
    client, now = connect(), datetime.now(UTC)

    assert {raw.data["id"] for raw in LOOK.fetch(client, "orders", [*keys[:3], "gone"])} == set(keys[:3])
    assert LOOK.count(client, "orders", Window(since=now - timedelta(days=10.8), until=now)) == 6
    assert LOOK.count(client, "customers", Window(since=now - timedelta(days=10))) is None


def test_every_collection_answers_what_is_asked_of_it(connect):
    client = connect()
    for source in (CUSTOMERS, ORDERS, CARTS, PAYMENTS):
        span = {"since": "2026-01-01T00:00:00.000Z", "until": "2026-02-01T00:00:00.000Z"}
        query = Query(path=source.path, where=(Where(source.history, span), *source.only), expand=tuple(path for path, _ in source.expand))
        assert (client.page(query).rows, client.count(query)) == ([], 0)


# --- what a project tells as records -----------------------------------------------------------------------------------


def test_orders_of_a_project_keep_the_project_s_own_totals(stand_in, connect):
    fill_orders(stand_in.project(), 60, days=20, lines=4)
    goods(stand_in, "CAP")
    stand_in.act("discount_code", code="SPRING", percent=15)
    extras = ({"off_total": 1250}, {"gift": "CAP"}, {"code": "SPRING"}, {"custom_lines": [VOUCHER]}, {"custom_lines": [FEE]})
    for number, how in enumerate(extras):
        stand_in.act("guest_order", email=f"p{number}@example.com", lines=[{"sku": "CAP", "quantity": 3}], **how)
    client = connect()
    raws = {raw.data["id"]: raw.data for raw in pull_all(client, "orders", last_days())}
    records = [record for raw in pull_all(client, "orders", last_days()) for record in parse(client.account, raw)]
    orders = {record.key: record for record in records if record.record_type is RecordType.ORDER}

    assert set(orders) == set(stand_in.project()["order"].rows)
    for key, order in orders.items():
        gross = raws[key].get("taxedPrice", {}).get("totalGross", raws[key]["totalPrice"])
        totals = order.totals
        assert totals.total.scaleb(2) == gross["centAmount"]
        assert abs(totals.other) <= len(order.lines) * Decimal("0.01")  # tax is rounded by line and for the whole
        assert totals.subtotal - totals.discount + totals.shipping + totals.tax + totals.other == totals.total == totals.net
