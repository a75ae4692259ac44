"""What rooms say about requests of people: a platform's message that asks for one, and how a platform is asked to erase somebody.

Like the rest of a platform room nothing here knows Django or the database.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol


class Wish(StrEnum):
    """What is asked for."""

    EXPORT = "data_request"
    ERASURE = "erasure"
    SHOP = "shop_erasure"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacyAsk:
    """A platform's message about somebody's data, with every name it gives; `reference` is the platform's own number of the request."""

    wish: Wish
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    customers: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
    reference: str = ""


class Erasure(Protocol):
    """How a destination is asked to erase a person; what it has erased cannot be brought back."""

    def ask(self, client: Any, email: str) -> str:
        """Ask for it; returns the request's id there. Raises Refused when it will not, SlowDown when it is not our turn."""

    def is_done(self, client: Any, reference: str) -> bool:
        """Whether the request has been carried out; raises Refused when it was turned down."""
