"""Accounts and pacers for the Shopify room."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from integrations.platforms.base import Account

SHOP = "demo-shop.myshopify.com"


class RecordingPacer:
    """Notes what the room asks of the shared rate budget."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, float]] = []
        self.reports: list[tuple[str, float | None, float | None, float | None]] = []
        self.pauses: list[tuple[str, float]] = []

    def take(self, group: str, cost: float = 1) -> None:
        self.taken.append((group, cost))

    def report(self, group: str, *, rate: float | None = None, burst: float | None = None, available: float | None = None) -> None:
        self.reports.append((group, rate, burst, available))

    def pause(self, group: str, seconds: float) -> None:
        self.pauses.append((group, seconds))


@pytest.fixture
def pacer() -> RecordingPacer:
    return RecordingPacer()


@pytest.fixture
def make_account() -> Callable[..., Account]:
    def make(base_url: str = "http://127.0.0.1:9", *, secrets: dict[str, str] | None = None, **settings: Any) -> Account:
        return Account(
            connection_id=7,
            platform="shopify",
            external_id=SHOP,
            base_url=base_url,
            api_version=settings.pop("api_version", "2026-10"),
            secrets={"access_token": "shpat_demo", "client_secret": "hush", **(secrets or {})},
            settings=settings,
        )

    return make


@pytest.fixture
def account(make_account: Callable[..., Account]) -> Account:
    return make_account()
