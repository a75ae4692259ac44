"""One complete record of each kind, with every field a route of ours sends, goes through untouched."""

CONTACT = {
    "@type": "contact",
    "@collection": "shopify",
    "id": "7001",
    "email": "ada@example.com",
    "phone_number": "+447700900123",
    "customer_id": "7001",
    "prefix": "Ms",
    "firstname": "Ada",
    "middlename": "King",
    "lastname": "Byron",
    "gender": "f",
    "date_of_birth": "1990-12-10",
    "country_id": "GB",
    "timezone": "Europe/London",
    "store_ids": ["uk"],
    "marketing_optin": "EXPLICITLY_OPTEDIN",
    "@force_optin": True,
    "timestamp_subscribed": "2026-01-09T10:00:00Z",
    "timestamp_acquired": "2025-12-01T08:00:00Z",
    "channels": {"sms": {"allow_marketing": True, "dt_updated_marketing": "2026-01-09T10:00:00Z"}},
    "properties": {"shopify_tags": "vip,uk", "loyalty_tier": "gold"},
}
ORDER = {
    "@type": "order",
    "id": "tts-576461413038785752",
    "web_id": "576461413038785752",
    "timestamp": "2026-01-08T14:03:11Z",
    "status": "partially_refunded",
    "is_valid": True,
    "currency": "GBP",
    "subtotal": 50.00,
    "discount": -5.00,
    "tax": 9.00,
    "shipping": 4.00,
    "grand_total": 58.00,
    "channel": "tiktok_shop",
    "store": "tiktok/gb",
    "payment_method": "card",
    "shipping_method": "standard",
    "coupon_code": "TEN,FREESHIP",
    "ip_address": "192.0.2.7",
    "customer": {"id": "7001", "email": "ada@example.com", "firstname": "Ada", "lastname": "Byron"},
    "totals": {"base": {"currency": "GBP", "grand_total": 58.0}, "local": {"currency": "EUR", "grand_total": 67.0}},
    "lineitems": [
        {
            "product_id": "P100",
            "variant_id": "V100-M",
            "sku": "SHIRT-M",
            "quantity": 2,
            "unit_price": 25.00,
            "subtotal": 50.00,
            "discount": -5.00,
            "tax": 9.00,
            "total": 54.00,
            "quantity_refunded": 1,
            "refunded": 27.00,
            "is_on_sale": False,
            "variant_options": [{"type": "size", "id": "m", "label": "M"}],
            "properties": {"bundle_sku": "SUMMER-SET"},
        }
    ],
    "shipping_address": {"city": "Leeds", "state": "West Yorkshire", "postcode": "LS1 4AP", "country_code": "GB"},
    "billing_address": {"city": "Leeds", "country_code": "GB"},
    "properties": {"source_system": "tiktok_shop"},
}
PARENT = {
    "@type": "product",
    "id": "P100",
    "title": "Linen shirt",
    "price": 25.00,
    "currency": "GBP",
    "sku": "SHIRT",
    "is_variant": False,
    "is_active": True,
    "is_in_stock": True,
    "url": "https://shop.example.com/p/linen-shirt",
    "image_url": "https://cdn.example.com/p100.jpg",
    "special_price": None,
    "special_price_dt_from": None,
    "attributes": [{"type": "category", "id": "shirts", "label": "Shirts"}, {"type": "brand", "id": "acme", "label": "Acme"}],
    "listings": [
        {"store": "example.com/uk", "title": "Linen shirt", "price": 25.00, "currency": "GBP", "is_active": True, "special_price": 20.0},
        {"store": "example.com/fr", "title": "Chemise en lin", "price": 29.00, "currency": "EUR", "is_active": True},
    ],
    "stores": ["example.com/uk", "example.com/fr"],
    "properties": {"season": "summer"},
}
VARIANT = {
    "@type": "product",
    "id": "V100-M",
    "parent_id": "P100",
    "title": "Linen shirt M",
    "price": 25.00,
    "sku": "SHIRT-M",
    "is_variant": True,
    "is_active": True,
    "is_in_stock": True,
}
EVENT = {
    "@type": "custom_event",
    "id": "9f1c2d3e4a5b46778899aabbccddeeff",
    "event_type": "abandoned_checkout",
    "timestamp": "2026-01-10T09:30:00Z",
    "identity_email": "ada@example.com",
    "identity_account_id": "7001",
    "properties": {"checkout_id": "c-889", "total": 54.0, "currency": "GBP", "product_id": ["P100"], "variant_id": ["V100-M"]},
}


def test_complete_records_are_stored_as_they_were_pushed(api):
    for records in ([CONTACT], [ORDER], [PARENT, VARIANT], [EVENT]):
        assert api.push(*records).status_code == 202

    assert api.read("/push/_errors") == []
    assert api.look("/unknown-keys") == {}
    assert [(effect["kind"], effect["key"], effect["payload"]) for effect in api.look("/ledger")] == [
        ("contact", "shopify:7001", CONTACT),
        ("order", "tts-576461413038785752", ORDER),
        ("product", "P100", PARENT),
        ("product", "V100-M", VARIANT),
        ("custom_event", "abandoned_checkout:9f1c2d3e4a5b46778899aabbccddeeff", EVENT),
    ]
    assert api.read("/orders/tts-576461413038785752") == {
        **ORDER,
        "total_refunded": 27.0,
        "total_unit_quantity": 2,
        "total_unit_quantity_refunded": 1,
    }
    assert api.look("/state")["orphan_products"] == []
