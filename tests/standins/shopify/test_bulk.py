"""Bulk jobs: what may be asked, how they go on, what the lines look like, how they fail."""

import json
import time
from typing import Any

import pytest

from tests.standins.shopify.conftest import OPERATIONS, TOKEN, Caller, gid

ENDED = ("COMPLETED", "FAILED", "CANCELED")


def start(caller: Caller, query: str) -> Any:
    return caller.run("bulk_run", {"query": query})["bulkOperationRunQuery"]


def poll(caller: Caller, job: str) -> Any:
    return caller.run("bulk_jobs", {"id": job}, name="BulkPoll")["bulkOperation"]


def finish(caller: Caller, query: str) -> Any:
    """Run a job to its end."""
    begun = start(caller, query)
    assert begun["userErrors"] == []
    assert begun["bulkOperation"]["type"] == "QUERY"
    assert begun["bulkOperation"]["status"] in {"CREATED", "RUNNING"}  # it may have begun before it is answered
    for _ in range(500):
        operation = poll(caller, begun["bulkOperation"]["id"])
        if operation["status"] in ENDED:
            return operation
        time.sleep(0.01)
    raise AssertionError(operation)


def lines(caller: Caller, address: str) -> list[Any]:
    return [json.loads(line) for line in caller.session.get(address).text.splitlines()]


@pytest.mark.parametrize("name", ["bulk_customers", "bulk_orders", "bulk_products", "bulk_variants"])
def test_every_kept_bulk_query_gives_counted_lines(caller: Caller, place: Any, name: str) -> None:
    place()
    operation = finish(caller, (OPERATIONS / f"{name}.graphql").read_text())
    found = lines(caller, operation["url"])

    assert (operation["status"], operation["errorCode"], operation["partialDataUrl"]) == ("COMPLETED", None, None)
    assert operation["objectCount"] == str(len(found))
    assert operation["rootObjectCount"] == str(sum("__parentId" not in line for line in found))
    assert operation["fileSize"] == str(len(caller.session.get(operation["url"]).content))
    assert len(found) > 1


def test_children_follow_their_parents_but_not_at_their_side(caller: Caller, place: Any, shoe: Any) -> None:
    basket = [{"variant_id": number, "quantity": 1} for number in shoe.variant_ids]
    orders = [place(lines=basket) for _ in range(12)]
    operation = finish(caller, (OPERATIONS / "bulk_orders.graphql").read_text())
    found = lines(caller, operation["url"])

    seen: set[str] = set()
    beside = 0
    for before, line in zip([{}, *found], found, strict=False):
        if "__parentId" in line:
            assert line["__parentId"] in seen
            beside += before.get("id") == line["__parentId"]
        seen.add(line["id"])
    assert beside < 12
    assert {line["id"] for line in found if "__parentId" not in line} == {gid("Order", order.id) for order in orders}
    assert sorted(line["sku"] for line in found if "__parentId" in line) == ["SHOE-41"] * 12 + ["SHOE-42"] * 12


def test_a_window_narrows_the_job(caller: Caller, place: Any) -> None:
    place()
    operation = finish(caller, """{ orders(query: "created_at:<'2020-01-01T00:00:00Z'") { edges { node { id } } } }""")

    assert (operation["status"], operation["objectCount"], operation["url"]) == ("COMPLETED", "0", None)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("{ shop { id } }", "must contain at least one connection"),
        ("{ orders { edges { node { id } } } products { edges { node { id } } } }", "exactly one top-level field"),
        ("""{ nodes(ids: ["gid://shopify/Order/1"]) { id } }""", "not `node` or `nodes`"),
        ("{ orders { edges { node { name } } } }", "must select `id`"),
        ("{ orders { edges { node { id refunds { id refundLineItems { edges { node { id } } } } } } } }", "within a list field"),
        ("{ orders { edges { node { id fulfillments { id fulfillmentLineItems { edges { node { id } } } } } } } }", "within a list field"),
        ("{ orders { edges { node { nme } } } }", "Invalid bulk query: Cannot query field 'nme'"),
        ("{ orders { edges { node { id } ", "Invalid bulk query: Syntax Error"),
        ("mutation { tagsAdd(id: 1, tags: []) { node { id } } }", "must be one query"),
    ],
)
def test_what_a_bulk_query_may_not_ask(caller: Caller, query: str, message: str) -> None:
    answer = start(caller, query)

    assert answer["bulkOperation"] is None
    assert (answer["userErrors"][0]["code"], message in answer["userErrors"][0]["message"]) == ("INVALID", True)


