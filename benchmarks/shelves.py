"""A made-up catalogue of 50,000 variants and unknown lines like those that market places send, the same in every run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice, product

from mapping.records import Line, Price, Variant

ADJECTIVES = (
    "Organic", "Linen", "Slim", "Classic", "Striped", "Washed", "Quilted", "Ribbed", "Merino", "Recycled", "Vintage", "Relaxed", "Cropped",
    "Padded", "Printed", "Brushed", "Woven", "Heavy", "Light", "Coastal",
)  # fmt: skip
MATERIALS = (
    "Cotton", "Wool", "Bamboo", "Denim", "Canvas", "Velvet", "Jersey", "Fleece", "Silk", "Hemp", "Oak", "Ceramic", "Steel", "Glass",
    "Copper", "Lavender", "Citrus", "Cedar", "Rose", "Mint",
)  # fmt: skip
THINGS = (
    "Shirt", "Hoodie", "Trousers", "Jacket", "Scarf", "Apron", "Cushion", "Blanket", "Mug", "Bowl", "Candle", "Soap", "Dish", "Lamp",
    "Towel", "Basket", "Wallet", "Beanie", "Vest", "Tray", "Jug", "Rug", "Bag", "Belt", "Robe",
)  # fmt: skip
COLOURS, SIZES = ("Red", "Blue", "Green", "White", "Black"), ("S", "M", "L", "XL")
AT = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Thing:
    """One variant, and the words it is made of."""

    variant: Variant
    title: str
    colour: str
    size: str
    price: Decimal


def things(count: int) -> Iterator[Thing]:
    """So many variants, twenty to a product."""
    names = (f"{adjective} {material} {thing}" for adjective, material, thing in product(ADJECTIVES, MATERIALS, THINGS))
    return islice((_thing(number, name, c, s) for number, name in enumerate(names) for c in COLOURS for s in SIZES), count)


def _thing(number: int, name: str, colour: str, size: str) -> Thing:
    sku = "-".join([*(word[:3].upper() for word in name.split()), f"{number:05d}", colour[:3].upper(), size])
    price = Decimal(500 + (number * 37) % 9000).scaleb(-2)
    variant = Variant(
        key=f"V-{sku}", occurred_at=AT, product_key=f"P-{number}", sku=sku, title=f"{colour} / {size}", product_title=name,
        options={"Colour": colour, "Size": size}, prices=(Price(market="", currency="GBP", regular=price),),
    )  # fmt: skip
    return Thing(variant, name, colour, size, price)


def unknown(number: int, thing: Thing, other: Thing) -> Line:
    """A line that is this thing under another name; each number is another kind of riddle."""
    sku, title, variant, price = _RIDDLES[number % len(_RIDDLES)](number, thing, other)
    money = {"unit_price": price, "subtotal": price, "total": price}
    return Line(key="1", sku=sku, title=title, variant_title=variant, product_key=f"T{number}", **money)


_RIDDLES = (
    lambda n, a, b: (a.variant.sku.lower().replace("-", "_"), a.title, f"{a.colour}, {a.size}", a.price),
    lambda n, a, b: (f"TT-{a.variant.sku}-UK", "New in", "Default", a.price),
    lambda n, a, b: (f"Q{n}", f"{a.title} for everybody, summer sale", f"{a.colour}, {a.size}", a.price),
    lambda n, a, b: (f"R{n}", a.title.replace("o", "", 1), f"{a.size}, {a.colour}", a.price),
    lambda n, a, b: (f"SET-{a.variant.sku}-{b.variant.sku}", "Gift set", "Default", a.price * 2 + b.price),
    lambda n, a, b: (f"G{n}", f"Set of {a.title} and {b.title}", f"{a.colour}, {a.size}", a.price + b.price),
    lambda n, a, b: (f"N{n}", "Something that nobody ever had in stock", "Default", Decimal("1.23")),
)
