"""The order record: status, money, lines, people and parcels, with everything that came back or was cancelled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from integrations.platforms.base import Account, JsonObject
from integrations.platforms.commercetools.markets import markets_of, store_of
from integrations.platforms.commercetools.parse.amounts import LineAmounts, order_amounts, shipments_of
from integrations.platforms.commercetools.parse.customer import taken
from integrations.platforms.commercetools.parse.money import ZERO, currency_of, money
from integrations.platforms.commercetools.parse.returns import Aftersales, Back, aftersales_of, payments_of, transactions_of
from integrations.platforms.commercetools.parse.values import (
    address_of,
    custom_fields,
    key_of,
    locales_of,
    localised,
    moment,
    needed_moment,
    reference,
)
from integrations.platforms.values import child, need, rows, text
from mapping.records import Address, Checkout, CustomerRef, Fulfilment, Line, Order, OrderStatus, Record, Totals

CANCELLED = "Cancelled"  # of orderState; shipmentState spells it with one l
SHIPPED: Mapping[str, OrderStatus] = {
    "Delivered": OrderStatus.COMPLETE,
    "Shipped": OrderStatus.SHIPPED,
    "Partial": OrderStatus.PARTIALLY_SHIPPED,
}
PAID: Mapping[str, OrderStatus] = {
    "Paid": OrderStatus.PAID,
    "CreditOwed": OrderStatus.PAID,
    "BalanceDue": OrderStatus.PENDING,
    "Pending": OrderStatus.PENDING,
    "Failed": OrderStatus.PENDING,
}
STATES: Mapping[str, OrderStatus] = {"Confirmed": OrderStatus.PAID, "Open": OrderStatus.PENDING}  # where nothing is said of payment
CHANNELS: Mapping[str, str] = {"Customer": "online", "": "online", "RecurringOrder": "subscription"}
PLAIN = {"anonymous_id": "anonymousId", "order_state": "orderState", "payment_state": "paymentState", "shipment_state": "shipmentState",
         "origin": "origin", "purchase_order_number": "purchaseOrderNumber", "locale": "locale", "country": "country"}  # fmt: skip
MOST_OPTIONS = 10  # of a line


def parse_order(account: Account, raw: JsonObject) -> Sequence[Record]:
    """The order, and the checkout it came from as recovered; none of a store that the connection leaves out."""
    store = reference(raw, "store")
    if not taken(account, [store] if store else []):
        key_of(raw)
        return ()
    order = order_of(account, raw)
    cart = reference(raw, "cart")
    if not cart:
        return (order,)
    return (
        order,
        Checkout(
            key=cart, occurred_at=order.occurred_at, customer=order.customer, completed_at=order.placed_at, currency=order.currency,
            total=order.totals.total,
        ),
    )  # fmt: skip


def order_of(account: Account, raw: JsonObject) -> Order:
    """The order; its amounts add up to the penny. Raises Unparsable without id, times or amounts."""
    currency = currency_of(need(raw, "totalPrice"))
    amounts = order_amounts(raw, currency)
    after = aftersales_of(raw, amounts.lines, amounts.totals.total, currency)
    cancelled = text(raw, "orderState") == CANCELLED
    totals = _totals(amounts.totals, after, cancelled=cancelled)
    country = text(raw, "country") or text(child(raw, "shippingAddress"), "country")
    return Order(
        key=key_of(raw),
        occurred_at=newest(raw),
        number=text(raw, "orderNumber"),
        status=_status(raw, totals, after, currency),
        placed_at=needed_moment(raw, "completedAt", "createdAt"),
        cancelled_at=needed_moment(raw, "lastModifiedAt") if cancelled else None,
        currency=currency,
        local_currency=currency,
        totals=totals,
        customer=customer_ref(raw),
        lines=tuple(
            line_of(line, locales_of(account, raw), after.by_line.get(line.key, Back()), cancelled=cancelled) for line in amounts.lines
        ),
        refunds=after.refunds,
        fulfilments=tuple(_fulfilments(raw)),
        shipping_address=address_of(raw.get("shippingAddress")) or _first_address(raw),
        billing_address=address_of(raw.get("billingAddress")),
        coupon_codes=tuple(filter(None, (text(child(code, "discountCode", "obj"), "code") for code in rows(raw, "discountCodes")))),
        payment_method=_payment_method(raw),
        shipping_method=next((name for shipment in shipments_of(raw) if (name := text(shipment, "shippingMethodName"))), ""),
        channel=CHANNELS.get(text(raw, "origin"), text(raw, "origin").lower()),
        store=store_of(markets_of(account.settings), reference(raw, "store"), country, currency),
        checkout_key=reference(raw, "cart"),
        attributes=_attributes(account, raw),
    )


def newest(raw: JsonObject) -> datetime:
    """When the order or one of its payments changed last: a payment's change leaves its order as it was."""
    parts = (moment(payment, "lastModifiedAt") for payment in payments_of(raw))
    return max([needed_moment(raw, "lastModifiedAt"), *(time for time in parts if time)])


def customer_ref(raw: JsonObject) -> CustomerRef:
    """Who an order or a cart belongs to: the customer with the address given there; of a guest only what is given there."""
    person = address_of(raw.get("billingAddress")) or address_of(raw.get("shippingAddress")) or _first_address(raw) or Address()
    phones = (address_of(raw.get(name)) for name in ("billingAddress", "shippingAddress"))
    return CustomerRef(
        key=text(raw, "customerId"),
        email=text(raw, "customerEmail"),
        phone=next((address.phone for address in phones if address and address.phone), ""),
        first_name=person.first_name,
        last_name=person.last_name,
    )


