"""Order and its lines, discounts and journey."""

from collections.abc import Callable
from typing import Any

from integrations.standins.shopify.fields.customers import metafield, metafields
from integrations.standins.shopify.fields.money import MoneyV2, bag
from integrations.standins.shopify.ids import gid
from integrations.standins.shopify.money import rounded
from integrations.standins.shopify.orders import Application, LineItem, Order
from integrations.standins.shopify.paging import page_of
from integrations.standins.shopify.resolvers import FIELDS, Call, Resolver, attribute, constant

APPLICATION_TYPES = {"code": "DiscountCodeApplication", "manual": "ManualDiscountApplication", "automatic": "AutomaticDiscountApplication"}


def _with_order(order: Order, rows: list[Any]) -> list[tuple[Order, Any]]:
    """Parts of an order know their order, whose currency they are counted in."""
    return [(order, row) for row in rows]


def part_bag(read: Callable[[Any], Any]) -> Resolver:
    """An amount of a part of an order."""
    return lambda pair, arguments, call: pair[0].bag(read(pair[1]))


def part(name: str) -> Resolver:
    """An attribute of a part of an order."""
    return lambda pair, arguments, call: getattr(pair[1], name)


def attributes(pairs: Any) -> list[dict[str, Any]]:
    """Custom attributes as key and value."""
    return [{"key": key, "value": value} for key, value in pairs]


def tax_line(order: Order, amount: Any) -> list[dict[str, Any]]:
    """At most one tax line, because the stand-in's shops have one tax."""
    if not amount:
        return []
    rate = float(order.tax_rate)
    line = {"title": order.tax_title, "rate": rate, "ratePercentage": rate * 100, "source": "Shopify", "channelLiable": False}
    return [{**line, "price": str(amount), "priceSet": order.bag(amount)}]


def application(order: Order, granted: Application) -> dict[str, Any]:
    """A discount application, of the type that its kind has."""
    share = {"__typename": "PricingPercentageValue", "percentage": float(granted.value)}
    return {
        "__typename": APPLICATION_TYPES[granted.kind],
        "index": granted.index,
        "allocationMethod": "ACROSS" if granted.across else "EACH",
        "targetSelection": "ALL" if granted.across else "EXPLICIT",
        "targetType": "LINE_ITEM",
        "value": share if granted.percentage else MoneyV2(str(granted.value), order.currency),
        "code": granted.title,
        "title": granted.title,
        "description": granted.title,
    }


def _customer(order: Order, arguments: Any, call: Call) -> Any:
    return None if order.customer_id is None else call.shop.customers.get(order.customer_id)


def _shipping_line(order: Order, arguments: Any, call: Call) -> dict[str, Any] | None:
    if order.shipping_title is None:
        return None
    charge = order.bag(order.shipping)
    return {
        "id": gid("ShippingLine", order.id),
        "title": order.shipping_title,
        "code": order.shipping_title,
        "source": "shopify",
        "custom": False,
        "isRemoved": False,
        "originalPriceSet": charge,
        "discountedPriceSet": charge,
        "currentDiscountedPriceSet": order.bag(order.shipping - order.refunded_shipping),
        "taxLines": tax_line(order, order.shipping_tax),
        "discountAllocations": [],
    }


def _journey(order: Order, arguments: Any, call: Call) -> dict[str, Any] | None:
    if order.source_name != "web":
        return None
    if order.journey_ready_at is not None and call.shop.now() < order.journey_ready_at:
        return {"ready": False, "customerOrderIndex": None, "firstVisit": None, "lastVisit": None, "daysToConversion": None}
    visit = {
        "landingPage": f"https://{call.shop.spec.domain}{order.landing_site or '/'}",
        "referrerUrl": order.referring_site,
        "source": "direct" if order.referring_site is None else "referral",
        "occurredAt": order.created_at,
        "utmParameters": None,
    }
    return {"ready": True, "customerOrderIndex": order.customer_index, "firstVisit": visit, "lastVisit": visit, "daysToConversion": 0}


