"""The front door: keys, what a call as a whole is refused for, receipts, the queue, quotas."""

import uuid

import pytest
import requests


@pytest.mark.parametrize("key", ["", "wrong", "demo"])
def test_unknown_key_is_403_and_stores_nothing(api, contact, key):
    answer = api.with_key(key).push(contact())

    assert answer.status_code == 403
    assert answer.json() == {"status": "ERROR", "message": "API key is not authorised to access this resource"}
    assert api.look("/counts") == {}


def test_missing_key_is_403(api):
    assert requests.get(f"{api.base}/v2/lists", timeout=5).status_code == 403


def test_accounts_do_not_see_each_other(api, contact):
    second = api.with_key("second-key")
    api.push(contact(firstname="Ada"))
    second.push(contact(firstname="Grace"))

    assert api.read("/contacts/shopify/7001")["firstname"] == "Ada"
    assert second.with_key("second-key-next").read("/contacts/shopify/7001")["firstname"] == "Grace"
    assert [effect["key"] for effect in api.look("/ledger", kind="contact")] == ["shopify:7001", "second/shopify:7001"]


def test_new_key_works_once_it_is_active_and_a_revoked_one_no_more(api):
    api.act("/keys", account="demo", key="rotated", active_in=600)
    rotated = api.with_key("rotated")

    before = rotated.get("/lists").status_code
    api.act("/clock", advance=601)
    after = rotated.get("/lists").status_code
    requests.delete(f"{api.base}/_control/keys", json={"key": "rotated"}, timeout=5)

    assert (before, after, rotated.get("/lists").status_code) == (403, 200, 403)


def test_receipt_is_202_with_counts_and_a_request_id(api, contact):
    answer = api.push(contact(id="1", email="a@example.com"), contact(id="2", email="b@example.com"))
    receipt = answer.json()

    assert answer.status_code == 202
    assert str(uuid.UUID(receipt.pop("request_id")))
    assert receipt == {"status": "OK", "accepted": 2, "rejected": 0, "skipped": 0}


def test_elements_that_are_no_records_are_rejected_at_once_and_the_rest_is_taken(api, contact):
    bad = ["text", 7, {"@type": "customer", "id": "1"}, {"@type": "contact", "email": "x@example.com"}, {"id": "1"}]

    receipt = api.push(*bad, contact()).json()

    assert (receipt["accepted"], receipt["rejected"]) == (1, 5)
    assert list(api.look("/contacts")) == ["shopify:7001"]
    assert api.read("/push/_errors") == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"@type":"contact","id":"1"}', b"null"])
def test_body_that_is_no_array_of_records_is_400(api, body):
    answer = requests.post(f"{api.base}/v2/push", data=body, headers=api.headers, timeout=5)

    assert (answer.status_code, answer.json()["status"]) == (400, "ERROR")


def test_more_than_100_records_are_400_and_none_is_stored(api, contact):
    records = [contact(id=str(number), email=f"p{number}@example.com") for number in range(101)]

    assert api.push(*records).status_code == 400
    assert api.look("/counts") == {}
    assert api.push(*records[:100]).json()["accepted"] == 100


def test_record_over_60_kb_refuses_the_whole_call(api, contact):
    answer = api.push(contact(id="1"), contact(id="2", timezone="x" * 60_000))

    assert (answer.status_code, answer.json()["message"]) == (400, "Payload invalid: Record is too large")
    assert api.look("/counts") == {}


def test_large_call_of_small_records_is_taken(api, contact):
    records = [contact(id=str(number), email=f"p{number}@example.com", timezone="x" * 250, firstname="y" * 64) for number in range(100)]
    body_size = len(str(records))

    assert body_size > 40_000
    assert api.push(*records).status_code == 202


