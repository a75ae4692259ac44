"""Control calls: look behind the API, and play the parts of Ometria's staff, of customers and of time.

Every call takes ``?account=``; without it the first account is meant. Bodies and answers are JSON.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

from integrations.standins.control import shared_control
from integrations.standins.ometria import behind, people
from integrations.standins.ometria.account import Account
from integrations.standins.ometria.automation import hook_of
from integrations.standins.ometria.orders import balanced, shown_order
from integrations.standins.ometria.shown import marketing_optin, shown_contact, shown_profile
from integrations.standins.wire import Request, Response, json_response

if TYPE_CHECKING:
    from integrations.standins.ometria.standin import OmetriaStandIn


def answer(stand_in: "OmetriaStandIn", request: Request) -> Response:
    """Answer one control call: 200 with what is asked, 400 with the reason, 404 for an unknown call or account."""
    try:
        stand_in.settle()
        account = stand_in.account(request.query.get("account", ""))
        shared = shared_control(stand_in, request)
        if shared is not None:
            return shared
        path = request.path.rstrip("/")
        if request.method == "GET" and path in LOOKS:
            with account.lock:
                return json_response(LOOKS[path](account))
        if request.method == "POST" and path in ACTS:
            return json_response(stand_in.act(path, account.name, **_body(request)))
        if (request.method, path) in STEERING:
            return json_response(STEERING[request.method, path](stand_in, _body(request)))
    except KeyError as missing:
        return json_response({"error": f"Unknown or missing: {missing}"}, 404)
    except (ValueError, TypeError) as refusal:
        return json_response({"error": str(refusal)}, 400)
    return json_response({"error": f"No control call {request.method} {request.path}"}, 404)


def _body(request: Request) -> dict:
    body = request.json() if request.body else {}
    if not isinstance(body, dict):
        raise ValueError("The body is an object.")
    return body


ACTS = {**people.ACTS, **behind.ACTS}
TELLING = frozenset({"/unsubscribe", "/preference", "/sms-confirm"})  # acts that an automation may wait for


def orders(account: Account) -> dict[str, dict]:
    """Every order as read back, by id."""
    return {key: shown_order(entry) for key, entry in account.orders.items()}


def contacts(account: Account) -> dict[str, dict]:
    """Every listing, by ``collection:id``."""
    return {":".join(key): shown_contact(entry) for key, entry in account.contacts.items()}


def products(account: Account) -> dict[str, dict]:
    """Every product and variant, by id."""
    return {key: entry.record() for key, entry in account.products.items()}


def events(account: Account) -> dict[str, dict]:
    """Every custom event, by ``type:id``."""
    return {":".join(key): {**entry.record(), "profile_id": entry.profile_id} for key, entry in account.events.items()}


def profiles(account: Account) -> dict[str, dict]:
    """Every profile as read back plus its SMS consent, by id."""
    return {
        key: {**shown_profile(account, profile), "sms_optin": profile.sms, "sms_pending": profile.sms_pending}
        for key, profile in account.directory.profiles.items()
    }


def state(account: Account) -> dict:
    """Counts, and of every order what reconciliation compares."""
    found = list(account.directory.profiles.values())
    return {
        "counts": {
            "contacts": len(account.contacts),
            "orders": len(account.orders),
            "products": len(account.products),
            "events": len(account.events),
            "profiles": len(found),
            "errors": len(account.errors),
            "queued": account.queued,
        },
        "consent": {
            name: sum(marketing_optin(account, profile) is value for profile in found)
            for name, value in (("subscribed", True), ("unsubscribed", False), ("unknown", None))
        },
        "orders": {key: _summary(record) for key, record in orders(account).items()},
        "orphan_products": sorted(_orphans(account)),
    }


def _summary(record: dict) -> dict:
    totals = ("grand_total", "currency", "total_refunded", "total_unit_quantity", "total_unit_quantity_refunded")
    return {
        "status": record.get("status"),
        "is_valid": record.get("is_valid"),
        **{name: record[name] for name in totals},
        "lines": len(record.get("lineitems", ())),
        "balanced": balanced(record),
    }


def _orphans(account: Account) -> set[str]:
    """Product ids that orders name and nobody pushed."""
    named = {line["product_id"] for _, entry in account.orders.items() for line in entry.record().get("lineitems", ())}
    return {product_id for product_id in named if account.products.get(product_id) is None}


LOOKS: dict[str, Callable[[Account], object]] = {
    "/state": state,
    "/orders": orders,
    "/contacts": contacts,
    "/products": products,
    "/events": events,
    "/profiles": profiles,
    "/errors": lambda account: list(account.errors),
    "/unknown-keys": lambda account: dict(account.unknown_keys.most_common()),
    "/calls": lambda account: dict(account.calls),
    "/settings": lambda account: asdict(account.settings),
}


def _clock(stand_in: "OmetriaStandIn", body: dict) -> dict:
    stand_in.clock.advance(float(body["advance"]))
    stand_in.settle()
    return {"now": stand_in.clock.utc().isoformat()}


def _settings(stand_in: "OmetriaStandIn", body: dict) -> dict:
    return asdict(stand_in.change_settings(body))


def _reset(stand_in: "OmetriaStandIn", body: dict) -> dict:
    stand_in.reset()
    return {"reset": True}


def _add_key(stand_in: "OmetriaStandIn", body: dict) -> dict:
    """{"account", "key", "active_in": seconds}."""
    stand_in.add_key(body["account"], body["key"], stand_in.clock.now() + float(body.get("active_in", 0)))
    return {"added": True}


def _revoke_key(stand_in: "OmetriaStandIn", body: dict) -> dict:
    stand_in.revoke_key(body["key"])
    return {"revoked": True}


def _automation(stand_in: "OmetriaStandIn", body: dict) -> dict:
    """{"account", "url", "headers": {…}, "body": template}: the webhook that is called when people say something; no url takes it away."""
    name = stand_in.account(body.get("account", "")).name
    hook = hook_of(body)
    if hook is None:
        stand_in.automations.hooks.pop(name, None)
    else:
        stand_in.automations.hooks[name] = hook
    return {"account": name, "active": hook is not None}


STEERING: dict[tuple[str, str], Callable[["OmetriaStandIn", dict], dict]] = {
    ("POST", "/clock"): _clock,
    ("POST", "/settings"): _settings,
    ("POST", "/reset"): _reset,
    ("POST", "/automation"): _automation,
    ("POST", "/keys"): _add_key,
    ("DELETE", "/keys"): _revoke_key,
}
