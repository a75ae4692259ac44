"""What merchandisers do: products, prices, categories, stock."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from integrations.standins.commercetools import resources
from integrations.standins.commercetools.collection import Stored
from integrations.standins.commercetools.editing import apply
from integrations.standins.commercetools.money import major
from integrations.standins.commercetools.products import variants_of
from integrations.standins.commercetools.project import Project
from integrations.standins.shopify.words import product as invented

EURO_FACTOR = 1.2


def product_of(project: Project, named: str) -> Stored:
    """A product by id, key or SKU; raises Refusal."""
    collection = project["product"]
    if named in project.skus:
        return collection.rows[project.skus[named][0]]
    return collection.rows[named] if named in collection.rows else project.named("product", "key", named)


def _act(project: Project, row: Stored, *actions: Mapping[str, Any]) -> Stored:
    return apply(project, "product", row, actions, table=resources.PEOPLE["product"])


def price_draft(price: str | float, currency: str = "GBP", **scope: Any) -> dict[str, Any]:
    """A price draft in major units; scope: country, channel and customerGroup by key, validFrom, validUntil, discounted (major units)."""
    draft: dict[str, Any] = {"value": major(currency, price)}
    for name in ("channel", "customerGroup"):
        if scope.get(name):
            draft[name] = {"key": scope[name]}
    if scope.get("discounted") is not None:
        draft["discounted"] = {"value": major(currency, scope["discounted"])}
    return {**draft, **{name: scope[name] for name in ("country", "validFrom", "validUntil", "key") if scope.get(name)}}


def create_product(
    project: Project,
    *,
    name: str,
    variants: Sequence[Mapping[str, Any]],
    key: str = "",
    product_type: str = "apparel",
    categories: Sequence[str] = (),
    publish: bool = True,
    names: Mapping[str, str] | None = None,
    **fields: Any,
) -> Stored:
    """Add a product; a variant has {"sku", "price" or "prices" (of ``price_draft``), "attributes": {name: value}, "images": [urls]}.

    ``price`` alone stands for GBP and, a fifth more, EUR. ``fields`` are those of a product draft.
    """
    slug = name.lower().replace(" ", "-")
    drafts = [_variant_draft(item) for item in variants]
    draft = {
        "key": key or slug, "productType": {"key": product_type}, "name": {"en-GB": name, **(names or {})}, "slug": {"en-GB": slug},
        "categories": [{"key": item} for item in categories], "masterVariant": drafts[0], "variants": drafts[1:], "publish": publish,
        **fields,
    }  # fmt: skip
    return resources.create(project, "product", draft)


def _variant_draft(item: Mapping[str, Any]) -> dict[str, Any]:
    prices = [price_draft(**price) for price in item.get("prices", ())]
    if "price" in item:
        prices = [price_draft(item["price"]), price_draft(f"{float(item['price']) * EURO_FACTOR:.2f}", "EUR")]
    attributes = [{"name": name, "value": value} for name, value in item.get("attributes", {}).items()]
    images = [{"url": url, "dimensions": {"w": 1200, "h": 1200}} for url in item.get("images", ())]
    return {"sku": item.get("sku"), "key": item.get("key"), "prices": prices, "attributes": attributes, "images": images}


def edit_product(
    project: Project, *, product: str, actions: Sequence[Mapping[str, Any]] = (), name: str = "", publish: bool = True
) -> Stored:
    """Change a product by any update actions or a new English name, and publish it unless told not to."""
    row = product_of(project, product)
    steps = [dict(item) for item in actions]
    if name:
        steps.append({"action": "changeName", "name": {**row.doc()["masterData"]["staged"]["name"], "en-GB": name}})
    return _act(project, row, *steps, *([{"action": "publish"}] if publish else []))


def change_price(project: Project, *, sku: str, price: str | float, currency: str = "GBP", publish: bool = True, **scope: Any) -> Stored:
    """Another price for a SKU in a currency and scope (of ``price_draft``); an embedded one is added if there is none."""
    row, draft = product_of(project, sku), price_draft(price, currency, **scope)
    variant = next(item for item in variants_of(row.doc()["masterData"]["staged"]) if item.get("sku") == sku)
    known = next(
        (item for item in variant["prices"] if item["value"]["currencyCode"] == currency and item.get("country") == scope.get("country")),
        None,
    )
    step = {"action": "changePrice", "priceId": known["id"]} if known else {"action": "addPrice", "sku": sku}
    return _act(project, row, {**step, "price": draft, "staged": not publish})


def discount_price(project: Project, *, sku: str, price: str | float | None, currency: str = "GBP", publish: bool = True) -> Stored:
    """A lower price beside the list price of a SKU, or none any more."""
    row = product_of(project, sku)
    variant = next(item for item in variants_of(row.doc()["masterData"]["staged"]) if item.get("sku") == sku)
    known = next(item for item in variant["prices"] if item["value"]["currencyCode"] == currency)
    discounted = None if price is None else {"value": major(currency, price)}
    return _act(project, row, {"action": "setDiscountedPrice", "priceId": known["id"], "discounted": discounted, "staged": not publish})


def publish(project: Project, *, product: str, scope: str = "All") -> Stored:
    """Let staged changes be seen."""
    return _act(project, product_of(project, product), {"action": "publish", "scope": scope})


def unpublish(project: Project, *, product: str) -> Stored:
    """Take a product off the shop."""
    return _act(project, product_of(project, product), {"action": "unpublish"})


def delete_product(project: Project, *, product: str) -> dict[str, str]:
    """Drop a product, unpublished first."""
    row = _act(project, product_of(project, product), {"action": "unpublish"})
    resources.delete(project, "product", row)
    return {"deleted": row.id}


def standalone_price(project: Project, *, sku: str, price: str | float, currency: str = "GBP", key: str = "", **scope: Any) -> Stored:
    """Add a standalone price, or change the one with that key."""
    known = project.find("standalone-price", "key", key) if key else None
    if known is not None:
        step = {"action": "changeValue", "value": major(currency, price)}
        return apply(project, "standalone-price", known, [step], table=resources.PEOPLE["standalone-price"])
    return resources.create(project, "standalone-price", {**price_draft(price, currency, **scope), "sku": sku, "key": key or None})


def set_stock(project: Project, *, sku: str, quantity: int, channel: str = "") -> Stored:
    """So many on stock, in a channel by key or without one."""
    reference = project.reference("channel", {"key": channel}) if channel else None
    known = project.find("inventory-entry", "sku", f"{sku}|{reference['id'] if reference else ''}")
    if known is not None:
        step = {"action": "changeQuantity", "quantity": quantity}
        return apply(project, "inventory-entry", known, [step], table=resources.PEOPLE["inventory-entry"])
    return resources.create(project, "inventory-entry", {"sku": sku, "quantityOnStock": quantity, "supplyChannel": reference})


def create_category(project: Project, *, key: str, name: str, parent: str = "") -> Stored:
    """A category below another one by key."""
    draft: dict[str, Any] = {"key": key, "name": {"en-GB": name}, "slug": {"en-GB": key}}
    return resources.create(project, "category", {**draft, "parent": {"key": parent}} if parent else draft)


def edit_category(project: Project, *, key: str, name: str) -> Stored:
    """Another English name."""
    row = project.named("category", "key", key)
    step = {"action": "changeName", "name": {**row.doc()["name"], "en-GB": name}}
    return apply(project, "category", row, [step], table=resources.PEOPLE["category"])


def stock(project: Project, *, count: int = 20, seed: int = 1) -> dict[str, int]:
    """So many invented products, once; sixty of them have names of their own."""
    random = Random(seed)
    for index in range(count):
        made = invented(random, index)
        if project.find("product", "key", made["handle"]) is not None:
            continue
        variants = [
            {
                "sku": item["sku"], "images": made["images"][:1],
                "prices": [{"price": item["price"], "currency": "GBP"}, {"price": item["price"], "currency": "EUR"}],
                "attributes": {"brand": made["vendor"], "size" if item["options"][0][0] == "Size" else "material": _value(item)},
            }
            for item in made["variants"]
        ]  # fmt: skip
        kind, category = ("apparel", "wear") if made["type"] in ("Shoes", "Shirts", "Knitwear", "Jackets") else ("homeware", "home")
        german = {"de": made["translations"]["de"]["title"]}
        create_product(
            project, name=made["title"], key=made["handle"], variants=variants, product_type=kind, categories=[category], names=german,
            description={"en-GB": f"{made['title']}, made to last."},
        )  # fmt: skip
    return {"products": len(project["product"])}


def _value(item: Mapping[str, Any]) -> Any:
    name, value = item["options"][0]
    return value if name == "Size" else {"en-GB": value}
