"""The API of one project: paths, scopes, bodies, pages."""

from collections.abc import Sequence
from typing import Any

import orjson

from integrations.standins.commercetools import carts, customers, orders, resources
from integrations.standins.commercetools.collection import Stored
from integrations.standins.commercetools.editing import Doing, check_version, update
from integrations.standins.commercetools.errors import Refusal, invalid, not_found
from integrations.standins.commercetools.kinds import BY_PATH, Kind
from integrations.standins.commercetools.pages import answer_query, shown
from integrations.standins.commercetools.project import Project
from integrations.standins.commercetools.settings_calls import project_settings, read_project
from integrations.standins.commercetools.tokens import Access, allowed
from integrations.standins.wire import Request

Answer = tuple[int, bytes]
NAMED = {"order-number": "orderNumber", "customer-number": "customerNumber", "key": "key", "code": "code"}
READING = frozenset({"GET", "HEAD"})


def answer(project: Project, access: Access, request: Request, segments: Sequence[str]) -> Answer:
    """Answer one call below the project key; raises Refusal."""
    store, rest = "", list(segments)
    if rest[:1] == ["in-store"] and len(rest) > 2 and rest[1].startswith("key="):
        store, rest = rest[1].removeprefix("key="), rest[2:]
        project.named("store", "key", store)
    if not rest:
        need_scope(project, access, ("view_project_settings",) if request.method in READING else ("manage_project_settings",))
        return 200, orjson.dumps(read_project(project) if request.method in READING else project_settings(project, body_of(request)))
    if rest == ["login"] and request.method == "POST":
        need_scope(project, access, ("manage_customers",), store)
        return _login(project, body_of(request), store)
    kind = BY_PATH.get(rest[0])
    if kind is None or len(rest) > 2 or (store and kind.type_id not in ("customer", "cart", "order")):
        raise not_found()
    if request.method not in (*READING, "POST", "DELETE") or (request.method == "DELETE" and len(rest) == 1):
        raise Refusal("InvalidOperation", "The method is not allowed here.", status=405)
    reading = request.method in READING or rest[1:] == ["search"]
    staged = kind.type_id == "product-projection" and request.query.get("staged") == "true"
    need_scope(project, access, ("view_products",) if staged else kind.read if reading else kind.write, store)
    with project.acting(access.client_id, **_outside_user(request)):
        return _collection(project, kind, request, store) if len(rest) == 1 else _resource(project, kind, request, (rest[1], store))


def need_scope(project: Project, access: Access, needed: Sequence[str], store: str = "") -> None:
    """Raises Refusal (403) when the token has none of these scopes."""
    if not needed:
        raise not_found()
    if not allowed(access, tuple(needed), project.spec.key, store):
        wanted = f"{needed[0]}:{project.spec.key}"
        raise Refusal("insufficient_scope", f"Insufficient scope. One of the following scopes is missing: {wanted}.")


def body_of(request: Request) -> Any:
    """The JSON of a body; raises Refusal."""
    try:
        return request.json()
    except ValueError as error:
        words = "Request body does not contain valid JSON."
        raise Refusal("InvalidJsonInput", words, detailedErrorMessage=str(error)) from error


def _outside_user(request: Request) -> dict[str, str]:
    user = request.headers.get("x-external-user-id")
    return {"externalUserId": user[:128]} if user else {}


def _collection(project: Project, kind: Kind, request: Request, store: str) -> Answer:
    if request.method != "POST":
        return answer_query(project, kind, request, store=store)
    body = body_of(request)
    row = resources.create(project, kind.type_id, body, store=store)
    project.ledger.append(f"{kind.type_id}.create", row.id, body)
    if kind.type_id != "customer":
        return 201, shown(project, kind, row, request)
    anonymous = body.get("anonymousId") or (project.get("cart", body["anonymousCart"]["id"]).doc().get("anonymousId", "")
                                            if body.get("anonymousCart") else "")  # fmt: skip
    return 201, _with_cart(project, row, carts.take_over(project, row, anonymous) if anonymous else None)


def _resource(project: Project, kind: Kind, request: Request, where: tuple[str, str]) -> Answer:
    name, store = where
    if request.method == "POST" and (kind.type_id, name) == ("order", "import"):
        body = body_of(request)
        row = orders.import_order(project, body)
        project.ledger.append("order.import", row.id, body)
        return 201, shown(project, kind, row, request)
    row = _addressed(project, kind, name, request)
    if store and not _in_store(row, store):
        raise not_found(f"ID '{row.id}'")
    if request.method in READING:
        return 200, shown(project, kind, row, request)
    if request.method == "DELETE":
        return 200, _delete(project, kind, row, request)
    return 200, shown(project, kind, _update(project, kind, row, body_of(request)), request)


def _addressed(project: Project, kind: Kind, name: str, request: Request) -> Stored:
    type_id = "staged-projection" if kind.type_id == "product-projection" and request.query.get("staged") == "true" else kind.type_id
    address, equals, value = name.partition("=")
    if not equals:
        return project.get(type_id, name)
    if address not in kind.addresses:
        raise not_found()
    if kind.type_id == "product-projection":
        return project.get(type_id, project.named("product", "key", value).id)
    return project.named(type_id, NAMED[address], value)


def _in_store(row: Stored, store: str) -> bool:
    doc = row.doc()
    return store in {item["key"] for item in [doc.get("store"), *(doc.get("stores") or ())] if item}


def _update(project: Project, kind: Kind, row: Stored, body: Any) -> Stored:
    table: dict[str, Doing] = dict(resources.ACTIONS.get(kind.type_id, {}))
    after = update(project, kind.type_id, row, body, table=table)
    for action in body["actions"]:
        noted = {**action, "version": after.version, "changed": after.version != row.version, "clientId": project.author["clientId"]}
        project.ledger.append(f"{kind.type_id}.{action['action']}", row.id, noted)
    return after


def _delete(project: Project, kind: Kind, row: Stored, request: Request) -> bytes:
    version = request.query.get("version")
    if version is not None and not version.isdecimal():
        raise invalid("Malformed parameter: version: a number is expected.")
    check_version(row, None if version is None else int(version))
    erase = request.query.get("dataErasure") == "true"
    gone = shown(project, kind, row, request)
    resources.delete(project, kind.type_id, row, erase=erase)
    project.ledger.append(f"{kind.type_id}.delete", row.id, {"dataErasure": erase, "clientId": project.author["clientId"]})
    return gone


def _login(project: Project, body: Any, store: str) -> Answer:
    row = customers.sign_in(project, body.get("email"), body.get("password"), store=store)
    anonymous = body.get("anonymousId") or ""
    if not anonymous and body.get("anonymousCart"):
        anonymous = project.identified("cart", body["anonymousCart"]).doc().get("anonymousId", "")
    merge = body.get("anonymousCartSignInMode", "MergeWithExistingCustomerCart") == "MergeWithExistingCustomerCart"
    cart = carts.take_over(project, row, anonymous, merge=merge) if anonymous else carts.active_cart(project, customer=row.id)
    return 200, _with_cart(project, row, cart)


def _with_cart(project: Project, row: Stored, cart: Stored | None) -> bytes:
    found: dict[str, Any] = {"customer": project.get("customer", row.id).doc()}
    return orjson.dumps({**found, "cart": cart.doc()} if cart is not None else found)
