"""Orders as the API shows them."""

from typing import Any

import orjson

from integrations.standins.tiktok_shop.masking import shown_email, shown_recipient
from integrations.standins.tiktok_shop.money import text
from integrations.standins.tiktok_shop.orders import Component, Line, Order, SubItem
from integrations.standins.tiktok_shop.shops import Shop

PACKAGE_STATUSES = {
    "AWAITING_SHIPMENT": "TO_FULFILL", "AWAITING_COLLECTION": "PROCESSING", "IN_TRANSIT": "FULFILLING", "DELIVERED": "COMPLETED",
    "COMPLETED": "COMPLETED", "CANCELLED": "CANCELLED",
}  # fmt: skip
OPTIONAL_TIMES = ("paid_time", "rts_time", "delivery_time", "cancel_time", "request_cancel_time")
OPTIONAL_TEXTS = ("cancel_reason", "cancellation_initiator", "replaced_order_id", "exchange_source_order_id")
CARRIER = {"shipping_provider_id": "6617675021119438849", "shipping_provider_name": "Demo Carrier"}
DELIVERY_OPTION = ("7091146663229654785", "Standard shipping")


def order_fragment(shop: Shop, order: Order) -> orjson.Fragment:
    """An order in JSON, made once for each of its versions and each setting of the shop."""
    shown = order.shown
    if shown is None or shown[0] is not shop.settings:
        shown = order.shown = (shop.settings, orjson.dumps(shown_order(shop, order)))
    return orjson.Fragment(shown[1])


def shown_order(shop: Shop, order: Order) -> dict[str, Any]:
    """An order as search and detail show it."""
    region = shop.region
    found: dict[str, Any] = {
        "id": order.id,
        "status": order.status,
        "user_id": order.buyer.user_id,
        "buyer_email": shown_email(order, region),
        "buyer_nickname": order.buyer.nickname,
        "buyer_message": order.buyer_message,
        "create_time": order.create_time,
        "update_time": order.update_time,
        "is_on_hold_order": order.is_on_hold_order,
        "is_buyer_request_cancel": order.is_buyer_request_cancel,
        "is_sample_order": order.is_sample_order,
        "is_replacement_order": bool(order.replaced_order_id),
        "is_exchange_order": bool(order.exchange_source_order_id),
        "is_cod": False,
        "has_updated_recipient_address": order.has_updated_recipient_address,
        "order_type": order.order_type,
        "fulfillment_type": order.fulfillment_type,
        "shipping_type": order.shipping_type,
        "delivery_type": "HOME_DELIVERY",
        "delivery_option_id": DELIVERY_OPTION[0],
        "delivery_option_name": DELIVERY_OPTION[1],
        "warehouse_id": order.warehouse_id,
        "payment_method_name": order.payment_method_name,
        "payment": _payment(order, region.currency, region.exponent),
        "line_items": [_line(shop, line) for line in order.lines],
    }
    found.update({name: value for name in (*OPTIONAL_TIMES, *OPTIONAL_TEXTS) if (value := getattr(order, name))})
    address = shown_recipient(order, region, shop.settings)
    if address is not None:
        found["recipient_address"] = address
    packages = {line.package_id for line in order.lines if line.package_id}
    if packages:
        found["packages"] = [{"id": package} for package in sorted(packages)]
        found["tracking_number"] = next(line.tracking_number for line in order.lines if line.tracking_number)
    return found


def price_detail(shop: Shop, order: Order) -> dict[str, Any]:
    """The split of every price by who pays for which discount."""
    exponent = shop.region.exponent

    def parts(rows: list[Line], tax: int) -> dict[str, Any]:
        sale = sum(line.sale for line in rows)
        return {
            "currency": shop.region.currency,
            "sku_list_price": text(sum(line.original for line in rows), exponent),
            "sku_sale_price": text(sale, exponent),
            "subtotal": text(sale, exponent),
            "subtotal_deduction_seller": text(sum(line.seller_discount for line in rows), exponent),
            "subtotal_deduction_platform": text(sum(line.platform_discount for line in rows), exponent),
            "voucher_deduction_seller": text(0, exponent),
            "voucher_deduction_platform": text(0, exponent),
            "tax_amount": text(tax, exponent),
        }

    return {
        **parts(order.lines, order.tax),
        "payment": text(order.total, exponent),
        "total": text(order.total, exponent),
        "shipping_list_price": text(order.shipping.original, exponent),
        "shipping_sale_price": text(order.shipping.fee, exponent),
        "shipping_fee_deduction_seller": text(order.shipping.seller_discount, exponent),
        "shipping_fee_deduction_platform": text(order.shipping.platform_discount, exponent),
        "line_items": [{"id": line.id, **parts([line], line.tax), "payment": text(line.sale + line.tax, exponent)} for line in order.lines],
    }


