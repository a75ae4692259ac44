"""One shop's addresses: GraphQL, OAuth, the old product call, result files."""

import base64
import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl

from graphql.execution.values import get_variable_values

from integrations.standins.faults import Faults
from integrations.standins.shopify import bulk, imports
from integrations.standins.shopify import fields as _fields  # noqa: F401 - fills the resolver tables
from integrations.standins.shopify.cost import Bucket, actual_cost, cost_of
from integrations.standins.shopify.execute import arguments_of, run
from integrations.standins.shopify.ids import number_of
from integrations.standins.shopify.oauth import Tokens
from integrations.standins.shopify.payloads.products import full_product
from integrations.standins.shopify.resolvers import Call
from integrations.standins.shopify.schema import Operation, document_of, error_of, schema_of, served_version
from integrations.standins.shopify.shops import Shop
from integrations.standins.wire import Request, Response, json_response

BAD_TOKEN = "[API] Invalid API key or access token (unrecognized login or wrong password)"  # noqa: S105 - a message
LIMITS_PAGE = "https://shopify.dev/api/usage/rate-limits"
Body = dict[str, Any]


@dataclass(slots=True)
class Limits:
    """Points a single call may ask for, and the old call's leaky bucket (size, per second). None is no limit."""

    max_cost: int | None = 1000
    rest_size: int = 40
    rest_rate: float = 2.0
    # sent as X-Shopify-API-Deprecated-Reason while it is not empty
    deprecated: str = ""


