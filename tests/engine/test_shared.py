"""One grant, several accounts: what becomes a connection, what each keeps for itself, and what they share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from django.utils import timezone

from integrations.engine import accounts, shared
from integrations.engine.accounts import account_for, needs_auth, reconnected, set_credential
from integrations.models import Connection, Credential
from integrations.platforms.grants import SharedAccount

pytestmark = [pytest.mark.django_db]


@dataclass(slots=True)
class Grant:
    """What a platform says of a grant."""

    found: Sequence[SharedAccount] = ()

    def shops(self, client: Any) -> Sequence[SharedAccount]:
        return self.found


@dataclass(slots=True)
class Room:
    """A platform with nothing but a grant."""

    auth: Grant | None


def account(external_id: str, name: str = "") -> SharedAccount:
    return SharedAccount(external_id=external_id, name=name or f"Shop {external_id}", settings={"shop_cipher": f"c-{external_id}"})


@pytest.fixture
def keeper() -> Connection:
    made = Connection.objects.create(
        platform="tiktok_shop", name="First", external_id="1", base_url="http://127.0.0.1:9", settings={"app_key": "demo", "store": "mine"}
    )
    set_credential(made, "app_secret", "demo-secret")
    set_credential(made, "access_token", "demo-token", expires_at=timezone.now())
    return made


@pytest.fixture
def grant(monkeypatch: pytest.MonkeyPatch) -> Grant:
    made = Grant()
    monkeypatch.setattr(accounts, "platform_of", lambda connection: Room(made))
    monkeypatch.setattr(accounts, "client_for", lambda connection: None)
    return made


def names(connections: Sequence[Connection]) -> list[tuple[str, str]]:
    return [(connection.external_id, connection.name) for connection in connections]


def test_every_account_of_a_grant_becomes_a_connection_that_uses_its_secrets(keeper: Connection, grant: Grant) -> None:
    grant.found = [account("1"), account("2"), account("3")]
    opened = shared.open_accounts(keeper)
    assert names(opened) == [("2", "Shop 2"), ("3", "Shop 3")]
    assert {made.credentials_from_id for made in opened} == {keeper.pk}
    assert Credential.objects.count() == 2
    assert account_for(opened[1]).secrets == {"app_secret": "demo-secret", "access_token": "demo-token"}
    assert keeper.settings["shop_cipher"] == "c-1"


def test_a_new_account_takes_over_the_settings_of_the_app_but_not_the_name_of_another_store(keeper: Connection, grant: Grant) -> None:
    grant.found = [account("1"), account("2")]
    (opened,) = shared.open_accounts(keeper)
    assert opened.settings == {"app_key": "demo", "shop_cipher": "c-2"}
    assert keeper.settings == {"app_key": "demo", "store": "mine", "shop_cipher": "c-1"}


def test_a_connection_whose_name_is_none_of_the_accounts_becomes_the_first(keeper: Connection, grant: Grant) -> None:
    Connection.objects.filter(pk=keeper.pk).update(external_id="to be found")
    grant.found = [account("7"), account("8")]
    opened = shared.open_accounts(keeper)
    assert (keeper.external_id, keeper.settings["shop_cipher"], names(opened)) == ("7", "c-7", [("8", "Shop 8")])


def test_the_same_grant_again_opens_nothing_twice(keeper: Connection, grant: Grant) -> None:
    grant.found = [account("1"), account("2")]
    shared.open_accounts(keeper)
    assert shared.open_accounts(keeper) == []
    assert Connection.objects.count() == 2


def test_a_grant_renewed_at_one_of_its_other_accounts_is_stored_where_it_was(keeper: Connection, grant: Grant) -> None:
    grant.found = [account("1"), account("2")]
    (other,) = shared.open_accounts(keeper)
    set_credential(other, "access_token", "demo-token-2")
    grant.found = [account("1"), account("2"), account("3")]
    assert names(shared.open_accounts(other)) == [("3", "Shop 3")]
    assert account_for(Connection.objects.get(pk=keeper.pk)).secrets["access_token"] == "demo-token-2"
    assert (Credential.objects.count(), Connection.objects.get(external_id="3").keeper) == (2, keeper)


def test_an_account_that_had_a_connection_goes_on_with_the_new_grant(keeper: Connection, grant: Grant) -> None:
    settings = {"store": "theirs", "shop_cipher": "old"}
    known = Connection.objects.create(platform="tiktok_shop", name="Known", external_id="2", settings=settings)
    needs_auth(known, "the old grant ended")
    grant.found = [account("1"), account("2")]
    assert shared.open_accounts(keeper) == []
    known.refresh_from_db()
    assert (known.state, known.keeper, known.settings) == ("active", keeper, {"store": "theirs", "shop_cipher": "c-2"})


def test_a_name_that_is_taken_gets_a_number(keeper: Connection, grant: Grant) -> None:
    grant.found = [account("1"), account("2", "First"), account("3", "First")]
    assert names(shared.open_accounts(keeper)) == [("2", "First 2"), ("3", "First 3")]


def test_a_platform_without_a_hand_shake_has_nothing_to_open(keeper: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "platform_of", lambda connection: Room(None))
    assert shared.open_accounts(keeper) == []


def test_accounts_of_one_grant_go_on_together_and_no_other_does(keeper: Connection, grant: Grant) -> None:
    grant.found = [account("1"), account("2"), account("3")]
    second, third = shared.open_accounts(keeper)
    stranger = Connection.objects.create(platform="tiktok_shop", name="Stranger", external_id="9")
    for connection in (keeper, second, third, stranger):
        needs_auth(connection, "refused")
    reconnected(Connection.objects.get(pk=second.pk))
    assert dict(Connection.objects.values_list("external_id", "state")) == {"1": "active", "2": "active", "3": "active", "9": "needs_auth"}
