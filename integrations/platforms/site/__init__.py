"""Own site: what visitors of the merchant's pages do, told by a script or by the shop's server; nothing is sent to it or pulled."""

from __future__ import annotations

from integrations.platforms.base import Platform
from integrations.platforms.site.client import SiteClient, probe
from integrations.platforms.site.options import SECRETS, SETTINGS
from integrations.platforms.site.parse import parse
from integrations.platforms.site.webhooks import SiteWebhooks

PLATFORM = Platform(
    slug="site",
    label="Own site",
    secrets=SECRETS,
    settings=SETTINGS,
    connect=SiteClient,
    probe=probe,
    default_base_url="https://www.example.com",
    webhooks=SiteWebhooks(),
    parse=parse,
    erasing="Ask whoever runs the site to erase the person's account and what its own database keeps of the browser.",
)
