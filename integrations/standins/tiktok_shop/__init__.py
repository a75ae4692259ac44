"""A stand-in for TikTok Shop: signed API, OAuth, orders, requests after the sale, webhooks, figures, and the life of shops."""

from integrations.standins.tiktok_shop.specs import AppSpec, SellerSpec, ShopSpec
from integrations.standins.tiktok_shop.standin import TikTokShopStandIn

__all__ = ["AppSpec", "SellerSpec", "ShopSpec", "TikTokShopStandIn"]
