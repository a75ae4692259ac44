"""A stand-in for Shopify's Admin API: GraphQL against the real schema, OAuth, bulk operations, webhooks, and the life of shops."""

from integrations.standins.shopify.shops import ShopSpec
from integrations.standins.shopify.standin import ShopifyStandIn

__all__ = ["ShopSpec", "ShopifyStandIn"]
