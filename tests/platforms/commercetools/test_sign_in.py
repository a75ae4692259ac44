"""Client credentials and the test call: tokens, scopes, and what a project says of itself."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest

from integrations.platforms.base import Account, Unpaced
from integrations.platforms.commercetools.auth import CommercetoolsAuth
from integrations.platforms.commercetools.client import CommercetoolsClient
from integrations.platforms.commercetools.options import auth_address
from integrations.platforms.commercetools.probe import probe
from integrations.platforms.errors import Misconfigured, PlatformError, Reconnect, TryLater
from tests.platforms.shopify.scripted import Script

TOKEN = {"access_token": "vkFuQ6oTwj8", "expires_in": 172800, "scope": "view_orders:acme manage_customers:acme", "token_type": "Bearer"}
PROJECT = {
    "key": "acme", "name": "Acme", "countries": ["GB", "DE"], "currencies": ["GBP", "EUR"], "languages": ["en-GB", "de"],
    "messages": {"enabled": True, "deleteDaysAfterCreation": 15}, "carts": {"deleteDaysAfterLastModification": 90},
}  # fmt: skip


@pytest.fixture
def script() -> Iterator[Script]:
    made = Script()
    yield made
    made.close()


def account(script: Script, **settings: Any) -> Account:
    held = {"client_id": "demo-client", "auth_url": script.url, **settings}
    secrets = {"client_secret": "s3cr3t", "access_token": "token-1"}
    return Account(connection_id=1, platform="commercetools", external_id="acme", base_url=script.url, secrets=secrets, settings=held)


def test_a_token_is_asked_for_with_id_and_secret_and_keeps_its_scopes_and_its_end(script):
    script.then(TOKEN)
    tokens = CommercetoolsAuth().refresh(account(script, scopes=["view_orders", "manage_customers:acme"]))
    method, path, headers, body = script.calls[0]
    value, ends = tokens.values["access_token"]

    assert (method, path, b64decode(headers["authorization"].removeprefix("Basic "))) == ("POST", "/oauth/token", b"demo-client:s3cr3t")
    assert dict(parse_qsl(body.decode())) == {"grant_type": "client_credentials", "scope": "view_orders:acme manage_customers:acme"}
    assert (value, tokens.scopes) == ("vkFuQ6oTwj8", ("manage_customers:acme", "view_orders:acme"))
    assert abs(ends - datetime.now(UTC) - timedelta(days=2)) < timedelta(minutes=1)


def test_without_a_list_of_scopes_all_of_the_client_s_are_asked_for(script):
    script.then(TOKEN)
    CommercetoolsAuth().refresh(account(script))

    assert dict(parse_qsl(script.calls[0][3].decode())) == {"grant_type": "client_credentials"}


REFUSALS = [
    (401, {"statusCode": 401, "error": "invalid_client", "message": "No."}, Misconfigured),
    (400, {"statusCode": 400, "error": "invalid_scope", "message": "No."}, Misconfigured),
    (400, {"statusCode": 400, "error": "unsupported_grant_type", "message": "No."}, Reconnect),
    (404, {}, Reconnect),
    (200, {"scope": "x"}, Reconnect),
    (503, {}, TryLater),
]


@pytest.mark.parametrize(("status", "answer", "family"), REFUSALS)
def test_a_token_that_is_refused_says_what_to_check_and_no_secret(script, status, answer, family):
    script.then(answer, status)

    with pytest.raises(PlatformError) as raised:
        CommercetoolsAuth().refresh(account(script))
    assert type(raised.value) is family
    assert "s3cr3t" not in str(raised.value)


def test_the_token_service_lies_beside_the_api_unless_it_is_named(script):
    def at(base: str, **settings: Any) -> str:
        return auth_address(Account(connection_id=1, platform="commercetools", external_id="acme", base_url=base, settings=settings))

    assert at("https://api.europe-west1.gcp.commercetools.com") == "https://auth.europe-west1.gcp.commercetools.com"
    assert at("http://127.0.0.1:1/api", auth_url="http://127.0.0.1:1/auth/") == "http://127.0.0.1:1/auth"
    with pytest.raises(Misconfigured, match="token service"):
        at("https://commerce.example.com")


# --- the test call -----------------------------------------------------------------------------------------------------


def probed(script: Script, scopes: list[str], project: dict[str, Any] | None = None, **settings: Any) -> Any:
    script.then(PROJECT | (project or {}))
    return probe(CommercetoolsClient(account(script, granted_scopes=scopes, **settings), Unpaced()))


def test_a_client_that_may_everything_has_nothing_to_settle(script):
    found = probed(script, ["manage_project:acme"])

    assert (found.ok, found.summary, found.problems) == (True, "Acme answers.", ())
    assert {name: found.facts[name] for name in ("Currencies", "Languages", "Messages", "Catalogue")} == {
        "Currencies": "GBP, EUR", "Languages": "en-GB, de", "Messages": "kept 15 days", "Catalogue": "Classic",
    }  # fmt: skip


def test_each_missing_scope_says_what_will_not_work_and_what_to_do(script):
    held = [
        "view_project_settings:acme",
        "manage_customers:acme",
        "view_products:acme",
        "view_standalone_prices:acme",
        "view_messages:acme",
    ]
    found = probed(script, held)

    assert found.ok is False
    assert found.problems == (
        "Missing scope view_orders: orders and carts cannot be read. "
        "Make an API client that has it in the Merchant Center, then enter its id and secret.",
        "Missing scope view_payments: refunds are known only where the order's returns show them. "
        "Make an API client that has it in the Merchant Center, then enter its id and secret.",
    )


def test_a_scope_for_one_store_is_told_as_such(script):
    found = probed(script, ["manage_project:acme:uk", "view_orders:acme:uk", "view_customers:acme"])

    assert "Scope view_orders is for single stores only" in " ".join(found.problems)


def test_writing_consent_needs_its_scope_only_where_a_field_is_named(script):
    held = ["view_customers:acme", "view_orders:acme"]

    assert "consent" not in " ".join(probed(script, held).problems)
    assert "consent cannot be written back" in " ".join(probed(script, held, email_consent_field="emailOptIn").problems)


def test_a_modular_catalogue_and_messages_that_are_off_are_told_and_block_nothing(script):
    found = probed(script, ["manage_project:acme"], {"productCatalogModel": "Modular", "messages": {"enabled": False}})

    assert (found.ok, len(found.problems)) == (True, 2)
    assert ["modular" in found.problems[0], "switched off" in found.problems[1]] == [True, True]


def test_another_project_blocks(script):
    found = probed(script, ["manage_project:acme"], {"key": "other"})

    assert (found.ok, "Another project answers: other" in found.problems[0]) == (False, True)


def test_scopes_that_were_not_kept_are_asked_of_the_token_service(script):
    script.then({"active": True, "scope": "manage_project:acme"}).then(PROJECT)

    assert probe(CommercetoolsClient(account(script), Unpaced())).scopes == ("manage_project:acme",)
    assert [call[1] for call in script.calls] == ["/oauth/introspect", "/acme"]
