"""The Shopify stand-in's own control calls, beside those that every stand-in has."""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from integrations.standins.control import WRONG, control_answer
from integrations.standins.shopify.cost import Bucket
from integrations.standins.shopify.shops import Shop
from integrations.standins.shopify.tables import Missing
from integrations.standins.wire import Request, Response

if TYPE_CHECKING:
    from integrations.standins.shopify.standin import ShopifyStandIn

Body = Mapping[str, Any]


def answer(stand_in: "ShopifyStandIn", request: Request) -> Response:
    """Answer a call below ``/_control``; a wrong value is 400, an unknown call 404."""
    return control_answer(stand_in, request, CALLS, wrong=(*WRONG, Missing))


def _clock(stand_in: "ShopifyStandIn", body: Body) -> Any:
    stand_in.clock.advance(float(body["advance"]))
    return {"now": stand_in.clock.utc().isoformat()}


def _settings(stand_in: "ShopifyStandIn", body: Body) -> Any:
    """{"shop": domain or none for all, and any of SETTINGS, "switches", "limits", "bulk"}."""
    names = [body["shop"]] if body.get("shop") else list(stand_in.services)
    for domain in names:
        service = stand_in.service(domain)
        for name, value in body.items():
            if name in ("shop", "retry_seconds"):
                continue
            if name not in SETTINGS:
                raise ValueError(f"There is no setting {name}; there are {sorted(SETTINGS)}.")
            SETTINGS[name](service, value)
    if "retry_seconds" in body:
        stand_in.sender.retry_seconds = body["retry_seconds"]
    return {"ok": True}


def _reset(stand_in: "ShopifyStandIn", body: Body) -> Any:
    stand_in.ledger.clear()
    stand_in.faults.clear()
    stand_in.sender.clear()
    for service in stand_in.services.values():
        service.shop.reset()
        service.shop.hooks.clear()
        service.bucket.level = float(service.bucket.size or 0)
    return {"ok": True}


def _webhooks(stand_in: "ShopifyStandIn", body: Body) -> Any:
    sent = [{"shop": name, **record} for name, service in stand_in.services.items() for record in service.shop.hooks.records()]
    return {"waiting": stand_in.sender.waiting(), "webhooks": sent}


def _flush(stand_in: "ShopifyStandIn", body: Body) -> Any:
    """Let go what was held while paused, and stop pausing."""
    hooks = stand_in.shop(body.get("shop")).hooks
    hooks.switches.paused = False
    return {"flushed": hooks.flush()}


def _act(stand_in: "ShopifyStandIn", body: Body) -> Any:
    made = stand_in.act(body["do"], body.get("shop"), **body.get("args", {}))
    return summary(made)


def _state(stand_in: "ShopifyStandIn", body: Body) -> Any:
    names = [body["shop"]] if body.get("shop") else list(stand_in.services)
    return {name: state_of(stand_in.shop(name)) for name in names}


def _uninstall(stand_in: "ShopifyStandIn", body: Body) -> Any:
    stand_in.uninstall(body.get("shop"))
    return {"ok": True}


def _privacy(stand_in: "ShopifyStandIn", body: Body) -> Any:
    stand_in.send_privacy(body["topic"], body.get("customer_id"), body.get("shop"))
    return {"ok": True}


def _rotate(stand_in: "ShopifyStandIn", body: Body) -> Any:
    stand_in.rotate_secret(body["secret"], body.get("shop"), sign_with_old=bool(body.get("sign_with_old")))
    return {"ok": True}


def state_of(shop: Shop) -> dict[str, Any]:
    """What a shop holds: counts, and every order that lived (fillers are only counted)."""
    with shop.lock:
        return {
            "counts": {
                "customers": len(shop.customers),
                "orders": len(shop.orders),
                "products": len(shop.products),
                "variants": len(shop.variants),
                "checkouts": len(shop.checkouts),
                "subscriptions": len(shop.hooks.subscriptions()),
            },
            "orders": {
                str(order.id): {
                    "name": order.name,
                    "financial_status": order.financial_status,
                    "fulfillment_status": order.fulfillment_status,
                    "cancelled_at": order.cancelled_at,
                    "total": str(order.total),
                    "refunded": str(order.refunded),
                    "current_total": str(order.current_total),
                }
                for order in shop.orders.live.values()
            },
        }


def summary(made: Any) -> dict[str, Any]:
    """Ids and plain values of what an act made."""
    if not is_dataclass(made):
        return {}
    plain = {item.name: getattr(made, item.name) for item in fields(made)}
    out = {name: value for name, value in plain.items() if isinstance(value, (str, int, float, bool, type(None)))}
    out["id"] = plain["id"]
    if "lines" in plain:
        out["lines"] = [{"id": line.id, "quantity": line.quantity} for line in plain["lines"] if hasattr(line, "quantity")]
    if "variant_ids" in plain:
        out["variant_ids"] = list(plain["variant_ids"])
    return out


def _set_bucket(service: Any, value: int | None) -> None:
    service.bucket = Bucket(value, service.bucket.rate, service.bucket.now)


def _set_all(target: Any, changes: Body) -> None:
    known = {item.name for item in fields(target)}
    if not changes.keys() <= known:
        raise ValueError(f"There is only {sorted(known)}.")
    for name, value in changes.items():
        setattr(target, name, value)


def _set_scopes(service: Any, value: list[str]) -> None:
    service.shop.scopes = set(value)
    service.shop.emit("app/scopes_update", 1, {"id": 1, "previous": [], "current": sorted(value)})


SETTINGS: dict[str, Callable[[Any, Any], None]] = {
    "search_lag": lambda service, value: setattr(service.shop, "search_lag", float(value)),
    "restore_rate": lambda service, value: setattr(service.bucket, "rate", float(value)),
    "bucket": _set_bucket,
    "level": lambda service, value: setattr(service.bucket, "level", float(value)),
    "max_cost": lambda service, value: setattr(service.limits, "max_cost", value),
    "limits": lambda service, value: _set_all(service.limits, value),
    "switches": lambda service, value: service.shop.hooks.switches.set(**value),
    "bulk": lambda service, value: _set_all(service.shop.bulk, value),
    "scopes": _set_scopes,
    "forced_status": lambda service, value: setattr(service, "forced_status", value),
}

CALLS: dict[tuple[str, str], Callable[["ShopifyStandIn", Body], Any]] = {
    ("POST", "/clock"): _clock,
    ("POST", "/settings"): _settings,
    ("POST", "/reset"): _reset,
    ("GET", "/webhooks"): _webhooks,
    ("POST", "/flush"): _flush,
    ("POST", "/act"): _act,
    ("GET", "/state"): _state,
    ("POST", "/uninstall"): _uninstall,
    ("POST", "/privacy"): _privacy,
    ("POST", "/rotate_secret"): _rotate,
}
