"""Settings and secrets of a commercetools connection: how its form shows them, and the values the room takes from them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from integrations.platforms.base import Account, Setting
from integrations.platforms.errors import Misconfigured

API_ADDRESS = "https://api.europe-west1.gcp.commercetools.com"  # regions: us-central1.gcp, us-east-2.aws, eu-central-1.aws, …
READ_RATE, WRITE_RATE = 50.0, 10.0  # calls a second: no limit is published, and these give way when commercetools asks for it
OVERLAP_SECONDS, LONGEST_OVERLAP = 120, 600
MESSAGE_OVERLAP_SECONDS = 300
CHECKOUT_MINUTES = 60

SECRETS = (
    Setting(name="client_secret", label="Client secret", kind="secret", required=True, help="Of the API client in the Merchant Center."),
    Setting(name="access_token", label="Access token", kind="secret", help="Filled and renewed by itself."),
)  # fmt: skip

SETTINGS = (
    Setting(name="client_id", label="Client id", required=True, help="Of the API client in the Merchant Center."),
    Setting(name="auth_url", label="Address of the token service",
            help="Empty: the address of the API with auth. instead of api., as in every region of commercetools."),
    Setting(name="scopes", label="Scopes to ask for", kind="list", default=[],
            help="Empty: all that the API client has, for example view_orders, view_customers, view_payments."),
    Setting(name="store_keys", label="Stores", kind="list", default=[],
            help="Keys of the stores whose orders and customers are taken. Empty: all. What belongs to no store is always taken."),
    Setting(name="default_locale", label="Language of texts", help="For example en-GB; empty: the project's first language."),
    Setting(name="markets", label="Markets", kind="list", default=[],
            help="One per market: country:currency:language:store:channel, for example GB:GBP:en-GB:uk, DE:EUR:de."),
    Setting(name="product_url", label="Address of a product page",
            help="For example https://shop.example.com/{locale}/p/{slug}; also {key}, {sku}, {id}, {country}, {store}."),
    Setting(name="brand_attribute", label="Attribute that holds the brand", default="brand", help="Of products, by its name."),
    Setting(name="facet_attributes", label="Attributes that goods are sorted by", kind="list", default=[],
            help="By name, for example color, material. Empty: every choice, number, yes or no and short text."),
    Setting(name="email_consent_field", label="Custom field of e-mail consent",
            help="Of the customer, for example emailOptIn. Empty: consent to e-mail is neither read nor written."),
    Setting(name="email_consent_time_field", label="Custom field of its time",
            help="For example emailOptInAt. Only a consent with a time counts as what the person said then."),
    Setting(name="sms_consent_field", label="Custom field of SMS consent",
            help="Of the customer, for example smsOptIn. Empty: consent to SMS is neither read nor written."),
    Setting(name="sms_consent_time_field", label="Custom field of its time (SMS)", help="For example smsOptInAt."),
    Setting(name="consent_type_key", label="Custom type for customers without one",
            help="Key of the type that holds these fields. It is given to a customer who has none when consent is written back; "
            "empty: such a customer is asked about."),
    Setting(name="checkout_minutes", label="Minutes until a checkout counts as abandoned", kind="number", default=CHECKOUT_MINUTES,
            help="Since the last change of a cart that has a shipping address."),
    Setting(name="site_url", label="Address of the cart",
            help="Where a shopper goes on with a cart, for example https://shop.example.com/cart/{id}."),
    Setting(name="overlap_seconds", label="Seconds that every read of changes goes back", kind="number", default=OVERLAP_SECONDS,
            help="120 to 600: queries may show a change some seconds late."),
    Setting(name="message_overlap_seconds", label="Seconds that every read of messages goes back", kind="number",
            default=MESSAGE_OVERLAP_SECONDS, help="Messages become visible late and out of order: at least 120."),
    Setting(name="read_rate", label="Reads a second", kind="number", default=READ_RATE, help="0 = no quota. Gives way when asked to."),
    Setting(name="write_rate", label="Writes a second", kind="number", default=WRITE_RATE, help="0 = no quota."),
)  # fmt: skip

_DEFAULTS = {entry.name: entry.default for entry in SETTINGS}
_PROJECT_KEY = re.compile(r"[a-z0-9_-]{2,36}")


def setting(account: Account, name: str) -> Any:
    """A setting of the connection, its default when unset or empty."""
    value = account.settings.get(name)
    return _DEFAULTS[name] if value in (None, "") else value


def project_key(account: Account) -> str:
    """The project key, with which every path begins; raises Misconfigured for text that is none."""
    if not _PROJECT_KEY.fullmatch(account.external_id):
        raise Misconfigured("The account must be the project key, for example acme-shop: small letters, digits, - and _.")
    return account.external_id


def client_id(account: Account) -> str:
    """The API client's id; raises Misconfigured without one."""
    value = str(setting(account, "client_id") or "")
    if not value:
        raise Misconfigured("The connection has no client id: enter that of the API client in the Merchant Center.")
    return value


def client_secret(account: Account) -> str:
    """The API client's secret; raises Misconfigured without one."""
    secret = account.secrets.get("client_secret", "")
    if not secret:
        raise Misconfigured("The connection has no client secret: enter that of the API client in the Merchant Center.")
    return secret


def auth_address(account: Account) -> str:
    """Where tokens are issued: as set, else beside the API; raises Misconfigured where that cannot be told."""
    chosen = str(setting(account, "auth_url") or "").rstrip("/")
    if chosen:
        return chosen
    scheme, found, host = (account.base_url or API_ADDRESS).partition("://api.")
    if not found:
        raise Misconfigured("The address of the token service cannot be told from that of the API: enter it.")
    return f"{scheme}://auth.{host}".rstrip("/")


def wanted_scopes(account: Account) -> str:
    """The scopes to ask for, separated by blanks and ending in the project key; empty asks for all."""
    key = project_key(account)
    return " ".join(scope if ":" in scope else f"{scope}:{key}" for scope in words(account, "scopes"))


def words(account: Account, name: str) -> tuple[str, ...]:
    """The entries of a list setting, without empty ones."""
    value = setting(account, name)
    entries = value.split(",") if isinstance(value, str) else value or ()
    return tuple(word for entry in entries if (word := str(entry).strip()))


def number(account: Account, name: str, *, least: float = 0.0, most: float = 1e6) -> float:
    """A number setting; raises Misconfigured for what is none or lies outside its bounds."""
    label = next(entry.label for entry in SETTINGS if entry.name == name)
    try:
        value = float(setting(account, name))
    except (TypeError, ValueError):
        raise Misconfigured(f'"{label}" must be a number.') from None
    if not least <= value <= most:
        raise Misconfigured(f'"{label}" must lie between {least:g} and {most:g}.')
    return value


def rates_of(account: Account) -> Mapping[str, float]:
    """Calls a second by rate group, 0 for no quota; raises Misconfigured for what is no number."""
    return {group: number(account, f"{group}_rate") for group in ("read", "write")}
