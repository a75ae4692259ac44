"""What goes wrong on order: before a call, after it, on the way."""

import pytest
import requests

from tests.standins.commercetools.conftest import Caller

DRAFT = {"email": "ada@example.com", "password": "x"}


def test_a_500_after_the_commit_leaves_what_was_written(caller: Caller) -> None:
    caller.control("POST", "/failures", {"code": "General", "after": True, "method": "POST", "path": "/customers"})

    assert caller.refusal("POST", "/customers", DRAFT) == (500, "General")
    assert [one["email"] for one in caller.query("/customers")] == ["ada@example.com"]


def test_a_500_before_the_commit_leaves_nothing(caller: Caller) -> None:
    caller.control("POST", "/failures", {"code": "General", "path": "/customers"})

    assert caller.refusal("POST", "/customers", DRAFT) == (500, "General")
    assert caller.query("/customers") == []


def test_a_burst_of_503_ends(caller: Caller) -> None:
    caller.control("POST", "/failures", {"code": "OverCapacity", "times": 2, "path": "/orders"})

    assert [caller.call("GET", "/orders").status_code for _ in range(3)] == [503, 503, 200]


def test_a_429_says_when_to_come_back(caller: Caller) -> None:
    caller.use()
    caller.control("POST", "/failures", {"status": 429, "retry_after": "7"})
    answer = caller.call("GET", "/orders")

    assert (answer.status_code, answer.headers["Retry-After"], answer.json()["statusCode"]) == (429, "7", 429)


def test_infrastructure_may_answer_with_a_page(caller: Caller) -> None:
    caller.use()
    caller.control("POST", "/failures", {"status": 502, "html": True})
    answer = caller.call("GET", "/orders")

    assert (answer.status_code, answer.headers["Content-Type"], answer.text[:6]) == (502, "text/html", "<html>")


def test_a_connection_may_break_after_the_commit(caller: Caller) -> None:
    caller.use()
    caller.control("POST", "/faults", {"kind": "reset_after_accept", "path": "/customers"})

    with pytest.raises(requests.ConnectionError):
        caller.call("POST", "/customers", DRAFT)
    assert len(caller.query("/customers")) == 1


def test_a_token_may_die_in_between(caller: Caller) -> None:
    caller.use()
    caller.control("POST", "/faults", {"kind": "expire_token", "path": "/customers"})

    assert caller.refusal("GET", "/customers") == (401, "invalid_token")
    caller.use()
    assert caller.query("/customers") == []


def test_a_reset_begins_anew(caller: Caller) -> None:
    caller.act("register", email="ada@example.com")
    caller.control("POST", "/settings", {"query_lag": 60.0})
    caller.control("POST", "/reset", {})
    caller.use()

    assert (caller.query("/customers"), len(caller.query("/stores")), caller.control("GET", "/counts")) == ([], 2, {})
