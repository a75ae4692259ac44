"""A great many orders that take no memory: each is made from its index, out of a few hundred that were really lived."""

from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from integrations.standins.shopify import words
from integrations.standins.shopify.ids import zulu
from integrations.standins.shopify.lives import Lives
from integrations.standins.shopify.money import rounded
from integrations.standins.shopify.order_life import create_order, fulfil
from integrations.standins.shopify.orders import Order
from integrations.standins.shopify.people import Consent, Customer
from integrations.standins.shopify.returns import refund
from integrations.standins.shopify.shops import Shop
from integrations.standins.shopify.standin import ShopifyStandIn

PATTERNS = 300
LINES_PER_ORDER = 8
TRANSACTIONS_PER_ORDER = 4
# numbers and a time that stand for what differs between the orders of one pattern
TOKEN = 7_777_000_000_000_000_000
TOKEN_TIME = datetime(9777, 1, 2, 3, 4, 5, tzinfo=UTC)
# spreads orders over customers without a visible pattern
STRIDE = 7919
EMAIL = "filler.{}@example.com"


@dataclass(frozen=True, slots=True)
class FilledOrders:
    """Orders in equal steps of time from ``begin``."""

    first_id: int
    count: int
    begin: datetime
    step: timedelta
    patterns: list[Order]
    first_number: int
    first_line_id: int
    first_transaction_id: int
    first_customer_id: int
    customers: int

    def moment(self, index: int) -> datetime:
        """When an order was placed and last changed."""
        return (self.begin + self.step * index).replace(microsecond=0)

    def make(self, index: int) -> Order:
        """The order at an index."""
        owner = self._owner(index)
        return _shaped(
            self.pattern(index),
            number=self.first_number + index,
            at=self.moment(index),
            email=EMAIL.format(owner),
            ids=(
                self.first_id + index,
                self.first_customer_id + owner,
                self.first_line_id + index * LINES_PER_ORDER,
                self.first_transaction_id + index * TRANSACTIONS_PER_ORDER,
            ),
        )

    def pattern(self, index: int) -> Order:
        """The lived order that the one at an index is like."""
        return self.patterns[index % len(self.patterns)]

    def blank(self, pattern: Order) -> Order:
        """A pattern with a token wherever its orders differ."""
        ids = TOKEN + 1, self.first_customer_id, TOKEN + 10, TOKEN + 20
        return _shaped(pattern, number=TOKEN + 2, at=TOKEN_TIME, email=EMAIL.format(TOKEN + 3), ids=ids)

    def token_pattern(self) -> bytes:
        """A regular expression for every token."""
        return b"%s|%s|%d" % (rb"7777\d{15}", zulu(TOKEN_TIME).encode(), self.first_customer_id)

    def tokens(self, index: int) -> dict[bytes, bytes]:
        """What stands for each token in the order at an index."""
        owner = self._owner(index)
        values = {
            TOKEN + 1: self.first_id + index,
            TOKEN + 2: self.first_number + index,
            TOKEN + 3: owner,
            # a customer who exists, because resolvers look it up
            self.first_customer_id: self.first_customer_id + owner,
        }
        line, transaction = self.first_line_id + index * LINES_PER_ORDER, self.first_transaction_id + index * TRANSACTIONS_PER_ORDER
        values.update({TOKEN + 10 + place: line + place for place in range(LINES_PER_ORDER)})
        values.update({TOKEN + 20 + place: transaction + place for place in range(TRANSACTIONS_PER_ORDER)})
        found = {b"%d" % token: b"%d" % value for token, value in values.items()}
        found[zulu(TOKEN_TIME).encode()] = zulu(self.moment(index)).encode()
        return found

    def _owner(self, index: int) -> int:
        return index * STRIDE % self.customers


def _shaped(pattern: Order, *, number: int, at: datetime, email: str, ids: tuple[int, int, int, int]) -> Order:
    """The pattern as another order; ids are those of order and customer, of the first line and of the first transaction."""
    order_id, customer_id, first_line, first = ids
    line_ids = {line.id: first_line + place for place, line in enumerate(pattern.lines)}
    return replace(
        pattern,
        id=order_id,
        number=number,
        created_at=at,
        updated_at=at,
        customer_id=customer_id,
        email=email,
        lines=[replace(line, id=line_ids[line.id]) for line in pattern.lines],
        transactions=[replace(one, id=first + place, processed_at=at) for place, one in enumerate(pattern.transactions)],
        fulfillments=[
            replace(parcel, id=first, created_at=at, updated_at=at, lines=[(n, line_ids[line], q) for n, line, q in parcel.lines])
            for parcel in pattern.fulfillments
        ],
        refunds=[
            replace(made, id=first, created_at=at, lines=[replace(line, line_id=line_ids[line.line_id]) for line in made.lines])
            for made in pattern.refunds
        ],
    )


