"""The checkout record: begun, perhaps abandoned, perhaps completed by an order with the same token."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from integrations.platforms.base import Account, JsonObject
from integrations.platforms.shopify.parse.values import items, key_of, moment, optional_key, optional_moment
from integrations.platforms.shopify.webhooks import TIME_KEY
from integrations.platforms.values import amount, child, count, need, text
from mapping.records import Checkout, CustomerRef, Line, Order, Record

DEFAULT_ABANDON_MINUTES = 30
_TOKEN = re.compile(r"/checkouts/(?:[a-z]{1,4}/)?([^/?#]+)(?:/recover)?(?:[?#]|$)")


def parse_checkout(account: Account, raw: JsonObject) -> Sequence[Record]:
    """The checkout of a checkouts/* webhook; its key is the token that an order carries as `checkout_token`."""
    currency, updated = str(need(raw, "currency")), moment(raw, "updated_at")
    person = child(raw, "customer")
    return (
        Checkout(
            key=str(need(raw, "token")),
            occurred_at=updated,
            customer=CustomerRef(
                key=optional_key(person.get("id")),
                email=text(raw, "email") or text(person, "email"),
                phone=text(raw, "phone") or text(person, "phone"),
                first_name=text(person, "first_name"),
                last_name=text(person, "last_name"),
            ),
            completed_at=optional_moment(raw, "completed_at"),
            not_before=None if raw.get("completed_at") else updated + _patience(account),
            url=text(raw, "abandoned_checkout_url"),
            currency=currency,
            total=amount(need(raw, "total_price"), currency, "total_price"),
            lines=tuple(_rest_line(line, index, currency) for index, line in enumerate(items(raw, "line_items"))),
        ),
    )


def parse_checkout_deleted(account: Account, raw: JsonObject) -> Sequence[Record]:
    """A checkout that is no more; none when the body does not name its token."""
    del account
    token = text(raw, "token")
    return (Checkout(key=token, occurred_at=moment(raw, TIME_KEY), removed=True),) if token else ()


def parse_abandoned(account: Account, raw: JsonObject) -> Sequence[Record]:
    """The checkout of `checkouts_delta`, under the token that its recovery address holds."""
    updated, bag = moment(raw, "updatedAt"), child(need(raw, "totalPriceSet"), "shopMoney")
    currency, person = str(need(bag, "currencyCode")), child(raw, "customer")
    return (
        Checkout(
            key=token_of(text(raw, "abandonedCheckoutUrl")) or key_of(need(raw, "id")),
            occurred_at=updated,
            customer=CustomerRef(
                key=optional_key(person.get("id")),
                email=text(child(person, "defaultEmailAddress"), "emailAddress"),
                phone=text(child(person, "defaultPhoneNumber"), "phoneNumber"),
                first_name=text(person, "firstName"),
                last_name=text(person, "lastName"),
            ),
            completed_at=optional_moment(raw, "completedAt"),
            not_before=None if raw.get("completedAt") else updated + _patience(account),
            url=text(raw, "abandonedCheckoutUrl"),
            currency=currency,
            total=amount(need(bag, "amount"), currency, "totalPriceSet"),
            lines=tuple(_graphql_line(line, index, currency) for index, line in enumerate(items(raw, "lineItems"))),
        ),
    )


def recovered_by(order: Order) -> Sequence[Record]:
    """The checkout that an order completed, none for orders that came from no checkout."""
    if not order.checkout_key:
        return ()
    return (
        Checkout(
            key=order.checkout_key,
            occurred_at=order.occurred_at,
            customer=order.customer,
            completed_at=order.placed_at,
            currency=order.currency,
            total=order.totals.total,
        ),
    )


def token_of(url: str) -> str:
    """The checkout token inside a recovery address, empty when there is none: …/checkouts/ac/<token>/recover?key=…"""
    found = _TOKEN.search(url)
    return found.group(1) if found else ""


def _patience(account: Account) -> timedelta:
    return timedelta(minutes=float(account.settings.get("abandon_minutes") or DEFAULT_ABANDON_MINUTES))


def _rest_line(raw: JsonObject, index: int, currency: str) -> Line:
    return _line(
        raw, index, product=raw.get("product_id"), variant=raw.get("variant_id"), price=amount(raw.get("price") or 0, currency, "price")
    )


def _graphql_line(raw: JsonObject, index: int, currency: str) -> Line:
    price = amount(child(raw, "discountedUnitPriceSet", "shopMoney").get("amount") or 0, currency, "discountedUnitPriceSet")
    return _line(raw, index, product=child(raw, "product").get("id"), variant=child(raw, "variant").get("id"), price=price)


def _line(raw: JsonObject, index: int, *, product: object, variant: object, price: Decimal) -> Line:
    quantity = count(raw, "quantity", 1)
    return Line(
        key=str(index + 1),  # lines of a checkout have no id that both shapes share
        sku=text(raw, "sku"),
        product_key=optional_key(product),
        variant_key=optional_key(variant),
        title=text(raw, "title"),
        variant_title=text(raw, "variant_title", "variantTitle"),
        quantity=quantity,
        unit_price=price,
        subtotal=price * quantity,
        total=price * quantity,
    )
