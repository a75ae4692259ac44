"""Ordered failures as a client of Ometria meets them."""

import pytest
import requests


def test_connection_lost_after_the_push_was_accepted_leaves_its_effect(api, order):
    api.act("/faults", kind="reset_after_accept", path="/v2/push")

    with pytest.raises(requests.exceptions.ConnectionError):
        api.push(order())
    again = api.push(order())

    assert again.status_code == 202
    effects = api.look("/ledger", kind="order", key="shp-1")
    assert len(effects) == 2
    assert effects[0]["digest"] == effects[1]["digest"]


def test_server_error_leaves_no_effect(api, order):
    api.act("/faults", kind="status", status=503, path="/v2/push", times=1)

    assert [api.push(order()).status_code for _ in range(2)] == [503, 202]
    assert api.look("/counts") == {"order": 1}


def test_ordered_429_can_carry_advice(api, order):
    api.act("/faults", kind="status", status=429, retry_after="9")

    answer = api.push(order())

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "9")


def test_cut_receipt_leaves_its_effect(api, order):
    api.act("/faults", kind="truncate", path="/v2/push")

    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        api.push(order())

    assert api.look("/counts") == {"order": 1}


def test_maintenance_page_instead_of_a_receipt(api, order):
    api.act("/faults", kind="html", path="/v2/push")

    answer = api.push(order())

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert api.look("/counts") == {}


def test_expired_key_is_403_from_then_on(api, order):
    api.act("/faults", kind="expire_token")

    assert [api.push(order()).status_code, api.get("/lists").status_code] == [403, 403]
    api.act("/keys", account="demo", key="demo-ometria-key")
    assert api.push(order()).status_code == 202


def test_control_calls_are_never_hit(api):
    api.act("/faults", kind="status", status=500, times=0)

    assert api.look("/counts") == {}
    assert api.get("/lists").status_code == 500
