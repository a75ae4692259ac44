"""A running Shopify stand-in, a caller that speaks to it over real HTTP, and an address that collects webhooks."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from integrations.standins.server import StandInServer
from integrations.standins.shopify import ShopifyStandIn, ShopSpec

SHOP = "demo-shop.myshopify.com"
TOKEN = "shpat_demo"
OPERATIONS = Path(__file__).parent / "operations"


def gid(kind: str, number: int) -> str:
    return f"gid://shopify/{kind}/{number}"


class Caller:
    """Calls of one shop's API and of the control endpoint."""

    def __init__(self, stand_in: ShopifyStandIn, root: str, session: requests.Session) -> None:
        self.stand_in, self.root, self.session = stand_in, root, session
        self.base = f"{root}/{SHOP}"

    def post(self, text: str, variables: Any = None, *, name: str | None = None, version: str = "2026-10", token: str = TOKEN) -> Any:
        """The raw HTTP answer to a GraphQL text."""
        body = {"query": text, "variables": variables, "operationName": name}
        address = f"{self.base}/admin/api/{version}/graphql.json"
        return self.session.post(address, json=body, headers={"X-Shopify-Access-Token": token})

    def run(self, file: str, variables: Any = None, *, name: str | None = None) -> Any:
        """The data of an operation kept in a file; fails on any error."""
        answer = self.post((OPERATIONS / f"{file}.graphql").read_text(), variables, name=name).json()
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def ask(self, text: str, variables: Any = None) -> Any:
        """The data of a text; fails on any error."""
        answer = self.post(text, variables).json()
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def refused(self, text: str, variables: Any = None, **options: Any) -> tuple[str, str]:
        """Code and message of the only error an answer has."""
        errors = self.post(text, variables, **options).json()["errors"]
        assert len(errors) == 1, errors
        return errors[0]["extensions"]["code"], errors[0]["message"]

    def order(self, number: int) -> Any:
        return self.run("order_full", {"id": gid("Order", number)})["order"]

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.session.request(method, f"{self.root}/_control{path}", json=body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def set(self, **settings: Any) -> None:
        self.control("POST", "/settings", settings)


@pytest.fixture
def stand_in() -> Iterator[ShopifyStandIn]:
    made = ShopifyStandIn([ShopSpec(SHOP, rates={"EUR": Decimal("1.15")})], bucket=None, bulk_seconds=0.01, retry_seconds=0.5)
    yield made
    made.close()


@pytest.fixture
def caller(stand_in: ShopifyStandIn) -> Iterator[Caller]:
    with StandInServer([stand_in]) as server, requests.Session() as session:
        yield Caller(stand_in, server.url("shopify"), session)


@pytest.fixture
def shoe(stand_in: ShopifyStandIn) -> Any:
    """A product with two variants at 20 and 30."""
    return stand_in.act(
        "create_product",
        handle="shoe",
        title="Shoe",
        html="<p>Fine</p>",
        vendor="Acme",
        type="Shoes",
        tags=["new"],
        category=("gid://shopify/TaxonomyCategory/aa-8", "Apparel & Accessories > Shoes"),
        images=["https://cdn.example/a.jpg"],
        translations={"de": {"title": "Schuh"}},
        variants=[
            {"sku": "SHOE-41", "barcode": "2000000000015", "price": "20.00", "inventory": 50, "options": [("Size", "41")]},
            {"sku": "SHOE-42", "price": "30.00", "compare_at": "35.00", "inventory": 50, "options": [("Size", "42")]},
        ],
    )


@pytest.fixture
def zoe(stand_in: ShopifyStandIn) -> Any:
    return stand_in.act(
        "create_customer",
        email="zoe@example.com",
        phone="+447700900123",
        first_name="Zoë",
        last_name="Biller",
        accepts_email=True,
        tags=["vip"],
        address={"address1": "1 High St", "city": "Leeds", "zip": "LS1 1AA", "country": "United Kingdom", "country_code": "GB"},
        metafields=[{"namespace": "custom", "key": "birthday", "type": "date", "value": "1990-05-01"}],
    )


@pytest.fixture
def place(stand_in: ShopifyStandIn, shoe: Any, zoe: Any) -> Callable[..., Any]:
    """Place an order of two units of the cheaper shoe, unless told otherwise."""

    def make(*, units: int = 2, **fields: Any) -> Any:
        wish = {"lines": [{"variant_id": shoe.variant_ids[0], "quantity": units}], "customer_id": zoe.id, **fields}
        return stand_in.act("create_order", **wish)

    return make


@dataclass
class Inbox:
    """An address that takes webhooks; ``status`` is what it answers, ``delay`` how long it thinks."""

    uri: str = ""
    status: int = 200
    delay: float = 0.0
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    waiting: threading.Event = field(default_factory=threading.Event)

    def topics(self) -> list[str]:
        return [headers["x-shopify-topic"] for headers, _ in self.received]


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    found = Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # noqa: N802 - the name http.server wants
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
            found.waiting.wait(found.delay)
            self.send_response(found.status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    found.uri = f"http://127.0.0.1:{server.server_port}/hooks"
    yield found
    found.waiting.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def subscribe(caller: Caller, inbox: Inbox) -> Callable[..., Any]:
    def make(*topics: str, uri: str | None = None, **options: Any) -> list[str]:
        made = []
        for topic in topics:
            variables = {"topic": topic, "sub": {"uri": uri or inbox.uri, "format": "JSON", **options}}
            answer = caller.run("hook_changes", variables, name="HookCreate")["webhookSubscriptionCreate"]
            assert answer["userErrors"] == []
            made.append(answer["webhookSubscription"]["id"])
        return made

    return make
