"""Products, variants and collections as the shop keeps them; prices are in shop currency."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from integrations.standins.shopify.people import Metafield


@dataclass(slots=True)
class ProductVariant:
    """One sellable variant; ``inventory`` is the stock over all locations."""

    id: int
    product_id: int
    inventory_item_id: int
    title: str
    sku: str | None
    barcode: str | None
    position: int
    price: Decimal
    compare_at: Decimal | None
    inventory: int
    created_at: datetime
    updated_at: datetime
    options: tuple[tuple[str, str], ...] = ()
    policy: str = "DENY"
    tracked: bool = True
    taxable: bool = True
    requires_shipping: bool = True
    grams: int = 400
    image: int | None = None
    indexed_at: float | None = None
    indexed_as: datetime | None = None


@dataclass(slots=True)
class Image:
    """A product picture."""

    id: int
    url: str
    alt: str | None = None


@dataclass(slots=True)
class Collection:
    """A group of products."""

    id: int
    handle: str
    title: str
    updated_at: datetime
    indexed_at: float | None = None
    indexed_as: datetime | None = None


@dataclass(slots=True)
class Product:
    """A product with its variants by id in order of position."""

    id: int
    handle: str
    title: str
    html: str
    vendor: str
    type: str
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None
    status: str = "ACTIVE"
    tags: list[str] = field(default_factory=list)
    category: tuple[str, str] | None = None
    option_names: tuple[str, ...] = ()
    variant_ids: list[int] = field(default_factory=list)
    images: list[Image] = field(default_factory=list)
    collection_ids: list[int] = field(default_factory=list)
    # locale → key (title, body_html …) → text
    translations: dict[str, dict[str, str]] = field(default_factory=dict)
    metafields: list[Metafield] = field(default_factory=list)
    gift_card: bool = False
    indexed_at: float | None = None
    indexed_as: datetime | None = None
