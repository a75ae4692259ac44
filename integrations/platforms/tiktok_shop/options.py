"""Settings and secrets of a TikTok Shop connection: how its form shows them, and the values the room takes from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrations.platforms.base import Account, Setting
from integrations.platforms.errors import Misconfigured

API_ADDRESS = "https://open-api.tiktokglobalshop.com"  # one host for every market
AUTH_ADDRESS = "https://auth.tiktok-shops.com"
READ_RATE, WRITE_RATE = 3.0, 1.0  # calls a second per app and shop: the lower end of the published ranges
MARKETS = (("row", "UK, EU, Asia, Latin America (partner.tiktokshop.com)"), ("us", "United States (partner.us.tiktokshop.com)"))
LINK_STYLES = (("service_id", "By service id (present form)"), ("app_key", "By app key (older form)"))

SECRETS = (
    Setting(name="app_secret", label="App secret", kind="secret", required=True, help="Of the app in Partner Center; signs every call."),
    Setting(name="app_secret_previous", label="Previous app secret", kind="secret",
            help="Accepted for webhooks beside the new one while a rotation is under way; remove it afterwards."),
    Setting(name="access_token", label="Access token", kind="secret", help="Filled when the seller authorises; renewed by itself."),
    Setting(name="refresh_token", label="Refresh token", kind="secret", help="Filled when the seller authorises; renewed by itself."),
)  # fmt: skip

SETTINGS = (
    Setting(name="app_key", label="App key", required=True, help="Of the app in Partner Center."),
    Setting(name="service_id", label="Service id", help="Of the app; only the link for the seller's consent needs it."),
    Setting(name="market", label="World of the app", kind="choice", required=True, default="row", choices=MARKETS,
            help="An app belongs to one of the two."),
    Setting(name="link_style", label="Form of the consent link", kind="choice", default="service_id", choices=LINK_STYLES),
    Setting(name="shop_cipher", label="Shop cipher", help="Filled when the seller authorises: names the shop in every call."),
    Setting(name="region", label="Region", help="Two letters, for example GB. Filled when the seller authorises."),
    Setting(name="store", label="Store name in records", help="Empty: tiktok_shop_ and the region, for example tiktok_shop_gb."),
    Setting(name="read_rate", label="Reads a second", kind="number", default=READ_RATE, help="0 = no quota."),
    Setting(name="write_rate", label="Writes a second", kind="number", default=WRITE_RATE, help="0 = no quota."),
    Setting(name="hold_until_released", label="Orders wait while the buyer may still cancel freely", kind="boolean", default=True,
            help="For about an hour after payment TikTok Shop keeps an order on hold."),
    Setting(name="auth_address", label="Address of the token service", help="Empty: TikTok's own, or a changed base address."),
    Setting(name="consent_address", label="Address of the consent page", help="Empty: TikTok's own, or a changed base address."),
)  # fmt: skip

# What every shop of one app has in common: copied to each connection that one consent makes.
SHARED = ("app_key", "service_id", "market", "link_style", "auth_address", "consent_address")
_DEFAULTS = {setting.name: setting.default for setting in SETTINGS}


def setting(account: Account, name: str) -> Any:
    """A setting of the connection, its default when unset or empty."""
    value = account.settings.get(name)
    return _DEFAULTS[name] if value in (None, "") else value


def app_key(account: Account) -> str:
    """The app key; raises Misconfigured without one."""
    return _needed(account, "app_key", "The connection has no app key: enter that of the app in Partner Center.")


def app_secret(account: Account) -> str:
    """The present app secret; raises Misconfigured without one."""
    secret = account.secrets.get("app_secret", "")
    if not secret:
        raise Misconfigured("The connection has no app secret: enter that of the app in Partner Center.")
    return secret


def shop_cipher(account: Account) -> str:
    """The cipher that names the shop in calls; raises Misconfigured without one."""
    return _needed(account, "shop_cipher", "The connection does not know its shop's cipher yet: let the seller authorise the app.")


def service_id(account: Account) -> str:
    """The service id; raises Misconfigured without one."""
    return _needed(account, "service_id", "The consent link needs the app's service id: enter it.")


def auth_address(account: Account) -> str:
    """Where tokens are exchanged and renewed."""
    return str(setting(account, "auth_address") or _beside(account) or AUTH_ADDRESS).rstrip("/")


def consent_address(account: Account) -> str:
    """Where the consent page is, empty for TikTok's own."""
    return str(setting(account, "consent_address") or _beside(account)).rstrip("/")


def store_of(account: Account) -> str:
    """The store's name in records: the `store` setting, else "tiktok_shop_<region>"."""
    region = str(setting(account, "region") or "").lower()
    return str(setting(account, "store") or f"tiktok_shop_{region}".rstrip("_"))


def rates_of(account: Account) -> Mapping[str, float]:
    """Calls a second by rate group, 0 for no quota; raises Misconfigured for what is no number."""
    found = {}
    for group in ("read", "write"):
        try:
            found[group] = float(setting(account, f"{group}_rate"))
        except (TypeError, ValueError):
            raise Misconfigured(f'"{group.capitalize()}s a second" must be a number.') from None
        if not 0 <= found[group] < 1e6:
            raise Misconfigured(f'"{group.capitalize()}s a second" must be zero or more.')
    return found


def _needed(account: Account, name: str, remedy: str) -> str:
    value = str(setting(account, name) or "")
    if not value:
        raise Misconfigured(remedy)
    return value


def _beside(account: Account) -> str:
    """A base address that is not TikTok's stands for all of its hosts."""
    return "" if account.base_url.rstrip("/") in ("", API_ADDRESS) else account.base_url
