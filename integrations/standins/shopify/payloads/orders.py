"""Bodies of the order, refund and fulfilment topics."""

from decimal import Decimal
from typing import Any

from integrations.standins.shopify.ids import gid, local
from integrations.standins.shopify.orders import Application, Fulfillment, LineItem, Order, Refund, RefundLine, Transaction
from integrations.standins.shopify.payloads.customers import address, order_customer
from integrations.standins.shopify.products import LOCATION_ID
from integrations.standins.shopify.shops import Shop

FULFILLMENT_STATUS = {"FULFILLED": "fulfilled", "PARTIALLY_FULFILLED": "partial", "RESTOCKED": "restocked"}
DISCOUNT_TYPE = {"code": "discount_code", "manual": "manual", "automatic": "automatic"}
# order attributes behind amounts that come both plain and as a set
AMOUNTS = {
    "total_price": "total",
    "subtotal_price": "subtotal",
    "total_tax": "tax",
    "total_discounts": "discounts",
    "current_total_price": "current_total",
    "current_subtotal_price": "current_subtotal",
    "current_total_tax": "current_tax",
}


def money_set(order: Order, amount: Decimal) -> dict[str, Any]:
    """{shop_money, presentment_money} of an amount."""
    shop_amount, shop_currency, buyer_amount, buyer_currency = order.bag(amount)
    return {
        "shop_money": {"amount": shop_amount, "currency_code": shop_currency},
        "presentment_money": {"amount": buyer_amount, "currency_code": buyer_currency},
    }


def full_order(shop: Shop, order: Order) -> dict[str, Any]:
    """Body of the order topics."""
    spec = shop.spec
    customer = shop.customers.get(order.customer_id) if order.customer_id is not None else None
    return {
        "id": order.id,
        "admin_graphql_api_id": gid("Order", order.id),
        **_plain(order, spec.utc_offset),
        **(_contact(order) if spec.pii else dict.fromkeys(("email", "contact_email", "phone"))),
        **_amounts(order),
        "discount_codes": [_code(order, granted) for granted in order.applications if granted.kind == "code"],
        "discount_applications": [_application(granted) for granted in order.applications],
        "tax_lines": [_tax_line(order, order.tax)] if order.tax else [],
        "customer": order_customer(shop, customer) if customer is not None else None,
        "billing_address": address(order.billing, pii=spec.pii),
        "shipping_address": address(order.shipping_address, pii=spec.pii),
        "line_items": [_line(order, line) for line in order.lines],
        "line_item_groups": [line.group for line in order.lines if line.group],
        "shipping_lines": _shipping_lines(order),
        "fulfillments": [fulfillment(shop, order, parcel) for parcel in order.fulfillments],
        "refunds": [refund(shop, order, made) for made in order.refunds],
        "returns": [],
    }


def _plain(order: Order, offset: int) -> dict[str, Any]:
    return {
        "app_id": 580111,
        "name": order.name,
        "number": order.number - 1000,
        "order_number": order.number,
        "created_at": local(order.created_at, offset),
        "updated_at": local(order.updated_at, offset),
        "processed_at": local(order.created_at, offset),
        "cancelled_at": local(order.cancelled_at, offset),
        "cancel_reason": order.cancel_reason and order.cancel_reason.lower(),
        "closed_at": local(order.closed_at, offset),
        "confirmed": True,
        "test": order.test,
        "currency": order.currency,
        "presentment_currency": order.presentment_currency,
        "customer_locale": order.locale,
        "financial_status": order.financial_status.lower(),
        "fulfillment_status": FULFILLMENT_STATUS.get(order.fulfillment_status),
        "source_name": order.source_name,
        "source_identifier": order.source_identifier,
        "source_url": None,
        "landing_site": order.landing_site,
        "referring_site": order.referring_site,
        "browser_ip": order.client_ip,
        "client_details": {"browser_ip": order.client_ip, "user_agent": order.user_agent, "accept_language": order.locale},
        "cart_token": order.cart_token,
        "checkout_token": order.checkout_token,
        "token": f"{order.id:032x}",
        "tags": ", ".join(order.tags),
        "note": order.note,
        "note_attributes": [{"name": name, "value": value} for name, value in order.attributes],
        "payment_gateway_names": [order.gateway] if order.transactions else [],
        "taxes_included": order.taxes_included,
    }


