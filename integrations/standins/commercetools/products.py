"""Products: drafts, and the two sides of each – what is published and what is being edited."""

from collections.abc import Mapping
from typing import Any

from integrations.standins.commercetools.collection import Stored
from integrations.standins.commercetools.editing import check_unique, choice, need
from integrations.standins.commercetools.errors import Refusal, duplicate, invalid
from integrations.standins.commercetools.prices import price_fields
from integrations.standins.commercetools.pricing import scope_of
from integrations.standins.commercetools.project import Project

SIDE_FIELDS = ("name", "slug", "description", "metaTitle", "metaDescription")
VALUE_LISTS = ("prices", "images", "attributes", "assets")


def create_product(project: Project, draft: Mapping[str, Any]) -> Stored:
    """Add a product, published if the draft says so; raises Refusal."""
    side = {
        **{name: draft[name] for name in SIDE_FIELDS if draft.get(name)}, "name": need(draft, "name", dict),
        "slug": need(draft, "slug", dict), "categories": [project.reference("category", item) for item in draft.get("categories") or ()],
        "attributes": list(draft.get("attributes") or ()), "searchKeywords": {},
    }  # fmt: skip
    variants = [variant_of(project, draft.get("masterVariant") or {}, 1)]
    for number, item in enumerate(draft.get("variants") or (), start=2):
        variants.append(variant_of(project, item, number))
    side |= {"masterVariant": variants[0], "variants": variants[1:]}
    mode = choice(draft, "priceMode", ("Embedded", "Standalone")) if draft.get("priceMode") else "Embedded"
    published = bool(draft.get("publish"))
    fields = {
        "key": draft.get("key"), "productType": project.reference("product-type", draft.get("productType") or {}), "priceMode": mode,
        "masterData": {"current": side, "staged": side, "published": published, "hasStagedChanges": False},
    }  # fmt: skip
    check_unique(project, "product", fields)
    check_skus(project, side, "")
    said: list[tuple[str, dict[str, Any]]] = [("ProductCreated", {"productProjection": None})]
    if published:
        said.append(("ProductPublished", {"productProjection": None, "removedImageUrls": [], "scope": "All"}))
    return project.create("product", fields, said)


def variant_of(project: Project, draft: Mapping[str, Any], number: int) -> dict[str, Any]:
    """A variant with its prices; raises Refusal."""
    made: dict[str, Any] = {"id": number, **{name: draft[name] for name in ("sku", "key") if draft.get(name)}}
    made["prices"] = [price_of(project, item) for item in draft.get("prices") or ()]
    check_scopes(made["prices"])
    return {**made, **{name: list(draft.get(name) or ()) for name in VALUE_LISTS[1:]}}


def price_of(project: Project, draft: Any) -> dict[str, Any]:
    """An embedded price with an id of its own; raises Refusal."""
    return {"id": project.new_id(), **price_fields(project, draft)}


def check_scopes(prices: list[dict[str, Any]]) -> None:
    """Raises Refusal when two prices of a variant are for the same scope."""
    scopes = [scope_of(price) for price in prices]
    if len(set(scopes)) < len(scopes):
        raise Refusal("DuplicatePriceScope", "Another price for the same scope already exists.")


def check_skus(project: Project, side: Mapping[str, Any], product: str) -> None:
    """Raises Refusal when a SKU is used twice, here or in another product."""
    skus = [variant["sku"] for variant in variants_of(side) if variant.get("sku")]
    for sku in skus:
        if skus.count(sku) > 1 or project.skus.get(sku, (product, 0))[0] != product:
            raise duplicate("sku", sku)


def variants_of(side: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Master variant first."""
    return [side["masterVariant"], *side["variants"]]


def projection(doc: Mapping[str, Any], *, staged: bool) -> dict[str, Any]:
    """One side of a product, flattened as product projections show it."""
    data = doc["masterData"]
    kept = ("id", "version", "createdAt", "lastModifiedAt", "createdBy", "lastModifiedBy", "key", "productType")
    return {
        **{name: doc[name] for name in kept if name in doc}, **data["staged" if staged else "current"], "published": data["published"],
        "hasStagedChanges": data["hasStagedChanges"], "priceMode": doc["priceMode"],
    }  # fmt: skip


def variant_by_sku(project: Project, sku: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The published product (as a projection) and the variant that have a SKU; raises Refusal (400)."""
    product, number = project.skus.get(sku, ("", 0))
    row = project["product"].rows.get(product)
    doc = row.doc() if row is not None else None
    if doc is None or not doc["masterData"]["published"]:
        raise invalid(f"A product containing a variant with SKU '{sku}' not found.")
    shown = projection(doc, staged=False)
    found = next((variant for variant in variants_of(shown) if variant.get("sku") == sku), None)
    if found is None:
        raise invalid(f"A product containing a variant with SKU '{sku}' not found.")
    return shown, found


def variant_by_id(project: Project, product: str, number: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The same by product and number of the variant; raises Refusal (400)."""
    row = project["product"].rows.get(product)
    doc = row.doc() if row is not None else None
    shown = projection(doc, staged=False) if doc is not None and doc["masterData"]["published"] else None
    found = next((variant for variant in variants_of(shown) if variant["id"] == number), None) if shown else None
    if shown is None or found is None:
        raise invalid(f"The variant with ID '{number}' of the product with ID '{product}' was not found.")
    return shown, found


def keep_projections(project: Project) -> None:
    """Let every product show in the collections behind product projections, and find it by its SKUs."""

    def derive(key: str, doc: dict[str, Any] | None, visible_at: float | None) -> None:
        _name_skus(project, key, doc)
        shown = {"product-projection": doc is not None and doc["masterData"]["published"], "staged-projection": doc is not None}
        for type_id, wanted in shown.items():
            collection = project[type_id]
            if wanted and doc is not None:
                made = projection(doc, staged=type_id == "staged-projection")
                collection.keep(made, visible_at=visible_at)
            elif key in collection.rows:
                collection.remove(key, visible_at=visible_at)

    project.derived["product"] = derive


def _name_skus(project: Project, key: str, doc: dict[str, Any] | None) -> None:
    for sku in [sku for sku in project.skus_of.pop(key, ()) if project.skus.get(sku, ("", 0))[0] == key]:
        del project.skus[sku]
    if doc is None:
        return
    sides = [doc["masterData"][side] for side in ("staged", "current")]
    named = {variant["sku"]: variant["id"] for side in sides for variant in variants_of(side) if variant.get("sku")}
    project.skus_of[key] = tuple(named)
    project.skus |= {sku: (key, number) for sku, number in named.items()}
