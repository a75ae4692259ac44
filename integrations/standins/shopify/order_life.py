"""What happens to orders: placed, paid, edited, fulfilled, delivered, deleted. Refunds and cancellations are in ``returns``."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from integrations.standins.shopify.customers import Rejected, make_address, note_spending
from integrations.standins.shopify.ids import gid
from integrations.standins.shopify.money import rounded, tax_of
from integrations.standins.shopify.orders import Fulfillment, LineItem, Order, Transaction
from integrations.standins.shopify.pricing import TaxRules, add_units, apply_discounts, rules_of, take, tax_lines
from integrations.standins.shopify.products import move_stock
from integrations.standins.shopify.shops import Shop
from integrations.standins.shopify.tables import Missing

ORDER_FIELDS = frozenset({
    "email", "phone", "locale", "client_ip", "user_agent", "source_name", "source_identifier", "landing_site", "referring_site", "tags",
    "note", "cart_token", "checkout_token", "gateway", "test", "attributes", "shipping_title",
})  # fmt: skip
# the visits behind an order are worked out some time after it
JOURNEY_SECONDS = 10


def create_order(
    shop: Shop,
    *,
    lines: Iterable[Mapping[str, Any]],
    customer_id: int | None = None,
    discounts: Iterable[Mapping[str, Any]] = (),
    shipping: Decimal | str | int = 0,
    paid: bool = True,
    authorized: bool = False,
    presentment_currency: str | None = None,
    address: Mapping[str, Any] | None = None,
    **plain: Any,
) -> Order:
    """A buyer places an order; lines are {variant_id, quantity} or {title, price, quantity}. Raises Missing, Rejected."""
    with shop.lock:
        spec, now = shop.spec, shop.now()
        customer = _customer(shop, customer_id)
        rules = TaxRules(spec.tax_rate, spec.taxes_included, spec.currency)
        items = [_line(shop, wish) for wish in lines]
        applications = apply_discounts(items, list(discounts), spec.currency)
        tax_lines(items, rules)
        charge = rounded(str(shipping), spec.currency)
        buyer_currency = presentment_currency or spec.currency
        order = Order(
            id=shop.new_id("Order"),
            number=shop.next_number,
            created_at=now,
            updated_at=now,
            currency=spec.currency,
            presentment_currency=buyer_currency,
            rate=_rate(shop, buyer_currency),
            taxes_included=rules.included,
            tax_title=spec.tax_title,
            tax_rate=rules.rate,
            lines=items,
            shipping=charge,
            shipping_tax=tax_of(charge, rules.rate, spec.currency, included=rules.included),
            applications=applications,
            customer_id=customer_id,
            journey_ready_at=now + timedelta(seconds=JOURNEY_SECONDS),
            **_contact(customer, plain),
        )
        shop.next_number += 1
        _place(shop, order, address)
        _pay_at_once(shop, order, paid=paid, authorized=authorized)
        return order


def mark_paid(shop: Shop, order_id: int) -> Order:
    """What is outstanding is captured or booked; raises Rejected when nothing is or the order is cancelled."""
    with shop.lock:
        order = shop.orders.own(order_id)
        if order.cancelled_at is not None or order.outstanding <= 0:
            raise Rejected("Order cannot be marked as paid.")
        authorization = next((t for t in order.transactions if t.kind == "AUTHORIZATION"), None)
        kind = "SALE" if authorization is None or order.paid else "CAPTURE"
        book(shop, order, kind, order.outstanding, parent=authorization)
        touched(shop, order, "orders/paid", "orders/updated")
        note_spending(shop, order.customer_id, order.transactions[-1].amount)
        return order


def edit_order(shop: Shop, order_id: int, *, quantities: Mapping[int, int] | None = None, add: Iterable[Mapping[str, Any]] = ()) -> Order:
    """Set how many units of a line (id → number) the order shall have, or add lines; raises ValueError when that cannot be."""
    with shop.lock:
        order = shop.orders.own(order_id)
        if order.cancelled_at is not None:
            raise Rejected("A cancelled order cannot be edited.")
        added: list[tuple[int, int]] = []
        removed: list[tuple[int, int]] = []
        for line_id, wanted in (quantities or {}).items():
            line = order.line(int(line_id))
            delta = wanted - line.current
            if delta > 0:
                add_units(line, delta, rules_of(order))
                added.append((line.id, delta))
            elif delta < 0:
                _remove_units(order, line, -delta)
                removed.append((line.id, -delta))
            move_stock(shop, line.variant_id, -delta)
        for line in [_line(shop, wish) for wish in add]:
            tax_lines([line], rules_of(order))
            order.lines.append(line)
            added.append((line.id, line.quantity))
            move_stock(shop, line.variant_id, -line.quantity)
        touched(shop, order)
        shop.emit("orders/edited", order_id, _edit_body(shop, order, added, removed))
        shop.emit("orders/updated", order_id)
        return order


def update_order(shop: Shop, order_id: int, **plain: Any) -> Order:
    """Staff change tags, note, e-mail and the like; raises Rejected for anything else."""
    with shop.lock:
        order = shop.orders.own(order_id)
        _check(plain)
        for name, value in plain.items():
            setattr(order, name, value)
        touched(shop, order, "orders/updated")
        return order


def fulfil(
    shop: Shop, order_id: int, *, lines: Mapping[int, int] | None = None, company: str = "Royal Mail", tracking: str | None = None
) -> Fulfillment:
    """Ship everything still open, or some units (line id → quantity); raises Rejected when that is more than is open."""
    with shop.lock:
        order = shop.orders.own(order_id)
        wanted = {int(key): n for key, n in lines.items()} if lines else {line.id: line.unfulfilled for line in order.lines}
        parts = []
        for line_id, quantity in wanted.items():
            line = order.line(line_id)
            if quantity > line.unfulfilled:
                raise Rejected("Invalid fulfillment order line item quantity requested.")
            if quantity:
                parts.append((shop.new_id("FulfillmentLineItem"), line_id, quantity))
        if not parts or order.cancelled_at is not None:
            raise Rejected("There is nothing to fulfill.")
        for _, line_id, quantity in parts:
            order.line(line_id).fulfilled += quantity
        number = tracking or f"AB{shop.random.randrange(10**8):08d}GB"
        now, name = shop.now(), f"{order.name}.{len(order.fulfillments) + 1}"
        url = f"https://track.example/{number}"
        parcel = Fulfillment(shop.new_id("Fulfillment"), name, now, now, parts, company, number, url)
        order.fulfillments.append(parcel)
        shop.owners["Fulfillment", parcel.id] = order.id
        topic = "orders/fulfilled" if order.fulfillment_status == "FULFILLED" else "orders/partially_fulfilled"
        shop.emit("fulfillments/create", parcel.id)
        touched(shop, order, topic, "orders/updated")
        return parcel


def deliver(shop: Shop, fulfillment_id: int) -> Fulfillment:
    """The parcel arrives; raises Missing."""
    with shop.lock:
        order = order_of_fulfillment(shop, fulfillment_id)
        parcel = next(parcel for parcel in order.fulfillments if parcel.id == fulfillment_id)
        parcel.display_status, parcel.delivered_at, parcel.updated_at = "DELIVERED", shop.now(), shop.now()
        shop.emit("fulfillments/update", parcel.id)
        touched(shop, order, "orders/updated")
        return parcel


def delete_order(shop: Shop, order_id: int) -> None:
    """Staff delete an order; raises Missing."""
    with shop.lock:
        order = shop.orders.own(order_id)
        shop.orders.remove(order_id)
        if order.customer_id is not None and order_id in shop.customer_orders.get(order.customer_id, ()):
            shop.customer_orders[order.customer_id].remove(order_id)
        shop.emit("orders/delete", order_id, {"id": order_id})


def order_of_fulfillment(shop: Shop, fulfillment_id: int) -> Order:
    """The order a parcel belongs to; raises Missing."""
    order_id = shop.owners.get(("Fulfillment", fulfillment_id))
    if order_id is None:
        raise Missing(f"No fulfillment {fulfillment_id} in this shop.")
    return shop.orders.own(order_id)


def book(
    shop: Shop, order: Order, kind: str, amount: Decimal, *, parent: Transaction | None = None, status: str = "SUCCESS"
) -> Transaction:
    """Write a movement of money."""
    number = shop.new_id("OrderTransaction")
    transaction = Transaction(number, kind, status, order.gateway, amount, shop.now(), parent.id if parent else None)
    order.transactions.append(transaction)
    return transaction


def touched(shop: Shop, order: Order, *topics: str) -> None:
    """Note a change of the order and tell the subscribers of these topics."""
    shop.touch(order)
    for topic in topics:
        shop.emit(topic, order.id)


def _place(shop: Shop, order: Order, address: Mapping[str, Any] | None) -> None:
    customer = _customer(shop, order.customer_id)
    if address is not None:
        order.shipping_address = make_address(shop, address, customer)
    elif customer is not None and customer.addresses:
        order.shipping_address = customer.addresses[0]
    order.billing = order.shipping_address and replace(order.shipping_address, id=shop.new_id("MailingAddress"))
    shop.orders.put(order.id, order)
    shop.touch(order)
    shop.emit("orders/create", order.id)
    if customer is not None:
        owned = shop.customers.own(customer.id)
        owned.orders_count += 1
        owned.last_order_id = order.id
        order.customer_index = owned.orders_count
        shop.customer_orders.setdefault(owned.id, []).append(order.id)
        shop.touch(owned)
        shop.emit("customers/update", owned.id)
    for line in order.lines:
        move_stock(shop, line.variant_id, -line.quantity)


def _pay_at_once(shop: Shop, order: Order, *, paid: bool, authorized: bool) -> None:
    if not order.total:
        return
    if paid:
        book(shop, order, "SALE", order.total)
        touched(shop, order, "orders/paid", "orders/updated")
        note_spending(shop, order.customer_id, order.total)
    elif authorized:
        book(shop, order, "AUTHORIZATION", order.total)
    else:
        order.gateway = "bank_deposit"
        book(shop, order, "SALE", order.total, status="PENDING")


def _line(shop: Shop, wish: Mapping[str, Any]) -> LineItem:
    """A line from a variant, or a custom one from title and price; raises Missing."""
    number, quantity = shop.new_id("LineItem"), wish["quantity"]
    if quantity < 1:
        raise Rejected("A line needs at least one unit.")
    attributes = tuple((key, value) for key, value in wish.get("attributes", ()))
    variant_id = wish.get("variant_id")
    if variant_id is None:
        price = rounded(str(wish["price"]), shop.spec.currency)
        return LineItem(number, None, None, wish.get("sku"), wish["title"], None, None, quantity, price, attributes=attributes)
    variant = shop.variants.get(variant_id)
    if variant is None:
        raise Missing(f"No variant {variant_id} in this shop.")
    product = shop.products.own(variant.product_id)
    line = LineItem(number, product.id, variant.id, wish.get("sku", variant.sku), product.title, variant.title, product.vendor, quantity,
                    rounded(str(wish.get("price", variant.price)), shop.spec.currency))  # fmt: skip
    line.taxable, line.requires_shipping, line.grams = variant.taxable, variant.requires_shipping, variant.grams
    line.attributes, line.group, line.gift_card = attributes, wish.get("group"), product.gift_card
    return line


def _remove_units(order: Order, line: LineItem, quantity: int) -> None:
    if quantity > line.unfulfilled:
        raise Rejected("Fulfilled units cannot be removed.")
    net, tax = take(line, quantity, order.currency)
    line.removed += quantity
    order.removed_net += net
    order.removed_tax += tax


def _edit_body(shop: Shop, order: Order, added: list[tuple[int, int]], removed: list[tuple[int, int]]) -> dict[str, Any]:
    """The payload of orders/edited, which only hints at what changed."""
    number = shop.new_id("OrderEdit")
    return {
        "order_edit": {
            "id": number,
            "admin_graphql_api_id": gid("OrderEdit", number),
            "order_id": order.id,
            "app_id": None,
            "committed_at": shop.now().isoformat()[:19] + "Z",
            "line_items": {
                "additions": [{"id": line_id, "delta": delta} for line_id, delta in added],
                "removals": [{"id": line_id, "delta": delta} for line_id, delta in removed],
            },
            "notify_customer": False,
            "staff_note": "",
        }
    }


def _customer(shop: Shop, customer_id: int | None) -> Any:
    if customer_id is None:
        return None
    customer = shop.customers.get(customer_id)
    if customer is None:
        raise Missing(f"No customer {customer_id} in this shop.")
    return customer


def _contact(customer: Any, plain: dict[str, Any]) -> dict[str, Any]:
    _check(plain)
    if customer is None:
        return plain
    return {"email": customer.email, "phone": customer.phone, "locale": customer.locale, **plain}


def _check(plain: Mapping[str, Any]) -> None:
    unknown = plain.keys() - ORDER_FIELDS
    if unknown:
        raise Rejected(f"An order has no {sorted(unknown)}.")


def _rate(shop: Shop, currency: str) -> Decimal:
    if currency == shop.spec.currency:
        return Decimal(1)
    if currency not in shop.spec.rates:
        raise Rejected(f"The shop does not sell in {currency}.")
    return Decimal(str(shop.spec.rates[currency]))