def _contact(order: Order) -> dict[str, Any]:
    return {"email": order.email, "contact_email": order.email, "phone": order.phone}


def _amounts(order: Order) -> dict[str, Any]:
    amounts = {name: getattr(order, attribute) for name, attribute in AMOUNTS.items()}
    amounts["total_line_items_price"] = sum((line.gross for line in order.lines), order.zero)
    amounts["current_total_discounts"] = order.discounts
    plain = {name: str(amount) for name, amount in amounts.items()}
    sets = {f"{name}_set": money_set(order, amount) for name, amount in amounts.items()}
    return {
        **plain,
        **sets,
        "total_outstanding": str(order.outstanding),
        "total_tip_received": str(order.zero),
        "total_shipping_price_set": money_set(order, order.shipping),
    }


def _tax_line(order: Order, amount: Decimal) -> dict[str, Any]:
    return {
        "title": order.tax_title,
        "rate": float(order.tax_rate),
        "price": str(amount),
        "price_set": money_set(order, amount),
        "channel_liable": False,
    }


def _code(order: Order, granted: Application) -> dict[str, Any]:
    amount = sum((part for line in order.lines for index, part in line.allocations if index == granted.index), order.zero)
    return {"code": granted.title, "amount": str(amount), "type": "percentage" if granted.percentage else "fixed_amount"}


def _application(granted: Application) -> dict[str, Any]:
    return {
        "type": DISCOUNT_TYPE[granted.kind],
        "code" if granted.kind == "code" else "title": granted.title,
        "value": str(granted.value),
        "value_type": "percentage" if granted.percentage else "fixed_amount",
        "target_type": "line_item",
        "target_selection": "all" if granted.across else "explicit",
        "allocation_method": "across" if granted.across else "each",
    }


def _line(order: Order, line: LineItem) -> dict[str, Any]:
    shipped = "fulfilled" if line.fulfilled and not line.unfulfilled else "partial" if line.fulfilled else None
    return {
        "id": line.id,
        "admin_graphql_api_id": gid("LineItem", line.id),
        "product_id": line.product_id,
        "variant_id": line.variant_id,
        "sku": line.sku,
        "title": line.title,
        "variant_title": line.variant_title,
        "name": f"{line.title} - {line.variant_title}" if line.variant_title else line.title,
        "vendor": line.vendor,
        "quantity": line.quantity,
        "current_quantity": line.current,
        "fulfillable_quantity": line.unfulfilled,
        "fulfillment_status": shipped,
        "grams": line.grams,
        "price": str(line.unit_price),
        "price_set": money_set(order, line.unit_price),
        "total_discount": str(line.line_discount),
        "total_discount_set": money_set(order, line.line_discount),
        "discount_allocations": [
            {"amount": str(part), "amount_set": money_set(order, part), "discount_application_index": index}
            for index, part in line.allocations
        ],
        "tax_lines": [_tax_line(order, line.tax)] if line.tax else [],
        "properties": [{"name": name, "value": value} for name, value in line.attributes],
        "requires_shipping": line.requires_shipping,
        "taxable": line.taxable,
        "gift_card": line.gift_card,
        "product_exists": line.product_id is not None,
        "sales_line_item_group_id": line.group and line.group["id"],
    }


def _shipping_lines(order: Order) -> list[dict[str, Any]]:
    if order.shipping_title is None:
        return []
    return [{
        "id": order.id + 1,
        "title": order.shipping_title,
        "code": order.shipping_title,
        "price": str(order.shipping),
        "discounted_price": str(order.shipping),
        "price_set": money_set(order, order.shipping),
        "source": "shopify",
        "tax_lines": [_tax_line(order, order.shipping_tax)] if order.shipping_tax else [],
    }]  # fmt: skip


