"""What happens to checkouts: begun, changed, abandoned (nothing more happens) or completed into an order."""

from collections.abc import Iterable, Mapping
from typing import Any

from integrations.standins.shopify.customers import Rejected
from integrations.standins.shopify.money import tax_of
from integrations.standins.shopify.order_life import create_order
from integrations.standins.shopify.orders import AbandonedCheckout, CheckoutLine, Order
from integrations.standins.shopify.shops import Shop
from integrations.standins.shopify.tables import Missing

CHECKOUT_FIELDS = frozenset({"email", "phone", "customer_id", "accepts_marketing", "accepts_sms", "locale", "discount_codes"})


def start_checkout(shop: Shop, *, lines: Iterable[Mapping[str, Any]], **fields: Any) -> AbandonedCheckout:
    """A buyer reaches the checkout with lines of {variant_id, quantity}; a customer brings e-mail and phone along."""
    with shop.lock:
        _check(fields)
        number, now = shop.new_id("AbandonedCheckout"), shop.now()
        token, cart = f"{shop.random.getrandbits(128):032x}", f"{shop.random.getrandbits(128):032x}"
        checkout = AbandonedCheckout(
            id=number,
            token=token,
            cart_token=cart,
            created_at=now,
            updated_at=now,
            currency=shop.spec.currency,
            lines=_lines(shop, lines),
            url=f"https://{shop.spec.domain}/checkouts/ac/{token}/recover?key={shop.random.getrandbits(64):016x}",
            **_with_contact(shop, fields),
        )
        _count(shop, checkout)
        shop.checkouts.put(number, checkout)
        shop.touch(checkout)
        shop.emit("checkouts/create", number)
        return checkout


def update_checkout(shop: Shop, checkout_id: int, *, lines: Iterable[Mapping[str, Any]] | None = None, **fields: Any) -> AbandonedCheckout:
    """The buyer changes contact data or the basket; raises Missing, and Rejected once it is completed."""
    with shop.lock:
        _check(fields)
        checkout = shop.checkouts.own(checkout_id)
        if checkout.completed_at is not None:
            raise Rejected("The checkout is completed.")
        if lines is not None:
            checkout.lines = _lines(shop, lines)
        for name, value in _with_contact(shop, fields).items():
            setattr(checkout, name, value)
        _count(shop, checkout)
        shop.touch(checkout)
        shop.emit("checkouts/update", checkout_id)
        return checkout


def complete_checkout(shop: Shop, checkout_id: int, **order: Any) -> Order:
    """The buyer pays after all: the checkout is recovered and becomes an order. Raises Missing, Rejected."""
    with shop.lock:
        checkout = shop.checkouts.own(checkout_id)
        if checkout.completed_at is not None:
            raise Rejected("The checkout is completed.")
        made = create_order(shop, **{
            "lines": [{"variant_id": line.variant_id, "quantity": line.quantity} for line in checkout.lines],
            "customer_id": checkout.customer_id,
            "email": checkout.email,
            "phone": checkout.phone,
            "cart_token": checkout.cart_token,
            "checkout_token": checkout.token,
            **order,
        })  # fmt: skip
        checkout.completed_at, checkout.order_id = shop.now(), made.id
        shop.touch(checkout)
        shop.emit("checkouts/update", checkout_id)
        return made


def delete_checkout(shop: Shop, checkout_id: int) -> None:
    """The shop drops an old checkout; raises Missing."""
    with shop.lock:
        token = shop.checkouts.own(checkout_id).token
        shop.checkouts.remove(checkout_id)
        shop.emit("checkouts/delete", checkout_id, {"token": token})


def _check(fields: Mapping[str, Any]) -> None:
    unknown = fields.keys() - CHECKOUT_FIELDS
    if unknown:
        raise Rejected(f"A checkout has no {sorted(unknown)}.")


def _with_contact(shop: Shop, fields: Mapping[str, Any]) -> dict[str, Any]:
    customer_id = fields.get("customer_id")
    customer = shop.customers.get(customer_id) if customer_id is not None else None
    known = {} if customer is None else {"email": customer.email, "phone": customer.phone, "locale": customer.locale}
    return {**known, **fields}


def _lines(shop: Shop, wishes: Iterable[Mapping[str, Any]]) -> list[CheckoutLine]:
    lines = []
    for wish in wishes:
        variant = shop.variants.get(wish["variant_id"])
        if variant is None:
            raise Missing(f"No variant {wish['variant_id']} in this shop.")
        title = shop.products.own(variant.product_id).title
        number = shop.new_id("AbandonedCheckoutLineItem")
        lines.append(
            CheckoutLine(number, variant.product_id, variant.id, variant.sku, title, variant.title, wish["quantity"], variant.price)
        )
    return lines


def _count(shop: Shop, checkout: AbandonedCheckout) -> None:
    spec = shop.spec
    checkout.tax = tax_of(checkout.subtotal, spec.tax_rate, spec.currency, included=spec.taxes_included)
