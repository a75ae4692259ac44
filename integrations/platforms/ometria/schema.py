"""Target fields that Ometria accepts, per record type: what the rule editor offers and what `check` enforces.

Lengths, types and enumerations follow the contacts, orders, products and custom events pages of the Ometria Data API v2.
"""

from __future__ import annotations

from collections.abc import Mapping

from integrations.platforms.base import TargetField
from mapping.records import RecordType

OPTINS = ("EXPLICITLY_OPTEDIN", "NOT_SPECIFIED", "EXPLICITLY_OPTEDOUT")
GENDERS = ("m", "f", "o")
STATUSES = ("pending", "paid", "partially_shipped", "shipped", "complete", "cancelled", "partially_refunded", "refunded")

# Ometria's own names of the record types in a push
KINDS: Mapping[RecordType, str] = {
    RecordType.CUSTOMER: "contact",
    RecordType.ORDER: "order",
    RecordType.PRODUCT: "product",
    RecordType.VARIANT: "product",
    RecordType.CHECKOUT: "custom_event",
    RecordType.EVENT: "custom_event",
}

# a value may be null to clear what Ometria holds (products page)
NULLABLE = frozenset({"special_price", "special_price_dt_from", "special_price_dt_to", "listings[].special_price"})


def _field(path: str, label: str, kind: str = "string", longest: int | None = None, *, required: bool = False,
           choices: tuple[str, ...] = (), note: str = "") -> TargetField:  # fmt: skip
    return TargetField(path=path, label=label, type=kind, required=required, max_length=longest, choices=choices, help=note)


CONTACT = (
    _field("@type", "Record type", choices=("contact",), note="Filled in by Ometria's writer"),
    _field("@collection", "Collection", longest=255, note="One collection per source; the account's default when empty"),
    _field("@merge", "Merge into the stored listing", "boolean", note="Send true unless every field is sent every time"),
    _field("@force_optin", "Consent of this listing decides", "boolean", note="Only with a dated, explicit act of the person"),
    _field("@add_to_lists", "Add to static segments", "list", 16, note="Segment ids, at most 16"),
    _field("@remove_from_lists", "Remove from static segments", "list", 16, note="Segment ids, at most 16"),
    _field("id", "Listing id", longest=255, required=True, note="The source's own customer id; never an e-mail address"),
    _field("email", "E-mail address", longest=255),
    _field("phone_number", "Phone number", longest=16, note="E.164, a number that can exist"),
    _field("customer_id", "Customer id", longest=255, note="Only one persistent key over all sources"),
    _field("extra_identifiers", "Custom identifiers", "object", note="Configured by Ometria; case-sensitive"),
    _field("prefix", "Prefix", longest=64),
    _field("firstname", "First name", longest=64),
    _field("middlename", "Middle name", longest=64),
    _field("lastname", "Last name", longest=64),
    _field("gender", "Gender", choices=GENDERS),
    _field("date_of_birth", "Date of birth", "date"),
    _field("country_id", "Country", longest=2, note="ISO 3166-1, two capital letters"),
    _field("timezone", "Time zone", longest=255, note="IANA name"),
    _field("store_ids", "Stores", "list"),
    _field("marketing_optin", "E-mail consent", choices=OPTINS),
    _field("timestamp_acquired", "Acquired at", "datetime"),
    _field("timestamp_subscribed", "Subscribed at", "datetime"),
    _field("timestamp_unsubscribed", "Unsubscribed at", "datetime"),
    _field("channels.sms.allow_marketing", "SMS marketing allowed", "boolean", note="Needs a phone number in the same record"),
    _field("channels.sms.allow_transactional", "SMS service messages allowed", "boolean"),
    _field("channels.sms.dt_updated_marketing", "SMS marketing consent stated at", "datetime"),
    _field("channels.sms.dt_updated_transactional", "SMS service consent stated at", "datetime"),
    _field("properties", "Custom fields", "object", note="Field ids set up in Ometria; together under 1,000 characters"),
)


