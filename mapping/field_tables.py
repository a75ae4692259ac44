"""The tables behind the field registry: one tuple of groups per record type, and how each list is read."""

from __future__ import annotations

from operator import attrgetter, itemgetter

from mapping import computed
from mapping.field_shapes import Elements, Getter, Group, Row
from mapping.records import ConsentState, RecordType

SAMPLE_TIME = "2026-01-08T14:03:11Z"
VISITOR = "5f0c2f8e-3d41-4a55-9b7e-8f1d6f0f7a21"


# --- lists: how the entries of each are read ---------------------------------------------------------------------------

_lines, _options, _tags = attrgetter("lines"), computed.pairs("options"), attrgetter("tags")
LISTS: dict[RecordType, dict[str, Elements]] = {
    RecordType.CUSTOMER: {"tags": _tags, "addresses": attrgetter("addresses"), "consents": attrgetter("consents")},
    RecordType.ORDER: {
        "lines": _lines, "lines[].options": _options, "tags": _tags, "coupon_codes": attrgetter("coupon_codes"),
        "refunds": attrgetter("refunds"), "fulfilments": attrgetter("fulfilments"),
    },
    RecordType.PRODUCT: {
        "tags": _tags, "images": attrgetter("images"), "skus": attrgetter("skus"), "categories": computed.pairs("categories"),
        "facets": computed.facets, "prices": computed.market_prices,
    },
    RecordType.VARIANT: {"options": _options, "prices": computed.market_prices, "facets": computed.own_facets},
    RecordType.CHECKOUT: {"lines": _lines, "lines[].options": _options},
    RecordType.EVENT: {},
    RecordType.FIGURES: {},
    RecordType.CONSENT: {"consents": attrgetter("consents")},
}  # fmt: skip


# --- rows shared by several record types -------------------------------------------------------------------------------

RECORD = Group("Record", (
    Row("key", "Id at the source", "string", "7001"),
    Row("occurred_at", "Last change at the source", "datetime", SAMPLE_TIME),
    Row("removed", "Deleted at the source (empty while it exists)", "boolean", True, computed.removed),
))  # fmt: skip

ADDRESS = (
    Row("first_name", "First name", "string", "Ada"), Row("last_name", "Last name", "string", "Byron"),
    Row("company", "Company", "string", "Example Ltd"), Row("line1", "Street", "string", "1 High Street"),
    Row("line2", "Street, second line", "string", "Flat 2"), Row("city", "City", "string", "Leeds"),
    Row("region", "Region", "string", "West Yorkshire"), Row("postcode", "Postcode", "string", "LS1 4AP"),
    Row("country", "Country (ISO 3166-1)", "string", "GB"), Row("phone", "Phone", "string", "+447700900123"),
)  # fmt: skip

CUSTOMER_REF = Group("Customer", (
    Row("customer.key", "Customer id", "string", "7001"), Row("customer.email", "Customer e-mail", "string", "ada@example.com"),
    Row("customer.phone", "Customer phone", "string", "+447700900123"), Row("customer.first_name", "Customer first name", "string", "Ada"),
    Row("customer.last_name", "Customer last name", "string", "Byron"),
))  # fmt: skip

LINE = (
    Row("key", "Line id", "string", "466157049"), Row("sku", "SKU", "string", "TEE-RED-M"),
    Row("product_key", "Product id", "string", "632910392"), Row("variant_key", "Variant id", "string", "808950810"),
    Row("title", "Title", "string", "Linen shirt"), Row("variant_title", "Variant title", "string", "Red / M"),
    Row("quantity", "Quantity ordered", "integer", 2),
    Row("unit_price", "Unit price without tax", "money", "25.00", currency="currency"),
    Row("subtotal", "Subtotal before discount, without tax", "money", "50.00", currency="currency"),
    Row("discount", "Discount (positive)", "money", "5.00", currency="currency"),
    Row("tax", "Tax", "money", "9.00", currency="currency"),
    Row("total", "Total with tax", "money", "54.00", currency="currency"),
    Row("refunded_quantity", "Units refunded so far", "integer", 1),
    Row("refunded_amount", "Money refunded so far", "money", "27.00", currency="currency"),
    Row("cancelled_quantity", "Units cancelled so far", "integer", 0),
    Row("cancelled_amount", "Value of cancelled units", "money", "0.00", currency="currency"),
    Row("bundle_sku", "SKU of the bundle it came from", "string", "BUNDLE-1"),
)  # fmt: skip

OPTION = (Row("name", "Option name", "string", "Size", itemgetter(0)), Row("value", "Option value", "string", "M", itemgetter(1)))

