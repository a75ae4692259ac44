"""What a basket costs: lines from variants, discounts spread over them, tax and shipping. Numbers only, no shop."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from integrations.standins.shopify.money import rounded, split, tax_of
from integrations.standins.shopify.orders import Application, LineItem, Order


@dataclass(frozen=True, slots=True)
class TaxRules:
    """How a shop taxes: rate as a fraction, inside the prices or on top."""

    rate: Decimal
    included: bool
    currency: str


def apply_discounts(lines: Sequence[LineItem], discounts: Sequence[Mapping], currency: str) -> list[Application]:
    """Spread discounts over the lines, each penny somewhere, and return them as applications.

    A discount is {"kind": "code"|"manual"|"automatic", "title", "value", "percentage": bool, "line": index or None}.
    """
    applications = []
    for index, wish in enumerate(discounts):
        chosen = lines if wish.get("line") is None else [lines[wish["line"]]]
        value, left = Decimal(str(wish["value"])), sum((line.net for line in chosen), Decimal(0))
        amount = rounded(left * value / 100, currency) if wish.get("percentage") else min(rounded(value, currency), left)
        for line, part in zip(chosen, split(amount, [line.net for line in chosen], currency), strict=True):
            line.allocations.append((index, part))
            if len(chosen) == 1 and wish.get("line") is not None:
                line.line_discount += part
        kind, title = wish.get("kind", "code"), wish.get("title", "Discount")
        applications.append(Application(index, kind, title, value, bool(wish.get("percentage")), wish.get("line") is None))
    return applications


def tax_lines(lines: Sequence[LineItem], rules: TaxRules) -> None:
    """Write each line's tax, rounded line by line."""
    for line in lines:
        line.tax = tax_of(line.net, rules.rate if line.taxable else Decimal(0), rules.currency, included=rules.included)


def rules_of(order: Order) -> TaxRules:
    """The tax rules an order was made under."""
    return TaxRules(order.tax_rate, order.taxes_included, order.currency)


def take(line: LineItem, quantity: int, currency: str) -> tuple[Decimal, Decimal]:
    """Net and tax that leave with some units; the last unit takes what is left, so nothing is lost to rounding.

    Counts the amounts as gone but not the units; raises ValueError when the line has fewer.
    """
    left = line.current
    if not 0 < quantity <= left:
        raise ValueError(f"Line {line.id} has {left} units left, not {quantity}.")
    share = Decimal(quantity) / left
    net = line.net - line.gone_net if quantity == left else rounded((line.net - line.gone_net) * share, currency)
    tax = line.tax - line.gone_tax if quantity == left else rounded((line.tax - line.gone_tax) * share, currency)
    line.gone_net += net
    line.gone_tax += tax
    return net, tax


def add_units(line: LineItem, quantity: int, rules: TaxRules) -> None:
    """More units of a line at its price, without any discount."""
    added = line.unit_price * quantity
    line.quantity += quantity
    line.tax += tax_of(added, rules.rate if line.taxable else Decimal(0), rules.currency, included=rules.included)
