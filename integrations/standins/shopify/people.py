"""Customers as the shop keeps them; times are aware UTC, states are in the API's upper case."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal


@dataclass(slots=True)
class Metafield:
    """One extra field of an object."""

    id: int
    namespace: str
    key: str
    type: str
    value: str
    updated_at: datetime


@dataclass(slots=True)
class Consent:
    """Marketing permission of one channel; ``updated_at`` moves only when the state does."""

    state: str
    level: str | None = None
    updated_at: datetime | None = None
    collected_from: str | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address; ``country_code`` is ISO 3166 alpha-2."""

    id: int = 0
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    address1: str | None = None
    address2: str | None = None
    city: str | None = None
    zip: str | None = None
    province: str | None = None
    province_code: str | None = None
    country: str | None = None
    country_code: str | None = None
    phone: str | None = None


@dataclass(slots=True)
class Customer:
    """A customer; ``spent`` is in shop currency and counts what was paid less what was refunded."""

    id: int
    created_at: datetime
    updated_at: datetime
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None
    state: str = "DISABLED"
    locale: str = "en"
    tags: list[str] = field(default_factory=list)
    note: str | None = None
    verified_email: bool = True
    tax_exempt: bool = False
    data_sale_opt_out: bool = False
    email_consent: Consent = field(default_factory=lambda: Consent("NOT_SUBSCRIBED"))
    sms_consent: Consent = field(default_factory=lambda: Consent("NOT_SUBSCRIBED"))
    addresses: list[Address] = field(default_factory=list)
    metafields: list[Metafield] = field(default_factory=list)
    orders_count: int = 0
    spent: Decimal = Decimal(0)
    last_order_id: int | None = None
    indexed_at: float | None = None
    indexed_as: datetime | None = None
