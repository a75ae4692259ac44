"""Neutral records: what moves between platforms, one frozen value per business object and source version.

Money is Decimal in the currency's own units, times are aware UTC, keys are strings as the source writes them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

ZERO = Decimal(0)


class RecordType(StrEnum):
    """The kinds of record a flow may carry."""

    CUSTOMER = "customer"
    ORDER = "order"
    PRODUCT = "product"
    VARIANT = "variant"
    CHECKOUT = "checkout"
    EVENT = "event"
    FIGURES = "figures"
    CONSENT = "consent"


class OrderStatus(StrEnum):
    """One vocabulary for the state of an order on every platform."""

    PENDING = "pending"
    PAID = "paid"
    PARTIALLY_SHIPPED = "partially_shipped"
    SHIPPED = "shipped"
    COMPLETE = "complete"
    CANCELLED = "cancelled"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    UNKNOWN = "unknown"


class ConsentState(StrEnum):
    """What is known about one channel of a person; unknown means never asked and is neither yes nor no.

    Suppressed: nothing may be sent there, whatever the person said (the address bounces, a complaint, an erasure).
    """

    GRANTED = "granted"
    WITHDRAWN = "withdrawn"
    UNKNOWN = "unknown"
    SUPPRESSED = "suppressed"


class EventRole(StrEnum):
    """What an event does besides being told: it says only who a visitor is (and is not sent), or it ends the person's open checkouts."""

    PLAIN = ""
    IDENTITY = "identity"
    PURCHASE = "purchase"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Base of every record: its key at the source and the source's own version time (aware UTC)."""

    record_type: ClassVar[RecordType]
    key: str
    occurred_at: datetime
    removed: bool = False  # the source deleted the object; writers deactivate or erase what they hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A postal address; country is ISO 3166-1 alpha-2, empty strings where the source has nothing."""

    first_name: str = ""
    last_name: str = ""
    company: str = ""
    line1: str = ""
    line2: str = ""
    city: str = ""
    region: str = ""
    postcode: str = ""
    country: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """One statement about one channel ("email" or "sms") as the source holds it; `explicit` = a dated act of the person.

    `policy` = which text or way of asking the person agreed to. `forced` is set by the consent ledger alone: the destination is to hold
    this statement against whatever it holds now.
    """

    channel: str
    state: ConsentState
    stated_at: datetime | None = None
    source: str = ""
    explicit: bool = False
    policy: str = ""
    forced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRef:
    """Who an order, a checkout or an event belongs to; an empty key is a guest."""

    key: str = ""
    email: str = ""
    phone: str = ""
    first_name: str = ""
    last_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer(Record):
    """A person at the source. `attributes` are flat: "metafield.<namespace>.<key>" and platform facts by name.

    `partial`: the source shows only part of the person, so an empty field says nothing and what is known already stays.
    """

    record_type: ClassVar[RecordType] = RecordType.CUSTOMER
    email: str = ""
    phone: str = ""
    first_name: str = ""
    last_name: str = ""
    country: str = ""
    locale: str = ""
    created_at: datetime | None = None
    tags: tuple[str, ...] = ()
    addresses: tuple[Address, ...] = ()  # the default address first
    consents: tuple[Consent, ...] = ()
    attributes: dict[str, object] = field(default_factory=dict)
    merged_into: str = ""  # key of the customer that took this one over
    partial: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LineComponent:
    """What one unit of a bundle line is made of; `price` is that of a single component, None where the source does not say."""

    sku: str
    product_key: str = ""
    variant_key: str = ""
    quantity: int = 1
    price: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One order line, all amounts without tax except `total`, `refunded_amount` and `cancelled_amount`.

    total = subtotal - discount + tax. Refunded = money given back; cancelled = removed before payment or shipment without money.
    Both are cumulative and positive, and `quantity` never shrinks.
    """

    key: str
    sku: str = ""
    product_key: str = ""
    variant_key: str = ""
    title: str = ""
    variant_title: str = ""
    quantity: int = 1
    unit_price: Decimal = ZERO
    subtotal: Decimal = ZERO
    discount: Decimal = ZERO
    tax: Decimal = ZERO
    total: Decimal = ZERO
    refunded_quantity: int = 0
    refunded_amount: Decimal = ZERO
    cancelled_quantity: int = 0
    cancelled_amount: Decimal = ZERO
    bundle_sku: str = ""  # set on components of an exploded bundle
    options: dict[str, str] = field(default_factory=dict)
    components: tuple[LineComponent, ...] = ()  # of a bundle that the source itself knows as one


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundLine:
    """Units of one order line inside a refund; `amount` includes tax."""

    line_key: str
    quantity: int
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money given back for an order; `amount` is the sum of the transactions, zero for units released without money."""

    key: str
    refunded_at: datetime
    amount: Decimal
    lines: tuple[RefundLine, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fulfilment:
    """One shipment of an order."""

    key: str
    status: str
    shipped_at: datetime
    delivered_at: datetime | None = None
    carrier: str = ""
    tracking_number: str = ""
    tracking_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Sums of an order in one currency, without tax where not named.

    total = subtotal - discount + shipping + tax + other; net = total - refunded - cancelled.
    `other` holds tips, duties and roundings; `refund_other` is the part of `refunded` that belongs to no line.
    """

    subtotal: Decimal = ZERO
    discount: Decimal = ZERO
    shipping: Decimal = ZERO
    tax: Decimal = ZERO
    other: Decimal = ZERO
    total: Decimal = ZERO
    refunded: Decimal = ZERO
    refund_other: Decimal = ZERO
    cancelled: Decimal = ZERO
    net: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Order(Record):
    """An order with everything that ever happened to it; amounts in the shop's currency, `local` totals in the buyer's."""

    record_type: ClassVar[RecordType] = RecordType.ORDER
    number: str = ""
    status: OrderStatus = OrderStatus.UNKNOWN
    placed_at: datetime
    cancelled_at: datetime | None = None
    cancel_reason: str = ""
    currency: str
    local_currency: str = ""
    totals: Totals
    local_totals: Totals | None = None
    customer: CustomerRef = CustomerRef()
    lines: tuple[Line, ...] = ()
    refunds: tuple[Refund, ...] = ()
    fulfilments: tuple[Fulfilment, ...] = ()
    shipping_address: Address | None = None
    billing_address: Address | None = None
    coupon_codes: tuple[str, ...] = ()
    payment_method: str = ""
    shipping_method: str = ""
    channel: str = ""
    store: str = ""
    checkout_key: str = ""
    ip_address: str = ""
    test: bool = False
    tags: tuple[str, ...] = ()
    attributes: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one market pays; `sale` is set only while lower than `regular`. `title` and `url` are set where the market has its own."""

    market: str  # ISO country or store handle; empty = the shop's base price
    currency: str
    regular: Decimal
    sale: Decimal | None = None
    title: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    """One thing that goods can be sorted by, beside categories, brand, kind and tags: kind "colour", key "black", label "Schwarz"."""

    kind: str
    key: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant(Record):
    """A sellable unit of a product, with the facts of its parent that destinations ask for."""

    record_type: ClassVar[RecordType] = RecordType.VARIANT
    product_key: str
    sku: str = ""
    title: str = ""
    product_title: str = ""
    barcode: str = ""
    options: dict[str, str] = field(default_factory=dict)
    prices: tuple[Price, ...] = ()
    in_stock: bool = True
    active: bool = True
    url: str = ""
    image_url: str = ""
    facets: tuple[Facet, ...] = ()
    attributes: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Product(Record):
    """A product page. `prices` are the lowest of its variants per market."""

    record_type: ClassVar[RecordType] = RecordType.PRODUCT
    title: str = ""
    description: str = ""
    handle: str = ""
    url: str = ""
    image_url: str = ""
    images: tuple[str, ...] = ()
    vendor: str = ""
    product_type: str = ""
    tags: tuple[str, ...] = ()
    categories: dict[str, str] = field(default_factory=dict)  # id -> label
    facets: tuple[Facet, ...] = ()  # of all its variants
    prices: tuple[Price, ...] = ()
    skus: tuple[str, ...] = ()
    in_stock: bool = True
    active: bool = True
    attributes: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout(Record):
    """A checkout that was begun; abandoned when nothing completes it until `not_before`, recovered when `completed_at` is set."""

    record_type: ClassVar[RecordType] = RecordType.CHECKOUT
    customer: CustomerRef = CustomerRef()
    visitor: str = ""  # the source's id of a browser whose person may still be unknown
    completed_at: datetime | None = None
    not_before: datetime | None = None  # earliest moment at which it may be called abandoned
    url: str = ""
    currency: str = ""
    total: Decimal = ZERO
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(Record):
    """Something a person or an order did; every event has its own key and never collapses with another."""

    record_type: ClassVar[RecordType] = RecordType.EVENT
    name: str
    customer: CustomerRef = CustomerRef()
    visitor: str = ""  # the source's id of a browser whose person may still be unknown
    role: EventRole = EventRole.PLAIN
    properties: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures(Record):
    """What the source counted for one day, of nobody in particular; key "<subject>:<day>", amounts in `currency`.

    `subject` is "shop" or "product:<id>", `day` an ISO date in the shop's time zone.
    """

    record_type: ClassVar[RecordType] = RecordType.FIGURES
    subject: str
    day: str
    currency: str = ""
    values: dict[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentChange(Record):
    """What a person said about being written to, without the rest of the person.

    From a source, `key` is the person's key there (Ometria: the profile id) and `customer_key` the customer id it knows the person by.
    On its way to a destination it comes from the consent ledger: one channel, and `customer_key` is the person's key at the destination,
    empty where that is not known.
    """

    record_type: ClassVar[RecordType] = RecordType.CONSENT
    email: str = ""
    phone: str = ""
    customer_key: str = ""
    consents: tuple[Consent, ...] = ()
    decided_at: datetime | None = None  # by the ledger


RECORD_CLASSES: dict[RecordType, type[Record]] = {
    cls.record_type: cls for cls in (Customer, Order, Product, Variant, Checkout, Event, Figures, ConsentChange)
}
