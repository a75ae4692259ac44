"""Orders as the shop keeps them, and every amount and status that follows from what happened to them.

Amounts are Decimal in shop currency, quantised to its units. ``quantity`` of a line is what was ordered; units that an edit
removed or a refund took back are counted beside it, with the net and tax that went with them.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from integrations.standins.shopify.money import Bag, rounded
from integrations.standins.shopify.people import Address, Metafield


@dataclass(slots=True)
class LineItem:
    """One line; ``allocations`` are (index of the discount application, amount of the whole line)."""

    id: int
    product_id: int | None
    variant_id: int | None
    sku: str | None
    title: str
    variant_title: str | None
    vendor: str | None
    quantity: int
    unit_price: Decimal
    allocations: list[tuple[int, Decimal]] = field(default_factory=list)
    # part of the allocations that belongs to this line alone, not to the whole order
    line_discount: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)
    taxable: bool = True
    requires_shipping: bool = True
    gift_card: bool = False
    grams: int = 400
    attributes: tuple[tuple[str, str], ...] = ()
    group: dict | None = None
    removed: int = 0
    refunded: int = 0
    # refunded units that will never be shipped
    cancelled: int = 0
    fulfilled: int = 0
    gone_net: Decimal = Decimal(0)
    gone_tax: Decimal = Decimal(0)

    @property
    def gross(self) -> Decimal:
        return self.unit_price * self.quantity

    @property
    def discount(self) -> Decimal:
        return sum((amount for _, amount in self.allocations), self.unit_price * 0)

    @property
    def net(self) -> Decimal:
        """After all discounts, all ordered units."""
        return self.gross - self.discount

    @property
    def current(self) -> int:
        return self.quantity - self.removed - self.refunded

    @property
    def unfulfilled(self) -> int:
        return max(0, self.quantity - self.removed - self.cancelled - self.fulfilled)


@dataclass(frozen=True, slots=True)
class Application:
    """A discount as granted: ``kind`` is code, manual or automatic; ``across`` the order or on one line."""

    index: int
    kind: str
    title: str
    value: Decimal
    percentage: bool
    across: bool = True


@dataclass(slots=True)
class Transaction:
    """A movement of money; kind and status in the API's upper case."""

    id: int
    kind: str
    status: str
    gateway: str
    amount: Decimal
    processed_at: datetime
    parent_id: int | None = None


@dataclass(frozen=True, slots=True)
class RefundLine:
    """Units taken back; ``subtotal`` is their net share, ``tax`` the tax on or in it."""

    id: int
    line_id: int
    quantity: int
    restock_type: str
    subtotal: Decimal
    tax: Decimal


@dataclass(slots=True)
class Refund:
    """One refund; ``discrepancy`` is what the lines and shipping come to less what was really paid back."""

    id: int
    created_at: datetime
    note: str | None
    lines: list[RefundLine]
    shipping: Decimal
    shipping_tax: Decimal
    discrepancy: Decimal
    transactions: list[Transaction]
    adjustment_id: int = 0
    shipping_line_id: int = 0

    @property
    def paid_back(self) -> Decimal:
        return sum((transaction.amount for transaction in self.transactions), self.discrepancy * 0)


