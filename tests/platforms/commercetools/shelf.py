"""A shop's goods at the stand-in, made and changed over its API, and a client of ours beside it that counts its calls."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from integrations.platforms.base import Account, RawObject, Unpaced, Window
from integrations.platforms.commercetools import PLATFORM
from integrations.platforms.commercetools.auth import CommercetoolsAuth
from integrations.platforms.commercetools.client import CommercetoolsClient
from integrations.standins.commercetools import CommercetoolsStandIn
from integrations.standins.commercetools.specs import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, DEMO_PROJECT
from mapping.records import Product, Record, Variant

MARKETS = ["GB:GBP:en-GB:uk", "DE:EUR:de", "FR:EUR:fr", "ES:EUR:es", "US:USD:en-US"]
COLOURS = {
    "black": {"en-GB": "Black", "de": "Schwarz", "fr": "Noir", "es": "Negro"},
    "red": {"en-GB": "Red", "de": "Rot", "fr": "Rouge", "es": "Rojo"},
}
ENUM = {"name": "lenum", "values": [{"key": key, "label": label} for key, label in COLOURS.items()]}
ATTRIBUTES = [
    {"name": "color", "label": {"en-GB": "Colour"}, "type": ENUM, "attributeConstraint": "None", "isRequired": False},
    {"name": "colors", "label": {"en-GB": "Colours"}, "type": {"name": "set", "elementType": ENUM}, "attributeConstraint": "None",
     "isRequired": False},
    {"name": "size", "label": {"en-GB": "Size"}, "type": {"name": "text"}, "attributeConstraint": "CombinationUnique", "isRequired": False},
]  # fmt: skip


class Counting(Unpaced):
    """A pacer that lets everything through and counts it."""

    def __init__(self) -> None:
        self.calls = 0

    def take(self, group: str, cost: float = 1) -> None:
        """One more call."""
        self.calls += int(cost)


def account_at(address: str, **settings: Any) -> Account:
    """A connection to the stand-in with five markets."""
    return Account(
        connection_id=1, platform="commercetools", external_id=DEMO_PROJECT, base_url=f"{address}/api",
        secrets={"client_secret": DEMO_CLIENT_SECRET},
        settings={
            "client_id": DEMO_CLIENT_ID, "auth_url": f"{address}/auth", "markets": MARKETS, "read_rate": 0, "write_rate": 0,
            "product_url": "https://shop.example.com/{language}/p/{slug}", **settings,
        },
    )  # fmt: skip


def money(cents: int, currency: str = "GBP") -> dict[str, Any]:
    """An amount as drafts write it."""
    return {"currencyCode": currency, "centAmount": cents}


def five_prices(cents: int) -> list[dict[str, Any]]:
    """A price for each of the five markets: one more cent in each."""
    places = (("GBP", "GB"), ("EUR", "DE"), ("EUR", "FR"), ("EUR", "ES"), ("USD", "US"))
    return [{"value": money(cents + number, currency), "country": country} for number, (currency, country) in enumerate(places)]


@dataclass(slots=True)
class Shelf:
    """The goods of the demo project."""

    stand_in: CommercetoolsStandIn
    account: Account
    pacer: Counting = field(default_factory=Counting)
    client: CommercetoolsClient = field(init=False)
    type_id: str = field(init=False)

    def __post_init__(self) -> None:
        tokens = CommercetoolsAuth().refresh(self.account)
        assert tokens is not None
        secrets = {**self.account.secrets, **{kind: value for kind, (value, _) in tokens.values.items()}}
        self.account = replace(self.account, secrets=secrets)
        self.client = CommercetoolsClient(self.account, self.pacer)
        made = self.client.post("/product-types", {"key": "shirts", "name": "Shirts", "description": "-", "attributes": ATTRIBUTES})
        self.type_id = made["id"]

    def another_client(self, **settings: Any) -> CommercetoolsClient:
        """A client of the same project with other settings, that has read nothing yet."""
        return CommercetoolsClient(replace(self.account, settings={**self.account.settings, **settings}), self.pacer)

    def category(self, key: str, name: dict[str, str], parent: str = "") -> dict[str, Any]:
        """A new category, below another one's id if that is named."""
        above = {"parent": {"typeId": "category", "id": parent}} if parent else {}
        return self.client.post("/categories", {"key": key, "name": name, "slug": {"en-GB": key}, **above})

    def product(self, *variants: dict[str, Any], publish: bool = True, **changes: Any) -> dict[str, Any]:
        """A new product with these variants."""
        first, *others = variants
        draft = {
            "productType": {"typeId": "product-type", "id": self.type_id}, "name": {"en-GB": "Basic tee", "de": "T-Shirt"},
            "slug": {"en-GB": f"tee-{first.get('sku', 'none').lower()}"}, "masterVariant": first, "variants": others, "publish": publish,
        }  # fmt: skip
        return self.client.post("/products", {**draft, **changes})

    def change(self, path: str, *actions: dict[str, Any]) -> dict[str, Any]:
        """Change a resource by these actions."""
        held = self.client.update(path, lambda _: actions)
        assert held is not None
        return held

    def now(self) -> datetime:
        """The stand-in's time."""
        return datetime.fromtimestamp(self.stand_in.clock.now(), UTC)

    def pull(self, reader: str, since: datetime, client: CommercetoolsClient | None = None) -> tuple[list[Record], list[str]]:
        """All records that a reader brings from then up to now, and what its pages say."""
        self.stand_in.clock.advance(2)
        window, cursor, objects, notes = Window(since=since, until=self.now() + timedelta(hours=1)), None, [], []
        while True:
            page = PLATFORM.readers[reader].pull(client or self.client, window, cursor)
            objects += page.objects
            notes.append(page.note)
            cursor = page.cursor
            if cursor is None:
                return self.records(objects), notes

    def records(self, objects: list[RawObject]) -> list[Record]:
        """What the room makes of raw objects."""
        assert PLATFORM.parse is not None
        return [record for raw in objects for record in PLATFORM.parse(self.account, raw)]


def products(records: list[Record]) -> list[Product]:
    """The products among records."""
    return [record for record in records if isinstance(record, Product)]


def variants(records: list[Record]) -> list[Variant]:
    """The variants among records."""
    return [record for record in records if isinstance(record, Variant)]
