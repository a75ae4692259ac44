"""The four record types of a push as tables (Ometria Data API v2: contacts, orders, products, custom events)."""

from integrations.standins.ometria.shapes import (
    Shape,
    any_object,
    boolean,
    choice,
    country,
    currency,
    day,
    email,
    integer,
    list_id,
    list_of,
    moment,
    nullable,
    number,
    phone,
    positive,
    properties,
    text,
)

OPTIN, UNSPECIFIED, OPTOUT = "EXPLICITLY_OPTEDIN", "NOT_SPECIFIED", "EXPLICITLY_OPTEDOUT"

name = text(64)
short = text(32)
medium = text(255)
reference = text(255, shortest=1)
optin = choice(OPTIN, UNSPECIFIED, OPTOUT)

# both generations of the SMS contract are taken
SMS = Shape(
    {
        "allow_marketing": boolean,
        "allow_transactional": boolean,
        "dt_updated_marketing": moment,
        "dt_updated_transactional": moment,
        "marketing_optin": optin,
        "transactional_optin": optin,
    }
)

CONTACT = Shape(
    {
        "@type": choice("contact"),
        "@collection": reference,
        "@merge": boolean,
        "@force_optin": boolean,
        "@add_to_lists": list_of(list_id, longest=16),
        "@remove_from_lists": list_of(list_id, longest=16),
        "id": reference,
        "email": email,
        "phone_number": phone,
        "customer_id": reference,
        "extra_identifiers": any_object,
        "prefix": name,
        "firstname": name,
        "middlename": name,
        "lastname": name,
        "gender": choice("m", "f", "o"),
        "date_of_birth": day,
        "country_id": country,
        "timezone": medium,
        "store_ids": list_of(text()),
        "marketing_optin": optin,
        "timestamp_acquired": moment,
        "timestamp_subscribed": moment,
        "timestamp_unsubscribed": moment,
        "properties": properties,
    },
    objects={"channels": Shape({}, objects={"sms": SMS})},
    required=("@type", "id"),
    one_of=(("email", "phone_number", "customer_id"),),
)

ORDER_AMOUNTS = Shape(
    {
        "currency": currency,
        "shipping": number,
        "tax": number,
        "discount": number,
        "subtotal": number,
        "grand_total": number,
    }
)
LINE_AMOUNTS = Shape(
    {
        "currency": currency,
        "unit_price": number,
        "discount": number,
        "refunded": number,
        "subtotal": number,
        "tax": number,
        "total": number,
    }
)
LABEL = Shape({"type": reference, "id": reference, "label": medium}, required=("type", "id", "label"))
ADDRESS = Shape({"city": medium, "state": medium, "postcode": medium, "country_code": country})

LINE = Shape(
    {
        "product_id": reference,
        "variant_id": medium,
        "sku": medium,
        "quantity": integer,
        "unit_price": number,
        "subtotal": number,
        "discount": number,
        "tax": number,
        "total": number,
        "quantity_refunded": integer,
        "refunded": number,
        "is_on_sale": boolean,
        "properties": properties,
    },
    objects={"totals": Shape({}, objects={"base": LINE_AMOUNTS, "local": LINE_AMOUNTS})},
    lists={"variant_options": LABEL},
    required=("product_id", "quantity"),
    one_of=(("unit_price", "subtotal"),),
)

ORDER = Shape(
    {
        "@type": choice("order"),
        "@merge": boolean,
        "id": text(36, shortest=1),
        "timestamp": moment,
        "grand_total": number,
        "subtotal": number,
        "discount": number,
        "shipping": number,
        "tax": number,
        "currency": currency,
        "status": medium,
        "is_valid": boolean,
        "web_id": medium,
        "ip_address": medium,
        "channel": medium,
        "store": medium,
        "payment_method": short,
        "shipping_method": short,
        "coupon_code": text(),
        "properties": properties,
    },
    objects={
        "totals": Shape({}, objects={"base": ORDER_AMOUNTS, "local": ORDER_AMOUNTS}),
        "customer": Shape({"id": reference, "email": email, "firstname": medium, "lastname": medium, "phone_number": phone}),
        "shipping_address": ADDRESS,
        "billing_address": ADDRESS,
    },
    lists={"lineitems": LINE},
    required=("@type", "id", "timestamp", "grand_total", "currency"),
)

LISTING = Shape(
    {
        "title": text(140, shortest=1),
        "price": positive,
        "store": text(32, shortest=1),
        "currency": currency,
        "is_active": boolean,
        "special_price": nullable(number),
        "url": text(1024),
        "image_url": text(1024),
    },
    required=("title", "price", "store", "currency"),
)

PRODUCT = Shape(
    {
        "@type": choice("product"),
        "@merge": boolean,
        "id": reference,
        "title": text(140, shortest=1),
        "price": positive,
        "sku": medium,
        "is_variant": boolean,
        "parent_id": medium,
        "currency": currency,
        "special_price": nullable(number),
        "special_price_dt_from": nullable(moment),
        "special_price_dt_to": nullable(moment),
        "is_active": boolean,
        "is_in_stock": boolean,
        "url": text(1024),
        "image_url": text(1024),
        "stores": list_of(text()),
        "properties": properties,
    },
    lists={"attributes": LABEL, "listings": LISTING},
    required=("@type", "id", "title", "price"),
)

CUSTOM_EVENT = Shape(
    {
        "@type": choice("custom_event"),
        "id": text(32, shortest=1),
        "event_type": text(64, shortest=1),
        "timestamp": moment,
        "properties": properties,
        "identity_email": email,
        "identity_account_id": reference,
        "identity_phone_number": phone,
        "profile_id": reference,
    },
    required=("@type", "id", "event_type", "timestamp", "properties"),
    one_of=(("identity_email", "identity_account_id", "identity_phone_number", "profile_id"),),
)

TYPES = frozenset({"contact", "order", "product", "custom_event"})
