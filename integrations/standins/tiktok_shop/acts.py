"""Everything that can happen in a shop, by name, for control calls and generators."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from integrations.standins.tiktok_shop import cancelling, order_life, placing, product_acts, returning
from integrations.standins.tiktok_shop.shops import Shop

ACTS: dict[str, Callable[..., Any]] = {
    act.__name__: act
    for act in (
        product_acts.create_product,
        product_acts.update_product,
        product_acts.update_variant,
        placing.add_buyer,
        placing.place_order,
        order_life.pay_order,
        order_life.release_hold,
        order_life.ship,
        order_life.deliver,
        order_life.complete,
        order_life.advance_order,
        order_life.update_address,
        order_life.touch_order,
        order_life.force_status,
        cancelling.request_cancellation,
        cancelling.answer_cancellation,
        cancelling.withdraw_cancellation,
        cancelling.complete_cancellation,
        returning.open_return,
        returning.advance_return,
        returning.complete_return,
        returning.reject_return,
        returning.cancel_return,
        returning.offer_partial,
        returning.answer_offer,
        returning.edit_return,
    )
}
HIDDEN = frozenset({"shown", "history", "shipping"})


def act(shop: Shop, name: str, arguments: Mapping[str, Any]) -> Any:
    """Let something happen, in the past (untold) if there is an ``at`` in Unix seconds; raises ValueError and whatever the act raises."""
    chosen = ACTS.get(name)
    if chosen is None:
        raise ValueError(f"There is no act {name}; there are {sorted(ACTS)}.")
    values = dict(arguments)
    at = values.pop("at", None)
    if at is None:
        return chosen(shop, **values)
    with shop.past(float(at)):
        return chosen(shop, **values)


def summary(made: Any) -> dict[str, Any]:
    """Plain values of what an act made; amounts are minor units."""
    plain = {item.name: getattr(made, item.name) for item in fields(made) if item.name not in HIDDEN}
    out = {name: value for name, value in plain.items() if isinstance(value, (str, int, float, bool))}
    if "lines" in plain:
        out |= {"line_ids": [line.id for line in made.lines], "user_id": made.buyer.user_id, "total": made.total}
    if "refund" in plain:
        out |= {"refund": made.refund.total, "line_ids": [part.line_id for part in made.parts]}
    if "variants" in plain:
        out["skus"] = [{"id": variant.id, "seller_sku": variant.seller_sku} for variant in made.variants]
    return out
