"""Everything that can be changed about a product; edits are staged unless ``staged`` is false."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from integrations.standins.commercetools.editing import Action, Doing, Edit, choice, need
from integrations.standins.commercetools.errors import invalid
from integrations.standins.commercetools.prices import discounted_field
from integrations.standins.commercetools.products import check_scopes, check_skus, price_of, variant_of, variants_of

Side = dict[str, Any]
Change = Callable[[Edit, Action, Side], None]
# ``sameForAll`` actions that change nothing a shopper sees still bump the version


def _sides(edit: Edit, action: Action) -> list[Side]:
    """The sides an action changes, as copies already in place."""
    data = deepcopy(edit.doc["masterData"])
    edit.doc["masterData"] = data
    return [data["staged"]] if action.get("staged", True) else [data["staged"], data["current"]]


def _settle(edit: Edit) -> None:
    data = edit.doc["masterData"]
    data["hasStagedChanges"] = data["published"] and data["staged"] != data["current"]


def _on_sides(change: Change) -> Doing:
    def act(edit: Edit, action: Action) -> None:
        for side in _sides(edit, action):
            change(edit, action, side)
        check_skus(edit.project, edit.doc["masterData"]["staged"], edit.doc["id"])
        _settle(edit)

    return act


def _text(name: str, field: str = "") -> Doing:
    def change(edit: Edit, action: Action, side: Side) -> None:
        side[name] = need(action, field or name, dict)

    return _on_sides(change)


def _variant(side: Side, action: Action) -> dict[str, Any]:
    name, field = ("sku", "sku") if "sku" in action and "variantId" not in action else ("variantId", "id")
    found = next((item for item in variants_of(side) if item.get(field) == action.get(name)), None)
    if found is None:
        raise invalid(f"The variant '{action.get(name)}' was not found on the product.")
    return found


def _price(side: Side, action: Action) -> tuple[dict[str, Any], int]:
    wanted = need(action, "priceId")
    for variant in variants_of(side):
        for place, price in enumerate(variant["prices"]):
            if price["id"] == wanted:
                return variant, place
    raise invalid(f"The price with ID '{wanted}' was not found on the product.")


def _add_price(edit: Edit, action: Action) -> None:
    made = price_of(edit.project, action.get("price"))
    for side in _sides(edit, action):
        variant = _variant(side, action)
        variant["prices"] = [*variant["prices"], made]
        check_scopes(variant["prices"])
    _settle(edit)
    edit.say("ProductPriceAdded", variantId=variant["id"], price=made, staged=bool(action.get("staged", True)))


def _change_price(edit: Edit, action: Action) -> None:
    made = {**price_of(edit.project, action.get("price")), "id": need(action, "priceId")}
    for side in _sides(edit, action):
        variant, place = _price(side, action)
        before, variant["prices"][place] = variant["prices"][place], made
        check_scopes(variant["prices"])
    _settle(edit)
    edit.say("ProductPriceChanged", variantId=variant["id"], oldPrice=before, newPrice=made, staged=bool(action.get("staged", True)))


def _remove_price(edit: Edit, action: Action) -> None:
    for side in _sides(edit, action):
        variant, place = _price(side, action)
        gone = variant["prices"].pop(place)
    _settle(edit)
    edit.say("ProductPriceRemoved", variantId=variant["id"], price=gone, staged=bool(action.get("staged", True)))


def _set_prices(edit: Edit, action: Action) -> None:
    made = [price_of(edit.project, item) for item in need(action, "prices", list)]
    check_scopes(made)
    for side in _sides(edit, action):
        variant = _variant(side, action)
        variant["prices"] = made
    _settle(edit)
    edit.say("ProductPricesSet", variantId=variant["id"], prices=made, staged=bool(action.get("staged", True)))


def _discount_price(edit: Edit, action: Action) -> None:
    made = discounted_field(edit.project, action.get("discounted"))
    for side in _sides(edit, action):
        variant, place = _price(side, action)
        price = {name: value for name, value in variant["prices"][place].items() if name != "discounted"}
        variant["prices"][place] = {**price, "discounted": made} if made else price
    _settle(edit)
    edit.say("ProductPriceDiscountsSet", updatedPrices=[{"variantId": variant["id"], "discounted": made}])


def _attribute(edit: Edit, action: Action, side: Side) -> None:
    _put_attribute(_variant(side, action), action)


def _attribute_in_all(edit: Edit, action: Action, side: Side) -> None:
    for variant in variants_of(side):
        _put_attribute(variant, action)


def _product_attribute(edit: Edit, action: Action, side: Side) -> None:
    _put_attribute(side, action)


def _put_attribute(holder: dict[str, Any], action: Action) -> None:
    name = need(action, "name")
    kept = [item for item in holder["attributes"] if item["name"] != name]
    holder["attributes"] = kept if action.get("value") is None else [*kept, {"name": name, "value": action["value"]}]


def _set_sku(edit: Edit, action: Action, side: Side) -> None:
    _variant(side, action)["sku"] = action.get("sku")


def _add_variant(edit: Edit, action: Action, side: Side) -> None:
    number = max(item["id"] for item in variants_of(edit.doc["masterData"]["staged"]))
    made = variant_of(edit.project, action, number + (side is edit.doc["masterData"]["staged"]))
    side["variants"] = [*side["variants"], made]
    if side is edit.doc["masterData"]["staged"]:
        edit.say("ProductVariantAdded", variant=made, staged=bool(action.get("staged", True)))


def _remove_variant(edit: Edit, action: Action, side: Side) -> None:
    gone = _variant(side, {"variantId": action["id"]} if "id" in action else action)
    if gone is side["masterVariant"]:
        raise invalid("The master variant cannot be removed.")
    side["variants"] = [item for item in side["variants"] if item["id"] != gone["id"]]
    if side is edit.doc["masterData"]["staged"]:
        edit.say("ProductVariantDeleted", variant=gone, removedImageUrls=[], staged=bool(action.get("staged", True)))


def _add_image(edit: Edit, action: Action, side: Side) -> None:
    variant = _variant(side, action if "variantId" in action or "sku" in action else {"variantId": 1})
    variant["images"] = [*variant["images"], need(action, "image", dict)]


def _remove_image(edit: Edit, action: Action, side: Side) -> None:
    variant = _variant(side, action if "variantId" in action or "sku" in action else {"variantId": 1})
    variant["images"] = [item for item in variant["images"] if item["url"] != action.get("imageUrl")]


def _into_category(edit: Edit, action: Action) -> None:
    made = edit.project.reference("category", action.get("category"))
    for side in _sides(edit, action):
        if made not in side["categories"]:
            side["categories"] = [*side["categories"], made]
    _settle(edit)
    edit.say("ProductAddedToCategory", category=made, staged=bool(action.get("staged", True)))


def _out_of_category(edit: Edit, action: Action) -> None:
    gone = edit.project.reference("category", action.get("category"))
    for side in _sides(edit, action):
        side["categories"] = [item for item in side["categories"] if item != gone]
    _settle(edit)
    edit.say("ProductRemovedFromCategory", category=gone, staged=bool(action.get("staged", True)))


def _change_slug(edit: Edit, action: Action) -> None:
    before = edit.doc["masterData"]["current"]["slug"]
    _text("slug")(edit, action)
    if before != action["slug"]:
        edit.say("ProductSlugChanged", slug=action["slug"], oldSlug=before)


def _publish(edit: Edit, action: Action) -> None:
    scope, data = action.get("scope", "All"), deepcopy(edit.doc["masterData"])
    before = [image["url"] for variant in variants_of(data["current"]) for image in variant["images"]] if data["published"] else []
    if scope == "Prices":
        prices = {item["id"]: item["prices"] for item in variants_of(data["staged"])}
        for variant in variants_of(data["current"]):
            variant["prices"] = prices.get(variant["id"], variant["prices"])
    else:
        data["current"] = deepcopy(data["staged"])
    data["published"] = True
    edit.doc["masterData"] = data
    _settle(edit)
    kept = {image["url"] for variant in variants_of(data["current"]) for image in variant["images"]}
    edit.say("ProductPublished", productProjection={}, removedImageUrls=[url for url in before if url not in kept], scope=scope)


def _unpublish(edit: Edit, action: Action) -> None:
    if edit.doc["masterData"]["published"]:
        edit.doc["masterData"] = {**edit.doc["masterData"], "published": False, "hasStagedChanges": True}
        edit.say("ProductUnpublished")


def _revert(edit: Edit, action: Action) -> None:
    data = deepcopy(edit.doc["masterData"])
    data["staged"] = deepcopy(data["current"])
    edit.doc["masterData"] = data
    _settle(edit)
    edit.say("ProductRevertedStagedChanges", removedImageUrls=[])


def _price_mode(edit: Edit, action: Action) -> None:
    edit.doc["priceMode"] = choice(action, "priceMode", ("Embedded", "Standalone"))
    edit.say("ProductPriceModeSet", to=edit.doc["priceMode"])


ACTIONS: dict[str, Doing] = {
    "changeName": _text("name"),
    "setDescription": _text("description"),
    "setMetaTitle": _text("metaTitle"),
    "changeSlug": _change_slug,
    "addPrice": _add_price,
    "changePrice": _change_price,
    "removePrice": _remove_price,
    "setPrices": _set_prices,
    "setDiscountedPrice": _discount_price,
    "setAttribute": _on_sides(_attribute),
    "setAttributeInAllVariants": _on_sides(_attribute_in_all),
    "setProductAttribute": _on_sides(_product_attribute),
    "setSku": _on_sides(_set_sku),
    "addVariant": _on_sides(_add_variant),
    "removeVariant": _on_sides(_remove_variant),
    "addExternalImage": _on_sides(_add_image),
    "removeImage": _on_sides(_remove_image),
    "addToCategory": _into_category,
    "removeFromCategory": _out_of_category,
    "publish": _publish,
    "unpublish": _unpublish,
    "revertStagedChanges": _revert,
    "setPriceMode": _price_mode,
}