def _amounts(prefix: str, names: Mapping[str, str]) -> tuple[TargetField, ...]:
    """The base and local copies of an order's or a line's amounts."""
    sides = (("base", "reporting currency"), ("local", "customer's currency"))
    kinds = {"currency": ("string", 3)}
    return tuple(
        _field(f"{prefix}.{side}.{name}", f"{label} ({words})", *kinds.get(name, ("number", None)))
        for side, words in sides
        for name, label in names.items()
    )


def _address(path: str, label: str) -> tuple[TargetField, ...]:
    return (
        _field(f"{path}.city", f"{label}: city"),
        _field(f"{path}.state", f"{label}: state"),
        _field(f"{path}.postcode", f"{label}: postcode"),
        _field(f"{path}.country_code", f"{label}: country", longest=2),
    )


ORDER_SUMS = {
    "currency": "Currency", "shipping": "Shipping", "tax": "Tax", "discount": "Discount",
    "subtotal": "Subtotal", "grand_total": "Grand total",
}  # fmt: skip
LINE_SUMS = {
    "currency": "Line currency", "unit_price": "Unit price", "discount": "Line discount", "refunded": "Line refunded",
    "subtotal": "Line subtotal", "tax": "Line tax", "total": "Line total",
}  # fmt: skip

LINES = (
    _field("lineitems[].product_id", "Line: product id", longest=255, required=True, note="The parent product's id"),
    _field("lineitems[].variant_id", "Line: variant id", longest=255),
    _field("lineitems[].sku", "Line: SKU", longest=255),
    _field("lineitems[].quantity", "Line: quantity", "integer", required=True, note="Never lowered for a refund"),
    _field("lineitems[].unit_price", "Line: unit price", "number", required=True),
    _field("lineitems[].subtotal", "Line: subtotal", "number"),
    _field("lineitems[].discount", "Line: discount", "number", note="Zero or negative"),
    _field("lineitems[].tax", "Line: tax", "number"),
    _field("lineitems[].total", "Line: total", "number", note="subtotal + discount + tax"),
    _field("lineitems[].quantity_refunded", "Line: units refunded", "integer", note="Cumulative"),
    _field("lineitems[].refunded", "Line: amount refunded", "number", note="Cumulative, positive, with tax"),
    _field("lineitems[].is_on_sale", "Line: on sale", "boolean"),
    _field("lineitems[].variant_options[].type", "Line option: type", longest=255, required=True),
    _field("lineitems[].variant_options[].id", "Line option: id", longest=255, required=True),
    _field("lineitems[].variant_options[].label", "Line option: label", longest=255, required=True),
    *_amounts("lineitems[].totals", LINE_SUMS),
    _field("lineitems[].properties", "Line: custom fields", "object"),
)

ORDER = (
    _field("@type", "Record type", choices=("order",), note="Filled in by Ometria's writer"),
    _field("@merge", "Merge into the stored order", "boolean", note="Orders are sent whole: leave it out"),
    _field("id", "Order id", longest=36, required=True),
    _field("web_id", "Order number", longest=255, note="What the customer sees, if it differs"),
    _field("timestamp", "Ordered at", "datetime", required=True),
    _field("status", "Status", longest=255, note="Free text; one vocabulary for all sources: " + ", ".join(STATUSES)),
    _field("is_valid", "Counts in revenue", "boolean"),
    _field("currency", "Currency", longest=3, required=True),
    _field("subtotal", "Subtotal", "number", required=True, note="Before discount, tax and shipping"),
    _field("discount", "Discount", "number", note="Zero or negative"),
    _field("shipping", "Shipping", "number"),
    _field("tax", "Tax", "number"),
    _field("grand_total", "Grand total", "number", required=True, note="subtotal + discount + tax + shipping; never lowered for a refund"),
    *_amounts("totals", ORDER_SUMS),
    _field("customer.id", "Customer id", longest=255, note="The contact's customer_id; leave out for guests"),
    _field("customer.email", "Customer e-mail", longest=255),
    _field("customer.firstname", "Customer first name", longest=255),
    _field("customer.lastname", "Customer last name", longest=255),
    _field("customer.phone_number", "Customer phone", longest=16, note="Sent only when Ometria identifies people by phone"),
    *LINES,
    _field("channel", "Channel", longest=255),
    _field("store", "Store", longest=255, note="Equal to the listing's store"),
    _field("payment_method", "Payment method", longest=32),
    _field("shipping_method", "Shipping method", longest=32),
    *_address("shipping_address", "Shipping address"),
    *_address("billing_address", "Billing address"),
    _field("coupon_code", "Coupon codes", note="One text; several joined by comma"),
    _field("ip_address", "IP address", longest=255),
    _field("properties", "Custom fields", "object", note="Merge tags only; together under 1,000 characters"),
)