@dataclass(frozen=True, slots=True)
class FilledCustomers:
    """Customers in equal steps of time from ``begin``, each with an equal share of the orders."""

    first_id: int
    count: int
    begin: datetime
    step: timedelta
    orders: int
    currency: str

    def moment(self, index: int) -> datetime:
        """When a customer signed up and was last changed."""
        return (self.begin + self.step * index).replace(microsecond=0)

    def make(self, index: int) -> Customer:
        """The customer at an index."""
        at = self.moment(index)
        return Customer(
            self.first_id + index,
            at,
            at,
            first_name=words.FIRST_NAMES[index % len(words.FIRST_NAMES)],
            last_name=words.LAST_NAMES[index // 7 % len(words.LAST_NAMES)],
            email=EMAIL.format(index),
            email_consent=Consent("SUBSCRIBED", "SINGLE_OPT_IN", at) if index % 2 else Consent("NOT_SUBSCRIBED"),
            orders_count=self.orders // self.count,
            spent=rounded(0, self.currency),
            indexed_at=0.0,
            indexed_as=at,
        )

    def find(self, handle: str) -> int | None:
        """The id of the customer with an e-mail address."""
        digits = handle.removeprefix("filler.").removesuffix("@example.com")
        index = int(digits) if digits.isdecimal() else self.count
        return self.first_id + index if index < self.count and handle == EMAIL.format(index) else None


def fill_orders(
    stand_in: ShopifyStandIn,
    count: int,
    *,
    domain: str | None = None,
    lines: int = 2,
    days: float = 365,
    customers: int | None = None,
    refunded: float = 0.0,
    fulfilled: float = 0.0,
    seed: int = 1,
) -> Shop:
    """Give a shop so many past orders with ``lines`` to ``lines + 1`` lines each, and the customers they belong to.

    ``refunded`` and ``fulfilled`` are shares of the orders. Raises ValueError when the shop is filled already.
    """
    shop = stand_in.shop(domain)
    with shop.lock:
        if shop.orders.filler is not None:
            raise ValueError("The shop is filled already.")
        Lives(stand_in, domain, seed).catalogue()
        people = customers or max(1, count // 4)
        now, span = shop.now(), timedelta(days=days)
        shop.customers.filler = FilledCustomers(
            shop.reserve_ids("Customer", people), people, now - span * 2, span / people, count, shop.spec.currency
        )
        shop.orders.filler = FilledOrders(
            first_id=shop.reserve_ids("Order", count),
            count=count,
            begin=now - span,
            step=span / count,
            patterns=_patterns(shop, lines, refunded=refunded, fulfilled=fulfilled, seed=seed),
            first_number=shop.next_number,
            first_line_id=shop.reserve_ids("LineItem", count * LINES_PER_ORDER),
            first_transaction_id=shop.reserve_ids("OrderTransaction", count * TRANSACTIONS_PER_ORDER),
            first_customer_id=shop.customers.filler.first_id,
            customers=people,
        )
        shop.next_number += count
    return shop


def _patterns(shop: Shop, lines: int, *, refunded: float, fulfilled: float, seed: int) -> list[Order]:
    """Orders lived in a copy of the shop that is thrown away."""
    random = Random(seed)  # noqa: S311 - reproducible, not secret
    scratch = Shop(shop.spec, clock=shop.clock, ledger=shop.ledger, seed=seed)
    scratch.products.live, scratch.variants.live = deepcopy(shop.products.live), deepcopy(shop.variants.live)
    variants = list(scratch.variants.live)
    made = []
    for _ in range(PATTERNS):
        basket = [{"variant_id": one, "quantity": random.choice((1, 1, 2))} for one in random.sample(variants, lines + random.randrange(2))]
        code = [{"title": "TEN", "value": 10, "percentage": True}] if random.random() < 0.2 else []
        order = create_order(scratch, lines=basket, discounts=code, shipping=random.choice((0, Decimal(4))))
        if random.random() < fulfilled:
            fulfil(scratch, order.id)
        if random.random() < refunded:
            refund(scratch, order.id, lines={order.lines[0].id: 1})
        order.journey_ready_at = None
        order.indexed_at, order.indexed_as = 0.0, order.updated_at
        made.append(order)
    return made
