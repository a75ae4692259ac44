"""The checkout record, from a cart: begun once it has a shipping address, abandoned when nothing more happens to it, gone when emptied.

An ordered cart says nothing: its order ends the checkout. A merged one lives on inside the customer's own cart.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import quote

from integrations.platforms.base import Account, JsonObject
from integrations.platforms.commercetools.options import CHECKOUT_MINUTES, setting
from integrations.platforms.commercetools.parse.amounts import order_amounts
from integrations.platforms.commercetools.parse.customer import taken
from integrations.platforms.commercetools.parse.money import currency_of, money, money_at
from integrations.platforms.commercetools.parse.order import customer_ref, line_of
from integrations.platforms.commercetools.parse.returns import Back
from integrations.platforms.commercetools.parse.values import key_of, locales_of, needed_moment, reference
from integrations.platforms.values import need, rows, text
from mapping.records import Checkout, Record

ORDERED, MERGED = "Ordered", "Merged"


def parse_cart(account: Account, raw: JsonObject) -> Sequence[Record]:
    """The checkout of a cart; none of nobody, before it has begun, when its order ends it, or in a store that the connection leaves out."""
    key, changed, currency = key_of(raw), needed_moment(raw, "lastModifiedAt"), currency_of(need(raw, "totalPrice"))
    state, store = text(raw, "cartState"), reference(raw, "store")
    begun = any(isinstance(address, dict) and address for address in (raw.get("shippingAddress"), *rows(raw, "itemShippingAddresses")))
    who = customer_ref(raw)
    if not begun or state == ORDERED or not (who.key or who.email) or not taken(account, [store] if store else []):
        return ()
    if state == MERGED or not rows(raw, "lineItems"):
        return (Checkout(key=key, occurred_at=changed, customer=who, removed=True),)
    amounts = order_amounts(raw, currency)
    gross = money_at(raw, "taxedPrice", "totalGross")
    return (
        Checkout(
            key=key,
            occurred_at=changed,
            customer=who,
            visitor=text(raw, "anonymousId"),
            not_before=changed + timedelta(minutes=float(setting(account, "checkout_minutes") or CHECKOUT_MINUTES)),
            url=str(setting(account, "site_url") or "").replace("{id}", quote(key, safe="")),
            currency=currency,
            total=money(need(raw, "totalPrice")) if gross is None else gross,
            lines=tuple(line_of(line, locales_of(account, raw), Back()) for line in amounts.lines),
        ),
    )


def parse_cart_deleted(account: Account, raw: JsonObject) -> Sequence[Record]:
    """A cart that is no more; the time is that of the message that said so."""
    del account
    return (Checkout(key=key_of(raw), occurred_at=needed_moment(raw, "at"), removed=True),)
