"""The TikTok Shop stand-in's own control calls, beside those that every stand-in has."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from integrations.standins.control import WRONG, control_answer
from integrations.standins.tiktok_shop.acts import summary
from integrations.standins.tiktok_shop.failures import Failure
from integrations.standins.tiktok_shop.filler import fill
from integrations.standins.tiktok_shop.lives import Lives
from integrations.standins.tiktok_shop.money import text
from integrations.standins.tiktok_shop.shelf import Missing
from integrations.standins.tiktok_shop.shops import Shop
from integrations.standins.tiktok_shop.specs import SellerSpec
from integrations.standins.wire import Request, Response

if TYPE_CHECKING:
    from integrations.standins.tiktok_shop.standin import TikTokShopStandIn

Body = Mapping[str, Any]
MOST_TICKS = 1_000
APP_FIELDS = frozenset({"redirect_uri", "webhook_uri"})


def answer(stand_in: "TikTokShopStandIn", request: Request) -> Response:
    """Answer a call below ``/_control``; a wrong value is 400, an unknown call 404."""
    return control_answer(stand_in, request, CALLS, wrong=(*WRONG, Missing))


def _clock(stand_in: "TikTokShopStandIn", body: Body) -> Any:
    """{"advance": seconds of the stand-in's own time} and {"skew": seconds that callers' clocks are made to look behind}."""
    stand_in.skew = float(body.get("skew", stand_in.skew))
    stand_in.advance(float(body.get("advance", 0)))
    return {"now": stand_in.clock.utc().isoformat(), "skew": stand_in.skew}


def _settings(stand_in: "TikTokShopStandIn", body: Body) -> Any:
    """Any of the Settings, of ``redirect_uri`` and ``webhook_uri``, "retry_speed", "switches" (with "shop", or for all)."""
    values = dict(body)
    stand_in.change_app(**{name: str(values.pop(name)) for name in APP_FIELDS & values.keys()})
    stand_in.sender.speed = float(values.pop("retry_speed", stand_in.sender.speed))
    switches, wanted = values.pop("switches", {}), values.pop("shop", None)
    for shop in [stand_in.shop(wanted)] if wanted else stand_in.shops.values():
        if shop.hooks is not None:
            shop.hooks.switches.set(**switches)
    return asdict(stand_in.change_settings(values))


def _reset(stand_in: "TikTokShopStandIn", body: Body) -> Any:
    stand_in.reset()
    return {"ok": True}


def _act(stand_in: "TikTokShopStandIn", body: Body) -> Any:
    """{"do": name of an act, "shop": id or region, "args": {…}}."""
    return summary(stand_in.act(body["do"], body.get("shop"), **body.get("args", {})))


def _fill(stand_in: "TikTokShopStandIn", body: Body) -> Any:
    """{"orders": 20000, "shop": …} and the other arguments of ``fill``."""
    values = dict(body)
    shop = stand_in.shop(values.pop("shop", None))
    made = fill(shop, int(values.pop("orders")), **values)
    return {"orders": len(made), "first": made[0], "last": made[-1]}


def _live(stand_in: "TikTokShopStandIn", body: Body) -> Any:
    """{"ticks": 3, "shop": …}: so many plausible things happen now; {"history": {…}} gives the shop a past first.

    The first call for a shop may say {"seed": 1, "crowd": {…}} (see Crowd).
    """
    shop = stand_in.shop(body.get("shop"))
    lives = stand_in.lives.get(shop.spec.id)
    if lives is None:
        lives = stand_in.lives[shop.spec.id] = Lives(shop, seed=int(body.get("seed", 1)), **body.get("crowd", {}))
    made = lives.history(**body["history"]) if "history" in body else {}
    ticks = min(MOST_TICKS, int(body.get("ticks", 0 if "history" in body else 1)))
    return {**made, "lines": [lives.tick() for _ in range(ticks)]}


def _signed(stand_in: "TikTokShopStandIn", body: Body) -> Any:
    """{"order_ids": […]} or {"count": n} for the newest ones: [{"headers", "body" (exact text)}]."""
    shop = stand_in.shop(body.get("shop"))
    keys = body.get("order_ids")
    if keys is None:
        keys = list(shop.orders.rows)[-int(body["count"]) :]
    made = stand_in.signed_webhooks(keys, shop.spec.id)
    return [{"headers": headers, "body": raw.decode()} for headers, raw in made]


def _state(stand_in: "TikTokShopStandIn", body: Body) -> Any:
    shops = [stand_in.shop(body["shop"])] if body.get("shop") else list(stand_in.shops.values())
    with stand_in.lock:
        return {shop.spec.id: state_of(shop) for shop in shops}


def _webhooks(stand_in: "TikTokShopStandIn", body: Body) -> Any:
    sent = [
        {"shop": shop.spec.id, **record} for shop in stand_in.shops.values() if shop.hooks is not None for record in shop.hooks.records()
    ]
    return {"waiting": stand_in.sender.waiting(), "webhooks": sent}


def _flush(stand_in: "TikTokShopStandIn", body: Body) -> Any:
    """Let go what was held while paused, newest first with {"backwards": true}, and stop pausing."""
    count = 0
    for shop in stand_in.shops.values():
        if shop.hooks is not None and (not body.get("shop") or shop is stand_in.shop(body["shop"])):
            shop.hooks.switches.paused = False
            count += shop.hooks.flush(backwards=bool(body.get("backwards")))
    return {"flushed": count}


def _consent(stand_in: "TikTokShopStandIn", body: Body) -> Any:
    """{"seller": open_id, "state": "…", "scopes": […]}: agree without a browser."""
    return stand_in.consent(_seller(stand_in, body), state=str(body.get("state", "")), scopes=body.get("scopes"))


def _deauthorise(stand_in: "TikTokShopStandIn", body: Body) -> Any:
    stand_in.deauthorise(_seller(stand_in, body))
    return {"ok": True}


def _expire_token(stand_in: "TikTokShopStandIn", body: Body) -> Any:
    """{"seller": open_id, "refresh": true to end the authorisation itself too}."""
    return {"expired": stand_in.tokens.expire(seller=_seller(stand_in, body), refresh=bool(body.get("refresh")))}


def _warn_expiry(stand_in: "TikTokShopStandIn", body: Body) -> Any:
    stand_in.warn_expiry(_seller(stand_in, body))
    return {"ok": True}


def _rotate(stand_in: "TikTokShopStandIn", body: Body) -> Any:
    stand_in.rotate_secret(str(body["secret"]), sign_with_old=bool(body.get("sign_with_old")))
    return {"ok": True}


def _fail(stand_in: "TikTokShopStandIn", body: Body) -> Any:
    """{"code": 36009003, "message", "status", "path", "times", "retry_after"}: the next calls fail with that envelope."""
    stand_in.failures.add(Failure(**body))
    return {"ok": True}


def _call_off(stand_in: "TikTokShopStandIn", body: Body) -> Any:
    stand_in.failures.clear()
    return {"ok": True}


def _seller(stand_in: "TikTokShopStandIn", body: Body) -> SellerSpec:
    return stand_in.sellers[body["seller"]] if body.get("seller") else next(iter(stand_in.sellers.values()))


def state_of(shop: Shop) -> dict[str, Any]:
    """What a shop holds: counts, and of every order what a comparison needs; amounts are in major units."""
    exponent = shop.region.exponent
    return {
        "region": shop.region.code,
        "currency": shop.region.currency,
        "counts": {
            "orders": len(shop.orders),
            "buyers": len(shop.buyers),
            "products": len(shop.products),
            "cancellations": len(shop.cancellations),
            "returns": len(shop.returns),
        },
        "orders": {
            order.id: {
                "status": order.status,
                "user_id": order.buyer.user_id,
                "units": len(order.lines),
                "total": text(order.total, exponent),
                "refunded": text(sum(line.refunded for line in order.lines) + order.shipping.refunded, exponent),
                "update_time": order.update_time,
            }
            for order in shop.orders
        },
    }


CALLS: dict[tuple[str, str], Callable[["TikTokShopStandIn", Body], Any]] = {
    ("POST", "/clock"): _clock,
    ("POST", "/settings"): _settings,
    ("POST", "/reset"): _reset,
    ("POST", "/act"): _act,
    ("POST", "/fill"): _fill,
    ("POST", "/live"): _live,
    ("POST", "/signed"): _signed,
    ("GET", "/state"): _state,
    ("GET", "/webhooks"): _webhooks,
    ("POST", "/flush"): _flush,
    ("POST", "/consent"): _consent,
    ("POST", "/deauthorise"): _deauthorise,
    ("POST", "/expire_token"): _expire_token,
    ("POST", "/warn_expiry"): _warn_expiry,
    ("POST", "/rotate_secret"): _rotate,
    ("POST", "/failures"): _fail,
    ("DELETE", "/failures"): _call_off,
}
