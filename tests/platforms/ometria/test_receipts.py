"""Answers of Ometria as values: push counts, error lists, paths."""

from datetime import UTC, datetime, timedelta

import pytest

from integrations.platforms.errors import TryLater
from integrations.platforms.ometria.backoff import Backoff
from integrations.platforms.ometria.receipts import (
    ErrorList,
    PushError,
    PushReceipt,
    field_path,
    parse_errors,
    parse_receipt,
    problem_text,
)

NOW = datetime(2026, 1, 10, 8, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("body", "accepted", "rejected"),
    [
        ({"status": "OK", "request_id": "r", "accepted": 3, "rejected": 0, "skipped": 0}, 3, 0),
        ({"status": "OK", "request_id": "r", "accepted": 2, "rejected": 1}, 2, 1),
        ({"status": "OK", "request_id": "r", "accepted": 2, "rejected": 0, "skipped": 1}, 3, 0),
        ({"status": "OK", "request_id": "r"}, 3, 0),
        ({"status": "ERROR", "request_id": "r", "accepted": 0, "rejected": 3}, 0, 3),
        ({"status": "OK", "request_id": "r", "accepted": 2}, 2, 1),
        ({"status": "OK", "request_id": "r", "accepted": 0, "rejected": 9}, 0, 3),
    ],
)
def test_a_push_is_judged_by_its_counts(body, accepted, rejected):
    assert parse_receipt(body, 3) == PushReceipt(request_id="r", accepted=accepted, rejected=rejected)


@pytest.mark.parametrize("body", [None, [], "OK", {}, {"success": True}, {"status": "ERROR"}])
def test_an_answer_that_says_nothing_of_the_records_is_tried_again(body):
    with pytest.raises(TryLater):
        parse_receipt(body, 3)


def test_a_receipt_without_request_id_still_gets_a_name_of_its_own():
    first, second = (parse_receipt({"status": "OK", "accepted": 1}, 1).request_id for _ in range(2))

    assert first.startswith("unnamed-")
    assert first != second


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("root > lastname", "lastname"),
        ("root > lineitems > 0 > sku", "lineitems[0].sku"),
        ("root > lineitems > 0 > variant_options > 12 > label", "lineitems[0].variant_options[12].label"),
        ("root", ""),
        ("", ""),
        ("customer>email", "customer.email"),
    ],
)
def test_an_error_path_reads_like_a_target_field(written, path):
    assert field_path(written) == path


def test_the_full_shape_names_record_and_field(rows):
    assert parse_errors(rows("push_errors_full")) == (
        PushError(
            request_id="0b6f8c52-6f0e-4a52-9d07-2c1b5f9f6a11",
            kind="order",
            record_id="shp-5001",
            at=datetime(2026, 1, 10, 8, 15, 4, tzinfo=UTC),
            field="lineitems[0].sku",
            message="not a valid value",
        ),
        PushError(
            request_id="0b6f8c52-6f0e-4a52-9d07-2c1b5f9f6a11",
            kind="contact",
            record_id="c-1042",
            owner="shopify",
            at=datetime(2026, 1, 10, 8, 15, 3, tzinfo=UTC),
            field="lastname",
            message="not a valid value",
        ),
    )


def test_the_flat_shape_keeps_field_and_message(rows):
    assert parse_errors(rows("push_errors_flat")) == (PushError(field="lastname", message="not a valid value"),)


@pytest.mark.parametrize("body", [None, {}, "[]", 7])
def test_an_error_list_that_is_no_list_holds_nothing(body):
    assert parse_errors(body) == ()


def _list(count: int, oldest: datetime, record_id: str = "1") -> ErrorList:
    return ErrorList(errors=tuple(PushError(record_id=record_id, at=oldest + timedelta(seconds=n)) for n in range(count)), asked_at=NOW)


@pytest.mark.parametrize(
    ("listed", "complete"),
    [
        (_list(0, NOW), True),
        (_list(99, NOW), True),
        (_list(100, NOW + timedelta(seconds=1)), False),
        (_list(100, NOW - timedelta(seconds=1)), True),
        (_list(1, NOW, record_id=""), False),
    ],
)
def test_an_error_list_tells_all_unless_it_is_full_or_anonymous(listed, complete):
    assert listed.tells_all_since(NOW) is complete


def test_several_errors_of_a_record_become_one_sentence():
    errors = [PushError(field="lastname", message="not a valid value"), PushError(message="too odd"), PushError(message="too odd")]

    assert problem_text(errors) == "lastname: not a valid value; too odd"


def test_waits_double_up_to_a_minute_and_start_afresh_after_a_success():
    backoff = Backoff(uniform=lambda low, high: (low, high))

    grown = [backoff.next() for _ in range(8)]
    backoff.reset()

    assert grown == [(1.0, high) for high in (2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0)]
    assert backoff.next() == (1.0, 2.0)
