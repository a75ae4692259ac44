"""Calls of the Shopify Admin API: GraphQL paced by its own cost reports, and the one REST call that may be needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from integrations.platforms.base import Account, JsonObject, Pacer
from integrations.platforms.errors import Misconfigured, PlatformError, Reconnect, SlowDown
from integrations.platforms.http import HttpSession, Reply
from integrations.platforms.shopify.answers import TooExpensive, cost_of, judge
from integrations.platforms.shopify.documents import document
from integrations.platforms.shopify.rest import report_bucket

GRAPHQL, REST = "graphql", "rest"  # rate groups
FIRST_ESTIMATE = 50.0  # points reserved for a document whose cost is not known yet
MAX_WARNINGS = 50
SECURITY_PAUSE = 60.0  # seconds to stay away after a 430

# Sizes a document starts with; halved in this order when Shopify finds it too expensive, and remembered by the client.
SIZES: Mapping[str, Mapping[str, int]] = {
    "orders_full": {"batch": 20, "lines": 10, "fulfilments": 10},
    "order_lines": {"lines": 50},
    "order_refunds": {"batch": 10, "lines": 10, "refunds": 10, "parts": 5},
    "refund_lines": {"lines": 50},
    "consent_by_ids": {"batch": 50},
    "customers_full": {"batch": 50, "addresses": 3, "fields": 25},
    "products_full": {"batch": 10, "variants": 20, "collections": 10, "media": 10, "fields": 25},
    "product_variants": {"variants": 50},
    "checkouts_delta": {"first": 25, "lines": 20},
}
SMALLEST: Mapping[str, int] = {"parts": 5, "fields": 25}  # sizes that may not shrink further: what lies beyond is not paged

# HTTP status -> what a person must do; anything else keeps the family that http.py gives it.
UNUSABLE: Mapping[int, str] = {
    401: "Shopify does not accept the access token: paste a new one or connect again.",
    402: "The shop is frozen for an unpaid bill: its owner must settle it with Shopify.",
    403: "Shopify forbids the call: the app lacks a scope or the shop is locked; grant the scopes and connect again.",
    404: "Shopify knows no such shop or the app was removed: check the shop's myshopify domain and install the app again.",
    423: "The shop is locked: its owner must contact Shopify.",
}


class ShopifyClient:
    """One shop's Admin API; raises the error families and remembers what Shopify says beside its answers.

    `warnings` are fields that were not granted, `version_served` and `deprecation` come from the response headers.
    """

    def __init__(self, account: Account, pacer: Pacer) -> None:
        if not account.secrets.get("access_token"):
            raise Misconfigured("This connection has no access token yet: paste one or connect the app.")
        self.account, self.version, self._pacer = account, account.api_version, pacer
        self.warnings: list[str] = []
        self.version_served = self.deprecation = self._currency = ""
        self.unfinished: dict[str, tuple[datetime, JsonObject | None]] = {}  # see expand.py
        self._costs: dict[str, float] = {}
        self._sizes: dict[str, dict[str, int]] = {name: dict(sizes) for name, sizes in SIZES.items()}
        headers = {"X-Shopify-Access-Token": account.secrets["access_token"]}
        self._http = HttpSession(account.base_url, headers, group=GRAPHQL)

    def setting(self, name: str, default: Any = None) -> Any:
        """A setting of the connection, `default` when unset or empty."""
        value = self.account.settings.get(name)
        return default if value in (None, "") else value

    def shop_currency(self) -> str:
        """The currency of the shop's bare prices, asked once per client."""
        if not self._currency:
            self._currency = str(self.call("shop_currency")["shop"]["currencyCode"])
        return self._currency

    def size(self, name: str, part: str) -> int:
        """How many of `part` a document asks for now, after what Shopify found too expensive."""
        return self._sizes[name][part]

    def call(self, name: str, variables: Mapping[str, Any] | None = None) -> JsonObject:
        """The data of a document's answer; its size variables are filled in, and halved while Shopify finds it too expensive."""
        while True:
            sizes = {part: size for part, size in self._sizes.get(name, {}).items() if part != "batch"}
            try:
                return self._execute(name, {**sizes, **(variables or {})})
            except TooExpensive:
                if not self._shrink(name, beside=("batch",)):
                    raise

    def nodes(self, name: str, ids: Sequence[str], variables: Mapping[str, Any] | None = None) -> Iterator[tuple[str, JsonObject | None]]:
        """Each id with its object, None where Shopify has none, in batches that pass the cost limit."""
        rest = list(ids)
        while rest:
            sizes = self._sizes[name]
            batch = rest[: sizes["batch"]]
            try:
                parts = {part: size for part, size in sizes.items() if part != "batch"}
                data = self._execute(name, {**parts, **(variables or {}), "ids": batch}, share=len(batch) / sizes["batch"])
            except TooExpensive:
                if not self._shrink(name, used=len(batch)):
                    raise
                continue
            # `... on Order` leaves an empty object for an id of another kind
            yield from ((gid, node or None) for gid, node in zip(batch, data["nodes"], strict=True))
            rest = rest[len(batch) :]

    def get_rest(self, path: str) -> Reply:
        """GET below `/admin/api/{version}` on the REST API, slowing down from 80 % of its bucket."""
        self._pacer.take(REST)
        try:
            reply = self._http.get(f"/admin/api/{self.version}/{path.lstrip('/')}")
        except SlowDown as fault:
            fault.group = REST
            raise
        except PlatformError as fault:
            raise _told(fault, missing_shop=False) from fault
        self._notice(reply.headers)
        report_bucket(self._pacer, REST, reply.headers)
        return reply

    def _execute(self, name: str, variables: Mapping[str, Any], *, share: float = 1.0) -> JsonObject:
        estimate = self._costs.get(name, FIRST_ESTIMATE)
        self._pacer.take(GRAPHQL, max(1.0, estimate * share))
        body = {"query": document(name, self.version), "variables": dict(variables)}
        try:
            reply = self._http.post(f"/admin/api/{self.version}/graphql.json", json=body)
        except PlatformError as fault:
            raise _told(fault) from fault
        self._notice(reply.headers)
        if isinstance(reply.json, dict):
            self._report(name, reply.json, share)
        data, warnings = judge(reply.json, request_id=reply.request_id)
        for warning in warnings:
            if warning not in self.warnings and len(self.warnings) < MAX_WARNINGS:
                self.warnings.append(warning)
        return data

    def _report(self, name: str, answer: JsonObject, share: float) -> None:
        cost = cost_of(answer)
        if cost is None:
            return
        if cost.requested:
            self._costs[name] = max(1.0, cost.requested / share)
        self._pacer.report(GRAPHQL, rate=cost.restore_rate, burst=cost.maximum, available=cost.available)

    def _notice(self, headers: Mapping[str, str]) -> None:
        self.version_served = headers.get("X-Shopify-API-Version") or self.version_served
        self.deprecation = headers.get("X-Shopify-API-Deprecated-Reason") or self.deprecation

    def _shrink(self, name: str, *, used: int = 0, beside: tuple[str, ...] = ()) -> bool:
        """Halve the first size that can still be halved; False when there is none."""
        sizes = self._sizes.get(name, {})
        if used:
            sizes["batch"] = used
        for part, size in sizes.items():
            if size > SMALLEST.get(part, 1) and part not in beside:
                sizes[part] = size // 2
                self._costs.pop(name, None)
                return True
        return False


def _told(fault: PlatformError, *, missing_shop: bool = True) -> PlatformError:
    """The fault in plain words and in the family that fits Shopify's use of the status."""
    status, request_id = fault.status or 0, fault.request_id
    if status == 430:
        return SlowDown(
            "Shopify rejected the call for security reasons.",
            seconds=SECURITY_PAUSE,
            group=GRAPHQL,
            status=430,
            code="430",
            request_id=request_id,
        )
    if 300 <= status < 400:
        return Reconnect(
            "The shop answers on another address: enter its present myshopify domain.",
            status=status,
            code="redirect",
            request_id=request_id,
        )
    if status in UNUSABLE and (missing_shop or status != 404):
        return Reconnect(UNUSABLE[status], status=status, code=str(status), request_id=request_id)
    return fault
