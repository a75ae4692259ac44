"""Cancellations and returns as the shop keeps them; amounts are whole minor units, times are Unix seconds."""

from dataclasses import dataclass, field

PENDING, SUCCESS, WITHDRAWN, COMPLETE = (
    "CANCELLATION_REQUEST_PENDING", "CANCELLATION_REQUEST_SUCCESS", "CANCELLATION_REQUEST_CANCEL", "CANCELLATION_REQUEST_COMPLETE",
)  # fmt: skip
CANCEL_STATUSES = (PENDING, SUCCESS, WITHDRAWN, COMPLETE)

RETURN_PENDING, RETURN_SUCCESS = "RETURN_OR_REFUND_REQUEST_PENDING", "RETURN_OR_REFUND_REQUEST_SUCCESS"
RETURN_REJECTED, RETURN_WITHDRAWN = "REFUND_OR_RETURN_REQUEST_REJECT", "RETURN_OR_REFUND_REQUEST_CANCEL"
RETURN_COMPLETE = "RETURN_OR_REFUND_REQUEST_COMPLETE"
AWAITING_BUYER_RESPONSE, AWAITING_BUYER_SHIP = "AWAITING_BUYER_RESPONSE", "AWAITING_BUYER_SHIP"
BUYER_SHIPPED_ITEM, REJECT_RECEIVE_PACKAGE = "BUYER_SHIPPED_ITEM", "REJECT_RECEIVE_PACKAGE"
REPLACEMENT, EXCHANGE = "REPLACEMENT_REQUEST_", "EXCHANGE_REQUEST_"

FIRST_STATUS = {
    "REFUND": RETURN_PENDING,
    "RETURN_AND_REFUND": RETURN_PENDING,
    "REPLACEMENT": REPLACEMENT + "PENDING",
    "EXCHANGE": EXCHANGE + "PENDING",
}
# the ways a request may go on
NEXT: dict[str, frozenset[str]] = {
    RETURN_PENDING: frozenset({AWAITING_BUYER_RESPONSE, AWAITING_BUYER_SHIP, RETURN_SUCCESS, RETURN_REJECTED, RETURN_WITHDRAWN}),
    AWAITING_BUYER_RESPONSE: frozenset({RETURN_SUCCESS, RETURN_PENDING, RETURN_WITHDRAWN}),
    AWAITING_BUYER_SHIP: frozenset({BUYER_SHIPPED_ITEM, RETURN_WITHDRAWN}),
    BUYER_SHIPPED_ITEM: frozenset({RETURN_SUCCESS, REJECT_RECEIVE_PACKAGE}),
    REJECT_RECEIVE_PACKAGE: frozenset({RETURN_SUCCESS, RETURN_REJECTED}),
    RETURN_SUCCESS: frozenset({RETURN_COMPLETE}),
    REPLACEMENT + "PENDING": frozenset(REPLACEMENT + end for end in ("REJECT", "CANCEL", "COMPLETE", "REFUND_SUCCESS")),
    EXCHANGE + "PENDING": frozenset(EXCHANGE + end for end in ("CANCEL", "COMPLETE", "REFUND_SUCCESS")),
}
REFUNDED = frozenset({RETURN_COMPLETE, REPLACEMENT + "REFUND_SUCCESS", EXCHANGE + "REFUND_SUCCESS"})
RETURN_STATUSES = frozenset(NEXT) | frozenset().union(*NEXT.values())


@dataclass(frozen=True, slots=True)
class Refund:
    """Money going back: goods, shipping, tax, and the fee for delivery."""

    subtotal: int = 0
    shipping: int = 0
    tax: int = 0
    delivery_fee: int = 0

    @property
    def total(self) -> int:
        return self.subtotal + self.shipping + self.tax + self.delivery_fee


@dataclass(frozen=True, slots=True)
class Part:
    """One order line in a request and what it is to give back."""

    id: str
    line_id: str
    refund: Refund


@dataclass(slots=True)
class Cancellation:
    """A wish to undo an order, or lines of it, before shipment."""

    id: str
    order_id: str
    type: str
    status: str
    role: str
    reason: str
    create_time: int
    update_time: int
    parts: list[Part]
    refund: Refund
    deadline: int = 0


@dataclass(slots=True)
class Return:
    """A wish for money, a replacement or an exchange after shipment."""

    id: str
    order_id: str
    type: str
    status: str
    role: str
    reason: str
    create_time: int
    update_time: int
    parts: list[Part]
    refund: Refund
    tracking_number: str = ""
    previous_id: str = ""
    next_id: str = ""
    # what the seller offered instead, in minor units
    offer: int | None = None
    offer_refused: bool = False
    history: list[tuple[int, str]] = field(default_factory=list)