def _payment(order: Order, currency: str, exponent: int) -> dict[str, str]:
    shipping, goods_tax = order.shipping, sum(line.tax for line in order.lines)
    amounts = {
        "total_amount": order.total,
        "sub_total": order.sub_total,
        "original_total_product_price": sum(line.original for line in order.lines),
        "seller_discount": sum(line.seller_discount for line in order.lines),
        "platform_discount": sum(line.platform_discount for line in order.lines),
        "shipping_fee": shipping.fee,
        "original_shipping_fee": shipping.original,
        "shipping_fee_seller_discount": shipping.seller_discount,
        "shipping_fee_platform_discount": shipping.platform_discount,
        "tax": goods_tax + shipping.tax,
        "product_tax": goods_tax,
        "shipping_fee_tax": shipping.tax,
    }
    if shipping.delivery_fee:
        amounts["retail_delivery_fee"] = shipping.delivery_fee
    return {"currency": currency, **{name: text(amount, exponent) for name, amount in amounts.items()}}


def _line(shop: Shop, line: Line) -> dict[str, Any]:
    currency, exponent, sku = shop.region.currency, shop.region.exponent, line.sku
    found: dict[str, Any] = {
        "id": line.id,
        "sku_id": sku.id,
        "seller_sku": sku.seller_sku,
        "product_id": sku.product_id,
        "product_name": sku.product_name,
        "sku_name": sku.name,
        "sku_image": sku.image,
        "currency": currency,
        "original_price": text(line.original, exponent),
        "seller_discount": text(line.seller_discount, exponent),
        "platform_discount": text(line.platform_discount, exponent),
        "sale_price": text(line.sale, exponent),
        "display_status": line.status,
        "is_gift": line.is_gift,
        "room_id": line.room_id,
    }
    if line.status in PACKAGE_STATUSES and (line.package_id or shop.region.code not in ("US", "GB")):
        found |= {"package_id": line.package_id, "package_status": PACKAGE_STATUSES[line.status]}
    if line.tracking_number:
        found |= {"tracking_number": line.tracking_number, **CARRIER}
    if line.is_gift:
        found["gift_retail_price"] = text(line.original, exponent)
    if line.tax:
        rate = f"{shop.region.tax / 1000:.4f}"
        found["item_tax"] = [{"tax_type": "SALES_TAX", "tax_amount": text(line.tax, exponent), "tax_rate": rate}]
    if line.cancel_reason:
        found |= {"cancel_reason": line.cancel_reason, "cancel_user": line.cancel_user}
    if sku.components:
        _add_bundle(shop, line, found)
    return found


def _add_bundle(shop: Shop, line: Line, found: dict[str, Any]) -> None:
    if shop.settings.bundle_shape in ("both", "combined"):
        found["combined_listing_skus"] = [_combined(component) for component in line.sku.components]
    if shop.settings.bundle_shape in ("both", "sub_items"):
        found["sub_item_info"] = [_sub_item(shop, line, item) for item in line.sub_items]


def _combined(component: Component) -> dict[str, Any]:
    return {
        "sku_id": component.sku_id,
        "sku_count": component.count,
        "product_id": component.product_id,
        "seller_sku": component.seller_sku,
    }


def _sub_item(shop: Shop, line: Line, item: SubItem) -> dict[str, Any]:
    exponent = shop.region.exponent
    return {
        "id": item.id,
        "sku_id": item.component.sku_id,
        "seller_sku": item.component.seller_sku,
        "product_id": item.component.product_id,
        "product_name": item.component.product_name,
        "sku_name": item.component.sku_name,
        "original_price": text(item.original, exponent),
        "seller_discount": text(item.seller_discount, exponent),
        "platform_discount": text(item.platform_discount, exponent),
        "sale_price": text(item.sale, exponent),
        "display_status": line.status,
        "package_id": line.package_id,
    }