def test_mixed_types_are_400_unless_the_account_allows_them(api, contact, order):
    strict = api.push(contact(), order())
    api.act("/settings", strict_types=False)
    lenient = api.push(contact(), order())

    assert (strict.status_code, lenient.status_code) == (400, 202)
    assert api.look("/counts") == {"contact": 1, "order": 1}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/push", 405),
        ("PUT", "/v2/push", 405),
        ("POST", "/v2/orders", 405),
        ("POST", "/v2/contacts/shopify/1", 405),
        ("DELETE", "/v2/products/1", 405),
        ("GET", "/v2/nothing", 404),
        ("GET", "/v2/orders/1/lines", 404),
        ("GET", "/v1/orders", 404),
        ("GET", "/v2", 404),
    ],
)
def test_unknown_paths_are_404_and_wrong_methods_405(api, method, path, status):
    answer = requests.request(method, api.base + path, headers=api.headers, timeout=5)

    assert (answer.status_code, answer.json()["status"]) == (status, "ERROR")


def test_reads_show_nothing_before_the_delay_is_over(api, contact):
    api.act("/settings", delay=30)
    api.push(contact())

    before = (api.read("/contacts"), api.look("/counts"), api.look("/state")["counts"]["queued"])
    api.act("/clock", advance=31)

    assert before == ([], {}, 1)
    assert api.read("/contacts") == [{"collection": "shopify", "count": 1}]
    assert api.look("/counts") == {"contact": 1}


def test_records_are_applied_in_the_order_they_were_pushed(api, contact):
    api.act("/settings", delay=30)
    api.push(contact(firstname="First"), contact(firstname="Second"))
    api.push(contact(firstname="Third"))
    api.act("/clock", advance=31)

    assert [effect["payload"]["firstname"] for effect in api.look("/ledger")] == ["First", "Second", "Third"]
    assert api.read("/contacts/shopify/7001")["firstname"] == "Third"


def test_queue_headers_count_down_and_a_full_queue_is_429(api, contact):
    api.act("/settings", delay=30, queue_limit=3)

    answers = [api.push(contact(id=str(number)), contact(id=f"{number}b")) for number in range(2)]
    small = api.push(contact(id="last"))
    api.act("/clock", advance=31)
    later = api.push(contact(id="later"))

    seen = [(a.status_code, a.headers["X-QueueSize-Limit"], a.headers["X-QueueSize-Remaining"]) for a in [*answers, small, later]]
    assert seen == [(202, "3", "1"), (429, "3", "1"), (202, "3", "0"), (202, "3", "2")]


def test_queue_headers_can_be_absent(api, contact):
    api.act("/settings", queue_headers=False)

    assert "X-QueueSize-Remaining" not in api.push(contact()).headers


def test_push_quota_is_a_bucket_per_key_without_retry_after(api, contact):
    api.act("/settings", push_rate=2)

    answers = [api.push(contact()) for _ in range(3)]
    other = api.with_key("second-key").push(contact())
    reads = api.get("/lists")
    api.act("/clock", advance=1)
    later = api.push(contact())

    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert answers[2].json() == {"status": "ERROR", "message": "Too many requests"}
    assert "Retry-After" not in answers[2].headers
    assert (other.status_code, reads.status_code, later.status_code) == (202, 200, 202)


def test_read_quota_is_shared_by_all_reads_and_may_carry_retry_after(api):
    api.act("/settings", read_rate=2, retry_after="3")

    answers = [api.get(path) for path in ("/lists", "/orders", "/contacts")]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers["Retry-After"] == "3"


def test_quota_below_one_a_second_still_allows_the_first_call(api):
    api.act("/settings", merge_rate=1 / 60)
    ask = {"survivor": {"type": "customer_id", "value": "1"}, "customers_to_merge": [{"type": "customer_id", "value": "2"}]}

    answers = [api.post("/merge-profile", ask).status_code for _ in range(2)]
    api.act("/clock", advance=60)

    assert [*answers, api.post("/merge-profile", ask).status_code] == [202, 429, 202]


def test_unused_quota_is_not_saved_up(api):
    api.act("/settings", read_rate=2)
    api.get("/lists")
    api.act("/clock", advance=3600)

    assert [api.get("/lists").status_code for _ in range(3)] == [200, 200, 429]
