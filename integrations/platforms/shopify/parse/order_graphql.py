"""The order as the GraphQL documents and bulk files write it: camel case, GIDs, money bags."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from integrations.platforms.base import JsonObject
from integrations.platforms.errors import Unparsable
from integrations.platforms.shopify.parse.facts import (
    NOTHING,
    LineFacts,
    OrderFacts,
    Pair,
    Purse,
    RefundFacts,
    RefundLineFacts,
    by_id,
    plus,
)
from integrations.platforms.shopify.parse.values import address_of, items, key_of, moment, optional_key, optional_moment, tags_of
from integrations.platforms.values import child, count, need, text
from mapping.records import CustomerRef, Fulfilment

MONEY_BACK = {("REFUND", "SUCCESS"), ("REFUND", "PENDING")}
# display statuses that the webhook shape knows too; the others say how an unshipped order waits
SHIPPED = {"FULFILLED", "PARTIALLY_FULFILLED", "RESTOCKED"}


def graphql_facts(raw: JsonObject) -> OrderFacts:
    """Read an order of `orders_full` or `bulk_orders`; raises Unparsable naming what is missing."""
    currency = str(need(raw, "currencyCode"))
    purse = Purse(currency, text(raw, "presentmentCurrencyCode") or currency)
    shipping, fulfilment = child(raw, "shippingLine"), text(raw, "displayFulfillmentStatus")
    return OrderFacts(
        key=key_of(need(raw, "id")),
        number=text(raw, "name"),
        updated_at=moment(raw, "updatedAt"),
        placed_at=optional_moment(raw, "processedAt") or moment(raw, "createdAt"),
        cancelled_at=optional_moment(raw, "cancelledAt"),
        cancel_reason=text(raw, "cancelReason").lower(),
        financial=text(raw, "displayFinancialStatus"),
        fulfilment=fulfilment if fulfilment in SHIPPED else "UNFULFILLED",
        test=bool(raw.get("test")),
        currency=purse.currency,
        local_currency=purse.local_currency,
        taxes_included=bool(raw.get("taxesIncluded")),
        total=_need(purse, raw, "totalPriceSet"),
        current_total=_need(purse, raw, "currentTotalPriceSet"),
        tax=purse.graphql(raw, "totalTaxSet") or NOTHING,
        shipping=purse.graphql(shipping, "discountedPriceSet") or NOTHING,
        shipping_tax=_taxes(purse, shipping),
        lines=tuple(sorted((_line(purse, line) for line in items({"lineItems": need(raw, "lineItems")}, "lineItems")), key=by_id)),
        refunds=tuple(sorted((_refund(purse, refund) for refund in items(raw, "refunds")), key=by_id)),
        fulfilments=tuple(_fulfilment(shipment) for shipment in items(raw, "fulfillments")),
        customer=_customer(raw),
        shipping_address=address_of(raw.get("shippingAddress")),
        billing_address=address_of(raw.get("billingAddress")),
        coupons=tuple(str(code) for code in raw.get("discountCodes") or ()),
        payment=", ".join(str(name) for name in raw.get("paymentGatewayNames") or ()),
        shipping_method=text(shipping, "title"),
        source=text(raw, "sourceName"),
        checkout_key=text(raw, "checkoutToken"),
        ip_address=text(raw, "clientIp"),
        tags=tags_of(raw.get("tags")),
        attributes=_attributes(raw),
    )


def _need(purse: Purse, raw: Mapping[str, Any], name: str) -> Pair:
    found = purse.graphql(raw, name)
    if found is None:
        raise Unparsable(f"missing {name}")
    return found


def _taxes(purse: Purse, raw: Mapping[str, Any]) -> Pair:
    return plus(*(purse.graphql(line, "priceSet") or NOTHING for line in items(raw, "taxLines")))


def _line(purse: Purse, raw: JsonObject) -> LineFacts:
    quantity = count(raw, "quantity", 1)
    return LineFacts(
        key=key_of(need(raw, "id"), "lineItems.id"),
        sku=text(raw, "sku"),
        product_key=optional_key(child(raw, "product").get("id")),
        variant_key=optional_key(child(raw, "variant").get("id")),
        title=text(raw, "title"),
        variant_title=text(raw, "variantTitle"),
        quantity=quantity,
        current=count(raw, "currentQuantity", quantity),
        unit=_need(purse, raw, "originalUnitPriceSet"),
        discount=plus(*(purse.graphql(part, "allocatedAmountSet") or NOTHING for part in items(raw, "discountAllocations"))),
        tax=_taxes(purse, raw),
        rate=sum((Decimal(str(line.get("rate") or 0)) for line in items(raw, "taxLines")), Decimal(0)),
        bundle_sku=text(child(raw, "lineItemGroup"), "variantSku"),
    )


def _refund(purse: Purse, raw: JsonObject) -> RefundFacts:
    if "refundLineItems" not in raw:
        raise Unparsable("missing refunds.refundLineItems: fetch the order in full")
    moved = [part for part in items(raw, "transactions") if (part.get("kind"), part.get("status")) in MONEY_BACK]
    return RefundFacts(
        key=key_of(need(raw, "id"), "refunds.id"),
        at=moment(raw, "createdAt"),
        note=text(raw, "note"),
        lines=tuple(
            RefundLineFacts(
                key_of(need(line, "lineItem", "id"), "refunds.refundLineItems.lineItem.id"),
                count(line, "quantity"),
                purse.graphql(line, "subtotalSet") or NOTHING,
                purse.graphql(line, "totalTaxSet") or NOTHING,
            )
            for line in items(raw, "refundLineItems")
        ),
        paid=plus(*(purse.graphql(part, "amountSet") or NOTHING for part in moved)),
    )


def _fulfilment(raw: JsonObject) -> Fulfilment:
    tracking = next(iter(items(raw, "trackingInfo")), {})
    return Fulfilment(
        key=key_of(need(raw, "id"), "fulfillments.id"),
        status=text(raw, "status").lower(),
        shipped_at=moment(raw, "createdAt"),
        delivered_at=optional_moment(raw, "deliveredAt"),
        carrier=text(tracking, "company"),
        tracking_number=text(tracking, "number"),
        tracking_url=text(tracking, "url"),
    )


def _customer(raw: JsonObject) -> CustomerRef:
    person, billing = child(raw, "customer"), child(raw, "billingAddress")
    return CustomerRef(
        key=optional_key(person.get("id")),
        email=text(raw, "email") or text(child(person, "defaultEmailAddress"), "emailAddress"),
        phone=text(raw, "phone") or text(child(person, "defaultPhoneNumber"), "phoneNumber"),
        first_name=text(person, "firstName") or text(billing, "firstName"),
        last_name=text(person, "lastName") or text(billing, "lastName"),
    )


def _attributes(raw: JsonObject) -> dict[str, object]:
    plain = {
        "note": text(raw, "note"),
        "source_identifier": text(raw, "sourceIdentifier"),
        "customer_locale": text(raw, "customerLocale"),
        "financial_status": text(raw, "displayFinancialStatus").lower(),
    }
    noted = {f"attribute.{text(part, 'key')}": text(part, "value") for part in items(raw, "customAttributes") if text(part, "key")}
    return {name: value for name, value in {**plain, **noted}.items() if value != ""}
