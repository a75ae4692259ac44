"""Webhook topics: the enum in the API, the name in the header, the scope one needs to subscribe."""

# enum → (header, scope)
TOPICS: dict[str, tuple[str, str]] = {
    "ORDERS_CREATE": ("orders/create", "read_orders"),
    "ORDERS_UPDATED": ("orders/updated", "read_orders"),
    "ORDERS_PAID": ("orders/paid", "read_orders"),
    "ORDERS_CANCELLED": ("orders/cancelled", "read_orders"),
    "ORDERS_FULFILLED": ("orders/fulfilled", "read_orders"),
    "ORDERS_PARTIALLY_FULFILLED": ("orders/partially_fulfilled", "read_orders"),
    "ORDERS_DELETE": ("orders/delete", "read_orders"),
    "ORDERS_EDITED": ("orders/edited", "read_orders"),
    "REFUNDS_CREATE": ("refunds/create", "read_orders"),
    "FULFILLMENTS_CREATE": ("fulfillments/create", "read_fulfillments"),
    "FULFILLMENTS_UPDATE": ("fulfillments/update", "read_fulfillments"),
    "CUSTOMERS_CREATE": ("customers/create", "read_customers"),
    "CUSTOMERS_UPDATE": ("customers/update", "read_customers"),
    "CUSTOMERS_DELETE": ("customers/delete", "read_customers"),
    "CUSTOMERS_ENABLE": ("customers/enable", "read_customers"),
    "CUSTOMERS_DISABLE": ("customers/disable", "read_customers"),
    "CUSTOMERS_MERGE": ("customers/merge", "read_customer_merge"),
    "CUSTOMER_TAGS_ADDED": ("customer.tags_added", "read_customers"),
    "CUSTOMER_TAGS_REMOVED": ("customer.tags_removed", "read_customers"),
    "CUSTOMERS_EMAIL_MARKETING_CONSENT_UPDATE": ("customers_email_marketing_consent/update", "read_customers"),
    "CUSTOMERS_MARKETING_CONSENT_UPDATE": ("customers_marketing_consent/update", "read_customers"),
    "CUSTOMERS_PURCHASING_SUMMARY": ("customers/purchasing_summary", "read_customers"),
    "PRODUCTS_CREATE": ("products/create", "read_products"),
    "PRODUCTS_UPDATE": ("products/update", "read_products"),
    "PRODUCTS_DELETE": ("products/delete", "read_products"),
    "INVENTORY_LEVELS_UPDATE": ("inventory_levels/update", "read_inventory"),
    "CHECKOUTS_CREATE": ("checkouts/create", "read_orders"),
    "CHECKOUTS_UPDATE": ("checkouts/update", "read_orders"),
    "CHECKOUTS_DELETE": ("checkouts/delete", "read_orders"),
    "SHOP_UPDATE": ("shop/update", ""),
    "APP_UNINSTALLED": ("app/uninstalled", ""),
    "APP_SCOPES_UPDATE": ("app/scopes_update", ""),
    "BULK_OPERATIONS_FINISH": ("bulk_operations/finish", ""),
}
# sent to the address in the app's own configuration, never to a subscription
PRIVACY_TOPICS = ("customers/data_request", "customers/redact", "shop/redact")


def header_of(topic: str) -> str:
    """The name that X-Shopify-Topic carries; topics the stand-in never sends are spelt by the usual rule."""
    if topic in TOPICS:
        return TOPICS[topic][0]
    noun, _, verb = topic.lower().rpartition("_")
    return f"{noun}/{verb}"
