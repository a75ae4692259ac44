"""Postal addresses of customers, carts and orders."""

from collections.abc import Mapping
from typing import Any

from integrations.standins.commercetools.errors import Refusal, required, wrong_field
from integrations.standins.commercetools.schema import ADDRESS

NAMES = frozenset(ADDRESS)


def address_of(draft: Any) -> dict[str, Any]:
    """An address from its draft, unknown fields left out; raises Refusal without a country."""
    if not isinstance(draft, Mapping):
        raise Refusal("InvalidJsonInput", "An address is an object.")
    country = draft.get("country")
    if not country:
        raise required("country")
    if not isinstance(country, str) or len(country) != 2 or not country.isupper():
        raise wrong_field("country", country)
    return {name: value for name, value in draft.items() if name in NAMES and value is not None}
