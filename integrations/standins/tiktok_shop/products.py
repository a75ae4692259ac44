"""Products as the shop keeps them; prices are whole minor units, times are Unix seconds."""

from dataclasses import dataclass

from integrations.standins.tiktok_shop.orders import Component, Sku

PRODUCT_STATUSES = ("ALL", "DRAFT", "PENDING", "FAILED", "ACTIVATE", "SELLER_DEACTIVATED", "PLATFORM_DEACTIVATED", "FREEZE", "DELETED")


@dataclass(slots=True)
class Variant:
    """One SKU of a product; ``options`` are (name, value), at most three."""

    id: str
    seller_sku: str
    price: int
    options: tuple[tuple[str, str], ...] = ()
    gtin: str = ""
    quantity: int = 0
    components: tuple[Component, ...] = ()
    status: str = "NORMAL"

    @property
    def name(self) -> str:
        """The option values as order lines show them."""
        return ", ".join(value for _, value in self.options) or "Default"


@dataclass(slots=True)
class Product:
    """A listing."""

    id: str
    title: str
    create_time: int
    update_time: int
    variants: list[Variant]
    description: str = ""
    category: str = "Home"
    brand: str = ""
    images: tuple[str, ...] = ()
    status: str = "ACTIVATE"
    audit_status: str = "APPROVED"

    def sold_as(self, variant: Variant) -> Sku:
        """The variant as order lines keep it."""
        image = self.images[0] if self.images else ""
        return Sku(variant.id, variant.seller_sku, self.id, self.title, variant.name, variant.price, image, variant.components)