def line_of(line: LineAmounts, locales: Sequence[str], back: Back, *, cancelled: bool = False) -> Line:
    """One line; custom lines (fees, wrapping) have their slug for a product. Of a cancelled order what was not given back is cancelled."""
    variant = child(line.raw, "variant")
    return Line(
        key=line.key,
        sku=text(variant, "sku").strip(),
        product_key=f"custom:{text(line.raw, 'slug', 'key') or line.key}" if line.custom else text(line.raw, "productId"),
        variant_key=text(variant, "sku").strip(),
        title=localised(line.raw.get("name"), locales),
        quantity=line.quantity,
        unit_price=line.unit,
        subtotal=line.subtotal,
        discount=line.discount,
        tax=line.tax,
        total=line.total,
        refunded_quantity=back.units,
        refunded_amount=back.amount,
        cancelled_quantity=max(0, line.quantity - back.units) if cancelled else 0,
        cancelled_amount=line.total - back.amount if cancelled else ZERO,
        options=dict(_options(variant, locales)),
    )


def _options(variant: JsonObject, locales: Sequence[str]) -> list[tuple[str, str]]:
    """What a buyer chose: the attributes of the variant with a value out of an enumeration, at most ten."""
    enums = [(text(entry, "name"), entry.get("value")) for entry in rows(variant, "attributes")]
    found = [
        (name, localised(value.get("label"), locales) or text(value, "key"))
        for name, value in enums
        if name and isinstance(value, dict) and "key" in value and "label" in value
    ]
    return found[:MOST_OPTIONS]


def _totals(before: Totals, after: Aftersales, *, cancelled: bool) -> Totals:
    gone = max(ZERO, before.total - after.refunded) if cancelled else ZERO
    return Totals(
        subtotal=before.subtotal,
        discount=before.discount,
        shipping=before.shipping,
        tax=before.tax,
        other=before.other,
        total=before.total,
        refunded=after.refunded,
        refund_other=after.beside,
        cancelled=gone,
        net=before.total - after.refunded - gone,
    )


def _status(raw: JsonObject, totals: Totals, after: Aftersales, currency: str) -> OrderStatus:
    """Cancellation first, then money given back, then where the goods are, then whether it is paid."""
    state = text(raw, "orderState")
    if state == CANCELLED:
        return OrderStatus.CANCELLED
    if after.refunded > 0:
        return OrderStatus.REFUNDED if after.refunded >= totals.total else OrderStatus.PARTIALLY_REFUNDED
    if state == "Complete":
        return OrderStatus.COMPLETE
    shipped = SHIPPED.get(text(raw, "shipmentState"))
    if shipped is not None:
        return shipped
    if text(raw, "paymentState") in PAID:
        return PAID[text(raw, "paymentState")]
    if totals.total == 0:  # nothing to pay
        return OrderStatus.PAID
    if payments_of(raw):
        charged = sum((money(entry["amount"]) for _, entry in transactions_of(raw, currency, "Charge")), ZERO)
        return OrderStatus.PAID if charged >= totals.total else OrderStatus.PENDING
    return STATES.get(state, OrderStatus.UNKNOWN)


def _fulfilments(raw: JsonObject) -> Iterator[Fulfilment]:
    """One shipment per parcel that does not come back, or per delivery where no parcel is named."""
    arrived = text(raw, "shipmentState") == "Delivered"
    for delivery in (entry for shipment in shipments_of(raw) for entry in rows(shipment, "deliveries")):
        parcels = [parcel for parcel in rows(delivery, "parcels") if not child(parcel, "trackingData").get("isReturn")]
        for entry in parcels or [delivery] * (not rows(delivery, "parcels")):
            tracking = child(entry, "trackingData")
            yield Fulfilment(
                key=key_of(entry),
                status="delivered" if arrived else "shipped",
                shipped_at=_shipped_at(entry, delivery, raw),
                carrier=text(tracking, "carrier", "provider"),
                tracking_number=text(tracking, "trackingId"),
            )


def _shipped_at(entry: JsonObject, delivery: JsonObject, raw: JsonObject) -> datetime:
    return moment(entry, "createdAt") or moment(delivery, "createdAt") or needed_moment(raw, "lastModifiedAt")


def _first_address(raw: JsonObject) -> Address | None:
    """Where the first shipment goes, of an order that goes to several places."""
    listed = [*(entry.get("shippingAddress") for entry in rows(raw, "shipping")), *rows(raw, "itemShippingAddresses")]
    return next((found for found in map(address_of, listed) if found is not None), None)


def _payment_method(raw: JsonObject) -> str:
    infos = (child(payment, "paymentMethodInfo") for payment in payments_of(raw))
    return next((method for info in infos if (method := text(info, "method", "paymentInterface"))), "")


def _attributes(account: Account, raw: JsonObject) -> dict[str, object]:
    """Facts by name, custom fields as "custom.<name>"; only what is there."""
    found: dict[str, object] = {name: said for name, field in PLAIN.items() if (said := text(raw, field))}
    group = reference(raw, "customerGroup")
    if group:
        found["customer_group"] = group
    store = reference(raw, "store")
    if store:
        found["store_key"] = store
    return {**found, "version": raw.get("version"), **custom_fields(raw, locales_of(account, raw))}
