"""A running TikTok Shop stand-in, a caller that signs with code of its own, and an address that collects webhooks."""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote

import pytest
import requests

from integrations.standins.server import StandInServer
from integrations.standins.tiktok_shop import TikTokShopStandIn
from integrations.standins.tiktok_shop.specs import DEMO_SHOPS

KEY, SECRET, TOKEN = "demo-tts-app-key", "demo-tts-app-secret", "TTP_demo-access-token"
GB, DE, JP, US = DEMO_SHOPS
SEARCH = "/order/202309/orders/search"
DETAIL = "/order/202507/orders"
CANCELS, RETURNS = "/return_refund/202602/cancellations/search", "/return_refund/202602/returns/search"


def sign(path: str, query: dict[str, str], body: bytes, secret: str = SECRET) -> str:
    """The note's six steps, written out once more."""
    text = path
    for name in sorted(query):
        if name != "sign" and name != "access_token":
            text += name + query[name]
    message = secret.encode() + text.encode() + body + secret.encode()
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


class Caller:
    """Signed calls of one shop, and of the control endpoint."""

    def __init__(self, stand_in: TikTokShopStandIn, root: str, session: requests.Session) -> None:
        self.stand_in, self.root, self.session = stand_in, root, session

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        cipher: str | None = GB.cipher,
        token: str | None = TOKEN,
        secret: str = SECRET,
        drop: tuple[str, ...] = (),
        headers: dict[str, str] | None = None,
        **query: Any,
    ) -> requests.Response:
        raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        values = {"app_key": KEY, "timestamp": str(int(time.time())), **{name: str(value) for name, value in query.items()}}
        if cipher is not None:
            values["shop_cipher"] = cipher
        values.setdefault("sign", sign(path, values, raw, secret))
        values = {name: value for name, value in values.items() if name not in drop}
        sent = {"content-type": "application/json"} if raw else {}
        if token is not None:
            sent["x-tts-access-token"] = token
        text = "&".join(f"{name}={quote(value, safe='')}" for name, value in values.items())
        return self.session.request(method, f"{self.root}{path}?{text}", data=raw, headers={**sent, **(headers or {})})

    def get(self, path: str, **query: Any) -> Any:
        """The data of a read; fails on any refusal."""
        return self.data(self.call("GET", path, **query))

    def post(self, path: str, body: Any, **query: Any) -> Any:
        """The data of a search; fails on any refusal."""
        return self.data(self.call("POST", path, body, **query))

    def code(self, *args: Any, **options: Any) -> int:
        return self.call(*args, **options).json()["code"]

    def order(self, order_id: str, **options: Any) -> Any:
        return self.get(DETAIL, ids=order_id, **options)["orders"][0]

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.session.request(method, f"{self.root}/_control{path}", json=body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    @staticmethod
    def data(answer: requests.Response) -> Any:
        found = answer.json()
        assert found["code"] == 0, found
        return found["data"]


@pytest.fixture
def stand_in() -> Iterator[TikTokShopStandIn]:
    made = TikTokShopStandIn(read_rate=None, write_rate=None)
    yield made
    made.close()


@pytest.fixture
def caller(stand_in: TikTokShopStandIn) -> Iterator[Caller]:
    with StandInServer([stand_in]) as server, requests.Session() as session:
        session.trust_env = False
        yield Caller(stand_in, server.url("tiktok_shop"), session)


def stock(stand_in: TikTokShopStandIn, shop_id: str | None = None) -> Any:
    """A tee at 20, soap at 6, a dish at 10 (hundredfold where there are no pennies), and a set of two soaps and a dish at 19."""
    factor = 1 if stand_in.shop(shop_id).region.exponent else 100

    def make(title: str, sku: str, price: int, **more: Any) -> Any:
        variant = {"seller_sku": sku, "price": str(price * factor), "options": [("Size", "M")], **more}
        return stand_in.act("create_product", shop_id, title=title, variants=[variant])

    tee = make("Tee", "TEE-M", 20, gtin="2000000000015")
    make("Soap", "SOAP", 6)
    make("Dish", "DISH", 10)
    make("Gift set", "SET", 19, components=[{"seller_sku": "SOAP", "count": 2}, {"seller_sku": "DISH", "count": 1}])
    return tee


@pytest.fixture
def tee(stand_in: TikTokShopStandIn) -> Any:
    return stock(stand_in)


@pytest.fixture
def place(stand_in: TikTokShopStandIn, tee: Any) -> Any:
    """Place an order of two tees, ready to ship, unless told otherwise."""

    def make(*, units: int = 2, shop_id: str | None = None, **fields: Any) -> Any:
        wish = {"lines": [{"seller_sku": "TEE-M", "quantity": units}], "status": "AWAITING_SHIPMENT", **fields}
        return stand_in.act("place_order", shop_id, **wish)

    return make


@dataclass
class Inbox:
    """An address that takes webhooks; ``status`` is what it answers, ``delay`` how long it thinks."""

    address: str = ""
    status: int = 200
    delay: float = 0.0
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    waiting: threading.Event = field(default_factory=threading.Event)

    def bodies(self) -> list[Any]:
        return [json.loads(body) for _, body in self.received]

    def types(self) -> list[int]:
        return [body["type"] for body in self.bodies()]


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
    found.address = f"http://127.0.0.1:{server.server_port}/hooks"
    yield found
    found.waiting.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def subscribe(caller: Caller, inbox: Inbox) -> Any:
    def make(*event_types: str, **options: Any) -> None:
        for event_type in event_types:
            caller.data(caller.call("PUT", "/event/202309/webhooks", {"event_type": event_type, "address": inbox.address}, **options))

    return make
