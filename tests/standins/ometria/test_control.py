"""Looking behind the API, changing how it behaves, starting afresh."""

from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime

import pytest
import requests

from integrations.standins.ometria import OmetriaStandIn


def test_state_sums_up_what_reconciliation_compares(api, contact, order, product):
    api.push(contact(marketing_optin="EXPLICITLY_OPTEDIN"), contact(id="bad", email="bad"))
    api.push(order(customer={"email": "ada@example.com"}), order(id="shp-2", grand_total=60.0, customer=None, is_valid=False))
    api.push(product(id="P200"))

    row = {"status": "paid", "is_valid": True, "grand_total": 58.0, "currency": "GBP", "total_refunded": 0.0, "lines": 1, "balanced": True}
    units = {"total_unit_quantity": 2, "total_unit_quantity_refunded": 0}
    assert api.look("/state") == {
        "counts": {"contacts": 1, "orders": 2, "products": 1, "events": 0, "profiles": 1, "errors": 1, "queued": 0},
        "consent": {"subscribed": 1, "unsubscribed": 0, "unknown": 0},
        "orders": {"shp-1": row | units, "shp-2": row | units | {"is_valid": False, "grand_total": 60.0, "balanced": False}},
        "orphan_products": ["P100"],
    }


def test_everything_stored_can_be_looked_at_by_key(api, contact, order, product, event):
    for record in (contact(), order(), product(), event()):
        api.push(record)

    assert list(api.look("/contacts")) == ["shopify:7001"]
    assert list(api.look("/orders")) == ["shp-1"]
    assert list(api.look("/products")) == ["P100"]
    assert list(api.look("/events")) == [f"abandoned_checkout:{event()['id']}"]
    assert [row["email"] for row in api.look("/profiles").values()] == ["ada@example.com"]


def test_other_accounts_are_looked_at_by_name(api, contact):
    api.with_key("second-key").push(contact())

    assert (api.look("/contacts"), list(api.look("/contacts", account="second"))) == ({}, ["shopify:7001"])
    assert requests.get(f"{api.base}/_control/state?account=third", timeout=5).status_code == 404


def test_calls_are_counted_by_endpoint(api, contact):
    api.push(contact())
    api.read("/contacts/shopify/7001")
    api.read("/contacts/shopify")
    api.get("/contacts/shopify/none")

    assert api.look("/calls") == {"POST /push": 1, "GET /contacts/*/*": 2, "GET /contacts/*": 1}


def test_answers_are_dated_by_the_clock_of_the_stand_in(api):
    before = parsedate_to_datetime(api.get("/lists").headers["Date"])
    api.act("/clock", advance=7200)
    after = parsedate_to_datetime(api.get("/lists").headers["Date"])

    assert 7200 <= (after - before).total_seconds() < 7260


def test_settings_are_changed_and_shown(api):
    changed = api.act("/settings", push_rate=4, delay=1.5, read_rate=None)

    assert (changed["push_rate"], changed["delay"], changed["read_rate"]) == (4, 1.5, None)
    assert api.look("/settings") == changed


@pytest.mark.parametrize("body", [{"pushrate": 4}, {"push_rate": "4"}, {"delay": None}, {"strict_types": 1}, [], "x"])
def test_settings_that_make_no_sense_are_refused(api, body):
    assert requests.post(f"{api.base}/_control/settings", json=body, timeout=5).status_code == 400


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/clock", {"advance": -1}),
        ("/unsubscribe", {"email": "nobody@example.com"}),
        ("/unsubscribe", {"email": "ada@example.com", "type": "postcard"}),
        ("/preference", {"email": "ada@example.com", "marketing_optin": "NOT_SPECIFIED"}),
        ("/sms-confirm", {"email": "ada@example.com"}),
        ("/unsubscribe", {"email": "ada@example.com", "at": "soon"}),
    ],
)
def test_acts_that_make_no_sense_are_refused(api, contact, path, body):
    api.push(contact())

    assert requests.post(f"{api.base}/_control{path}", json=body, timeout=5).status_code == 400


def test_unknown_control_call_is_404(api):
    assert requests.get(f"{api.base}/_control/secrets", timeout=5).status_code == 404


def test_reset_brings_back_the_beginning(api, contact):
    api.push(contact())
    api.act("/settings", push_rate=1)
    api.act("/faults", kind="status")
    api.act("/keys", account="demo", key="extra")

    api.act("/reset")

    assert (api.look("/counts"), api.look("/contacts"), api.look("/faults"), api.look("/settings")["push_rate"]) == ({}, {}, [], None)
    assert (api.get("/lists").status_code, api.with_key("extra").get("/lists").status_code) == (200, 403)


def test_same_process_can_look_without_http(api, stand_in, contact, order):
    api.act("/settings", delay=30)
    api.push(order())
    api.with_key("second-key").push(contact())
    before = stand_in.ledger.counts()
    stand_in.clock.advance(31)
    stand_in.settle()

    assert (before, stand_in.ledger.counts()) == ({}, {"order": 1, "contact": 1})
    assert stand_in.look("/orders") == api.look("/orders")
    assert list(stand_in.look("/contacts", "second")) == ["shopify:7001"]


def test_stand_in_without_arguments_is_a_demo_with_documented_quotas():
    stand_in = OmetriaStandIn()

    assert list(stand_in.accounts) == ["demo"]
    assert (stand_in.settings.push_rate, stand_in.settings.read_rate, stand_in.settings.delay) == (8.0, 4.0, 0.0)


def test_setting_that_does_not_exist_is_refused_when_built():
    with pytest.raises(ValueError, match="pushrate"):
        OmetriaStandIn(pushrate=4)


def test_two_threads_pushing_lose_nothing(api, contact):
    def push(worker):
        records = [contact(id=f"{worker}-{number}", email=f"p{worker}-{number}@example.com") for number in range(50)]
        body = [requests.post(f"{api.base}/v2/push", json=records, headers=api.headers, timeout=10).status_code for _ in range(4)]
        return set(body)

    with ThreadPoolExecutor(4) as pool:
        answers = set().union(*pool.map(push, range(4)))

    assert answers == {202}
    assert api.look("/counts") == {"contact": 800}
    assert api.read("/contacts") == [{"collection": "shopify", "count": 200}]
    assert len(api.look("/profiles")) == 200
