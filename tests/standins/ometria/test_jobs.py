"""Merging profiles and erasing people."""

import pytest


def by(kind, value):
    return {"type": kind, "value": value}


def test_merge_moves_orders_and_identifiers_and_deletes_listings(api, contact, order):
    api.push(contact(id="1", customer_id="A", email="ada@example.com"), contact(id="2", customer_id="B", email="ada.b@example.com"))
    api.push(order(id="o1", customer={"id": "A"}), order(id="o2", customer={"id": "B"}))
    ask = {"survivor": by("customer_id", "A"), "customers_to_merge": [by("email_address", "Ada.B@example.com")]}

    job = api.post("/merge-profile", ask)

    (profile,) = api.look("/profiles").values()
    assert (job.status_code, job.json()["status"]) == (202, "completed")
    assert (profile["customer_id"], profile["email"], profile["stats"]["orders"]) == ("A", "ada@example.com", 2)
    assert list(api.look("/contacts")) == ["shopify:1"]
    assert api.read("/profiles", email="ada.b@example.com")[0]["id"] == profile["id"]
    (effect,) = api.look("/ledger", kind="merge")
    assert (effect["key"], len(effect["payload"]["merged"])) == (profile["id"], 1)


def test_merge_takes_its_time(api, contact):
    api.act("/settings", merge_delay=120)
    api.push(contact(id="1", customer_id="A"), contact(id="2", customer_id="B", email="b@example.com"))
    ask = {"survivor": by("customer_id", "A"), "customers_to_merge": [by("customer_id", "B")]}

    job = api.post("/merge-profile", ask).json()
    before = (api.read(f"/merge-profile/{job['job_id']}")["status"], len(api.look("/profiles")))
    api.act("/clock", advance=121)

    assert (job["status"], before) == ("pending", ("pending", 2))
    assert (api.read(f"/merge-profile/{job['job_id']}")["status"], len(api.look("/profiles"))) == ("completed", 1)
    assert api.read("/merge-profile") == [api.read(f"/merge-profile/{job['job_id']}")]


@pytest.mark.parametrize(
    "ask",
    [
        {},
        [],
        {"survivor": by("customer_id", "A"), "customers_to_merge": []},
        {"survivor": by("customer_id", "A"), "customers_to_merge": [by("customer_id", str(number)) for number in range(6)]},
        {"survivor": by("name", "Ada"), "customers_to_merge": [by("customer_id", "B")]},
        {"survivor": by("customer_id", "A"), "customers_to_merge": ["B"]},
    ],
)
def test_merge_that_makes_no_sense_is_400(api, ask):
    assert api.post("/merge-profile", ask).status_code == 400


def test_too_many_open_merges_are_429(api, stand_in):
    api.act("/settings", merge_delay=3600)
    ask = {"survivor": by("customer_id", "A"), "customers_to_merge": [by("customer_id", "B")]}
    answers = [api.post("/merge-profile", ask).status_code for _ in range(1_001)]

    assert (set(answers[:-1]), answers[-1]) == ({202}, 429)


def test_erasure_is_noted_at_once_and_done_within_14_days(api, contact, order):
    api.push(contact())
    api.push(order())
    asked = api.post("/data-deletion-requests", {"email": "ada@example.com"})
    job = asked.json()

    assert (asked.status_code, job["timestamp_completed"], list(api.look("/contacts"))) == (202, None, ["shopify:7001"])
    (effect,) = api.look("/ledger", kind="deletion")
    assert (effect["key"], effect["payload"]) == ("ada@example.com", {"email": "ada@example.com", "id": job["id"]})

    api.act("/clock", advance=14 * 86_400 + 1)

    done = api.read(f"/data-deletion-requests/{job['id']}")
    assert (done["action"], done["summary"], done["source"]["origin"]) == ("delete", "Deleted", "api")
    assert done["timestamp_completed"] is not None
    assert api.read("/data-deletion-requests") == [done]
    assert (api.look("/contacts"), api.look("/profiles")) == ({}, {})
    assert "customer" not in api.read("/orders/shp-1")


def test_erasure_needs_an_email(api):
    assert api.post("/data-deletion-requests", {"id": "7001"}).status_code == 400