@dataclass(slots=True)
class Fulfillment:
    """One parcel; ``lines`` are (fulfilment line id, line id, quantity)."""

    id: int
    name: str
    created_at: datetime
    updated_at: datetime
    lines: list[tuple[int, int, int]]
    company: str | None = None
    tracking: str | None = None
    url: str | None = None
    status: str = "SUCCESS"
    display_status: str = "FULFILLED"
    delivered_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Order:
    """An order; amounts that follow from its parts are properties."""

    id: int
    number: int
    created_at: datetime
    updated_at: datetime
    currency: str
    presentment_currency: str
    # presentment units per shop unit
    rate: Decimal
    taxes_included: bool
    tax_title: str
    tax_rate: Decimal
    lines: list[LineItem]
    shipping: Decimal
    shipping_tax: Decimal
    shipping_title: str | None = "Standard"
    applications: list[Application] = field(default_factory=list)
    customer_id: int | None = None
    email: str | None = None
    phone: str | None = None
    locale: str | None = "en"
    billing: Address | None = None
    shipping_address: Address | None = None
    client_ip: str | None = "203.0.113.7"
    user_agent: str | None = None
    source_name: str = "web"
    source_identifier: str | None = None
    landing_site: str | None = None
    referring_site: str | None = None
    tags: list[str] = field(default_factory=list)
    note: str | None = None
    attributes: tuple[tuple[str, str], ...] = ()
    cart_token: str | None = None
    checkout_token: str | None = None
    gateway: str = "shopify_payments"
    test: bool = False
    customer_index: int | None = None
    # when the visits that led to the order are known
    journey_ready_at: datetime | None = None
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None
    closed_at: datetime | None = None
    transactions: list[Transaction] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    fulfillments: list[Fulfillment] = field(default_factory=list)
    metafields: list[Metafield] = field(default_factory=list)
    # what edits took away: net of lines, and tax
    removed_net: Decimal = Decimal(0)
    removed_tax: Decimal = Decimal(0)
    indexed_at: float | None = None
    indexed_as: datetime | None = None

    @property
    def name(self) -> str:
        return f"#{self.number}"

    @property
    def zero(self) -> Decimal:
        return rounded(0, self.currency)

    @property
    def subtotal(self) -> Decimal:
        return sum((line.net for line in self.lines), self.zero)

    @property
    def discounts(self) -> Decimal:
        return sum((line.discount for line in self.lines), self.zero)

    @property
    def tax(self) -> Decimal:
        return sum((line.tax for line in self.lines), self.shipping_tax)

    @property
    def total(self) -> Decimal:
        """Before returns and removals."""
        return self.subtotal + self.shipping + self._on_top(self.tax)

    @property
    def refunded(self) -> Decimal:
        return sum((refund.paid_back for refund in self.refunds), self.zero)

    @property
    def refunded_shipping(self) -> Decimal:
        return sum((refund.shipping for refund in self.refunds), self.zero)

    @property
    def refund_lines(self) -> list[RefundLine]:
        return [line for refund in self.refunds for line in refund.lines]

    @property
    def current_total(self) -> Decimal:
        """After edits and refunds: lines − discounts + shipping + tax on top − refunds."""
        return self.total - self.removed_net - self._on_top(self.removed_tax) - self.refunded

    @property
    def current_subtotal(self) -> Decimal:
        return self.subtotal - self.removed_net - sum((line.subtotal for line in self.refund_lines), self.zero)

    @property
    def current_tax(self) -> Decimal:
        back = sum((line.tax for line in self.refund_lines), self.zero) + sum((refund.shipping_tax for refund in self.refunds), self.zero)
        return self.tax - self.removed_tax - back

    @property
    def paid(self) -> Decimal:
        received = (t.amount for t in self.transactions if t.kind in ("SALE", "CAPTURE") and t.status == "SUCCESS")
        return sum(received, self.zero)

    @property
    def outstanding(self) -> Decimal:
        """Still to be paid; negative when the shop owes the buyer."""
        return self.current_total - (self.paid - self.refunded)

    @property
    def financial_status(self) -> str:
        if self.cancelled_at is not None and not self.paid and self.total:
            return "VOIDED"
        if self.refunded:
            return "REFUNDED" if self.refunded >= self.paid else "PARTIALLY_REFUNDED"
        if self.outstanding <= 0:
            return "PAID"
        if self.paid:
            return "PARTIALLY_PAID"
        return "AUTHORIZED" if any(t.kind == "AUTHORIZATION" for t in self.transactions) else "PENDING"

    @property
    def fulfillment_status(self) -> str:
        shipped = sum(line.fulfilled for line in self.lines)
        left = sum(line.unfulfilled for line in self.lines)
        if shipped:
            return "PARTIALLY_FULFILLED" if left else "FULFILLED"
        return "RESTOCKED" if not left and any(line.cancelled for line in self.lines) else "UNFULFILLED"

    def line(self, line_id: int) -> LineItem:
        """The line with that id; raises ValueError."""
        for line in self.lines:
            if line.id == line_id:
                return line
        raise ValueError(f"Order {self.name} has no line {line_id}.")

    def bag(self, amount: Decimal) -> Bag:
        """An amount in both currencies."""
        text = str(amount)
        if self.presentment_currency == self.currency:
            return text, self.currency, text, self.currency
        return text, self.currency, str(rounded(amount * self.rate, self.presentment_currency)), self.presentment_currency

    def _on_top(self, tax: Decimal) -> Decimal:
        return self.zero if self.taxes_included else tax


@dataclass(frozen=True, slots=True)
class CheckoutLine:
    """One line of a checkout; prices are those of the moment it was put in."""

    id: int
    product_id: int
    variant_id: int
    sku: str | None
    title: str
    variant_title: str | None
    quantity: int
    unit_price: Decimal


@dataclass(slots=True, kw_only=True)
class AbandonedCheckout:
    """A checkout; recovered once ``completed_at`` is set."""

    id: int
    token: str
    cart_token: str
    created_at: datetime
    updated_at: datetime
    currency: str
    lines: list[CheckoutLine]
    email: str | None = None
    phone: str | None = None
    customer_id: int | None = None
    accepts_marketing: bool = False
    accepts_sms: bool = False
    locale: str = "en"
    discount_codes: tuple[str, ...] = ()
    discount: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)
    url: str = ""
    completed_at: datetime | None = None
    order_id: int | None = None
    indexed_at: float | None = None
    indexed_as: datetime | None = None

    @property
    def subtotal(self) -> Decimal:
        return sum((line.unit_price * line.quantity for line in self.lines), rounded(0, self.currency)) - self.discount

    def bag(self, amount: Decimal) -> Bag:
        """An amount in both currencies, which are the same here."""
        return str(amount), self.currency, str(amount), self.currency