PRODUCT_BASE = (
    _field("@type", "Record type", choices=("product",), note="Filled in by Ometria's writer"),
    _field("@merge", "Merge into the stored product", "boolean", note="Products are sent whole: leave it out"),
    _field("id", "Product id", longest=255, required=True),
    _field("title", "Title", longest=140, required=True),
    _field("price", "Price", "number", required=True, note="Above zero"),
    _field("currency", "Currency", longest=3),
    _field("sku", "SKU", longest=255),
    _field("special_price", "Sale price", "number", note="Null clears it"),
    _field("special_price_dt_from", "Sale from", "datetime"),
    _field("special_price_dt_to", "Sale until", "datetime"),
    _field("is_variant", "Is a variant", "boolean"),
    _field("is_active", "Active", "boolean", note="False overrides every listing"),
    _field("is_in_stock", "In stock", "boolean"),
    _field("url", "Page address", longest=1024),
    _field("image_url", "Picture address", longest=1024),
    _field("stores", "Stores", "list"),
    _field("attributes[].type", "Attribute: type", longest=255, required=True, note="category, brand, colour, tag, …"),
    _field("attributes[].id", "Attribute: id", longest=255, required=True),
    _field("attributes[].label", "Attribute: label", longest=255, required=True),
    _field("properties", "Custom fields", "object", note="Together under 1,000 characters"),
)

LISTINGS = (
    _field("listings[].store", "Listing: store", longest=32, required=True),
    _field("listings[].title", "Listing: title", longest=140, required=True),
    _field("listings[].price", "Listing: price", "number", required=True, note="Above zero"),
    _field("listings[].currency", "Listing: currency", longest=3, required=True),
    _field("listings[].is_active", "Listing: active", "boolean"),
    _field("listings[].special_price", "Listing: sale price", "number"),
    _field("listings[].url", "Listing: page address", longest=1024),
    _field("listings[].image_url", "Listing: picture address", longest=1024),
)

PRODUCT = (*PRODUCT_BASE, *LISTINGS)
VARIANT = (*PRODUCT_BASE, _field("parent_id", "Parent product id", longest=255, required=True))

CUSTOM_EVENT = (
    _field("@type", "Record type", choices=("custom_event",), note="Filled in by Ometria's writer"),
    _field("id", "Event id", longest=32, required=True, note="32 hex characters made from the source's own key"),
    _field("event_type", "Event type", longest=32, required=True, note="Must be set up in Ometria before it can drive campaigns"),
    _field("timestamp", "Happened at", "datetime", required=True),
    _field("identity_email", "Who: e-mail", longest=255),
    _field("identity_account_id", "Who: customer id", longest=255),
    _field("identity_phone_number", "Who: phone", longest=16),
    _field("profile_id", "Who: Ometria profile", longest=255),
    _field("properties", "Properties", "object", required=True, note="Flat; product references as lists of ids; under 1,000 characters"),
)

TARGETS: Mapping[RecordType, tuple[TargetField, ...]] = {
    RecordType.CUSTOMER: CONTACT,
    RecordType.ORDER: ORDER,
    RecordType.PRODUCT: PRODUCT,
    RecordType.VARIANT: VARIANT,
    RecordType.CHECKOUT: CUSTOM_EVENT,
    RecordType.EVENT: CUSTOM_EVENT,
}

# of each group at least one must be there, else Ometria cannot know whose it is
IDENTITIES: Mapping[str, tuple[str, ...]] = {
    "contact": ("email", "phone_number", "customer_id"),
    "custom_event": ("identity_email", "identity_account_id", "identity_phone_number", "profile_id"),
}
