"""Invented people, places and goods for generated shops; e-mail addresses and phone numbers are from ranges kept for such use."""

from random import Random

FIRST_NAMES = (
    "Ada", "Bram", "Clea", "Dario", "Elif", "Femi", "Greta", "Hugo", "Ines", "Jonas", "Kaia", "Leon", "Mira", "Nils", "Odile", "Pavel",
    "Quinn", "Rosa", "Sami", "Tilda", "Umar", "Vera", "Wim", "Xenia", "Yara", "Zoë",
)  # fmt: skip
LAST_NAMES = (
    "Ashdown", "Birkwood", "Calloway", "Dunmore", "Elderfield", "Farrow", "Glasson", "Hartwell", "Inglis", "Juniper", "Kestrel", "Lomax",
    "Merrow", "Norcott", "Oakhurst", "Penrose", "Quill", "Ravensworth", "Sallow", "Thistle", "Underhill", "Venning", "Wexcombe", "Yarrow",
)  # fmt: skip
STREETS = ("High Street", "Mill Lane", "Station Road", "Orchard Way", "Chapel Hill", "Garden Row")
# city, postcode, province, province code, country, country code
PLACES = (
    ("Leeds", "LS1 1AA", "England", "ENG", "United Kingdom", "GB"),
    ("Bristol", "BS1 1AA", "England", "ENG", "United Kingdom", "GB"),
    ("Glasgow", "G1 1AA", "Scotland", "SCT", "United Kingdom", "GB"),
    ("Cardiff", "CF10 1AA", "Wales", "WLS", "United Kingdom", "GB"),
    ("Bremen", "28195", None, None, "Germany", "DE"),
    ("Leipzig", "04109", None, None, "Germany", "DE"),
)
GOODS = (
    ("Walking Boot", "Shoes", "Apparel & Accessories > Shoes"),
    ("Linen Shirt", "Shirts", "Apparel & Accessories > Clothing > Clothing Tops > Shirts"),
    ("Wool Jumper", "Knitwear", "Apparel & Accessories > Clothing > Clothing Tops > Sweaters"),
    ("Rain Jacket", "Jackets", "Apparel & Accessories > Clothing > Outerwear > Coats & Jackets"),
    ("Canvas Tote", "Bags", "Apparel & Accessories > Handbags, Wallets & Cases > Handbags"),
    ("Stoneware Mug", "Kitchen", "Home & Garden > Kitchen & Dining > Tableware > Drinkware > Mugs"),
    ("Oak Board", "Kitchen", "Home & Garden > Kitchen & Dining > Kitchen Tools & Utensils > Cutting Boards"),
    ("Beeswax Candle", "Home", "Home & Garden > Decor > Home Fragrances > Candles"),
    ("Garden Trowel", "Garden", "Home & Garden > Lawn & Garden > Gardening > Gardening Tools > Trowels"),
    ("Field Notebook", "Stationery", "Office Supplies > General Office Supplies > Paper Products > Notebooks & Notepads"),
)
STYLES = ("Heron", "Moss", "Ember", "Tide", "Slate", "Fern")
SIZES = {"Shoes": ("38", "40", "42"), "Shirts": ("S", "M", "L"), "Knitwear": ("S", "M", "L"), "Jackets": ("S", "M", "L")}
COLOURS = ("Natural", "Blue")
# Ofcom keeps 020 7946 0000 to 0999 for drama use; unlike its mobile range it passes for valid in numbering libraries
DRAMA_NUMBERS = 1000
USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def gtin(number: int) -> str:
    """An EAN-13 from the range kept for use inside shops, with a right check digit."""
    digits = f"200{number:09d}"
    check = -sum(int(digit) * (3 if index % 2 else 1) for index, digit in enumerate(digits)) % 10
    return f"{digits}{check}"


def phone(number: int) -> str | None:
    """The n-th drama number in E.164, None when they are used up."""
    return f"+442079460{number:03d}" if number < DRAMA_NUMBERS else None


def person(random: Random, number: int) -> dict[str, str]:
    """First name, last name and a unique e-mail address at example.com."""
    first, last = random.choice(FIRST_NAMES), random.choice(LAST_NAMES)
    return {"first_name": first, "last_name": last, "email": f"{first.replace('ë', 'e')}.{last}.{number}@example.com".lower()}


def address(random: Random) -> dict[str, str | None]:
    """A postal address that does not exist."""
    city, code, province, province_code, country, country_code = random.choice(PLACES)
    return {
        "address1": f"{random.randint(1, 99)} {random.choice(STREETS)}",
        "city": city,
        "zip": code,
        "province": province,
        "province_code": province_code,
        "country": country,
        "country_code": country_code,
    }


def product(random: Random, index: int) -> dict:
    """The n-th product of a catalogue of sixty, as ``create_product`` takes it."""
    (name, kind, category), style = GOODS[index % len(GOODS)], STYLES[index // len(GOODS) % len(STYLES)]
    title, handle = f"{style} {name}", f"{style}-{name}".lower().replace(" ", "-")
    price = random.randrange(6, 120)
    option = "Size" if kind in SIZES else "Colour"
    variants = [
        {
            "sku": f"{style[:3]}-{''.join(word[0] for word in name.split())}{index:02d}-{value[:3]}".upper(),
            "barcode": gtin(index * 10 + position),
            "price": f"{price}.{'00' if index % 2 else '50'}",
            "compare_at": f"{price + 10}.00" if index % 5 == 0 else None,
            "inventory": random.choice((0, 3, 40, 200, 500)),
            "options": [(option, value)],
        }
        for position, value in enumerate(SIZES.get(kind, COLOURS))
    ]
    return {
        "handle": handle,
        "title": title,
        "html": f"<p>{title}, made to last.</p>",
        "vendor": style,
        "type": kind,
        "tags": [kind.lower()] + (["sale"] if index % 5 == 0 else []),
        "category": (f"gid://shopify/TaxonomyCategory/demo-{index % len(GOODS)}", category),
        "variants": variants,
        "images": [f"https://cdn.example/{handle}-{number}.jpg" for number in (1, 2)],
        "translations": {"de": {"title": f"{title} (deutsch)"}},
    }