def refund(shop: Shop, order: Order, made: Refund) -> dict[str, Any]:
    """Body of refunds/create, also found inside the order."""
    created = local(made.created_at, shop.spec.utc_offset)
    return {
        "id": made.id,
        "admin_graphql_api_id": gid("Refund", made.id),
        "order_id": order.id,
        "created_at": created,
        "processed_at": created,
        "note": made.note,
        "restock": any(line.restock_type in ("RETURN", "CANCEL") for line in made.lines),
        "refund_line_items": [_refund_line(order, line) for line in made.lines],
        "refund_shipping_lines": _refund_shipping(order, made),
        "order_adjustments": _adjustments(order, made),
        "transactions": [_transaction(order, transaction) for transaction in made.transactions],
        "return": None,
    }


def _refund_line(order: Order, line: RefundLine) -> dict[str, Any]:
    return {
        "id": line.id,
        "quantity": line.quantity,
        "line_item_id": line.line_id,
        "location_id": LOCATION_ID if line.restock_type in ("RETURN", "CANCEL") else None,
        "restock_type": line.restock_type.lower(),
        # numbers, not strings: the one place where the platform does so
        "subtotal": float(line.subtotal),
        "subtotal_set": money_set(order, line.subtotal),
        "total_tax": float(line.tax),
        "total_tax_set": money_set(order, line.tax),
        "line_item": _line(order, order.line(line.line_id)),
    }


def _refund_shipping(order: Order, made: Refund) -> list[dict[str, Any]]:
    if not made.shipping:
        return []
    return [{
        "id": made.shipping_line_id,
        "subtotal_amount_set": money_set(order, made.shipping),
        "tax_amount_set": money_set(order, made.shipping_tax),
    }]  # fmt: skip


def _adjustments(order: Order, made: Refund) -> list[dict[str, Any]]:
    if not made.discrepancy:
        return []
    return [{
        "id": made.adjustment_id,
        "order_id": order.id,
        "refund_id": made.id,
        "kind": "refund_discrepancy",
        "reason": "Refund discrepancy",
        "amount": str(made.discrepancy),
        "tax_amount": str(order.zero),
        "amount_set": money_set(order, made.discrepancy),
        "tax_amount_set": money_set(order, order.zero),
    }]  # fmt: skip


def _transaction(order: Order, transaction: Transaction) -> dict[str, Any]:
    return {
        "id": transaction.id,
        "admin_graphql_api_id": gid("OrderTransaction", transaction.id),
        "order_id": order.id,
        "kind": transaction.kind.lower(),
        "status": transaction.status.lower(),
        "amount": str(transaction.amount),
        "currency": order.currency,
        "gateway": transaction.gateway,
        "parent_id": transaction.parent_id,
        "test": order.test,
    }


def fulfillment(shop: Shop, order: Order, parcel: Fulfillment) -> dict[str, Any]:
    """Body of fulfillments/create and fulfillments/update, also found inside the order."""
    return {
        "id": parcel.id,
        "admin_graphql_api_id": gid("Fulfillment", parcel.id),
        "order_id": order.id,
        "status": parcel.status.lower(),
        "created_at": local(parcel.created_at, shop.spec.utc_offset),
        "updated_at": local(parcel.updated_at, shop.spec.utc_offset),
        "service": "manual",
        "location_id": LOCATION_ID,
        "shipment_status": "delivered" if parcel.delivered_at else None,
        "tracking_company": parcel.company,
        "tracking_number": parcel.tracking,
        "tracking_numbers": [parcel.tracking] if parcel.tracking else [],
        "tracking_url": parcel.url,
        "tracking_urls": [parcel.url] if parcel.url else [],
        "name": parcel.name,
        "email": order.email if shop.spec.pii else None,
        "destination": address(order.shipping_address, pii=shop.spec.pii),
        "line_items": [{**_line(order, order.line(line_id)), "quantity": quantity} for _, line_id, quantity in parcel.lines],
    }