@dataclass(slots=True)
class ShopService:
    """Answers the calls of one shop."""

    shop: Shop
    tokens: Tokens
    faults: Faults
    bucket: Bucket
    limits: Limits = field(default_factory=Limits)
    # force a status on every call, as for a frozen (402) or locked (423) shop
    forced_status: int | None = None
    _rest_level: float = 0.0
    _rest_at: float = 0.0

    def handle(self, request: Request, path: str, base_url: str) -> Response:
        """Answer a call; the path is what follows the shop's domain."""
        if path.startswith("/bulk/"):
            return self._file(request, path)
        if path == "/staged":
            return self._upload(request)
        if path == "/admin/oauth/access_token":
            return self._token(request)
        if path == "/admin/oauth/authorize":
            return self._authorize(request)
        parts = path.strip("/").split("/")
        if len(parts) < 4 or parts[:2] != ["admin", "api"]:
            return json_response({"errors": "Not Found"}, 404)
        version = served_version(parts[2])
        refused = self._refused(request)
        answer = refused if refused is not None else self._api(request, parts[3:], version, base_url)
        date = formatdate(self.shop.clock.now(), usegmt=True)
        extra = {"X-Request-Id": str(uuid.uuid4()), "X-Shopify-API-Version": version, "Date": date}
        if self.limits.deprecated:
            extra["X-Shopify-API-Deprecated-Reason"] = self.limits.deprecated
        return Response(answer.status, answer.body, {**answer.headers, **extra})

    def _refused(self, request: Request) -> Response | None:
        if self.forced_status is not None:
            return json_response({"errors": "Unavailable Shop"}, self.forced_status)
        token = request.headers.get("x-shopify-access-token", "")
        if self.faults.take(request, {"expire_token"}) is not None:
            self.tokens.expire(token)
        if not self.shop.installed or not self.tokens.valid(token):
            return json_response({"errors": BAD_TOKEN}, 401)
        return None

    def _api(self, request: Request, rest: list[str], version: str, base_url: str) -> Response:
        if rest == ["graphql.json"] and request.method == "POST":
            return self._graphql(request, version, base_url)
        if len(rest) == 2 and rest[0] == "products" and rest[1].endswith(".json") and request.method == "GET":
            return self._product(rest[1].removesuffix(".json"))
        return json_response({"errors": "Not Found"}, 404)

    def _graphql(self, request: Request, version: str, base_url: str) -> Response:
        try:
            body = request.json()
        except ValueError:
            return json_response({"errors": "Bad Request: the body is not JSON"}, 400)
        if not isinstance(body, Mapping) or not isinstance(body.get("query"), str):
            return json_response({"errors": {"query": "Required parameter missing or invalid"}}, 400)
        variables = body.get("variables") or {}
        if not isinstance(variables, Mapping):
            return json_response({"errors": {"variables": "Must be an object"}}, 400)
        document = document_of(version, body["query"])
        if document.errors:
            return json_response({"errors": list(document.errors)})
        operation, fault = _chosen(document.operations, body.get("operationName"))
        if operation is None:
            return json_response({"errors": [fault]})
        with self.shop.lock:
            return json_response(self._answer(operation, dict(variables), version, base_url))

    def _answer(self, operation: Operation, variables: Body, version: str, base_url: str) -> Body:
        coerced = get_variable_values(schema_of(version), operation.node.variable_definitions or (), variables)
        if isinstance(coerced, list):
            return {"errors": [error_of(error, "INVALID_VARIABLE") for error in coerced]}
        call = Call(self.shop, version, base_url, coerced)
        requested = cost_of(operation.selection, lambda one: arguments_of(one, call), mutation=operation.mutation)
        if self.limits.max_cost is not None and requested > self.limits.max_cost:
            return {"errors": [_too_dear(requested, self.limits.max_cost)]}
        if not self.bucket.take(requested):
            throttled = {"message": "Throttled", "extensions": {"code": "THROTTLED", "documentation": LIMITS_PAGE}}
            return {"errors": [throttled], "extensions": {"cost": self._cost(requested, None)}}
        data = run(operation.selection, call)
        actual = actual_cost(call, requested, mutation=operation.mutation)
        self.bucket.give_back(requested - actual)
        extensions: Body = {"cost": self._cost(requested, actual)}
        if call.warnings:
            extensions["search"] = call.warnings
        answer: Body = {"data": data, "extensions": extensions}
        return {"errors": call.errors, **answer} if call.errors else answer

    def _cost(self, requested: int, actual: int | None) -> Body:
        return {"requestedQueryCost": requested, "actualQueryCost": actual, "throttleStatus": self.bucket.status()}

    def _product(self, key: str) -> Response:
        """The old REST call, which leaks two calls a second out of a bucket of forty."""
        now = self.shop.clock.now()
        self._rest_level = max(0.0, self._rest_level - (now - self._rest_at) * self.limits.rest_rate)
        self._rest_at = now
        if self._rest_level + 1 > self.limits.rest_size:
            headers = {"Retry-After": "2.0", **self._rest_header()}
            return json_response({"errors": "Exceeded 2 calls per second for api client."}, 429, headers)
        self._rest_level += 1
        product = self.shop.products.get(number_of(key) or 0) if self._may_read_products() else None
        if product is None:
            return json_response({"errors": "Not Found"}, 404, self._rest_header())
        with self.shop.lock:
            return json_response({"product": full_product(self.shop, product)}, 200, self._rest_header())

    def _may_read_products(self) -> bool:
        return bool({"read_products", "write_products"} & self.shop.scopes)

    def _rest_header(self) -> dict[str, str]:
        return {"X-Shopify-Shop-Api-Call-Limit": f"{math.ceil(self._rest_level)}/{self.limits.rest_size}"}

    def _token(self, request: Request) -> Response:
        if request.method != "POST":
            return json_response({"errors": "Not Found"}, 404)
        try:
            form = request.json() if "json" in request.headers.get("content-type", "") else dict(parse_qsl(request.body.decode()))
        except ValueError:
            return json_response({"error": "invalid_request"}, 400)
        if not isinstance(form, Mapping):
            return json_response({"error": "invalid_request"}, 400)
        if not self.shop.installed:
            return json_response({"error": "shop_not_permitted", "error_description": "The app is not installed on this shop"}, 400)
        status, answer = self.tokens.grant(form)
        return json_response(answer, status)

    def _authorize(self, request: Request) -> Response:
        domain = self.shop.spec.domain
        host = base64.b64encode(f"admin.shopify.com/store/{domain.partition('.')[0]}".encode()).decode().rstrip("=")
        target = self.tokens.authorize(request.query, domain, host)
        if target is None:
            return json_response({"error": "invalid_request", "error_description": "Oauth error invalid_request"}, 400)
        self.shop.installed = True
        return Response(302, b"", {"Location": target})

    def _upload(self, request: Request) -> Response:
        """A staged file as a form whose fields come in the order they were given in, the file last."""
        fault = imports.receive(self.shop, request.headers.get("content-type", ""), request.body)
        if fault:
            return Response(400, f"<Error><Code>{fault}</Code></Error>".encode(), {"Content-Type": "application/xml"})
        return Response(201, b"<PostResponse/>", {"Content-Type": "application/xml"})

    def _file(self, request: Request, path: str) -> Response:
        """A result file: by its signature alone, never with the access token."""
        number = number_of(path.removeprefix("/bulk/").removesuffix(".jsonl"))
        operation = self.shop.bulk_operations.get(number or 0)
        if operation is None or request.query.get("sig") != bulk.signature_of(operation, self.shop):
            return Response(403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>", {"Content-Type": "application/xml"})
        if "x-shopify-access-token" in request.headers:
            return Response(400, b"<Error><Code>InvalidArgument</Code></Error>", {"Content-Type": "application/xml"})
        if bulk.expired(operation, self.shop):
            return Response(400, b"<Error><Code>ExpiredToken</Code></Error>", {"Content-Type": "application/xml"})
        return Response(200, b"", {"Content-Type": "application/jsonl"}, operation.file)


def _chosen(operations: Mapping[str, Operation], name: Any) -> tuple[Operation | None, Body]:
    if name:
        found = operations.get(name)
        return found, {"message": f'No operation named "{name}"', "extensions": {"code": "BAD_REQUEST"}}
    only = next(iter(operations.values())) if len(operations) == 1 else None
    return only, {"message": "An operation name is required", "extensions": {"code": "BAD_REQUEST"}}


def _too_dear(cost: int, most: int) -> Body:
    return {
        "message": f"Query cost is {cost}, which exceeds the single query max cost limit ({most}).",
        "extensions": {"code": "MAX_COST_EXCEEDED", "cost": cost, "maxCost": most, "documentation": LIMITS_PAGE},
    }