FIELDS["Order"] = {
    "id": lambda order, arguments, call: gid("Order", order.id),
    "legacyResourceId": attribute("id"),
    "name": attribute("name"),
    "number": attribute("number"),
    "createdAt": attribute("created_at"),
    "updatedAt": attribute("updated_at"),
    "processedAt": attribute("created_at"),
    "cancelledAt": attribute("cancelled_at"),
    "cancelReason": attribute("cancel_reason"),
    "closedAt": attribute("closed_at"),
    "closed": lambda order, arguments, call: order.closed_at is not None,
    "confirmed": constant(True),
    "edited": lambda order, arguments, call: any(line.removed for line in order.lines),
    "test": attribute("test"),
    "email": attribute("email"),
    "phone": attribute("phone"),
    "customerLocale": attribute("locale"),
    "clientIp": attribute("client_ip"),
    "sourceName": attribute("source_name"),
    "sourceIdentifier": attribute("source_identifier"),
    "registeredSourceUrl": constant(None),
    "tags": attribute("tags"),
    "note": attribute("note"),
    "cartToken": attribute("cart_token"),
    "checkoutToken": attribute("checkout_token"),
    "discountCode": lambda order, arguments, call: next((one.title for one in order.applications if one.kind == "code"), None),
    "discountCodes": lambda order, arguments, call: [one.title for one in order.applications if one.kind == "code"],
    "taxesIncluded": attribute("taxes_included"),
    "currencyCode": attribute("currency"),
    "presentmentCurrencyCode": attribute("presentment_currency"),
    "displayFinancialStatus": attribute("financial_status"),
    "displayFulfillmentStatus": lambda order, arguments, call: order.fulfillment_status,
    "returnStatus": lambda order, arguments, call: (
        "RETURNED" if any(line.restock_type == "RETURN" for line in order.refund_lines) else "NO_RETURN"
    ),
    "fullyPaid": lambda order, arguments, call: order.outstanding <= 0,
    "unpaid": lambda order, arguments, call: not order.paid,
    "paymentGatewayNames": lambda order, arguments, call: [order.gateway] if order.transactions else [],
    "customAttributes": lambda order, arguments, call: attributes(order.attributes),
    "customer": _customer,
    "billingAddress": attribute("billing"),
    "shippingAddress": attribute("shipping_address"),
    "totalPriceSet": bag(lambda order: order.total),
    "originalTotalPriceSet": bag(lambda order: order.total),
    "currentTotalPriceSet": bag(lambda order: order.current_total),
    "subtotalPriceSet": bag(lambda order: order.subtotal),
    "currentSubtotalPriceSet": bag(lambda order: order.current_subtotal),
    "totalDiscountsSet": bag(lambda order: order.discounts),
    "currentTotalDiscountsSet": bag(lambda order: order.discounts),
    "totalTaxSet": bag(lambda order: order.tax),
    "currentTotalTaxSet": bag(lambda order: order.current_tax),
    "totalShippingPriceSet": bag(lambda order: order.shipping),
    "currentShippingPriceSet": bag(lambda order: order.shipping - order.refunded_shipping),
    "totalRefundedSet": bag(lambda order: order.refunded),
    "totalRefundedShippingSet": bag(lambda order: order.refunded_shipping),
    "totalOutstandingSet": bag(lambda order: order.outstanding),
    "totalReceivedSet": bag(lambda order: order.paid),
    "netPaymentSet": bag(lambda order: order.paid - order.refunded),
    "totalTipReceivedSet": bag(lambda order: order.zero),
    "subtotalLineItemsQuantity": lambda order, arguments, call: sum(line.quantity for line in order.lines),
    "currentSubtotalLineItemsQuantity": lambda order, arguments, call: sum(line.current for line in order.lines),
    "taxLines": lambda order, arguments, call: tax_line(order, order.tax),
    "currentTaxLines": lambda order, arguments, call: tax_line(order, order.current_tax),
    "shippingLine": _shipping_line,
    "shippingLines": lambda order, arguments, call: page_of(filter(None, [_shipping_line(order, arguments, call)]), arguments, call),
    "discountApplications": lambda order, arguments, call: page_of(
        [application(order, granted) for granted in order.applications], arguments, call
    ),
    "lineItems": lambda order, arguments, call: page_of(_with_order(order, order.lines), arguments, call),
    "refunds": lambda order, arguments, call: _with_order(order, order.refunds[: arguments.get("first")]),
    "fulfillments": lambda order, arguments, call: _with_order(order, order.fulfillments[: arguments.get("first")]),
    "transactions": lambda order, arguments, call: _with_order(order, order.transactions[: arguments.get("first")]),
    "customerJourneySummary": _journey,
    "metafields": metafields,
    "metafield": metafield,
}


def _per_unit(order: Order, line: LineItem, amount: Any) -> Any:
    return rounded(amount / line.quantity, order.currency)


def _allocations(pair: tuple[Order, LineItem], arguments: Any, call: Call) -> list[dict[str, Any]]:
    order, line = pair
    return [
        {
            "allocatedAmountSet": order.bag(amount),
            "allocatedAmount": (str(amount), order.currency),
            "discountApplication": application(order, order.applications[index]),
        }
        for index, amount in line.allocations
    ]


def _group(pair: tuple[Order, LineItem], arguments: Any, call: Call) -> dict[str, Any] | None:
    group = pair[1].group
    return group and {
        "id": gid("LineItemGroup", group["id"]),
        "title": group["title"],
        "quantity": group.get("quantity", 1),
        "variantSku": group.get("sku"),
        "variantId": None,
        "productId": None,
        "customAttributes": [],
    }


FIELDS["LineItem"] = {
    "id": lambda pair, arguments, call: gid("LineItem", pair[1].id),
    "name": lambda pair, arguments, call: f"{pair[1].title} - {pair[1].variant_title}" if pair[1].variant_title else pair[1].title,
    "title": part("title"),
    "variantTitle": part("variant_title"),
    "sku": part("sku"),
    "vendor": part("vendor"),
    "quantity": part("quantity"),
    "currentQuantity": part("current"),
    "refundableQuantity": part("current"),
    "unfulfilledQuantity": part("unfulfilled"),
    "fulfillableQuantity": part("unfulfilled"),
    "requiresShipping": part("requires_shipping"),
    "taxable": part("taxable"),
    "isGiftCard": part("gift_card"),
    "originalUnitPriceSet": part_bag(lambda line: line.unit_price),
    "originalTotalSet": part_bag(lambda line: line.gross),
    "totalDiscountSet": part_bag(lambda line: line.line_discount),
    "discountedTotalSet": part_bag(lambda line: line.gross - line.line_discount),
    "discountedUnitPriceSet": lambda pair, arguments, call: pair[0].bag(_per_unit(pair[0], pair[1], pair[1].gross - pair[1].line_discount)),
    "discountedUnitPriceAfterAllDiscountsSet": lambda pair, arguments, call: pair[0].bag(_per_unit(pair[0], pair[1], pair[1].net)),
    "discountAllocations": _allocations,
    "taxLines": lambda pair, arguments, call: tax_line(pair[0], pair[1].tax),
    "customAttributes": lambda pair, arguments, call: attributes(pair[1].attributes),
    "lineItemGroup": _group,
    "product": lambda pair, arguments, call: call.shop.products.get(pair[1].product_id) if pair[1].product_id else None,
    "variant": lambda pair, arguments, call: call.shop.variants.get(pair[1].variant_id) if pair[1].variant_id else None,
}
