"""What the API refuses before it looks anything up: tokens, scopes, versions, malformed and invalid documents."""

from typing import Any

import pytest

from integrations.standins.shopify import ShopifyStandIn, ShopSpec
from tests.standins.shopify.conftest import SHOP, TOKEN, Caller, gid

SHOP_NAME = "{ shop { name } }"


def test_a_wrong_token_is_401_with_errors_as_a_text(caller: Caller) -> None:
    answer = caller.post(SHOP_NAME, token="shpat_wrong")

    assert answer.status_code == 401
    assert answer.json() == {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}
    assert answer.headers["X-Request-Id"]


def test_an_ordered_expiry_kills_the_token(caller: Caller) -> None:
    caller.control("POST", "/faults", {"kind": "expire_token"})

    assert [caller.post(SHOP_NAME).status_code for _ in range(2)] == [401, 401]


def test_another_shop_is_not_there(caller: Caller) -> None:
    answer = caller.session.post(f"{caller.root}/other.myshopify.com/admin/api/2026-10/graphql.json", json={"query": SHOP_NAME})

    assert answer.status_code == 404


@pytest.mark.parametrize(("asked", "served"), [("2026-10", "2026-10"), ("2026-07", "2026-07"), ("2024-04", "2026-07")])
def test_a_retired_version_is_served_by_the_oldest_known_and_says_so(caller: Caller, asked: str, served: str) -> None:
    answer = caller.post(SHOP_NAME, version=asked)

    assert (answer.status_code, answer.headers["X-Shopify-API-Version"]) == (200, served)


def test_a_field_of_the_newer_version_is_unknown_to_the_older(caller: Caller, zoe: Any) -> None:
    text = "query($id: ID!) { customer(id: $id) { defaultPhoneNumber { smsMarketingConsent { state } } } }"

    assert caller.refused(text, {"id": gid("Customer", zoe.id)}, version="2026-07")[0] == "undefinedField"
    assert caller.post(text, {"id": gid("Customer", zoe.id)}).json()["data"]["customer"] is not None


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"query": 5}', b'{"query": "{ shop { name } }", "variables": []}'])
def test_a_malformed_body_is_400(caller: Caller, body: bytes) -> None:
    headers = {"X-Shopify-Access-Token": TOKEN}

    answer = caller.session.post(f"{caller.base}/admin/api/2026-10/graphql.json", data=body, headers=headers)

    expected = 200 if body.endswith(b"[]}") else 400  # an empty list is taken for no variables
    assert answer.status_code == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{ shop { nme } }", "undefinedField"),
        ("{ order { id } }", "missingRequiredArguments"),
        ("{ shop(a: 1) { id } }", "argumentNotAccepted"),
        ("{ shop }", "selectionMismatch"),
        ("{ shop { id ", "PARSE_ERROR"),
        ("query($a: Int) { shop { id } }", "variableNotUsed"),
    ],
)
def test_an_invalid_document_is_200_with_errors_and_no_data(caller: Caller, text: str, code: str) -> None:
    answer = caller.post(text)

    assert answer.status_code == 200
    assert [error["extensions"]["code"] for error in answer.json()["errors"]] == [code]
    assert "data" not in answer.json()


def test_a_variable_of_the_wrong_type_is_refused(caller: Caller) -> None:
    text = "query($n: Int!) { orders(first: $n) { nodes { id } } }"

    assert caller.refused(text, {"n": "ten"})[0] == "INVALID_VARIABLE"


@pytest.mark.parametrize("arguments", ["", "(first: 0)", "(first: 251)", "(first: 2, last: 2)"])
def test_a_connection_wants_one_size_between_1_and_250(caller: Caller, arguments: str) -> None:
    assert caller.refused(f"{{ orders{arguments} {{ nodes {{ id }} }} }}")[0] == "BAD_REQUEST"


