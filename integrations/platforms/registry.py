"""Every platform there is, written out."""

from __future__ import annotations

from integrations.platforms import commercetools, ometria, shopify, site, tiktok_shop
from integrations.platforms.base import Platform

PLATFORMS: dict[str, Platform] = {
    shopify.PLATFORM.slug: shopify.PLATFORM,
    commercetools.PLATFORM.slug: commercetools.PLATFORM,
    tiktok_shop.PLATFORM.slug: tiktok_shop.PLATFORM,
    site.PLATFORM.slug: site.PLATFORM,
    ometria.PLATFORM.slug: ometria.PLATFORM,
}
