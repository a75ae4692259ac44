"""Personal data as list pages and the API may show it."""

from __future__ import annotations

import re
from typing import Any

E_MAIL_FIELDS = {"email", "identity_email"}
PHONE_FIELDS = {"phone", "phone_number", "identity_phone_number"}
NAME_FIELDS = {"first_name", "last_name", "firstname", "lastname", "middlename", "company"}
NUMBER = re.compile(r"(?<!\d)(?<!\d-)(?!\d{4}-\d\d-\d\d\b)\+?\d[\d().\-\s]{5,}\d")  # anything that may be a phone number, dates are none
PLACE_FIELDS = {"line1", "line2", "postcode", "ip_address", "address1", "address2", "zip", "browser_ip", "date_of_birth"}


def mask_email(value: str) -> str:
    """First letter and domain: a•••@example.com."""
    local, at, domain = value.partition("@")
    return f"{local[:1]}•••@{domain}" if at else mask_name(value)


def mask_phone(value: str) -> str:
    """The last two digits only."""
    return f"•••{value[-2:]}" if value else ""


def mask_name(value: str) -> str:
    """The first letter only."""
    return f"{value[:1]}•••" if value else ""


def masked(data: Any, field: str = "") -> Any:
    """A copy of a record, payload or message body in which personal values are masked; structure and other values stay."""
    if isinstance(data, dict):
        return {key: masked(value, key) for key, value in data.items()}
    if isinstance(data, list):
        return [masked(value, field) for value in data]
    if not isinstance(data, str) or not data:
        return data
    if field in E_MAIL_FIELDS or ("@" in data and "." in data.rpartition("@")[2] and " " not in data and "://" not in data):
        return mask_email(data)
    if field in PHONE_FIELDS:
        return mask_phone(data)
    if field in NAME_FIELDS:
        return mask_name(data)
    return "•••" if field in PLACE_FIELDS else data


def masked_text(text: str) -> str:
    """A sentence in which addresses and everything that may be a phone number are masked."""
    words = (str(masked(word)) for word in text.split())
    return NUMBER.sub(lambda found: mask_phone(found.group()), " ".join(words))
