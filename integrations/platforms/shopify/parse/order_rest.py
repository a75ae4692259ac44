"""The order as webhooks and the REST API write it: snake case, numeric ids, money as strings beside `_set` objects."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from integrations.platforms.base import JsonObject
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
from integrations.platforms.values import amount, child, count, need, text
from mapping.records import CustomerRef, Fulfilment

MONEY_BACK = {("refund", "success"), ("refund", "pending")}  # transaction kind and status that count as money given back
FULFILMENT = {"": "UNFULFILLED", "partial": "PARTIALLY_FULFILLED", "fulfilled": "FULFILLED", "restocked": "RESTOCKED"}


def rest_facts(raw: JsonObject) -> OrderFacts:
    """Read a webhook body of the order topics; raises Unparsable naming what is missing."""
    purse = _purse(raw)
    shipping = [line for line in items(raw, "shipping_lines") if not line.get("is_removed")]
    groups = {str(group.get("id")): text(group, "variant_sku", "variantSku") for group in items(raw, "line_item_groups")}
    return OrderFacts(
        key=key_of(need(raw, "id")),
        number=text(raw, "name", "order_number"),
        updated_at=moment(raw, "updated_at"),
        placed_at=optional_moment(raw, "processed_at") or moment(raw, "created_at"),
        cancelled_at=optional_moment(raw, "cancelled_at"),
        cancel_reason=text(raw, "cancel_reason").lower(),
        financial=text(raw, "financial_status").upper(),
        fulfilment=FULFILMENT.get(text(raw, "fulfillment_status"), "UNFULFILLED"),
        test=bool(raw.get("test")),
        currency=purse.currency,
        local_currency=purse.local_currency,
        taxes_included=bool(raw.get("taxes_included")),
        total=_need(purse, raw, "total_price"),
        current_total=purse.rest(raw, "current_total_price") or _need(purse, raw, "total_price"),
        tax=purse.rest(raw, "total_tax") or NOTHING,
        shipping=plus(*(_shipping(purse, line) for line in shipping)),
        shipping_tax=plus(*(_taxes(purse, line) for line in shipping)),
        lines=tuple(
            sorted((_line(purse, line, groups) for line in items({"line_items": need(raw, "line_items")}, "line_items")), key=by_id)
        ),
        refunds=tuple(sorted((_refund(purse, refund) for refund in items(raw, "refunds")), key=by_id)),
        fulfilments=tuple(_fulfilment(shipment) for shipment in items(raw, "fulfillments")),
        customer=_customer(raw),
        shipping_address=address_of(raw.get("shipping_address")),
        billing_address=address_of(raw.get("billing_address")),
        coupons=tuple(text(code, "code") for code in items(raw, "discount_codes") if text(code, "code")),
        payment=", ".join(str(name) for name in raw.get("payment_gateway_names") or ()),
        shipping_method=text(shipping[0], "title") if shipping else "",
        source=text(raw, "source_name"),
        checkout_key=text(raw, "checkout_token"),
        ip_address=text(raw, "browser_ip") or text(child(raw, "client_details"), "browser_ip"),
        tags=tags_of(raw.get("tags")),
        attributes=_attributes(raw),
    )


def _purse(raw: JsonObject) -> Purse:
    currency = str(need(raw, "currency"))
    local = text(raw, "presentment_currency") or currency
    first = Purse(currency, local)
    total = first.rest(raw, "total_price")
    return Purse(currency, local, total.local / total.shop) if total and total.shop and local != currency else first


def _need(purse: Purse, raw: JsonObject, name: str) -> Pair:
    found = purse.rest(raw, name)
    return found if found is not None else Pair(need(raw, name), need(raw, name))


def _taxes(purse: Purse, raw: Mapping[str, Any]) -> Pair:
    return plus(*(purse.rest(line, "price") or NOTHING for line in items(raw, "tax_lines")))


def _shipping(purse: Purse, raw: JsonObject) -> Pair:
    """What shipping cost after its discounts; `price_set` serves while nothing was taken off."""
    if "discounted_price_set" not in raw and raw.get("discounted_price") == raw.get("price"):
        return purse.rest(raw, "price") or NOTHING
    return purse.rest(raw, "discounted_price") or purse.rest(raw, "price") or NOTHING


def _line(purse: Purse, raw: JsonObject, groups: Mapping[str, str]) -> LineFacts:
    quantity = count(raw, "quantity", 1)
    return LineFacts(
        key=key_of(need(raw, "id"), "line_items.id"),
        sku=text(raw, "sku"),
        product_key=optional_key(raw.get("product_id")),
        variant_key=optional_key(raw.get("variant_id")),
        title=text(raw, "title"),
        variant_title=text(raw, "variant_title"),
        quantity=quantity,
        current=count(raw, "current_quantity", quantity),
        unit=_need(purse, raw, "price"),
        discount=plus(*(purse.rest(part, "amount") or NOTHING for part in items(raw, "discount_allocations"))),
        tax=_taxes(purse, raw),
        rate=sum((Decimal(str(line.get("rate") or 0)) for line in items(raw, "tax_lines")), Decimal(0)),
        bundle_sku=groups.get(str(raw.get("sales_line_item_group_id")), ""),
    )


def _refund(purse: Purse, raw: JsonObject) -> RefundFacts:
    return RefundFacts(
        key=key_of(need(raw, "id"), "refunds.id"),
        at=moment(raw, "created_at"),
        note=text(raw, "note"),
        lines=tuple(
            RefundLineFacts(
                key_of(need(line, "line_item_id"), "refunds.refund_line_items.line_item_id"),
                count(line, "quantity"),
                purse.rest(line, "subtotal") or NOTHING,
                purse.rest(line, "total_tax") or NOTHING,
            )
            for line in items(raw, "refund_line_items")
        ),
        paid=plus(*(_paid(purse, part) for part in items(raw, "transactions") if (part.get("kind"), part.get("status")) in MONEY_BACK)),
    )


def _paid(purse: Purse, raw: JsonObject) -> Pair:
    """A transaction's amount; without a set it is in the currency the transaction names."""
    if isinstance(raw.get("amount_set"), dict):
        return purse.rest(raw, "amount") or NOTHING
    currency = text(raw, "currency") or purse.currency
    value = amount(need(raw, "amount"), currency, "refunds.transactions.amount")
    return purse.local_only(value) if currency == purse.local_currency != purse.currency else purse.shop_only(value)


