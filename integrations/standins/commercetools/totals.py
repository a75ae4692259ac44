"""What a cart comes to: lines, custom lines, shipping, discounts on the total, taxes."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from integrations.standins.commercetools.money import cents, net, share, times

# name, rate, whether prices have it in them; a country that is not here has no tax rate
TAXES = {
    "GB": ("UK VAT", "0.2", True), "DE": ("MwSt.", "0.19", True), "FR": ("TVA", "0.2", True), "ES": ("IVA", "0.21", True),
    "AT": ("MwSt.", "0.2", True), "US": ("Sales tax", "0.08", False),
}  # fmt: skip


def tax_rate(country: str) -> dict[str, Any] | None:
    """The rate of a country as lines show it."""
    if country not in TAXES:
        return None
    name, rate, included = TAXES[country]
    return {"name": name, "amount": float(rate), "includedInPrice": included, "country": country, "id": f"rate-{country}", "subRates": []}


def recalculate(doc: dict[str, Any], *, off_total: int = 0) -> None:
    """Work out a cart anew; ``off_total`` is what discounts take from the total, in hundredths of a percent."""
    currency, country = doc["totalPrice"]["currencyCode"], (doc.get("shippingAddress") or {}).get("country", "")
    rate = tax_rate(country)
    for line in doc["lineItems"]:
        _work_out(line, rate)
    for line in doc["customLineItems"]:
        line["totalPrice"] = cents(currency, times(line["money"], line["quantity"]))
        line["taxedPrice"], line["taxRate"] = _taxed(line["totalPrice"], rate), rate
    shipping = doc.get("shippingInfo")
    if shipping:
        shipping["taxedPrice"], shipping["taxRate"] = _taxed(shipping["price"], rate), rate
    parts = [line["totalPrice"]["centAmount"] for line in (*doc["lineItems"], *doc["customLineItems"])]
    parts += [shipping["price"]["centAmount"]] if shipping else []
    whole = sum(parts)
    off = share(whole, off_total) if off_total else 0
    doc["discountOnTotalPrice"] = {"discountedAmount": cents(currency, off), "includedDiscounts": []} if off else None
    doc["totalPrice"] = cents(currency, whole - off)
    doc["taxedPrice"] = _taxed(doc["totalPrice"], rate)
    doc["taxedShippingPrice"] = shipping.get("taxedPrice") if shipping else None


def _work_out(line: dict[str, Any], rate: Mapping[str, Any] | None) -> None:
    price = line["price"]
    unit = (price.get("discounted") or price)["value"]
    groups: Sequence[Mapping[str, Any]] = line["discountedPricePerQuantity"]
    amount = (
        sum(times(group["discountedPrice"]["value"], group["quantity"]) for group in groups) if groups else times(unit, line["quantity"])
    )
    if line["lineItemMode"] == "GiftLineItem":
        amount = 0
    line["totalPrice"] = cents(unit["currencyCode"], amount)
    line["taxRate"], line["taxedPrice"] = rate, _taxed(line["totalPrice"], rate)


def _taxed(money: Mapping[str, Any], rate: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if rate is None:
        return None
    currency, amount, part = money["currencyCode"], money["centAmount"], Decimal(str(rate["amount"]))
    low = net(amount, part) if rate["includedInPrice"] else amount
    high = amount if rate["includedInPrice"] else amount + share(amount, int(part * 10_000))
    portion = {"name": rate["name"], "rate": rate["amount"], "amount": cents(currency, high - low)}
    return {
        "totalNet": cents(currency, low), "totalGross": cents(currency, high), "totalTax": cents(currency, high - low),
        "taxPortions": [portion],
    }  # fmt: skip
