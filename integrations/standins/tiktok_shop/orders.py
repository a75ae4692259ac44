"""Orders as the shop keeps them; amounts are whole minor units, times are Unix seconds."""

from dataclasses import dataclass, field

BY_SELLER, BY_TIKTOK = "FULFILLMENT_BY_SELLER", "FULFILLMENT_BY_TIKTOK"
UNPAID, ON_HOLD, AWAITING_SHIPMENT = "UNPAID", "ON_HOLD", "AWAITING_SHIPMENT"
PARTIALLY_SHIPPING, AWAITING_COLLECTION, IN_TRANSIT = "PARTIALLY_SHIPPING", "AWAITING_COLLECTION", "IN_TRANSIT"
DELIVERED, COMPLETED, CANCELLED = "DELIVERED", "COMPLETED", "CANCELLED"
ORDER_STATUSES = (
    UNPAID, ON_HOLD, AWAITING_SHIPMENT, PARTIALLY_SHIPPING, AWAITING_COLLECTION, IN_TRANSIT, DELIVERED, COMPLETED, CANCELLED,
)  # fmt: skip
ORDER_TYPES = ("NORMAL", "ZERO_LOTTERY", "AUCTION", "PRE_ORDER", "MADE_TO_ORDER", "BACK_ORDER", "VIRTUAL_ORDER", "")


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who gets the parcel, perhaps not the buyer; ``phone`` is E.164 or empty."""

    first_name: str
    last_name: str
    phone: str = ""
    address_line1: str = "1 Test Street"
    postal_code: str = "N1 1AA"
    city: str = "London"


@dataclass(frozen=True, slots=True)
class Buyer:
    """A person behind a user id; ``email`` is real and normally empty, because the platform shows an alias per order."""

    user_id: str
    nickname: str
    recipient: Recipient
    email: str = ""


@dataclass(frozen=True, slots=True)
class Component:
    """One part of a bundle: so many units for each bundle; ``price`` is its list price."""

    sku_id: str
    seller_sku: str
    product_id: str
    product_name: str
    sku_name: str
    count: int
    price: int


@dataclass(frozen=True, slots=True)
class Sku:
    """What a line sells: one variant as the catalogue had it when the order was placed."""

    id: str
    seller_sku: str
    product_id: str
    product_name: str
    name: str
    price: int
    image: str = ""
    components: tuple[Component, ...] = ()


@dataclass(slots=True)
class SubItem:
    """One unit of a bundle's component, with its share of the bundle's prices."""

    id: str
    component: Component
    original: int
    seller_discount: int
    platform_discount: int

    @property
    def sale(self) -> int:
        return self.original - self.seller_discount - self.platform_discount


@dataclass(slots=True)
class Line:
    """One unit of one SKU."""

    id: str
    sku: Sku
    original: int
    seller_discount: int
    platform_discount: int
    status: str
    tax: int = 0
    is_gift: bool = False
    room_id: str = ""
    sub_items: tuple[SubItem, ...] = ()
    package_id: str = ""
    tracking_number: str = ""
    cancel_reason: str = ""
    cancel_user: str = ""
    # given back so far, and asked back in a request that is still open
    refunded: int = 0
    claimed: int = 0

    @property
    def sale(self) -> int:
        """What the buyer pays for the unit, before tax on top."""
        return self.original - self.seller_discount - self.platform_discount

    @property
    def refundable(self) -> int:
        """What may still be asked back, tax on top included."""
        return self.sale + self.tax - self.refunded - self.claimed


@dataclass(slots=True)
class Shipping:
    """The shipping charge and who pays for its discounts."""

    original: int = 0
    seller_discount: int = 0
    platform_discount: int = 0
    tax: int = 0
    delivery_fee: int = 0
    refunded: int = 0

    @property
    def fee(self) -> int:
        return self.original - self.seller_discount - self.platform_discount


@dataclass(slots=True)
class Order:
    """One order; ``released`` says that its hold is over, so that it shows an address."""

    id: str
    buyer: Buyer
    recipient: Recipient
    status: str
    create_time: int
    update_time: int
    lines: list[Line]
    shipping: Shipping
    order_type: str = "NORMAL"
    fulfillment_type: str = BY_SELLER
    shipping_type: str = "SELLER"
    warehouse_id: str = ""
    paid_time: int = 0
    rts_time: int = 0
    delivery_time: int = 0
    cancel_time: int = 0
    request_cancel_time: int = 0
    released: bool = False
    is_on_hold_order: bool = True
    is_buyer_request_cancel: bool = False
    is_sample_order: bool = False
    is_gift_order: bool = False
    replaced_order_id: str = ""
    exchange_source_order_id: str = ""
    has_updated_recipient_address: bool = False
    cancel_reason: str = ""
    cancellation_initiator: str = ""
    payment_method_name: str = "Visa"
    buyer_message: str = ""
    status_before: str = ""
    status_changed: float = 0.0
    shown: tuple[object, bytes] | None = field(default=None, repr=False)

    @property
    def sub_total(self) -> int:
        return sum(line.sale for line in self.lines)

    @property
    def tax(self) -> int:
        return sum(line.tax for line in self.lines) + self.shipping.tax

    @property
    def total(self) -> int:
        return self.sub_total + self.shipping.fee + self.tax + self.shipping.delivery_fee

    def line(self, line_id: str) -> Line:
        """A line by id; raises KeyError."""
        for line in self.lines:
            if line.id == line_id:
                return line
        raise KeyError(line_id)
