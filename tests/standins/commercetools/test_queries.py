"""Queries over HTTP: limits, variables, expansion, what is refused, what is seen late."""

from typing import Any
from urllib.parse import urlencode

import pytest

from integrations.standins.commercetools import CommercetoolsStandIn
from integrations.standins.commercetools.filler import fill, rewrite
from integrations.standins.commercetools.moments import iso
from integrations.standins.commercetools.query import read_query, run
from tests.standins.commercetools.conftest import Caller


def _people(caller: Caller, count: int) -> list[Any]:
    return [caller.act("register", email=f"p{number}@example.com") for number in range(count)]


@pytest.mark.parametrize(
    "where",
    [
        "nonsense = 1", 'email = "a', "email =", "email", 'email = "a" and', 'addresses(street = "x")', "version = \"1\"",
        'createdAt > "yesterday"', 'email like "a"', "addresses = 1", 'email = :missing', 'email in ()', 'email = "a" "b"', "",
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused(caller: Caller, where: str) -> None:
    assert caller.refusal("GET", "/customers", where=where) == (400, "InvalidInput")


@pytest.mark.parametrize(
    "query",
    [{"limit": 501}, {"limit": -1}, {"offset": 10_001}, {"sort": "nonsense asc"}, {"sort": "email upwards"}, {"sort": "addresses asc"},
     {"withTotal": "maybe"}, {"expand": "nonsense"}],
)  # fmt: skip
def test_paging_beyond_its_bounds_is_refused(caller: Caller, query: dict[str, Any]) -> None:
    assert caller.refusal("GET", "/customers", **query) == (400, "InvalidInput")


def test_a_page_has_twenty_unless_told_and_a_total_unless_not(caller: Caller) -> None:
    _people(caller, 22)
    found, bare = caller.get("/customers"), caller.get("/customers", withTotal="false", limit=0)

    assert (found["limit"], found["offset"], found["count"], found["total"], len(found["results"])) == (20, 0, 20, 22, 20)
    assert bare == {"limit": 0, "offset": 0, "count": 0, "results": []}


def test_variables_carry_quotes_and_lists(caller: Caller) -> None:
    odd = caller.act("register", email="odd@example.com", first_name='Eve "\\" O')
    other = caller.act("register", email="other@example.com")

    assert [one["id"] for one in caller.query("/customers", "firstName = :name", var_name='Eve "\\" O')] == [odd["id"]]
    found = caller.query(
        "/customers", ["email in :mails", "isEmailVerified = :no"], var_mails=["odd@example.com", "other@example.com"], var_no="false"
    )
    assert {one["id"] for one in found} == {odd["id"], other["id"]}


def test_several_wheres_must_all_hold(caller: Caller) -> None:
    _people(caller, 3)

    assert [one["email"] for one in caller.query("/customers", ['email > "p0@"', 'email < "p1@"'])] == ["p0@example.com"]


def test_references_are_expanded_as_far_as_they_exist(caller: Caller, tee: str) -> None:
    caller.act("discount_code", code="TEN", percent=10)
    order = caller.act("guest_order", email="bob@example.com", lines=[tee], paid=True, code="TEN")
    (found,) = caller.query("/orders", expand=["paymentInfo.payments[*]", "discountCodes[*].discountCode", "customerGroup"])
    (product,) = caller.query("/product-projections", expand=["productType", "categories[*].ancestors[*]"])
    one = caller.get(f"/orders/{order['id']}", expand="paymentInfo.payments[*]")

    assert found["paymentInfo"]["payments"][0]["obj"]["transactions"][0]["type"] == "Charge"
    assert found["discountCodes"][0]["discountCode"]["obj"]["code"] == "TEN"
    assert product["productType"]["obj"]["key"] == "apparel"
    assert [item["obj"]["key"] for item in product["categories"][0]["obj"]["ancestors"]] == ["all", "wear"]
    assert one["paymentInfo"] == found["paymentInfo"]


def test_an_order_is_found_by_its_payment(caller: Caller, tee: str) -> None:
    order = caller.act("guest_order", email="bob@example.com", lines=[tee], paid=True)
    caller.act("guest_order", email="eve@example.com", lines=[tee], paid=True)
    payment = order["paymentInfo"]["payments"][0]["id"]

    assert [one["id"] for one in caller.query("/orders", f'paymentInfo(payments(id="{payment}"))')] == [order["id"]]


def test_a_written_resource_is_there_by_id_at_once_and_in_queries_later(caller: Caller) -> None:
    caller.control("POST", "/settings", {"query_lag": 30.0})
    made = caller.act("register", email="ada@example.com")
    changed = caller.update("/customers", made, {"action": "setFirstName", "firstName": "Ada"})

    assert caller.get(f"/customers/{made['id']}") == changed
    assert caller.query("/customers") == []
    assert caller.refusal("POST", "/customers", {"email": "ada@example.com", "password": "x"}) == (400, "DuplicateField")
    caller.control("POST", "/clock", {"advance": 31})
    assert caller.query("/customers") == [changed]


def test_a_deleted_resource_stays_in_queries_for_the_same_while(caller: Caller) -> None:
    made = caller.act("register", email="ada@example.com")
    caller.control("POST", "/settings", {"query_lag": 30.0})
    caller.act("delete_customer", customer=made["id"])

    assert caller.query("/customers") == [made]
    caller.control("POST", "/clock", {"advance": 31})
    assert caller.query("/customers") == []


def test_resources_change_between_pages_when_asked_to(caller: Caller) -> None:
    people = {one["id"]: one["version"] for one in _people(caller, 6)}
    caller.control("POST", "/settings", {"churn": 2})
    caller.get("/customers", limit=2)

    now = {one["id"]: one["version"] for one in caller.control("GET", "/documents?type_id=customer")}
    assert sum(now[key] != version for key, version in people.items()) == 2


def test_head_says_whether_there_is_one(caller: Caller) -> None:
    caller.act("register", email="ada@example.com")

    assert caller.call("HEAD", "/customers", where='email = "ada@example.com"').status_code == 200
    assert caller.call("HEAD", "/customers", where='email = "eve@example.com"').status_code == 404


def test_a_store_sees_its_own_only(caller: Caller) -> None:
    made = caller.post("/in-store/key=uk/customers", {"email": "uk@example.com", "password": "x"})["customer"]
    caller.act("register", email="everywhere@example.com")

    assert [one["id"] for one in caller.query("/in-store/key=uk/customers")] == [made["id"]]
    assert caller.query("/in-store/key=de/customers") == []
    assert caller.refusal("GET", f"/in-store/key=de/customers/{made['id']}") == (404, "ResourceNotFound")


class Counted(dict[str, Any]):
    """Counts what is looked at."""

    looked = 0

    def __getitem__(self, key: str) -> Any:
        self.looked += 1
        return super().__getitem__(key)


@pytest.mark.parametrize(
    ("question", "most"),
    [
        ({"where": 'id > "{middle}"', "sort": "id asc"}, 501),
        ({"where": ['lastModifiedAt >= "2020-01-01T00:00:00Z"', 'id > "{middle}"'], "sort": "id asc"}, 501),
        ({"where": 'lastModifiedAt >= "2020-01-01T00:00:00Z"', "sort": ["lastModifiedAt asc", "id asc"]}, 500),
        ({"where": '(createdAt > "2020-01-01T00:00:00Z" or (createdAt = "2020-01-01T00:00:00Z" and id > "x"))', "sort": "createdAt"}, 500),
        ({"where": 'lastModifiedAt >= "{minute}"', "sort": "id asc"}, 40),
        ({"where": 'lowercaseEmail = "filled.77@example.com"'}, 1),
    ],
)
def test_a_page_looks_at_no_more_than_it_must(stand_in: CommercetoolsStandIn, question: dict[str, Any], most: int) -> None:
    project = stand_in.project()
    fill(project, 3_000)
    rewrite(project, count=40)
    people = project["customer"]
    people.shown = shown = Counted(people.shown)
    words = {"middle": sorted(people.rows)[1_000], "minute": iso(project.now() - 60)}
    wheres = [question["where"]] if isinstance(question["where"], str) else question["where"]
    asked = urlencode({**question, "where": [where.format(**words) for where in wheres], "limit": 500, "withTotal": "false"}, doseq=True)

    assert run(people, read_query(asked, "customer")).rows
    assert shown.looked <= most
