"""TikTok buyers and their orders as records, put into route A by hand: for what no order of the stand-in would show."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from integrations.engine import accounts
from integrations.engine.confirm import confirm_receipts
from integrations.engine.deliver import deliver_flow
from integrations.engine.outbox import Cause, enqueue
from integrations.models import Connection, Delivery, Flow
from integrations.standins.ometria import OmetriaStandIn
from integrations.standins.server import StandInServer
from mapping.defaults import load_all_defaults
from mapping.records import Customer, CustomerRef, Order
from tests.factories import OrderFactory, at

RELAY = "v4bDEMO7QK2@scs.tiktokw.eu"
KEY = {"X-Ometria-Auth": "demo-ometria-key"}


@dataclass(slots=True)
class HandFed:
    """A TikTok shop whose records are put in by hand, and an Ometria account over real HTTP."""

    shop: Connection
    account: Connection
    ometria: OmetriaStandIn
    address: str

    def existing(self, *people: dict[str, Any]) -> None:
        """Contacts that Ometria has from elsewhere."""
        with requests.Session() as http:
            http.trust_env = False
            for start in range(0, len(people), 100):
                rows = [{"@type": "contact", "@collection": "shopify", "@merge": True, **row} for row in people[start : start + 100]]
                assert http.post(f"{self.address}/v2/push", json=rows, headers=KEY, timeout=30).status_code == 202

    def put(self, *records: Any, cause: Cause = Cause.WEBHOOK) -> None:
        enqueue(self.shop, records, cause=cause)

    def run(self, seconds: float = 20.0) -> None:
        """Deliver and confirm until nothing is due any more."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for flow in Flow.objects.select_related("source", "destination").order_by("record_type"):
                deliver_flow(flow, until)
                confirm_receipts(flow)
            waiting = Delivery.objects.filter(state__in=["ready", "sending", "accepted"])
            if not waiting.exclude(last_code="waits_for_parent").exists():
                return
            time.sleep(0.05)
        raise AssertionError(list(Delivery.objects.exclude(state="delivered").values_list("record_key", "state", "last_message")[:10]))

    def look(self, what: str) -> dict[str, Any]:
        return self.ometria.look(f"/{what}")

    def profiles(self) -> list[dict[str, Any]]:
        return list(self.look("profiles").values())

    def buyers_of_orders(self) -> dict[str, list[str]]:
        """Order → profiles that own it."""
        orders: dict[str, list[str]] = {}
        account = self.ometria.account("demo")
        for profile in account.directory.profiles.values():
            for key in profile.orders:
                orders.setdefault(key, []).append(profile.id)
        return orders

    def pushed(self, kind: str = "contact") -> list[dict[str, Any]]:
        return [effect.payload for effect in self.ometria.ledger.effects(kind)]


@pytest.fixture
def fed() -> Iterator[HandFed]:
    accounts._clients.clear()
    ometria = OmetriaStandIn({"demo": "demo-ometria-key"}, push_rate=None, read_rate=None, delay=0.0)
    with StandInServer([ometria]) as server:
        shop = Connection.objects.create(platform="tiktok_shop", name="Demo UK", external_id="7495", base_url=server.url("ometria"))
        account = Connection.objects.create(
            platform="ometria", name="Demo account", external_id="demo", base_url=server.url("ometria"),
            settings={"push_rate": 0, "read_rate": 0, "reporting_currency": "GBP", "confirm_grace_seconds": 2},
        )  # fmt: skip
        accounts.set_credential(account, "api_key", "demo-ometria-key")
        made = {"source": shop, "destination": account, "settings": {"sku_gate": "off"}}
        load_all_defaults([Flow.objects.create(record_type=record_type, **made) for record_type in ("customer", "order")])
        yield HandFed(shop, account, ometria, server.url("ometria"))
        ometria.close()
    accounts._clients.clear()


def buyer(user: int = 1, second: float = 0, **shown: Any) -> Customer:
    """What one order shows of a buyer."""
    values = {"email": RELAY, "country": "GB", "attributes": {"nickname": "demo"}, **shown}
    return Customer(key=f"tts:7495:{user}", occurred_at=at(second), partial=True, **values)


def order(number: int = 1, user: int = 1, second: float = 0, **values: Any) -> Order:
    ref = CustomerRef(key=f"tts:7495:{user}", email=RELAY, first_name="Ada", last_name="Byron")
    return OrderFactory(key=f"57646{number}", second=second, customer=ref, store="tiktok_shop_gb", channel="tiktok_shop", **values)


ADA = {
    "id": "7001", "customer_id": "7001", "email": "ada@example.com", "phone_number": "+442079460018", "firstname": "Ada",
    "lastname": "Byron",
}  # fmt: skip
MASKED = {"phone": "(+44)20***018", "first_name": "A***", "last_name": "B***"}
CLEAR = {"phone": "(+44)2079460018", "first_name": "Ada", "last_name": "Byron"}
