"""Every platform there is, written out."""

from __future__ import annotations

from integrations.platforms import ometria, shopify
from integrations.platforms.base import Platform

PLATFORMS: dict[str, Platform] = {
    shopify.PLATFORM.slug: shopify.PLATFORM,
    ometria.PLATFORM.slug: ometria.PLATFORM,
}