TOTALS = tuple(
    Row(name, label, "money", sample, computed.shipping_and_other if name == "shipping_and_other" else None)
    for name, label, sample in (
        ("subtotal", "Subtotal before discount, without tax", "50.00"), ("discount", "Discount (positive)", "5.00"),
        ("shipping", "Shipping without tax", "4.00"), ("tax", "Tax", "9.00"), ("other", "Tips, duties and roundings", "0.00"),
        ("total", "Grand total", "58.00"), ("refunded", "Refunded so far", "27.00"), ("refund_other", "Refunded without a line", "0.00"),
        ("cancelled", "Cancelled without money", "0.00"),
        ("shipping_and_other", "Shipping, tips, duties and roundings", "4.00"), ("net", "Net after refunds and cancellations", "31.00"),
    )
)  # fmt: skip


def _totals(label: str, prefix: str, *, currency: str, read: str, only_if: Getter | None = None) -> Group:
    path = attrgetter(read) if only_if is None else (lambda order: order.totals if only_if(order) is not None else None)
    rows = tuple(Row(row.path, row.label, "money", row.sample, row.get, currency) for row in TOTALS)
    return Group(label, rows, prefix, path)


def _under(prefix: str, rows: tuple[Row, ...], label: str) -> Group:
    return Group(label, rows, prefix)


PRICE = (
    Row("market", "Market", "string", "GB", lambda pair: pair[1].market),
    Row("store", "Store of the listing", "string", "shop/gb", itemgetter(0)),
    Row("currency", "Currency", "string", "GBP", lambda pair: pair[1].currency),
    Row("regular", "Regular price", "money", "25.00", lambda pair: pair[1].regular, currency="prices[].currency"),
    Row("sale", "Sale price (empty when not on sale)", "money", "20.00", lambda pair: pair[1].sale, currency="prices[].currency"),
    Row("title", "Title in the language of the market", "string", "Leinenhemd", computed.market_title),
    Row("url", "Page of the market", "string", "https://shop.example.com/de/leinenhemd", computed.market_url),
)  # fmt: skip

FACET = (
    Row("type", "Facet (category, brand, product_type, tag, or an attribute's name)", "string", "brand", itemgetter(0)),
    Row("id", "Facet id", "string", "acme", itemgetter(1)), Row("label", "Facet name", "string", "Acme", itemgetter(2)),
)  # fmt: skip

BASE_PRICE = Group("Price", (
    Row("price", "Price", "money", "25.00", attrgetter("regular"), currency="price_currency"),
    Row("sale_price", "Sale price (empty when not on sale)", "money", "20.00", attrgetter("sale"), currency="price_currency"),
    Row("price_currency", "Currency of the price", "string", "GBP", attrgetter("currency")),
), inside=computed.base_price)  # fmt: skip


# --- one tuple of groups per record type -------------------------------------------------------------------------------


def _consent_group(channel: str, label: str) -> Group:
    return Group(label, (
        Row("state", "State (granted, withdrawn, unknown, suppressed)", "string", "granted"),
        Row("stated_at", "When it was stated", "datetime", SAMPLE_TIME),
        Row("granted_at", "When it was granted", "datetime", SAMPLE_TIME, computed.stated_when(ConsentState.GRANTED)),
        Row("withdrawn_at", "When it was withdrawn", "datetime", SAMPLE_TIME, computed.stated_when(ConsentState.WITHDRAWN)),
        Row("explicit", "A dated act of the person", "boolean", True),
        Row("source", "Where it was stated", "string", "checkout"),
        Row("policy", "Which text the person agreed to", "string", "newsletter footer, May 2026"),
        Row("forced", "To be held against whatever the destination holds (empty otherwise)", "boolean", True, computed.forced),
    ), f"consents.{channel}.", computed.consent(channel))  # fmt: skip


CUSTOMER = (
    RECORD,
    Group("Person", (
        Row("email", "E-mail", "string", "ada@example.com"), Row("phone", "Phone", "string", "+447700900123"),
        Row("first_name", "First name", "string", "Ada"), Row("last_name", "Last name", "string", "Byron"),
        Row("full_name", "Full name", "string", "Ada Byron", computed.full_name), Row("country", "Country (ISO 3166-1)", "string", "GB"),
        Row("locale", "Language", "string", "en-GB"), Row("created_at", "First seen at the source", "datetime", SAMPLE_TIME),
        Row("merged_into", "Merged into customer", "string", "7002"),
        Row("partial", "Only part of the person is shown by the source", "boolean", True), Row("tags", "Tags", "list", ["vip", "uk"]),
        Row("tags[]", "Each tag", "string", "vip", computed.itself),
        Row("tags_joined", "Tags, with commas", "string", "vip,uk", computed.joined("tags")),
    )),
    _consent_group("email", "E-mail consent"), _consent_group("sms", "SMS consent"),
    Group("Default address", ADDRESS, "default_address.", computed.default_address), _under("addresses[].", ADDRESS, "Each address"),
)  # fmt: skip

