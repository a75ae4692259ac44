"""The collections that are read as a whole: where they are, what comes along, and what counts as their place in history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from integrations.platforms.base import Account
from integrations.platforms.commercetools.client import Query, Where

CHANGED = "lastModifiedAt >= :since and lastModifiedAt < :until"
PLACED = "(completedAt >= :since and completedAt < :until) or (completedAt is not defined and createdAt >= :since and createdAt < :until)"
KNOWN_PERSON = Where("customerEmail is defined or customerId is defined")  # carts of nobody in particular lead to nobody


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One collection. `expand` are references to bring along, each with the scopes that allow it; `history` is the span of a backfill."""

    name: str
    path: str
    shape: str
    expand: tuple[tuple[str, tuple[str, ...]], ...] = ()
    only: tuple[Where, ...] = ()
    history: str = CHANGED
    limit: int = 500


GROUPS = ("view_customers", "manage_customers")
PAYMENT_SCOPES = ("view_payments", "manage_payments")
DISCOUNTS = ("view_discount_codes", "manage_discount_codes")

CUSTOMERS = Source(
    name="customers", path="/customers", shape="customer",
    expand=(("customerGroup", GROUPS), ("customerGroupAssignments[*].customerGroup", GROUPS)),
)  # fmt: skip
ORDERS = Source(
    name="orders", path="/orders", shape="order", history=PLACED, limit=250,
    expand=(("paymentInfo.payments[*]", PAYMENT_SCOPES), ("discountCodes[*].discountCode", DISCOUNTS)),
)  # fmt: skip
PAYMENTS = Source(name="payments", path="/payments", shape="order", limit=100)  # each leads to its orders
CARTS = Source(name="carts", path="/carts", shape="cart", only=(KNOWN_PERSON,), limit=250)


def expansions(account: Account, source: Source) -> tuple[str, ...]:
    """The references that the granted scopes let through; all of them while it is not known what was granted."""
    granted = account.settings.get("granted_scopes")
    held = {str(scope).partition(":")[0] for scope in granted} if isinstance(granted, (list, tuple)) else set()
    return tuple(path for path, scopes in source.expand if not held or held & {"manage_project", *scopes})


def query_of(account: Account, source: Source, *where: Where, sort: Sequence[str] = ()) -> Query:
    """A question to a collection, with what it always leaves out and brings along."""
    return Query(
        path=source.path, where=(*where, *source.only), sort=tuple(sort), expand=expansions(account, source), limit=source.limit
    )  # fmt: skip
