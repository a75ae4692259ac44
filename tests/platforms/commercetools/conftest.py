"""A running commercetools stand-in, and clients of its project."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.platforms.base import Account, RawObject, Unpaced, Window
from integrations.platforms.commercetools import PLATFORM
from integrations.platforms.commercetools.auth import CommercetoolsAuth
from integrations.platforms.commercetools.client import CommercetoolsClient
from integrations.standins.commercetools import CommercetoolsStandIn
from integrations.standins.commercetools.specs import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, DEMO_PROJECT
from integrations.standins.server import StandInServer


@pytest.fixture
def stand_in() -> Iterator[CommercetoolsStandIn]:
    made = CommercetoolsStandIn()
    yield made
    made.close()


@pytest.fixture
def address(stand_in: CommercetoolsStandIn) -> Iterator[str]:
    with StandInServer([stand_in]) as server:
        yield server.url("commercetools")


@pytest.fixture
def connect(address: str) -> Callable[..., CommercetoolsClient]:
    """A client with a token of its own; keyword arguments are settings."""

    def make(**settings: Any) -> CommercetoolsClient:
        base = {"client_id": DEMO_CLIENT_ID, "auth_url": f"{address}/auth", **settings}
        secrets = {"client_secret": DEMO_CLIENT_SECRET}
        account = Account(
            connection_id=1, platform="commercetools", external_id=DEMO_PROJECT, base_url=f"{address}/api", secrets=secrets, settings=base
        )
        tokens = CommercetoolsAuth().refresh(account)
        assert tokens is not None
        held = {**secrets, "access_token": tokens.values["access_token"][0]}
        known = {**base, "granted_scopes": list(tokens.scopes)}
        return CommercetoolsClient(
            Account(
                connection_id=1, platform="commercetools", external_id=DEMO_PROJECT, base_url=f"{address}/api", secrets=held, settings=known
            ),
            Unpaced(),
        )

    return make


def last_days(days: float = 30.0) -> Window:
    """From so many days ago up to now."""
    now = datetime.now(UTC)
    return Window(since=now - timedelta(days=days), until=now + timedelta(minutes=5))


def pull_all(
    client: CommercetoolsClient, reader: str, window: Window, *, history: bool = False, between: Callable[[int], object] = lambda page: None
) -> list[RawObject]:
    """Every object of a pull; `between` is called after each page with its number."""
    chosen = PLATFORM.readers[reader]
    pull, found, cursor, number = (chosen.backfill if history and chosen.backfill else chosen.pull), [], None, 0
    while True:
        page = pull(client, window, cursor)
        found += page.objects
        number += 1
        between(number)
        cursor = page.cursor
        if cursor is None:
            return found
