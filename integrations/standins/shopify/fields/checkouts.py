"""Abandoned checkouts."""

from typing import Any

from integrations.standins.shopify.fields.money import bag
from integrations.standins.shopify.ids import gid
from integrations.standins.shopify.orders import AbandonedCheckout
from integrations.standins.shopify.paging import page_of
from integrations.standins.shopify.resolvers import FIELDS, Call, attribute, constant


def _total(checkout: AbandonedCheckout, arguments: Any, call: Call) -> Any:
    total = checkout.subtotal if call.shop.spec.taxes_included else checkout.subtotal + checkout.tax
    return checkout.bag(total)


def _lines(checkout: AbandonedCheckout, arguments: Any, call: Call) -> Any:
    rows = [
        {
            "id": gid("AbandonedCheckoutLineItem", line.id),
            "quantity": line.quantity,
            "sku": line.sku,
            "title": line.title,
            "variantTitle": line.variant_title,
            "originalUnitPriceSet": checkout.bag(line.unit_price),
            "discountedUnitPriceSet": checkout.bag(line.unit_price),
            "originalTotalPriceSet": checkout.bag(line.unit_price * line.quantity),
            "discountedTotalPriceSet": checkout.bag(line.unit_price * line.quantity),
            "product": call.shop.products.get(line.product_id),
            "variant": call.shop.variants.get(line.variant_id),
            "customAttributes": [],
        }
        for line in checkout.lines
    ]
    return page_of(rows, arguments, call)


FIELDS["AbandonedCheckout"] = {
    "id": lambda checkout, arguments, call: gid("AbandonedCheckout", checkout.id),
    "name": lambda checkout, arguments, call: f"#{checkout.id}",
    "createdAt": attribute("created_at"),
    "updatedAt": attribute("updated_at"),
    "completedAt": attribute("completed_at"),
    "abandonedCheckoutUrl": attribute("url"),
    "discountCodes": lambda checkout, arguments, call: list(checkout.discount_codes),
    "note": constant(""),
    "taxesIncluded": lambda checkout, arguments, call: call.shop.spec.taxes_included,
    "totalPriceSet": _total,
    "subtotalPriceSet": bag(lambda checkout: checkout.subtotal),
    "totalDiscountSet": bag(lambda checkout: checkout.discount),
    "totalTaxSet": bag(lambda checkout: checkout.tax),
    "customer": lambda checkout, arguments, call: call.shop.customers.get(checkout.customer_id) if checkout.customer_id else None,
    "billingAddress": constant(None),
    "shippingAddress": constant(None),
    "customAttributes": constant([]),
    "lineItems": _lines,
}