def test_a_missing_scope_denies_the_field_and_names_what_is_needed(caller: Caller, zoe: Any) -> None:
    caller.set(scopes=["read_orders"])
    text = "query($id: ID!) { customer(id: $id) { id } shop { name } }"

    answer = caller.post(text, {"id": gid("Customer", zoe.id)}).json()

    assert answer["data"] == {"customer": None, "shop": {"name": "Demo shop"}}
    assert answer["errors"] == [
        {
            "message": "Access denied for customer field. Required access: `read_customers` access scope.",
            "locations": [],
            "path": ["customer"],
            "extensions": {
                "code": "ACCESS_DENIED",
                "documentation": "https://shopify.dev/api/usage/access-scopes",
                "requiredAccess": "`read_customers` access scope.",
            },
        }
    ]


def test_a_denied_connection_takes_all_data_with_it(caller: Caller) -> None:
    caller.set(scopes=["read_orders"])

    answer = caller.post("{ shop { name } customers(first: 1) { nodes { id } } }").json()

    assert answer["data"] is None
    assert answer["errors"][0]["extensions"]["code"] == "ACCESS_DENIED"


def test_writing_implies_reading(caller: Caller, zoe: Any) -> None:
    caller.set(scopes=["write_customers"])

    assert caller.ask("query($id: ID!) { customer(id: $id) { id } }", {"id": gid("Customer", zoe.id)})["customer"] is not None


def test_without_the_right_to_personal_data_it_is_null_with_an_error_beside() -> None:
    stand_in = ShopifyStandIn([ShopSpec(SHOP, pii=False)])
    customer = stand_in.act("create_customer", email="zoe@example.com", first_name="Zoë")
    try:
        body = _answer(stand_in, "query($id: ID!) { customer(id: $id) { id firstName defaultEmailAddress { emailAddress } } }", customer.id)
    finally:
        stand_in.close()

    assert body["data"]["customer"] == {"id": gid("Customer", customer.id), "firstName": None, "defaultEmailAddress": None}
    assert {error["extensions"]["code"] for error in body["errors"]} == {"ACCESS_DENIED"}


def _answer(stand_in: ShopifyStandIn, text: str, customer_id: int) -> Any:
    import orjson

    from integrations.standins.wire import Request

    body = orjson.dumps({"query": text, "variables": {"id": gid("Customer", customer_id)}})
    path = f"/{SHOP}/admin/api/2026-10/graphql.json"
    return orjson.loads(stand_in.handle(Request("POST", path, headers={"x-shopify-access-token": TOKEN}, body=body)).body)


def test_orders_older_than_sixty_days_need_their_own_scope(caller: Caller, place: Any, stand_in: ShopifyStandIn) -> None:
    order = place()
    caller.set(scopes=["read_orders"])
    caller.control("POST", "/clock", {"advance": 61 * 86_400})

    data = caller.ask("query($id: ID!) { order(id: $id) { id } orders(first: 5) { nodes { id } } ordersCount { count } }",
                      {"id": gid("Order", order.id)})  # fmt: skip

    assert data == {"order": None, "orders": {"nodes": []}, "ordersCount": {"count": 0}}


def test_a_frozen_shop_answers_402(caller: Caller) -> None:
    caller.set(forced_status=402)

    assert caller.post(SHOP_NAME).status_code == 402


def test_a_deprecated_use_is_told_in_a_header(caller: Caller) -> None:
    caller.set(limits={"deprecated": "Shop.products"})

    assert caller.post(SHOP_NAME).headers["X-Shopify-API-Deprecated-Reason"] == "Shop.products"


def test_an_operation_must_be_named_when_there_are_two(caller: Caller) -> None:
    text = "query A { shop { name } } query B { shop { id } }"

    assert caller.refused(text) == ("BAD_REQUEST", "An operation name is required")
    assert caller.refused(text, name="C") == ("BAD_REQUEST", 'No operation named "C"')
    assert caller.post(text, name="B").json()["data"] == {"shop": {"id": "gid://shopify/Shop/548380009"}}


def test_directives_leave_fields_out(caller: Caller) -> None:
    text = "query($yes: Boolean!) { shop { name @include(if: $yes) id @skip(if: $yes) } }"

    assert caller.ask(text, {"yes": True}) == {"shop": {"name": "Demo shop"}}
    assert caller.ask(text, {"yes": False}) == {"shop": {"id": "gid://shopify/Shop/548380009"}}