ORDER = (
    RECORD,
    Group("Order", (
        Row("number", "Number shown to the customer", "string", "#1001"), Row("status", "Status", "string", "paid"),
        Row("placed_at", "Placed at", "datetime", SAMPLE_TIME), Row("cancelled_at", "Cancelled at", "datetime", SAMPLE_TIME),
        Row("cancel_reason", "Reason of the cancellation", "string", "customer"), Row("currency", "Currency", "string", "GBP"),
        Row("local_currency", "Buyer's currency", "string", "EUR"), Row("coupon_codes", "Coupon codes", "list", ["SPRING"]),
        Row("coupon_joined", "Coupon codes, with commas", "string", "SPRING", computed.joined("coupon_codes")),
        Row("payment_method", "Payment method", "string", "card"), Row("shipping_method", "Shipping method", "string", "Express"),
        Row("channel", "Channel", "string", "online"), Row("store", "Store", "string", "demo-shop.example.com"),
        Row("checkout_key", "Checkout it came from", "string", "c-889"), Row("ip_address", "IP address", "string", "192.0.2.10"),
        Row("test", "Test order", "boolean", False), Row("tags", "Tags", "list", ["gift"]),
        Row("tags_joined", "Tags, with commas", "string", "gift", computed.joined("tags")),
        Row("cancelled_units", "Units cancelled without refund", "integer", 0, computed.cancelled_units),
        Row("shipping_and_other", "Shipping, tips, duties and roundings", "money", "4.00",
            lambda order: computed.shipping_and_other(order.totals), "currency"),
        Row("refund_other", "Refunded without a line", "money", "0.00", attrgetter("totals.refund_other"), "currency"),
    )),
    _totals("Totals", "totals.", currency="currency", read="totals"),
    _totals("Buyer's totals (other currency only)", "local_totals.", currency="local_currency", read="local_totals"),
    _totals("Shop's totals (other currency only)", "shop_totals.", currency="currency", read="totals", only_if=computed.shop_totals),
    Group("Shop's totals (other currency only)", (Row("currency", "Shop's currency", "string", "GBP"),), "shop_totals.",
          computed.shop_totals),
    CUSTOMER_REF, _under("lines[].", LINE, "Each line"),
    Group("Each line", (
        Row("returned_quantity", "Units refunded or cancelled from a standing order", "integer", 1, computed.returned_quantity, whole=True),
        Row("returned_amount", "Money for those units", "money", "27.00", computed.returned_amount, "currency", whole=True),
    ), "lines[]."),
    _under("lines[].options[].", OPTION, "Each option of a line"),
    Group("Delivery address", ADDRESS, "shipping_address.", attrgetter("shipping_address")),
    Group("Billing address", ADDRESS, "billing_address.", attrgetter("billing_address")),
    Group("Each refund", (
        Row("key", "Refund id", "string", "509562969"), Row("refunded_at", "Refunded at", "datetime", SAMPLE_TIME),
        Row("amount", "Amount", "money", "27.00", currency="currency"), Row("reason", "Reason", "string", "too small"),
    ), "refunds[]."),
    Group("Each shipment", (
        Row("key", "Shipment id", "string", "255858046"), Row("status", "Status", "string", "success"),
        Row("shipped_at", "Shipped at", "datetime", SAMPLE_TIME), Row("delivered_at", "Delivered at", "datetime", SAMPLE_TIME),
        Row("carrier", "Carrier", "string", "Royal Mail"), Row("tracking_number", "Tracking number", "string", "AB123456789GB"),
        Row("tracking_url", "Tracking address", "string", "https://track.example.com/AB123456789GB"),
    ), "fulfilments[]."),
    Group("Shipments", (
        Row("first_tracking_number", "First tracking number", "string", "AB123456789GB",
            computed.first_of("fulfilments", "tracking_number")),
        Row("first_tracking_url", "First tracking address", "string", "https://track.example.com/1",
            computed.first_of("fulfilments", "tracking_url")),
        Row("first_carrier", "First carrier", "string", "Royal Mail", computed.first_of("fulfilments", "carrier")),
        Row("last_shipped_at", "Last shipped at", "datetime", SAMPLE_TIME, computed.last_of("fulfilments", "shipped_at")),
        Row("last_refunded_at", "Last refunded at", "datetime", SAMPLE_TIME, computed.last_of("refunds", "refunded_at")),
    )),
)  # fmt: skip

