"""Cancellations and returns as the API shows them."""

from typing import Any

from integrations.standins.tiktok_shop.aftersales import (
    AWAITING_BUYER_RESPONSE,
    BUYER_SHIPPED_ITEM,
    PENDING,
    RETURN_PENDING,
    Cancellation,
    Part,
    Refund,
    Return,
)  # fmt: skip
from integrations.standins.tiktok_shop.money import text
from integrations.standins.tiktok_shop.orders import Line
from integrations.standins.tiktok_shop.shops import Shop

# what the seller has to do in a state
RETURN_ACTIONS = {RETURN_PENDING: "SELLER_RESPOND_REFUND", BUYER_SHIPPED_ITEM: "SELLER_RESPOND_RECEIVE_PACKAGE"}


def shown_cancellation(shop: Shop, found: Cancellation) -> dict[str, Any]:
    """A row of the cancellation search."""
    shown: dict[str, Any] = {
        "cancel_id": found.id,
        "order_id": found.order_id,
        "cancel_type": found.type,
        "cancel_status": found.status,
        "role": found.role,
        "cancel_reason": found.reason,
        "cancel_reason_text": _words(found.reason),
        "create_time": found.create_time,
        "update_time": found.update_time,
        "should_replenish_stock": True,
        "refund_amount": _amount(shop, found.refund),
        "cancel_line_items": [_part(shop, found.order_id, part, "cancel_line_item_id") for part in found.parts],
    }
    if found.status == PENDING and found.deadline:
        shown["seller_next_action_response"] = [{"action": "SELLER_RESPOND_BUYER_CANCEL", "deadline": found.deadline}]
    return shown


def shown_return(shop: Shop, found: Return) -> dict[str, Any]:
    """A row of the return search."""
    shown: dict[str, Any] = {
        "return_id": found.id,
        "order_id": found.order_id,
        "return_type": found.type,
        "return_status": found.status,
        "role": found.role,
        "return_reason": found.reason,
        "return_reason_text": _words(found.reason),
        "create_time": found.create_time,
        "update_time": found.update_time,
        "refund_amount": _amount(shop, found.refund),
        "return_line_items": [_part(shop, found.order_id, part, "return_line_item_id") for part in found.parts],
        "is_combined_return": False,
        "is_quick_refund": False,
        "can_buyer_keep_item": found.type == "REFUND",
    }
    if found.tracking_number:
        shown |= {"return_tracking_number": found.tracking_number, "return_provider_name": "Demo Carrier"}
    links = {"pre_return_id": found.previous_id, "next_return_id": found.next_id}
    shown |= {name: key for name, key in links.items() if key}
    if found.status in RETURN_ACTIONS:
        shown["seller_next_action_response"] = [{"action": RETURN_ACTIONS[found.status], "deadline": found.update_time + 172_800}]
    if found.offer is not None:
        offer = {"currency": shop.region.currency, "amount": text(found.offer, shop.region.exponent)}
        shown |= {"seller_proposed_return_type": "PARTIAL_REFUND", "partial_refund": offer}
        shown["buyer_rejected_partial_refund"] = found.offer_refused and found.status != AWAITING_BUYER_RESPONSE
    return shown


def _part(shop: Shop, order_id: str, part: Part, name: str) -> dict[str, Any]:
    line: Line = shop.orders.get(order_id).line(part.line_id)
    return {
        name: part.id,
        "order_line_item_id": line.id,
        "sku_id": line.sku.id,
        "seller_sku": line.sku.seller_sku,
        "sku_name": line.sku.name,
        "product_name": line.sku.product_name,
        "refund_amount": _amount(shop, part.refund),
    }


def _amount(shop: Shop, refund: Refund) -> dict[str, str]:
    exponent = shop.region.exponent
    shown = {
        "currency": shop.region.currency,
        "refund_total": text(refund.total, exponent),
        "refund_subtotal": text(refund.subtotal, exponent),
        "refund_shipping_fee": text(refund.shipping, exponent),
        "refund_tax": text(refund.tax, exponent),
    }
    return shown | ({"retail_delivery_fee": text(refund.delivery_fee, exponent)} if refund.delivery_fee else {})


def _words(reason: str) -> str:
    return reason.rpartition("reason_")[2].replace("_", " ").capitalize()