def test_five_jobs_run_at_once_and_not_six(caller: Caller) -> None:
    caller.set(bulk={"seconds": 5})
    begun = [start(caller, "{ products { edges { node { id } } } }") for _ in range(6)]

    assert [job["userErrors"] for job in begun[:5]] == [[]] * 5
    assert begun[5]["userErrors"][0]["code"] == "LIMIT_REACHED"


def test_a_running_job_is_listed_and_can_be_canceled(caller: Caller) -> None:
    caller.set(bulk={"seconds": 5})
    job = start(caller, "{ products { edges { node { id } } } }")["bulkOperation"]["id"]
    while poll(caller, job)["status"] != "RUNNING":
        time.sleep(0.01)

    listed = caller.run("bulk_jobs", name="BulkList", variables=None)["bulkOperations"]["nodes"]
    canceled = caller.run("bulk_jobs", {"id": job}, name="BulkCancel")["bulkOperationCancel"]
    while poll(caller, job)["status"] == "CANCELING":
        time.sleep(0.01)

    assert [row["id"] for row in listed] == [job]
    assert canceled == {"bulkOperation": {"id": job, "status": "CANCELING"}, "userErrors": []}
    assert poll(caller, job)["status"] == "CANCELED"
    assert caller.run("bulk_jobs", {"id": job}, name="BulkCancel")["bulkOperationCancel"]["userErrors"] != []


def test_a_failed_job_leaves_part_of_its_data(caller: Caller, place: Any) -> None:
    for _ in range(60):
        place(units=1)
    caller.set(bulk={"fail_next": 1, "fail_after": 20})

    operation = finish(caller, "{ orders { edges { node { id } } } }")

    assert (operation["status"], operation["errorCode"], operation["url"]) == ("FAILED", "INTERNAL_SERVER_ERROR", None)
    assert 20 <= len(lines(caller, operation["partialDataUrl"])) == int(operation["objectCount"]) < 60
    assert finish(caller, "{ orders { edges { node { id } } } }")["status"] == "COMPLETED"


def test_a_job_without_the_scope_fails_as_denied(caller: Caller) -> None:
    caller.set(scopes=["read_products"])

    operation = finish(caller, "{ orders { edges { node { id } } } }")

    assert (operation["status"], operation["errorCode"]) == ("FAILED", "ACCESS_DENIED")


def test_a_link_is_opened_by_its_signature_alone_and_dies_after_a_week(caller: Caller, shoe: Any) -> None:
    address = finish(caller, "{ products { edges { node { id } } } }")["url"]

    def status(url: str = address, **headers: str) -> int:
        return caller.session.get(url, headers=headers).status_code

    assert status() == 200
    assert status(**{"X-Shopify-Access-Token": TOKEN}) == 400
    assert status(address.replace("sig=", "sig=0")) == 403
    caller.control("POST", "/clock", {"advance": 7 * 86_400 + 1})
    assert status() == 400


def test_the_end_of_a_job_is_told(caller: Caller, inbox: Any, subscribe: Any, shoe: Any) -> None:
    subscribe("BULK_OPERATIONS_FINISH")
    job = finish(caller, "{ products { edges { node { id } } } }")
    while not inbox.received:
        time.sleep(0.01)

    body = json.loads(inbox.received[0][1])
    assert (body["admin_graphql_api_id"], body["status"], body["type"], body["error_code"]) == (job["id"], "completed", "query", None)


def test_a_result_can_be_cut_on_the_way(caller: Caller, shoe: Any) -> None:
    import requests

    address = finish(caller, "{ products { edges { node { id title } } } }")["url"]
    caller.control("POST", "/faults", {"kind": "truncate", "path": "/bulk/"})

    with pytest.raises(requests.RequestException):
        caller.session.get(address)
    assert caller.session.get(address).status_code == 200


def test_a_field_that_is_not_modelled_fails_the_job_instead_of_hanging_it(caller: Caller, place: Any) -> None:
    place()

    operation = finish(caller, "{ orders { edges { node { id poNumber } } } }")

    assert (operation["status"], operation["errorCode"]) == ("FAILED", "INTERNAL_SERVER_ERROR")