PRODUCT = (
    RECORD,
    Group("Product", (
        Row("title", "Title", "string", "Linen shirt"), Row("description", "Description", "string", "A light shirt."),
        Row("handle", "Handle", "string", "linen-shirt"), Row("url", "Page address", "string", "https://shop.example.com/p/linen-shirt"),
        Row("image_url", "Main image", "string", "https://cdn.example.com/p100.jpg"), Row("images", "Images", "list", []),
        Row("images[]", "Each image", "string", "https://cdn.example.com/p100.jpg", computed.itself),
        Row("vendor", "Brand", "string", "Acme"), Row("product_type", "Kind", "string", "Shirts"), Row("tags", "Tags", "list", ["linen"]),
        Row("tags[]", "Each tag", "string", "linen", computed.itself),
        Row("tags_joined", "Tags, with commas", "string", "linen", computed.joined("tags")),
        Row("skus", "SKUs of its variants", "list", ["SHIRT-M"]), Row("skus[]", "Each SKU", "string", "SHIRT-M", computed.itself),
        Row("in_stock", "In stock", "boolean", True), Row("active", "Published", "boolean", True),
        Row("live", "Published and not deleted", "boolean", True, computed.live),
    )),
    BASE_PRICE, _under("prices[].", PRICE, "Each market"),
    _under("categories[].", (
        Row("id", "Category id", "string", "shirts", itemgetter(0)), Row("label", "Category name", "string", "Shirts", itemgetter(1)),
    ), "Each category"),
    _under("facets[].", FACET, "Categories, brand, kind, tags and the source's attributes together"),
)  # fmt: skip

VARIANT = (
    RECORD,
    Group("Variant", (
        Row("product_key", "Product id", "string", "632910392"), Row("sku", "SKU", "string", "SHIRT-M"),
        Row("title", "Title", "string", "Red / M"),
        Row("product_title", "Product title", "string", "Linen shirt"), Row("barcode", "Barcode", "string", "5012345678900"),
        Row("full_title", "Product and variant title", "string", "Linen shirt Red / M", computed.full_title),
        Row("url", "Page address", "string", "https://shop.example.com/p/linen-shirt?variant=1"),
        Row("image_url", "Image", "string", "https://cdn.example.com/p100.jpg"), Row("in_stock", "In stock", "boolean", True),
        Row("active", "Published", "boolean", True), Row("live", "Published and not deleted", "boolean", True, computed.live),
    )),
    BASE_PRICE, _under("prices[].", PRICE, "Each market"), _under("options[].", OPTION, "Each option"),
    _under("facets[].", FACET, "Each attribute of the source"),
)  # fmt: skip

CHECKOUT = (
    RECORD,
    Group("Checkout", (
        Row("phase", "Phase (abandoned, recovered)", "string", "abandoned", computed.phase),
        Row("phase_at", "When the phase began", "datetime", SAMPLE_TIME, computed.phase_at),
        Row("phase_key", "Id of this phase", "string", "c-889:abandoned", computed.phase_key),
        Row("completed_at", "Completed at", "datetime", SAMPLE_TIME),
        Row("not_before", "Abandoned at the earliest", "datetime", SAMPLE_TIME),
        Row("url", "Address to go on with it", "string", "https://shop.example.com/c/889"), Row("currency", "Currency", "string", "GBP"),
        Row("total", "Total", "money", "54.00", currency="currency"), Row("visitor", "Visitor (browser)", "string", VISITOR),
    )),
    CUSTOMER_REF, _under("lines[].", LINE, "Each line"), _under("lines[].options[].", OPTION, "Each option of a line"),
)  # fmt: skip

EVENT = (RECORD, Group("Event", (
    Row("name", "Name", "string", "product_viewed"), Row("visitor", "Visitor (browser)", "string", VISITOR),
    Row("role", "What it does (empty, identity, purchase)", "string", "purchase"),
)), CUSTOMER_REF)  # fmt: skip

FIGURES = (RECORD, Group("Figures", (
    Row("subject", "What was counted", "string", "product:632910392"), Row("day", "Day", "string", "2026-01-08"),
    Row("currency", "Currency", "string", "GBP"),
)))  # fmt: skip

CONSENT = (
    RECORD,
    Group("Person", (
        Row("email", "E-mail", "string", "ada@example.com"), Row("phone", "Phone", "string", "+447700900123"),
        Row("customer_key", "Customer id", "string", "7001"), Row("decided_at", "Sent because of a look at", "datetime", SAMPLE_TIME),
    )),
    _consent_group("email", "E-mail consent"), _consent_group("sms", "SMS consent"),
)  # fmt: skip

GROUPS: dict[RecordType, tuple[Group, ...]] = {
    RecordType.CUSTOMER: CUSTOMER, RecordType.ORDER: ORDER, RecordType.PRODUCT: PRODUCT,
    RecordType.VARIANT: VARIANT, RecordType.CHECKOUT: CHECKOUT, RecordType.EVENT: EVENT,
    RecordType.FIGURES: FIGURES, RecordType.CONSENT: CONSENT,
}  # fmt: skip
