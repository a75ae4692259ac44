"""Line items of carts and orders: a copy of the variant as it was, with its price."""

from collections.abc import Mapping
from typing import Any

from integrations.standins.commercetools.custom import custom_of
from integrations.standins.commercetools.editing import need
from integrations.standins.commercetools.errors import invalid, required, wrong_field
from integrations.standins.commercetools.money import cents, from_draft, times
from integrations.standins.commercetools.pricing import Market, price_for
from integrations.standins.commercetools.products import variant_by_id, variant_by_sku
from integrations.standins.commercetools.project import Project

CHANNELS = ("supplyChannel", "distributionChannel")


def found_variant(project: Project, draft: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The product and variant a line draft names by SKU or by product and number; raises Refusal."""
    variant = draft.get("variant") or {}
    sku = draft.get("sku") or variant.get("sku")
    if sku:
        return variant_by_sku(project, str(sku))
    if not draft.get("productId"):
        raise required("productId")
    return variant_by_id(project, str(draft["productId"]), draft.get("variantId") or variant.get("id") or 1)


def line_of(project: Project, draft: Mapping[str, Any], *, currency: str, country: str, group: str = "") -> dict[str, Any]:
    """A cart's line at the price of its market; raises Refusal."""
    product, variant = found_variant(project, draft)
    quantity = draft.get("quantity", 1)
    if not isinstance(quantity, int) or quantity < 1:
        raise wrong_field("quantity", quantity)
    line = _line(project, product, variant, draft)
    if draft.get("externalPrice"):
        line |= {"price": {"id": project.new_id(), "value": from_draft(draft["externalPrice"])}, "priceMode": "ExternalPrice"}
    else:
        channel = (line.get("distributionChannel") or {}).get("id", "")
        line["price"] = price_for(project, product, variant, Market(currency, country, group, channel))
    return {**line, "quantity": quantity, "state": first_state(project, quantity)}


def imported_line(project: Project, draft: Mapping[str, Any]) -> dict[str, Any]:
    """An imported order's line: price and tax are taken as sent; raises Refusal."""
    name, quantity, given = need(draft, "name", dict), need(draft, "quantity", int), need(draft, "price", dict)
    product, variant = found_variant(project, draft)
    line = _line(project, product, variant, draft)
    own = draft.get("variant") or {}
    line["variant"] |= {field: own[field] for field in ("prices", "attributes", "images") if field in own}
    price = {"id": project.new_id(), **{field: given[field] for field in ("country",) if field in given}}
    price["value"] = from_draft(given.get("value"), "price.value")
    states = [{"quantity": item["quantity"], "state": project.reference("state", item["state"])} for item in draft.get("state") or ()]
    return {
        **line, "name": name, "price": price, "quantity": quantity, "state": states or first_state(project, quantity),
        "totalPrice": cents(price["value"]["currencyCode"], times(price["value"], quantity)), "taxRate": draft.get("taxRate"),
        "priceMode": "ExternalPrice", "inventoryMode": draft.get("inventoryMode"),
    }  # fmt: skip


def gift_line(project: Project, sku: str, currency: str) -> dict[str, Any]:
    """A line that a discount adds for nothing; raises Refusal."""
    product, variant = variant_by_sku(project, sku)
    line = _line(project, product, variant, {})
    price = {"id": project.new_id(), "value": cents(currency, 0)}
    return {**line, "price": price, "quantity": 1, "lineItemMode": "GiftLineItem", "state": first_state(project, 1)}


def custom_line_of(project: Project, draft: Mapping[str, Any]) -> dict[str, Any]:
    """A fee or a voucher, whose money may be negative; raises Refusal."""
    money, quantity = from_draft(draft.get("money")), draft.get("quantity", 1)
    if not isinstance(quantity, int):
        raise wrong_field("quantity", quantity)
    return {
        "id": project.new_id(), "key": draft.get("key"), "name": need(draft, "name", dict), "money": money, "slug": need(draft, "slug"),
        "quantity": quantity, "totalPrice": cents(money["currencyCode"], times(money, quantity)),
        "state": first_state(project, quantity), "discountedPricePerQuantity": [], "taxedPricePortions": [], "perMethodTaxRate": [],
        "priceMode": draft.get("priceMode", "Standard"), "taxRate": draft.get("taxRate"),
        "custom": custom_of(project, draft.get("custom"), "custom-line-item"),
    }  # fmt: skip


def first_state(project: Project, quantity: int) -> list[dict[str, Any]]:
    """Everything in the built-in initial state."""
    row = project.find("state", "key", "Initial")
    if row is None:
        raise invalid("The project has no initial line item state.")
    return [{"quantity": quantity, "state": {"typeId": "state", "id": row.id}}]


def _line(project: Project, product: Mapping[str, Any], variant: Mapping[str, Any], draft: Mapping[str, Any]) -> dict[str, Any]:
    now = project.iso()
    line = {
        "id": project.new_id(), "key": draft.get("key"), "productId": product["id"], "productKey": product.get("key"),
        "name": product["name"], "productSlug": product["slug"], "productType": product["productType"],
        "variant": {name: value for name, value in variant.items() if name != "prices"} | {"prices": []},
        "discountedPricePerQuantity": [], "taxedPricePortions": [], "perMethodTaxRate": [], "priceMode": "Platform",
        "lineItemMode": "Standard", "addedAt": now, "lastModifiedAt": now,
        "custom": custom_of(project, draft.get("custom"), "line-item"),
    }  # fmt: skip
    for name in CHANNELS:
        if draft.get(name):
            line[name] = project.reference("channel", draft[name])
    return {name: value for name, value in line.items() if value is not None}
