"""A running Ometria stand-in without quotas, and a caller that speaks to it over real HTTP."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from integrations.standins.ometria import OmetriaStandIn
from integrations.standins.server import StandInServer

KEY = "demo-ometria-key"


class Caller:
    """Calls of the Data API and of the control endpoint with one key."""

    def __init__(self, base: str, session: requests.Session, key: str = KEY) -> None:
        self.base = base
        self.session = session
        self.headers = {"X-Ometria-Auth": key}

    def with_key(self, key: str) -> "Caller":
        return Caller(self.base, self.session, key)

    def push(self, *records: object) -> requests.Response:
        return self.session.post(f"{self.base}/v2/push", json=list(records), headers=self.headers)

    def get(self, path: str, /, **query: str) -> requests.Response:
        return self.session.get(f"{self.base}/v2{path}", params=query, headers=self.headers)

    def read(self, path: str, /, **query: str) -> Any:
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: object) -> requests.Response:
        return self.session.post(f"{self.base}/v2{path}", json=body, headers=self.headers)

    def look(self, path: str, /, **query: str) -> Any:
        answer = self.session.get(f"{self.base}/_control{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def act(self, path: str, /, **body: Any) -> Any:
        answer = self.session.post(f"{self.base}/_control{path}", json=body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def problems(self) -> list[tuple[str, str]]:
        """Record id and path of each validation error, newest first."""
        return [(row["record_id"], row["message"]["error_path"]) for row in self.read("/push/_errors")]


@pytest.fixture
def stand_in() -> OmetriaStandIn:
    accounts = {"demo": KEY, "second": ["second-key", "second-key-next"]}
    return OmetriaStandIn(accounts, push_rate=None, read_rate=None, merge_rate=None, deletion_rate=None)


@pytest.fixture
def api(stand_in: OmetriaStandIn) -> Iterator[Caller]:
    with StandInServer([stand_in]) as server, requests.Session() as session:
        yield Caller(server.url("ometria"), session)


@pytest.fixture
def contact() -> Any:
    """A builder of contacts; null removes a key, "@" keys are given with "at_"."""

    def build(**changes: Any) -> dict:
        record = {"@type": "contact", "@collection": "shopify", "id": "7001", "email": "ada@example.com"}
        record |= {name.replace("at_", "@", 1) if name.startswith("at_") else name: value for name, value in changes.items()}
        return {name: value for name, value in record.items() if value is not None}

    return build


@pytest.fixture
def order() -> Any:
    """A builder of balanced two-unit orders."""

    def build(**changes: Any) -> dict:
        line = {"product_id": "P100", "variant_id": "V100-M", "sku": "SHIRT-M", "quantity": 2, "unit_price": 25.0, "subtotal": 50.0}
        record = {
            "@type": "order",
            "id": "shp-1",
            "timestamp": "2026-01-08T14:03:11Z",
            "status": "paid",
            "is_valid": True,
            "currency": "GBP",
            "subtotal": 50.0,
            "discount": -5.0,
            "tax": 9.0,
            "shipping": 4.0,
            "grand_total": 58.0,
            "customer": {"id": "7001", "email": "ada@example.com"},
            "lineitems": [{**line, "discount": -5.0, "tax": 9.0, "total": 54.0}],
        }
        return {name: value for name, value in (record | changes).items() if value is not None}

    return build


@pytest.fixture
def product() -> Any:
    """A builder of products with one listing."""

    def build(**changes: Any) -> dict:
        listing = {"store": "example.com/uk", "title": "Linen shirt", "price": 25.0, "currency": "GBP", "is_active": True}
        record = {"@type": "product", "id": "P100", "title": "Linen shirt", "price": 25.0, "is_active": True, "listings": [listing]}
        return {name: value for name, value in (record | changes).items() if value is not None}

    return build


@pytest.fixture
def event() -> Any:
    """A builder of custom events."""

    def build(**changes: Any) -> dict:
        record = {
            "@type": "custom_event",
            "id": "9f1c2d3e4a5b46778899aabbccddeeff",
            "event_type": "abandoned_checkout",
            "timestamp": "2026-01-10T09:30:00Z",
            "identity_email": "ada@example.com",
            "properties": {"total": 54.0, "product_id": ["P100"]},
        }
        return {name: value for name, value in (record | changes).items() if value is not None}

    return build
