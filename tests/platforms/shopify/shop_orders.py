"""One abstract order, written out in Shopify's three shapes by code that shares nothing with the parser."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

DIGITS = {"GBP": 2, "EUR": 2, "USD": 2, "JPY": 0, "KWD": 3}
ORDER_ID, LINE_ID, REFUND_ID = 820982911946154508, 466157049000, 509562969000


@dataclass(frozen=True)
class Item:
    price: Decimal
    quantity: int = 1
    discount: Decimal = Decimal(0)
    taxed: bool = True
    removed: int = 0


@dataclass(frozen=True)
class Back:
    """A refund: units by line index, and the money; None pays what the lines come to."""

    units: dict[int, int]
    paid: Decimal | None = None


@dataclass(frozen=True)
class Spec:
    currency: str = "GBP"
    local: str = ""
    rate: Decimal = Decimal(1)
    included: bool = True
    tax_rate: Decimal = Decimal("0.20")
    items: tuple[Item, ...] = (Item(Decimal("20.00"), 2),)
    shipping: Decimal = Decimal("4.99")
    tip: Decimal = Decimal(0)
    refunds: tuple[Back, ...] = ()
    financial: str = "PAID"
    fulfilment: str = "UNFULFILLED"
    cancelled_at: str | None = None
    cancel_reason: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)


def rounded(value: Decimal, currency: str) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-DIGITS[currency]), ROUND_HALF_UP)


class Sums:
    """Every amount of a spec, the way Shopify computes it: tax line by line, refunds in proportion, the last unit takes the rest."""

    def __init__(self, spec: Spec) -> None:
        self.spec, self.gone = spec, {index: [0, Decimal(0), Decimal(0)] for index in range(len(spec.items))}
        self.gross = [item.price * item.quantity for item in spec.items]
        self.net = [gross - item.discount for gross, item in zip(self.gross, spec.items, strict=True)]
        self.line_tax = [self._tax(net) if item.taxed else Decimal(0) for net, item in zip(self.net, spec.items, strict=True)]
        self.shipping_tax = self._tax(spec.shipping)
        self.tax = sum(self.line_tax, self.shipping_tax)
        self.total = sum(self.net) + spec.shipping + spec.tip + (Decimal(0) if spec.included else self.tax)
        self.refunds = [self._refund(back) for back in spec.refunds]
        removed = [self._take(index, item.removed) for index, item in enumerate(spec.items) if item.removed]
        self.removed = sum((net + (Decimal(0) if spec.included else tax) for net, tax in removed), Decimal(0))
        # units taken back without money leave the current total too
        back = sum((paid or worth for _, paid, worth in self.refunds), Decimal(0))
        self.current = self.total - self.removed - back

    def _tax(self, amount: Decimal) -> Decimal:
        rate = self.spec.tax_rate
        return rounded(amount * rate / (1 + rate) if self.spec.included else amount * rate, self.spec.currency)

    def _take(self, index: int, units: int) -> tuple[Decimal, Decimal]:
        quantity, gone = self.spec.items[index].quantity, self.gone[index]
        left = quantity - gone[0]
        share = Decimal(units) / left
        whole = units == left
        net = self.net[index] - gone[1] if whole else rounded((self.net[index] - gone[1]) * share, self.spec.currency)
        tax = self.line_tax[index] - gone[2] if whole else rounded((self.line_tax[index] - gone[2]) * share, self.spec.currency)
        self.gone[index] = [gone[0] + units, gone[1] + net, gone[2] + tax]
        return net, tax

    def _refund(self, back: Back) -> tuple[list[tuple[int, int, Decimal, Decimal]], Decimal, Decimal]:
        lines = [(index, units, *self._take(index, units)) for index, units in back.units.items()]
        worth = sum((net + (Decimal(0) if self.spec.included else tax) for _, _, net, tax in lines), Decimal(0))
        return lines, worth if back.paid is None else back.paid, worth


def rest_order(spec: Spec, **changes: Any) -> dict[str, Any]:
    """The body of an order webhook."""
    sums, bag = Sums(spec), _rest_bag(spec)
    body = {
        "id": ORDER_ID, "admin_graphql_api_id": f"gid://shopify/Order/{ORDER_ID}", "name": "#1001", "order_number": 1001,
        "email": "zoe@example.com", "contact_email": "zoe@example.com", "phone": None,
        "created_at": "2026-11-01T05:00:00-05:00", "updated_at": "2026-11-20T05:00:00-05:00", "processed_at": "2026-11-01T05:00:00-05:00",
        "cancelled_at": spec.cancelled_at, "cancel_reason": spec.cancel_reason and spec.cancel_reason.lower(), "test": False,
        "currency": spec.currency, "presentment_currency": spec.local or spec.currency, "customer_locale": "en-GB",
        "financial_status": spec.financial.lower(),
        "fulfillment_status": {"FULFILLED": "fulfilled", "PARTIALLY_FULFILLED": "partial"}.get(spec.fulfilment),
        "source_name": "web", "source_identifier": None, "browser_ip": "203.0.113.7", "checkout_token": "ck1", "tags": "vip, first",
        "note": "ring twice", "note_attributes": [{"name": "gift", "value": "yes"}], "payment_gateway_names": ["shopify_payments"],
        "taxes_included": spec.included, "discount_codes": [{"code": "TEN", "amount": "4.00", "type": "percentage"}],
        **bag("total_price", sums.total), **bag("current_total_price", sums.current), **bag("total_tax", sums.tax),
        "customer": {"id": 706405506930370084, "email": "zoe@example.com", "phone": None, "first_name": "Zoë", "last_name": "Biller"},
        "billing_address": None,
        "shipping_address": {
            "first_name": "Zoë", "last_name": "Biller", "company": None, "address1": "1 High St", "address2": None, "city": "Leeds",
            "zip": "LS1 1AA", "province": "England", "province_code": "ENG",
            "country": "United Kingdom", "country_code": "GB", "phone": None,
        },
        "line_items": [_rest_line(spec, sums, index) for index in range(len(spec.items))],
        "shipping_lines": [
            {"id": 1, "title": "Standard", **bag("price", spec.shipping), **bag("discounted_price", spec.shipping), "tax_lines": [
                {"title": "VAT", "rate": float(spec.tax_rate), **bag("price", sums.shipping_tax)}]}
        ],
        "refunds": [_rest_refund(spec, index, refund) for index, refund in enumerate(sums.refunds)],
        "fulfillments": [],
    }  # fmt: skip
    return {**body, **changes}


def graphql_order(spec: Spec, **changes: Any) -> dict[str, Any]:
    """A node of the full order document."""
    sums, bag = Sums(spec), _bag(spec)
    body = {
        "id": f"gid://shopify/Order/{ORDER_ID}", "legacyResourceId": str(ORDER_ID), "name": "#1001", "createdAt": "2026-11-01T10:00:00Z",
        "updatedAt": "2026-11-20T10:00:00Z", "processedAt": "2026-11-01T10:00:00Z", "cancelledAt": spec.cancelled_at,
        "cancelReason": spec.cancel_reason, "test": False, "email": "zoe@example.com", "phone": None, "customerLocale": "en-GB",
        "clientIp": "203.0.113.7", "sourceName": "web", "sourceIdentifier": None, "tags": ["first", "vip"], "note": "ring twice",
        "checkoutToken": "ck1", "discountCodes": ["TEN"], "taxesIncluded": spec.included, "currencyCode": spec.currency,
        "presentmentCurrencyCode": spec.local or spec.currency, "displayFinancialStatus": spec.financial,
        "displayFulfillmentStatus": spec.fulfilment, "paymentGatewayNames": ["shopify_payments"],
        "customAttributes": [{"key": "gift", "value": "yes"}],
        "customer": {
            "id": "gid://shopify/Customer/706405506930370084", "firstName": "Zoë", "lastName": "Biller",
            "defaultEmailAddress": {"emailAddress": "zoe@example.com"}, "defaultPhoneNumber": None,
        },
        "billingAddress": None,
        "shippingAddress": {
            "firstName": "Zoë", "lastName": "Biller", "company": None, "address1": "1 High St", "address2": None, "city": "Leeds",
            "zip": "LS1 1AA", "province": "England", "provinceCode": "ENG", "countryCodeV2": "GB", "phone": None,
        },
        "totalPriceSet": bag(sums.total), "currentTotalPriceSet": bag(sums.current), "totalTaxSet": bag(sums.tax),
        "shippingLine": {"title": "Standard", "discountedPriceSet": bag(spec.shipping), "taxLines": [{"priceSet": bag(sums.shipping_tax)}]},
        "lineItems": {"pageInfo": {"hasNextPage": False, "endCursor": None},
                      "nodes": [_graphql_line(spec, sums, index) for index in range(len(spec.items))]},
        "refunds": [_graphql_refund(spec, index, refund) for index, refund in enumerate(sums.refunds)],
        "fulfillments": [],
    }  # fmt: skip
    return {**body, **changes}


def bulk_lines(spec: Spec, **changes: Any) -> list[dict[str, Any]]:
    """The lines of a bulk file for one order: the root without its connection, then its children."""
    root = graphql_order(spec, **changes)
    children = [{**node, "__parentId": root["id"]} for node in root.pop("lineItems")["nodes"]]
    root["refunds"] = [{"id": refund["id"], "totalRefundedSet": refund["totalRefundedSet"]} for refund in root["refunds"]]
    return [root, *children]


def _local(spec: Spec, amount: Decimal) -> Decimal:
    return rounded(amount * spec.rate, spec.local or spec.currency)


def _bag(spec: Spec) -> Any:
    local = spec.local or spec.currency
    return lambda amount: {
        "shopMoney": {"amount": str(amount), "currencyCode": spec.currency},
        "presentmentMoney": {"amount": str(_local(spec, amount)), "currencyCode": local},
    }


def _rest_bag(spec: Spec) -> Any:
    local = spec.local or spec.currency
    return lambda name, amount: {
        name: str(amount),
        f"{name}_set": {
            "shop_money": {"amount": str(amount), "currency_code": spec.currency},
            "presentment_money": {"amount": str(_local(spec, amount)), "currency_code": local},
        },
    }


def _rest_line(spec: Spec, sums: Sums, index: int) -> dict[str, Any]:
    item, bag = spec.items[index], _rest_bag(spec)
    discounted = [{**bag("amount", item.discount), "discount_application_index": 0}] if item.discount else []
    taxed = [{"title": "VAT", "rate": float(spec.tax_rate), **bag("price", sums.line_tax[index])}] if item.taxed else []
    return {
        "id": LINE_ID + index, "product_id": 632910392 + index, "variant_id": 808950810 + index, "sku": f"SKU-{index}", "title": "Shoe",
        "variant_title": "42", "quantity": item.quantity, "current_quantity": item.quantity - sums.gone[index][0],
        **bag("price", item.price), "discount_allocations": discounted, "tax_lines": taxed, "properties": [],
    }  # fmt: skip


def _graphql_line(spec: Spec, sums: Sums, index: int) -> dict[str, Any]:
    item, bag = spec.items[index], _bag(spec)
    return {
        "id": f"gid://shopify/LineItem/{LINE_ID + index}", "title": "Shoe", "variantTitle": "42", "sku": f"SKU-{index}",
        "quantity": item.quantity, "currentQuantity": item.quantity - sums.gone[index][0], "originalUnitPriceSet": bag(item.price),
        "discountAllocations": [{"allocatedAmountSet": bag(item.discount)}] if item.discount else [],
        "taxLines": [{"rate": float(spec.tax_rate), "priceSet": bag(sums.line_tax[index])}] if item.taxed else [],
        "lineItemGroup": None,
        "product": {"id": f"gid://shopify/Product/{632910392 + index}"}, 
        "variant": {"id": f"gid://shopify/ProductVariant/{808950810 + index}"},
    }  # fmt: skip


def _rest_refund(spec: Spec, number: int, refund: Any) -> dict[str, Any]:
    lines, paid, _ = refund
    bag = _rest_bag(spec)
    return {
        "id": REFUND_ID + number, "order_id": ORDER_ID, "created_at": "2026-11-20T05:00:00-05:00", "note": "too small",
        "refund_line_items": [
            {"id": 1 + index, "quantity": units, "line_item_id": LINE_ID + index, "restock_type": "return",
             **bag("subtotal", net), "subtotal": float(net), **bag("total_tax", tax), "total_tax": float(tax)}
            for index, units, net, tax in lines
        ],
        "order_adjustments": [],
        "transactions": [{"id": 9, "kind": "refund", "status": "success", "amount": str(paid), "currency": spec.currency,
                          "amount_set": bag("amount", paid)["amount_set"]}] if paid else [],
    }  # fmt: skip


def _graphql_refund(spec: Spec, number: int, refund: Any) -> dict[str, Any]:
    lines, paid, _ = refund
    bag = _bag(spec)
    return {
        "id": f"gid://shopify/Refund/{REFUND_ID + number}", "createdAt": "2026-11-20T10:00:00Z", "note": "too small",
        "totalRefundedSet": bag(paid),
        "refundLineItems": {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": [
            {"quantity": units, "restockType": "RETURN", "subtotalSet": bag(net), "totalTaxSet": bag(tax),
             "lineItem": {"id": f"gid://shopify/LineItem/{LINE_ID + index}"}}
            for index, units, net, tax in lines
        ]},
        "refundShippingLines": {"nodes": []},
        "transactions": {"nodes": [{"id": "gid://shopify/OrderTransaction/9", "kind": "REFUND", "status": "SUCCESS",
                          "amountSet": bag(paid)}]
                         if paid else []},
    }  # fmt: skip