def _fulfilment(raw: JsonObject) -> Fulfilment:
    delivered = text(raw, "shipment_status") == "delivered"
    numbers, urls = raw.get("tracking_numbers") or (), raw.get("tracking_urls") or ()
    return Fulfilment(
        key=key_of(need(raw, "id"), "fulfillments.id"),
        status=text(raw, "status").lower(),
        shipped_at=moment(raw, "created_at"),
        delivered_at=optional_moment(raw, "updated_at") if delivered else None,  # the REST shape has no time of delivery of its own
        carrier=text(raw, "tracking_company"),
        tracking_number=text(raw, "tracking_number") or (str(numbers[0]) if numbers else ""),
        tracking_url=text(raw, "tracking_url") or (str(urls[0]) if urls else ""),
    )


def _customer(raw: JsonObject) -> CustomerRef:
    person, billing = child(raw, "customer"), child(raw, "billing_address")
    return CustomerRef(
        key=optional_key(person.get("id")),
        email=text(raw, "email", "contact_email") or text(person, "email"),
        phone=text(raw, "phone") or text(person, "phone"),
        first_name=text(person, "first_name") or text(billing, "first_name"),
        last_name=text(person, "last_name") or text(billing, "last_name"),
    )


def _attributes(raw: JsonObject) -> dict[str, object]:
    plain = {
        "note": text(raw, "note"),
        "source_identifier": text(raw, "source_identifier"),
        "customer_locale": text(raw, "customer_locale"),
        "financial_status": text(raw, "financial_status").lower(),
    }
    noted = {f"attribute.{text(part, 'name')}": text(part, "value") for part in items(raw, "note_attributes") if text(part, "name")}
    return {name: value for name, value in {**plain, **noted}.items() if value != ""}
