"""Calls of the TikTok Shop API: one method per endpoint with its own version, each signed, paced and read by its envelope."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urlencode

import orjson

from integrations.platforms.base import Account, JsonObject, Pacer, RawObject
from integrations.platforms.errors import Reconnect, SlowDown
from integrations.platforms.http import HttpSession, Reply
from integrations.platforms.throttle import Throttles
from integrations.platforms.tiktok_shop.answers import data_of, judge
from integrations.platforms.tiktok_shop.options import API_ADDRESS, app_key, app_secret, rates_of, shop_cipher
from integrations.platforms.tiktok_shop.sign import request_signature

READ, WRITE = "read", "write"  # rate groups

# Each endpoint pins its own version; TikTok Shop has none for the API as a whole.
SHOPS = "/authorization/202309/shops"
ORDER_SEARCH = "/order/202309/orders/search"
ORDERS = "/order/202507/orders"
CANCELLATION_SEARCH = "/return_refund/202602/cancellations/search"
RETURN_SEARCH = "/return_refund/202602/returns/search"
PRODUCT_SEARCH = "/product/202502/products/search"
PRODUCT = "/product/202309/products/{}"
WEBHOOKS = "/event/202309/webhooks"
SHOP_FIGURES = "/analytics/202509/shop/performance"
PRODUCT_FIGURES = "/analytics/202509/shop_products/performance"

MAX_IDS = 50  # orders in one detail call
PAGE = 50  # the most that searches of cancellations and returns take; orders would take 100
PRODUCT_PAGE = 20  # each product is one more call
FIGURES_PAGE = 100
ASCENDING = {"sort_order": "ASC"}


class TikTokShopClient:
    """One shop; raises the error families. `ahead` is TikTok Shop's clock minus ours in seconds, None before the first answer."""

    def __init__(self, account: Account, pacer: Pacer) -> None:
        if not account.secrets.get("access_token"):
            raise Reconnect("The connection has no access token yet: let the seller authorise the app.", code="no_token")
        self.account, self._pacer = account, pacer
        self._app_key, self._secret = app_key(account), app_secret(account)
        self.ahead: float | None = None
        self.unfinished: dict[str, tuple[datetime, RawObject | None]] = {}  # see expand.py
        self._throttles = Throttles(pacer, rates_of(account))
        headers = {"x-tts-access-token": account.secrets["access_token"], "Content-Type": "application/json"}
        self._http = HttpSession(account.base_url or API_ADDRESS, headers, judge=judge)
        for group, rate in rates_of(account).items():
            pacer.report(group, rate=rate, burst=max(rate, 1.0))

    # --- the seller and the door --------------------------------------------------------------------------------------------

    def shops(self) -> list[JsonObject]:
        """The shops that this token was authorised for: id, name, region, seller_type, cipher."""
        return _rows(self._call("GET", SHOPS, shop=False), "shops")

    def webhooks(self) -> list[JsonObject]:
        """This shop's subscriptions: event_type, address."""
        return _rows(self._call("GET", WEBHOOKS), "webhooks")

    def subscribe(self, event_type: str, address: str) -> None:
        """Send one event type to an address; the address it went to before is replaced."""
        self._call("PUT", WEBHOOKS, body={"event_type": event_type, "address": address}, group=WRITE)

    # --- orders and what befalls them ---------------------------------------------------------------------------------------

    def order_page(self, filters: JsonObject, *, field: str = "update_time", token: str = "", size: int = PAGE) -> JsonObject:
        """One page of the order index in ascending order of `field` (update_time, create_time): orders, next_page_token, total_count."""
        return self._search(ORDER_SEARCH, filters, {"sort_field": field, **ASCENDING}, token=token, size=size)

    def orders(self, ids: Sequence[str]) -> list[JsonObject]:
        """Up to 50 orders in full; those that are gone are absent."""
        return _rows(self._call("GET", ORDERS, {"ids": ",".join(ids)}), "orders")

    def cancellation_page(self, filters: JsonObject, *, field: str = "update_time", token: str = "") -> JsonObject:
        """One page of requests to cancel: cancellations, next_page_token, total_count."""
        return self._search(CANCELLATION_SEARCH, filters, {"sort_field": field, **ASCENDING}, token=token)

    def return_page(self, filters: JsonObject, *, field: str = "update_time", token: str = "") -> JsonObject:
        """One page of requests for return or refund: return_orders, next_page_token, total_count."""
        return self._search(RETURN_SEARCH, filters, {"sort_field": field, **ASCENDING}, token=token)

    # --- products and figures -----------------------------------------------------------------------------------------------

    def product_page(self, filters: JsonObject, *, token: str = "") -> JsonObject:
        """One page of the product index: products, next_page_token, total_count; never past 10,000 products."""
        return self._search(PRODUCT_SEARCH, filters, {}, token=token, size=PRODUCT_PAGE)

    def product(self, product_id: str) -> JsonObject:
        """One product in full."""
        return self._call("GET", PRODUCT.format(quote(product_id, safe="")))

    def shop_figures(self, day: str, end: str) -> JsonObject:
        """The shop's figures from `day` up to, not with, `end` (ISO dates in the shop's time zone)."""
        return self._call("GET", SHOP_FIGURES, {"start_date_ge": day, "end_date_lt": end, "currency": "LOCAL"})

    def product_figures(self, day: str, end: str, *, token: str = "") -> JsonObject:
        """One page of the figures of each product: products, next_page_token."""
        query = {"start_date_ge": day, "end_date_lt": end, "currency": "LOCAL", "page_size": str(FIGURES_PAGE)}
        return self._call("GET", PRODUCT_FIGURES, {**query, **({"page_token": token} if token else {})})

    # --- the call -----------------------------------------------------------------------------------------------------------

    def _search(self, path: str, filters: JsonObject, query: Mapping[str, str], *, token: str, size: int = PAGE) -> JsonObject:
        paging = {"page_size": str(size), **query, **({"page_token": token} if token else {})}
        return self._call("POST", path, paging, body=filters)

    def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        body: JsonObject | None = None,
        shop: bool = True,
        group: str = READ,
    ) -> JsonObject:
        """Sign with the time of this very try, send exactly the signed bytes, and read the envelope."""
        self._pacer.take(group)
        content = b"" if body is None else orjson.dumps(body)
        values = {**(query or {}), "app_key": self._app_key, "timestamp": str(int(time.time()))}
        if shop:
            values["shop_cipher"] = shop_cipher(self.account)
        values["sign"] = request_signature(self._secret, path, values, content)
        try:
            reply = self._http.request(method, f"{path}?{urlencode(values, quote_via=quote, safe='')}", data=content or None)
            data = data_of(reply.json, reply.headers)
        except SlowDown as refusal:
            raise self._throttles.slow_down(group, refusal) from refusal
        self._answered(group, reply)
        return data

    def _answered(self, group: str, reply: Reply) -> None:
        self._throttles.answered(group)
        with suppress(TypeError, ValueError):
            self.ahead = (parsedate_to_datetime(reply.headers.get("Date", "")) - datetime.now(UTC)).total_seconds()


def _rows(data: JsonObject, name: str) -> list[JsonObject]:
    """The objects of a list that is left out when empty."""
    rows = data.get(name)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
