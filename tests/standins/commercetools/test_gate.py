"""Tokens, scopes, error shapes."""

from integrations.standins.commercetools import ClientSpec, CommercetoolsStandIn, ProjectSpec
from tests.standins.commercetools.conftest import Caller


def test_a_token_says_what_it_may_and_how_long(caller: Caller) -> None:
    found = caller.token("view_orders:acme-demo view_customers:acme-demo").json()

    assert found.pop("access_token")
    assert found == {"expires_in": 172_800, "scope": "view_customers:acme-demo view_orders:acme-demo", "token_type": "Bearer"}


def test_wrong_credentials_name_their_error_twice(caller: Caller) -> None:
    answer = caller.token(client=("demo-client", "wrong"))

    assert (answer.status_code, answer.json()["error"], answer.json()["errors"][0]["code"]) == (401, "invalid_client", "invalid_client")


def test_scopes_the_client_does_not_own_are_refused(caller: Caller) -> None:
    assert caller.token("view_orders:other-project").json()["error"] == "invalid_scope"


def test_a_call_without_token_or_with_a_dead_one_is_401(caller: Caller) -> None:
    caller.use()
    caller.get("")
    caller.control("POST", "/expire_tokens", {})

    assert caller.refusal("GET", "") == (401, "invalid_token")
    assert caller.refusal("GET", "/orders", token="") == (401, "invalid_token")


def test_tokens_end_by_the_clock_of_the_stand_in(caller: Caller) -> None:
    caller.control("POST", "/settings", {"token_seconds": 3600})
    caller.use()
    caller.control("POST", "/clock", {"advance": 3599})
    assert caller.call("GET", "").status_code == 200
    caller.control("POST", "/clock", {"advance": 2})

    assert caller.refusal("GET", "") == (401, "invalid_token")


def test_each_endpoint_wants_its_scope(caller: Caller) -> None:
    caller.use("view_orders:acme-demo")

    assert caller.call("GET", "/orders").status_code == 200
    assert caller.refusal("POST", "/orders/import", {}) == (403, "insufficient_scope")
    assert caller.refusal("GET", "/customers") == (403, "insufficient_scope")
    assert caller.refusal("GET", "") == (403, "insufficient_scope")


def test_unpublished_products_need_more_than_the_published_scope(caller: Caller) -> None:
    caller.use("view_published_products:acme-demo")

    assert caller.call("GET", "/product-projections").status_code == 200
    assert caller.refusal("GET", "/product-projections", staged="true") == (403, "insufficient_scope")


def test_a_store_scope_works_below_its_store_only() -> None:
    client = ClientSpec("store-client", "demo-secret", ("view_orders:uk",))
    stand_in = CommercetoolsStandIn([ProjectSpec(clients=(client,))])
    from integrations.standins.commercetools.tokens import Access, allowed

    access = Access("store-client", frozenset({"view_orders:acme-demo:uk"}), 0)
    assert [allowed(access, ("view_orders",), "acme-demo", store) for store in ("uk", "de", "")] == [True, False, False]
    stand_in.close()


def test_a_token_can_be_looked_into(caller: Caller) -> None:
    token = caller.token("view_orders:acme-demo").json()["access_token"]
    address = f"{caller.root}/auth/oauth/introspect"
    found = caller.session.post(address, params={"token": token}, auth=("demo-client", "demo-commercetools-secret")).json()

    assert (found["active"], found["scope"]) == (True, "view_orders:acme-demo")
    assert caller.session.post(address, params={"token": "x"}, auth=("demo-client", "demo-commercetools-secret")).json() == {
        "active": False
    }


def test_unknown_projects_and_paths_are_404(caller: Caller) -> None:
    caller.use()
    headers = {"Authorization": f"Bearer {caller.token().json()['access_token']}"}

    assert caller.session.get(f"{caller.root}/api/nobody/orders", headers=headers).status_code == 404
    assert caller.refusal("GET", "/nonsense") == (404, "ResourceNotFound")


def test_answers_carry_the_clock_and_the_correlation_id(caller: Caller) -> None:
    caller.control("POST", "/clock", {"advance": 86_400 * 365})
    caller.use()
    answer = caller.call("GET", "")

    assert int(answer.headers["Date"].split()[3]) >= 2027
    assert answer.headers["X-Correlation-ID"]
