"""History by bulk operation: counts checked, scattered children gathered, every step safe to repeat."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from integrations.platforms.base import Page, RawObject, Window
from integrations.platforms.errors import Reconnect, Refused, TryLater
from integrations.platforms.shopify import PLATFORM, bulk, spool
from integrations.platforms.shopify.client import ShopifyClient
from integrations.platforms.shopify.parse import parse
from mapping import codec
from mapping.records import Order, Product
from tests.platforms.shopify.shop_orders import Spec, bulk_lines
from tests.platforms.shopify.test_pull import everything, lives, pull_all

JOB = "gid://shopify/BulkOperation/147595010"


@pytest.fixture
def client(connect, tmp_path):
    return connect(spool_dir=str(tmp_path))


@pytest.fixture
def scripted(make_account, script, pacer, tmp_path):
    return ShopifyClient(make_account(script.url, spool_dir=str(tmp_path)), pacer)


def backfill(client: Any, reader: str, window: Window, cursor: str | None = None) -> list[Page]:
    """Every page, waiting without sleeping long."""
    pages = []
    while True:
        page = PLATFORM.readers[reader].backfill(client, window, cursor)
        pages.append(page)
        if page.cursor is None:
            return pages
        assert len(pages) < 500
        cursor = page.cursor
        if page.resume_in:
            time.sleep(0.02)


def objects(pages: list[Page]) -> list[RawObject]:
    return [raw for page in pages for raw in page.objects]


def test_a_backfill_gives_the_same_orders_as_a_pull(stand_in, client, goods, person, earlier):
    with earlier():
        ids = lives(stand_in, goods, person)
    pages = backfill(client, "orders", everything())
    filled = {record.key: codec.dumps(record) for raw in objects(pages) for record in parse(client.account, raw)}
    pulled = {record.key: codec.dumps(record) for raw in pull_all(client, "orders", everything()) for record in parse(client.account, raw)}
    assert filled == pulled
    assert len(filled) == len(ids)
    assert pages[-1].total == len(ids)
    assert {raw.shape for raw in objects(pages)} == {"bulk:order", "graphql:order"}


def test_a_backfill_gives_the_same_customers_and_products_as_a_pull(stand_in, connect, goods, person, tmp_path):
    client = connect(spool_dir=str(tmp_path), metafields=["custom.birthday"], market_countries=["DE"])
    for reader in ("customers", "products"):
        filled = [codec.dumps(record) for raw in objects(backfill(client, reader, everything())) for record in parse(client.account, raw)]
        pulled = [codec.dumps(record) for raw in pull_all(client, reader, everything()) for record in parse(client.account, raw)]
        assert sorted(filled) == sorted(pulled)
        assert filled != []


def test_a_window_without_orders_ends_at_once(client, goods):
    pages = backfill(client, "orders", Window(since=datetime(2020, 1, 1, tzinfo=UTC), until=datetime(2020, 2, 1, tzinfo=UTC)))
    assert (pages[-1].cursor, objects(pages), pages[-1].total) == (None, [], 0)


def test_pages_hold_two_hundred_roots_and_know_the_total(stand_in, client, goods, earlier):
    with earlier():
        for _ in range(230):
            stand_in.act("create_order", lines=[{"variant_id": goods.variant_ids[0], "quantity": 1}])
    pages = [page for page in backfill(client, "orders", everything()) if page.objects]
    assert [len(page.objects) for page in pages] == [200, 30]
    assert pages[0].total == 230
    assert pages[0].note == "200 of 230 read"


def test_a_page_ends_early_when_many_orders_must_be_fetched_whole(stand_in, client, goods, earlier):
    with earlier():
        for _ in range(45):
            order = stand_in.act("create_order", lines=[{"variant_id": goods.variant_ids[0], "quantity": 1}])
            stand_in.act("refund", order_id=order.id, amount="1.00")
    pages = [page for page in backfill(client, "orders", everything()) if page.objects]
    assert [len(page.objects) for page in pages] == [20, 20, 5]


def test_the_spool_is_removed_at_the_end(stand_in, client, goods, person, tmp_path):
    backfill(client, "customers", everything())
    assert list(tmp_path.iterdir()) == []


def to_read(client: Any, reader: str) -> str:
    """The cursor of a backfill that is about to read its first page."""
    return next(page.cursor for page in backfill(client, reader, everything()) if page.cursor and '"read"' in page.cursor)


def test_a_spool_that_vanished_is_downloaded_again(stand_in, client, goods, person, tmp_path):
    cursor = to_read(client, "customers")  # the backfill went on and removed its spool
    assert list(tmp_path.iterdir()) == []
    assert len(objects(backfill(client, "customers", everything(), cursor))) == 1


def test_a_half_written_spool_is_downloaded_again(stand_in, client, goods, person, tmp_path):
    cursor = to_read(client, "customers")
    Path(orjson.loads(cursor)["path"]).write_bytes(b"SQLite format 3\x00 and then the machine died")
    assert len(objects(backfill(client, "customers", everything(), cursor))) == 1


def test_an_expired_address_runs_the_job_again(stand_in, client, goods, person):
    cursor = to_read(client, "customers")
    stand_in.shop().bulk.url_seconds = -10
    page = PLATFORM.readers["customers"].backfill(client, everything(), cursor)
    assert (orjson.loads(page.cursor)["stage"], page.note) == ("submit", "the file's address has expired: the job is run again")
    stand_in.shop().bulk.url_seconds = 600
    assert len(objects(backfill(client, "customers", everything(), page.cursor))) == 1


def test_a_failed_job_with_part_of_the_data_uses_it_and_goes_on(stand_in, client, goods, earlier):
    for minutes in range(30, 10, -1):
        with earlier(minutes):
            stand_in.act("create_order", lines=[{"variant_id": goods.variant_ids[0], "quantity": 1}])
    stand_in.shop().bulk.fail_next, stand_in.shop().bulk.fail_after = 1, 9
    pages = backfill(client, "orders", everything())
    found = [record for raw in objects(pages) for record in parse(client.account, raw)]
    assert len({order.key for order in found}) == 20
    assert all(len(order.lines) == 1 for order in found)
    assert any("going on after its last object" in page.note for page in pages)


def test_a_job_that_always_fails_stops_with_the_reason(stand_in, client, goods, person):
    stand_in.shop().bulk.fail_next, stand_in.shop().bulk.fail_after = 99, 0
    with pytest.raises(TryLater, match="in vain"):
        backfill(client, "customers", everything())


def test_no_free_place_means_waiting(script, scripted):
    payload = {"bulkOperation": None, "userErrors": [{"field": None, "message": "busy", "code": "LIMIT_REACHED"}]}
    script.then({"data": {"bulkOperationRunQuery": payload}})
    page = PLATFORM.readers["orders"].backfill(scripted, everything(), None)
    assert (page.resume_in, orjson.loads(page.cursor)["stage"]) == (30.0, "submit")


def test_a_refused_query_says_why(script, scripted):
    payload = {"bulkOperation": None, "userErrors": [{"field": ["query"], "message": "Invalid query", "code": "INVALID"}]}
    script.then({"data": {"bulkOperationRunQuery": payload}})
    with pytest.raises(Refused, match="Invalid query"):
        PLATFORM.readers["orders"].backfill(scripted, everything(), None)


def waiting(**more: Any) -> str:
    return bulk.Cursor(stage="wait", job=JOB, until="2026-11-20T00:00:00+00:00", **more).text()


def job(status: str = "COMPLETED", **more: Any) -> dict:
    plain = {
        "id": JOB,
        "status": status,
        "errorCode": None,
        "objectCount": "0",
        "rootObjectCount": "0",
        "url": None,
        "partialDataUrl": None,
    }
    return {"data": {"bulkOperation": {**plain, **more}}}


def test_a_running_job_is_polled_and_shows_its_count(script, scripted):
    script.then(job("RUNNING", objectCount="1234"))
    page = PLATFORM.readers["orders"].backfill(scripted, everything(), waiting())
    assert (page.cursor, page.resume_in) == (waiting(), 5.0)
    assert "1234 objects so far" in page.note


def test_zero_objects_have_no_file(script, scripted):
    script.then(job())
    assert PLATFORM.readers["orders"].backfill(scripted, everything(), waiting()) == Page(total=0, note="nothing in this window")


@pytest.mark.parametrize(("status", "more", "family"), [("CANCELED", {}, Refused), ("FAILED", {"errorCode": "ACCESS_DENIED"}, Reconnect)])
def test_a_job_that_cannot_go_on_asks_a_person(script, scripted, status, more, family):
    script.then(job(status, **more))
    with pytest.raises(family):
        PLATFORM.readers["orders"].backfill(scripted, everything(), waiting())


@pytest.mark.parametrize(("status", "more"), [("EXPIRED", {}), ("FAILED", {"errorCode": "TIMEOUT"})])
def test_a_job_that_died_is_run_again(script, scripted, status, more):
    script.then(job(status, **more))
    page = PLATFORM.readers["orders"].backfill(scripted, everything(), waiting())
    assert (orjson.loads(page.cursor)["stage"], orjson.loads(page.cursor)["tries"]) == ("submit", 1)


def served(script, lines: list[dict], *, objects: int | None = None, roots: int = 1) -> None:
    """A finished job and its file; `objects` is what the job claims to hold."""
    file = b"".join(orjson.dumps(line) + b"\n" for line in lines)
    count = str(len(lines) if objects is None else objects)
    script.then(job(objectCount=count, rootObjectCount=str(roots), url=f"{script.url}/file.jsonl?sig=1")).then(raw=file)


def test_the_file_is_fetched_without_the_token(script, scripted):
    served(script, bulk_lines(Spec()))
    PLATFORM.readers["orders"].backfill(scripted, everything(), waiting())
    assert (script.calls[-1][0], script.calls[-1][1]) == ("GET", "/file.jsonl?sig=1")
    assert "x-shopify-access-token" not in script.calls[-1][2]


@pytest.mark.parametrize(("objects", "roots"), [(3, 1), (2, 2)])
def test_a_file_that_holds_less_than_the_job_counted_starts_the_slice_again(script, scripted, objects, roots, tmp_path):
    served(script, bulk_lines(Spec()), objects=objects, roots=roots)
    page = PLATFORM.readers["orders"].backfill(scripted, everything(), waiting())
    assert orjson.loads(page.cursor)["stage"] == "submit"
    assert "not whole" in page.note
    assert list(tmp_path.iterdir()) == []


def test_the_fourth_wrong_file_is_a_fault(script, scripted):
    served(script, bulk_lines(Spec()), objects=99)
    with pytest.raises(TryLater, match="in vain"):
        PLATFORM.readers["orders"].backfill(scripted, everything(), waiting(tries=3))


def test_a_download_cut_short_is_tried_later_and_leaves_nothing(script, scripted, tmp_path):
    script.then(job(objectCount="2", rootObjectCount="1", url=f"{script.url}/f")).then(
        raw=b'{"id":"x"}\n', Content_Length="99999", Connection="close"
    )
    with pytest.raises(TryLater):
        PLATFORM.readers["orders"].backfill(scripted, everything(), waiting())
    assert list(tmp_path.iterdir()) == []


def test_children_far_from_their_parent_are_gathered(script, scripted):
    first, second = bulk_lines(Spec()), bulk_lines(Spec())
    for line in second:
        line.update({name: line[name].replace("820982911946154508", "2") for name in ("id", "__parentId") if name in line})
    second[1]["id"] = "gid://shopify/LineItem/77"
    served(script, [first[0], second[0], second[1], first[1]], roots=2)
    page = PLATFORM.readers["orders"].backfill(scripted, everything(), waiting())
    page = PLATFORM.readers["orders"].backfill(scripted, everything(), page.cursor)
    orders: list[Order] = [parse(scripted.account, raw)[0] for raw in page.objects]
    assert [(order.key, [line.key for line in order.lines]) for order in orders] == [
        ("820982911946154508", ["466157049000"]),
        ("2", ["77"]),
    ]


def test_a_grandchild_finds_its_root(tmp_path, script):
    lines = [{"id": "gid://shopify/Product/1"}, {"id": "gid://shopify/ProductVariant/2", "__parentId": "gid://shopify/Product/1"},
             {"id": "gid://shopify/Metafield/3", "__parentId": "gid://shopify/ProductVariant/2"}]  # fmt: skip
    script.then(raw=b"\n".join(orjson.dumps(line) for line in lines))
    assert spool.download(f"{script.url}/f", tmp_path / "s") == spool.Counts(3, 1)
    ((_, _, children),) = spool.read(tmp_path / "s", 0, 10)
    assert [child["id"] for child in children] == ["gid://shopify/ProductVariant/2", "gid://shopify/Metafield/3"]


def test_cancelling_stops_the_job_and_removes_the_spool(stand_in, client, goods, person, tmp_path):
    stand_in.shop().bulk.seconds = 5
    page = PLATFORM.readers["customers"].backfill(client, everything(), None)
    assert bulk.cancel(client, page.cursor) is True
    (tmp_path / "old").write_text("x")
    assert bulk.cancel(client, bulk.Cursor(stage="read", path=str(tmp_path / "old")).text()) is False
    assert list(tmp_path.iterdir()) == []


def test_nothing_newer_than_the_index_is_promised(client, goods):
    page = PLATFORM.readers["orders"].backfill(client, Window(since=datetime.now(UTC) - timedelta(days=1)), None)
    until = datetime.fromisoformat(orjson.loads(page.cursor)["until"])
    assert timedelta(seconds=29) < datetime.now(UTC) - until < timedelta(seconds=40)


def test_bulk_products_name_the_shops_currency(stand_in, client, goods):
    raw = objects(backfill(client, "products", everything()))[0]
    product = parse(client.account, raw)[0]
    assert isinstance(product, Product)
    assert product.prices[0].currency == "GBP"
