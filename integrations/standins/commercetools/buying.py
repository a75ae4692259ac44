"""What shoppers do with carts and orders, as guests or signed in."""

from collections.abc import Mapping, Sequence
from typing import Any

from integrations.standins.commercetools import carts, orders
from integrations.standins.commercetools.cart_actions import PEOPLE
from integrations.standins.commercetools.collection import Stored
from integrations.standins.commercetools.editing import apply
from integrations.standins.commercetools.project import Project
from integrations.standins.commercetools.resources import create
from integrations.standins.commercetools.shoppers import customer_of

CURRENCIES = {"GB": "GBP", "DE": "EUR", "FR": "EUR", "ES": "EUR", "US": "USD"}
LOCALES = {"GB": "en-GB", "DE": "de", "FR": "fr", "ES": "es"}
SHIPPING_CENTS = 500
Lines = Sequence[Mapping[str, Any] | str]


def add_to_cart(
    project: Project, *, sku: str, quantity: int = 1, customer: str = "", anonymous_id: str = "", country: str = "GB", **fields: Any
) -> Stored:
    """Put something into the cart of a customer or a guest, beginning one if there is none; ``fields`` as a cart draft has them."""
    owner = customer_of(project, customer).id if customer else ""
    cart = carts.active_cart(project, customer=owner) if owner else carts.active_cart(project, anonymous=anonymous_id)
    if cart is None:
        draft = {"customerId": owner or None, "anonymousId": None if owner else anonymous_id or None}
        cart = carts.create_cart(project, {**_market(country), **draft, **fields})
    return apply(project, "cart", cart, [{"action": "addLineItem", "sku": sku, "quantity": quantity}], table=PEOPLE)


def start_checkout(
    project: Project, *, cart: str, email: str = "", address: Mapping[str, Any] | None = None, shipping: bool = True, code: str = ""
) -> Stored:
    """Give address and e-mail and choose a delivery; who stops here has abandoned the checkout."""
    row = project.get("cart", cart)
    country = row.doc().get("country", "GB")
    actions: list[dict[str, Any]] = [{"action": "setShippingAddress", "address": dict(address or example_address(country))}]
    if email:
        actions.append({"action": "setCustomerEmail", "email": email})
    if shipping:
        price = {"currencyCode": row.doc()["totalPrice"]["currencyCode"], "centAmount": SHIPPING_CENTS}
        actions.append({"action": "setCustomShippingMethod", "shippingMethodName": "Standard", "shippingRate": {"price": price}})
    if code:
        actions.append({"action": "addDiscountCode", "code": code})
    return apply(project, "cart", row, actions, table=PEOPLE)


def place_order(project: Project, *, cart: str, number: str = "", state: str = "Open", paid: bool = False, **fields: Any) -> Stored:
    """Buy what is in a cart."""
    row = project.get("cart", cart)
    if paid:
        row = _with_payment(project, row)
    numbered = number or f"W-{10_000 + project.next_number('order')}"
    draft = {"cart": {"id": row.id}, "version": row.version, "orderNumber": numbered, "orderState": state, "shipmentState": "Pending"}
    return orders.order_from_cart(project, {**draft, "paymentState": "Paid" if paid else "Pending", **fields})


def guest_order(project: Project, *, email: str, lines: Lines, anonymous_id: str = "", country: str = "GB", **how: Any) -> Stored:
    """A guest buys; ``lines`` are SKUs or {"sku", "quantity"}, ``how`` is for ``order_with``."""
    owner = {"anonymousId": anonymous_id or f"anon-{project.new_id()[:8]}", "customerEmail": email}
    return order_with(project, draft={**_market(country), **owner}, lines=lines, **how)


def order(project: Project, *, customer: str, lines: Lines, country: str = "GB", **how: Any) -> Stored:
    """A customer buys; as ``guest_order``."""
    person = customer_of(project, customer)
    stores = person.doc()["stores"]
    draft = {**_market(country), "customerId": person.id, "store": stores[0] if stores else None}
    return order_with(project, draft=draft, lines=lines, **how)


def order_with(
    project: Project,
    *,
    draft: Mapping[str, Any],
    lines: Lines,
    actions: Sequence[Mapping[str, Any]] = (),
    address: Mapping[str, Any] | None = None,
    shipping: bool = True,
    code: str = "",
    store: str = "",
    gift: str = "",
    custom_lines: Sequence[Mapping[str, Any]] = (),
    off_total: int = 0,
    **order_fields: Any,
) -> Stored:
    """From nothing to an order: ``draft`` is a cart's, ``actions`` further cart actions, ``off_total`` hundredths of a percent off.

    ``gift`` is a SKU that comes free, ``custom_lines`` have {"name", "money", "slug"} (money may be negative), ``code`` a discount code.
    """
    wanted = [{"sku": line} if isinstance(line, str) else dict(line) for line in lines]
    full = {**draft, "lineItems": wanted, "customLineItems": list(custom_lines)}
    cart = carts.create_cart(project, {**full, "store": {"key": store}} if store else full)
    cart = start_checkout(project, cart=cart.id, address=address, shipping=shipping, code=code)
    more = [*actions, *([{"action": "addGift", "sku": gift}] if gift else [])]
    if off_total:
        value = {"value": {"type": "relative", "permyriad": off_total}, "target": {"type": "totalPrice"}}
        more.append({"action": "setDirectDiscounts", "discounts": [value]})
    if more:
        cart = apply(project, "cart", cart, more, table=PEOPLE)
    return place_order(project, cart=cart.id, **order_fields)


def delete_cart(project: Project, *, cart: str) -> dict[str, str]:
    """Throw a cart away."""
    project.delete("cart", project.get("cart", cart))
    return {"deleted": cart}


def discount_code(project: Project, *, code: str, percent: float = 10) -> Stored:
    """A code that takes so many percent off the total."""
    made = create(project, "discount-code", {"code": code, "name": {"en-GB": code}})
    project.code_worth[made.id] = int(percent * 100)
    return made


def example_address(country: str) -> dict[str, str]:
    """An address that does not exist."""
    town, code = {"DE": ("Bremen", "28195"), "FR": ("Lille", "59000"), "ES": ("Lugo", "27001")}.get(country, ("Leeds", "LS1 1AA"))
    return {"country": country, "streetName": "Mill Lane", "streetNumber": "4", "city": town, "postalCode": code}


def _market(country: str) -> dict[str, Any]:
    return {"currency": CURRENCIES[country], "country": country, "locale": LOCALES.get(country)}


def _with_payment(project: Project, cart: Stored) -> Stored:
    total = cart.doc().get("taxedPrice", {}).get("totalGross") or cart.doc()["totalPrice"]
    charge = {"type": "Charge", "state": "Success", "amount": total, "timestamp": project.iso(), "interactionId": project.short_id()}
    draft = {"amountPlanned": total, "paymentMethodInfo": {"paymentInterface": "DEMO-PAY", "method": "CREDIT_CARD"}}
    payment = create(project, "payment", {**draft, "interfaceId": project.new_id(), "transactions": [charge]})
    return apply(project, "cart", cart, [{"action": "addPayment", "payment": {"id": payment.id}}], table=PEOPLE)
