"""The TikTok Shop stand-in: one app, several sellers, their shops, behind one address that stands for all of the platform's hosts."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import orjson

from integrations.standins.clock import Clock
from integrations.standins.couriers import THREADS
from integrations.standins.faults import Faults
from integrations.standins.ledger import Ledger
from integrations.standins.tiktok_shop import consent, control
from integrations.standins.tiktok_shop.acts import act
from integrations.standins.tiktok_shop.asked import Asked, read_body
from integrations.standins.tiktok_shop.errors import WRONG_METHOD, Refusal, Statuses
from integrations.standins.tiktok_shop.expiry import ExpiryWarnings
from integrations.standins.tiktok_shop.failures import Failures
from integrations.standins.tiktok_shop.gate import Gate
from integrations.standins.tiktok_shop.ids import Ids
from integrations.standins.tiktok_shop.lives import Lives
from integrations.standins.tiktok_shop.order_life import ORDER_STATUS_CHANGE, status_data
from integrations.standins.tiktok_shop.routes import Endpoint, find
from integrations.standins.tiktok_shop.sender import TIMEOUT, Sender
from integrations.standins.tiktok_shop.settings import Settings
from integrations.standins.tiktok_shop.shops import Shop
from integrations.standins.tiktok_shop.specs import DEMO_SELLERS, AppSpec, SellerSpec
from integrations.standins.tiktok_shop.throttle import Throttle
from integrations.standins.tiktok_shop.timers import Timers
from integrations.standins.tiktok_shop.tokens import Access, Tokens
from integrations.standins.tiktok_shop.webhooks import Hooks
from integrations.standins.wire import Request, Response

SELLER_DEAUTHORIZATION = 6
CONSENT_PATHS = ("/open/authorize", "/oauth/authorize")


class TikTokShopStandIn:
    """A connection's base address is ``<server>/tiktok_shop``, for API, token and consent calls alike; signed paths begin after it."""

    slug = "tiktok_shop"

    def __init__(
        self,
        sellers: Sequence[SellerSpec] = DEMO_SELLERS,
        app: AppSpec | None = None,
        *,
        keep_payloads: bool = True,
        retry_speed: float = 1.0,
        timeout: tuple[float, float] = TIMEOUT,
        threads: int = THREADS,
        caller_clock: Callable[[], float] | None = None,
        **settings: Any,
    ) -> None:
        self.clock = Clock()
        # what callers' time stamps are compared with: not moved when the stand-in's own time is
        self.skew, self._caller_clock = 0.0, caller_clock or Clock().now
        self.lock = threading.RLock()
        self.ledger = Ledger(keep_payloads=keep_payloads, now=self.clock.now)
        self.faults, self.failures = Faults(), Failures()
        self.timers = Timers(self.clock, self.lock)
        self.sender = Sender(self.clock, self.timers, speed=retry_speed, threads=threads, timeout=timeout)
        self.ids = Ids()
        self.tokens = Tokens(app or AppSpec(), self.ledger, self.clock.now)
        self.sellers = {seller.open_id: seller for seller in sellers}
        self.shops: dict[str, Shop] = {}
        for seller in sellers:
            for spec in seller.shops:
                shop = Shop(spec, seller, clock=self.clock, ledger=self.ledger, ids=self.ids, timers=self.timers, lock=self.lock)
                shop.hooks = Hooks(spec, self.clock, self.ids, self.ledger, send=self.sender.send)
                shop.hooks.app = self.tokens.app
                self.shops[spec.id] = shop
        self._gate = Gate(self.tokens, {shop.spec.cipher: shop for shop in self.shops.values()}, lambda: self._caller_clock() + self.skew)
        self._throttle, self._statuses, self._requests = Throttle(self.clock.now), Statuses(), count(1)
        # generators of the control call ``/live``, by shop
        self.lives: dict[str, Lives] = {}
        self._warnings = ExpiryWarnings(self.tokens, self.timers, self.clock, self.shops_of)
        self._initial = Settings().changed(settings)
        self._begin()

    # ---- for tests, benchmarks and the demo

    def shop(self, shop_id: str | None = None) -> Shop:
        """The shop with that id (or of that region, "GB"), the first one without; raises KeyError."""
        if not shop_id:
            return next(iter(self.shops.values()))
        found = self.shops.get(shop_id) or next((one for one in self.shops.values() if one.region.code == shop_id), None)
        if found is None:
            raise KeyError(shop_id)
        return found

    def act(self, do: str, shop_id: str | None = None, **arguments: Any) -> Any:
        """Let something happen in a shop: ``act("release_hold", order_id=…)``; raises ValueError or Missing when it cannot."""
        return act(self.shop(shop_id), do, arguments)

    def signed_webhooks(self, order_ids: Sequence[str], shop_id: str | None = None) -> list[tuple[dict[str, str], bytes]]:
        """Headers and exact bytes of a type 1 webhook for each order as it is now, each with an id of its own; raises Missing."""
        shop = self.shop(shop_id)
        assert shop.hooks is not None
        with self.lock:
            return [shop.hooks.signed(ORDER_STATUS_CHANGE, status_data(shop.orders.get(key))) for key in order_ids]

    def consent(self, seller: SellerSpec, *, state: str = "", scopes: Sequence[str] | None = None) -> dict[str, str]:
        """What the seller's agreement leads to, without a browser: ``code``, and the ``redirect`` it would have made."""
        code = self.tokens.code(seller, frozenset(scopes) if scopes is not None else None)
        return {"code": code, "state": state, "redirect": consent.return_address(self.tokens.app, seller, code=code, state=state)}

    def deauthorise(self, seller: SellerSpec) -> None:
        """The seller withdraws: type 6 to every shop, then tokens and webhook addresses are gone."""
        with self.lock:
            for shop in self.shops_of(seller):
                shop.emit(SELLER_DEAUTHORIZATION, {"message": "The seller has deauthorized the app."})
                if shop.hooks is not None:
                    shop.hooks.forget()
            self.tokens.revoke(seller)
        self.ledger.append("deauthorised", seller.open_id, {})

    def warn_expiry(self, seller: SellerSpec) -> None:
        """Type 7 to every shop of a seller now; comes by itself from thirty days before."""
        self._warnings.send(seller)

    def rotate_secret(self, secret: str, *, sign_with_old: bool = False) -> None:
        """A new app secret; webhooks may go on with the old one for a while."""
        self.tokens.app = replace(self.tokens.app, app_secret=secret)
        if not sign_with_old:
            self.change_app()

    def change_app(self, **changes: str) -> None:
        """Change what the Partner Center fixes: ``redirect_uri``, ``webhook_uri``; webhooks are signed for the app as it now is."""
        self.tokens.app = replace(self.tokens.app, **changes)
        for shop in self.shops.values():
            if shop.hooks is not None:
                shop.hooks.app = self.tokens.app

    def change_settings(self, changes: object) -> Settings:
        """Change how everything behaves from now on; raises ValueError."""
        self.settings = self.tokens.settings = self.settings.changed(changes)
        for shop in self.shops.values():
            shop.settings = self.settings
        return self.settings

    def advance(self, seconds: float) -> None:
        """Move the stand-in's own time ahead: holds end, retries come, tokens expire. Callers' time stamps are not touched."""
        self.clock.advance(seconds)
        self.timers.moved()

    def wait_sent(self, timeout: float = 10.0, *, retries: bool = True) -> bool:
        """Wait until every queued webhook was taken or given up; False when time is up."""
        return self.sender.wait(timeout, retries=retries)

    def shops_of(self, seller: SellerSpec) -> list[Shop]:
        """A seller's shops."""
        return [shop for shop in self.shops.values() if shop.seller is seller]

    def reset(self) -> None:
        """Back to how it was built: no orders, no effects, no faults, first settings and tokens; the app stays as it is."""
        with self.lock:
            self.timers.clear()
            self.sender.clear()
            self.ledger.clear()
            self.faults.clear()
            self.failures.clear()
            self._throttle.clear()
            self.tokens.clear()
            self.lives.clear()
            for shop in self.shops.values():
                shop.reset()
                if shop.hooks is not None:
                    shop.hooks.clear()
                    shop.hooks.forget()
            self._begin()

    # ---- what the server calls

    def handle(self, request: Request) -> Response:
        """Answer platform traffic."""
        self.timers.run_due()
        if request.path in CONSENT_PATHS:
            return self._consent_page(request)
        request_id = f"{int(self.clock.now())}{next(self._requests):016X}"
        try:
            content = {"code": 0, "message": "Success", "request_id": request_id, "data": self._answer(request)}
            status, extra = 200, {}
        except Refusal as refusal:
            content = {"code": refusal.code, "message": refusal.message, "request_id": request_id, "data": None}
            status, extra = self._statuses.of(refusal), refusal.headers
        headers = {"Content-Type": "application/json", "Date": self.clock.http_date(), "X-Tt-Logid": request_id, **extra}
        return Response(status, orjson.dumps(content), headers)

    def control(self, request: Request) -> Response:
        """Answer a test's or the demo's call."""
        self.timers.run_due()
        return control.answer(self, request)

    def close(self) -> None:
        """Stop sending and waiting."""
        self.timers.close()
        self.sender.close()

    def _begin(self) -> None:
        self.settings = self._initial
        self.change_settings({})
        for seller in self.sellers.values():
            if seller.access_token:
                pair = (seller.access_token, seller.refresh_token)
                self.tokens.issue(seller, frozenset(self.tokens.app.scopes), cause="given", pair=pair)

    def _answer(self, request: Request) -> dict[str, Any]:
        self.failures.strike(request)
        grant = {"/api/v2/token/get": self.tokens.exchange, "/api/v2/token/refresh": self.tokens.refresh}.get(request.path)
        if grant is not None:
            if request.method != "GET":
                raise Refusal(WRONG_METHOD, "Invalid method")
            return grant(request.query)
        endpoint, version, wild = find(request.method, request.segments())
        if self.faults.take(request, {"expire_token"}) is not None:
            self.tokens.expire(token=request.headers.get("x-tts-access-token", "-"))
        access, shop = self._gate.check(request, endpoint, self.settings)
        return self._serve(request, endpoint, access, Asked(request, version, shop, wild))

    def _serve(self, request: Request, endpoint: Endpoint, access: Access, asked: Asked) -> dict[str, Any]:
        name = asked.shop.spec.id if asked.shop is not None else access.seller.open_id
        self._throttle.take(self.tokens.app.app_key, name, self.settings, write=endpoint.write)
        asked.body = read_body(request)
        with self.lock:
            return endpoint.answer(asked) if endpoint.answer is not None else self._authorised_shops(access.seller)

    def _authorised_shops(self, seller: SellerSpec) -> dict[str, Any]:
        rows = [
            {
                "id": spec.id,
                "name": spec.name,
                "region": spec.region_code,
                "seller_type": spec.seller_type,
                "cipher": spec.cipher,
                "code": spec.code,
            }
            for spec in seller.shops
        ]
        return {"shops": rows} if rows else {}

    def _consent_page(self, request: Request) -> Response:
        app, state = self.tokens.app, request.query.get("state", "")
        sellers = list(self.sellers.values())
        shown = consent.page(request, app, sellers)
        if shown.status != 200 or (request.method == "GET" and not self.settings.auto_consent):
            return shown
        form = consent.form_of(request) if request.method == "POST" else {}
        if form.get("agree") == "no":
            return Response(302, b"", {"Location": consent.declined_address(app, state)})
        seller = self.sellers.get(form.get("seller", ""), sellers[0])
        return Response(302, b"", {"Location": self.consent(seller, state=form.get("state", state))["redirect"]})
