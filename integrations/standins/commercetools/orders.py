"""Orders: from carts, imported, deleted."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from integrations.standins.commercetools.addresses import address_of
from integrations.standins.commercetools.carts import check_open
from integrations.standins.commercetools.collection import Stored
from integrations.standins.commercetools.custom import custom_of
from integrations.standins.commercetools.editing import check_unique, check_version, choice, need
from integrations.standins.commercetools.errors import Refusal, invalid, required
from integrations.standins.commercetools.lines import custom_line_of, imported_line
from integrations.standins.commercetools.money import from_draft
from integrations.standins.commercetools.prices import moment_field
from integrations.standins.commercetools.project import Project
from integrations.standins.commercetools.stock import ordered

ORDER_STATES = ("Open", "Confirmed", "Complete", "Cancelled")
SHIPMENT_STATES = ("Pending", "Ready", "Shipped", "Delivered", "Delayed", "Partial", "Backorder", "Canceled")
PAYMENT_STATES = ("BalanceDue", "Pending", "Paid", "CreditOwed", "Failed")
INVENTORY_MODES = ("None", "TrackOnly", "ReserveOnOrder")
ORIGINS = ("Customer", "Merchant", "Quote", "RecurringOrder")
FROM_CART = (
    "customerId", "customerEmail", "customerGroup", "anonymousId", "store", "lineItems", "customLineItems", "totalPrice", "taxedPrice",
    "taxedShippingPrice", "discountOnTotalPrice", "taxMode", "inventoryMode", "billingAddress", "shippingAddress", "shippingMode",
    "shippingInfo", "shipping", "itemShippingAddresses", "discountCodes", "directDiscounts", "refusedGifts", "paymentInfo", "country",
    "locale", "origin", "custom", "taxRoundingMode", "taxCalculationMode",
)  # fmt: skip
BARE = {"syncInfo": [], "returnInfo": [], "shipping": [], "shippingMode": "Single", "refusedGifts": []}


def order_from_cart(project: Project, draft: Mapping[str, Any]) -> Stored:
    """Turn a cart into an order; raises Refusal."""
    cart = project.identified("cart", draft.get("cart") or {"id": draft.get("id", "")})
    check_version(cart, draft.get("version"))
    doc = cart.doc()
    check_open(doc)
    if not doc["lineItems"] and not doc["customLineItems"]:
        raise invalid("An order cannot be made from an empty cart.")
    address = doc.get("shippingAddress")
    if not address:
        raise invalid("The shipping address is missing.")
    if not doc.get("taxedPrice"):
        country = address["country"]
        words = f"The tax category misses a tax rate for country '{country}'."
        raise Refusal("MissingTaxRateForCountry", words, taxCategoryId="standard", country=country)
    fields = {**{name: doc.get(name) for name in FROM_CART}, "syncInfo": [], "returnInfo": [], "cart": {"typeId": "cart", "id": cart.id}}
    fields |= _states(project, draft)
    for name in ("orderNumber", "purchaseOrderNumber"):
        fields[name] = draft.get(name)
    check_unique(project, "order", fields)
    if doc["inventoryMode"] != "None":
        _take_stock(project, fields)
    made = project.create(
        "order", {name: value for name, value in fields.items() if value is not None}, [("OrderCreated", {"order": None})]
    )
    project.replace("cart", cart, {**doc, "cartState": "Ordered"})
    return made


def import_order(project: Project, draft: Mapping[str, Any]) -> Stored:
    """Keep an order made elsewhere: nothing is worked out, unknown fields are ignored; raises Refusal."""
    total = from_draft(need(draft, "totalPrice", dict), "totalPrice", only_cents=True)
    if not draft.get("lineItems") and not draft.get("customLineItems"):
        raise required("lineItems")
    mode = choice(draft, "inventoryMode", INVENTORY_MODES) if draft.get("inventoryMode") else "None"
    fields: dict[str, Any] = {
        **BARE, "totalPrice": total, "inventoryMode": mode, "taxMode": "Platform", "origin": "Customer", "orderState": "Open",
        **{name: draft.get(name) for name in ("orderNumber", "purchaseOrderNumber", "customerEmail", "country", "taxRoundingMode")},
        "lineItems": [imported_line(project, item) for item in draft.get("lineItems") or ()],
        "customLineItems": [custom_line_of(project, item) for item in draft.get("customLineItems") or ()],
        **_states(project, draft), **_imported_money(draft), **_imported_links(project, draft),
    }  # fmt: skip
    if draft.get("origin"):
        fields["origin"] = choice(draft, "origin", ORIGINS)
    for name in ("shippingAddress", "billingAddress"):
        if draft.get(name):
            fields[name] = address_of(draft[name])
    if draft.get("completedAt"):
        fields["completedAt"] = moment_field("completedAt", draft["completedAt"])
    check_unique(project, "order", fields)
    _take_stock(project, fields)
    made = {name: value for name, value in fields.items() if value is not None}
    return project.create("order", made, [("OrderImported", {"order": None})])


def _states(project: Project, draft: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"orderState": choice(draft, "orderState", ORDER_STATES) if draft.get("orderState") else "Open"}
    for name, allowed in (("shipmentState", SHIPMENT_STATES), ("paymentState", PAYMENT_STATES)):
        if draft.get(name):
            made[name] = choice(draft, name, allowed)
    if draft.get("state"):
        made["state"] = project.reference("state", draft["state"])
    return made


def _imported_money(draft: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    taxed = draft.get("taxedPrice")
    if taxed:
        portions = [
            {**item, "amount": from_draft(item.get("amount"), "taxPortions.amount", only_cents=True)}
            for item in taxed.get("taxPortions") or ()
        ]
        amounts = {name: from_draft(taxed.get(name), name, only_cents=True) for name in ("totalNet", "totalGross")}
        made["taxedPrice"] = {**amounts, "taxPortions": portions}
    shipping = draft.get("shippingInfo")
    if shipping:
        price = from_draft(shipping.get("price"), "shippingInfo.price", only_cents=True)
        made["shippingInfo"] = {
            "shippingMethodName": need(shipping, "shippingMethodName"), "price": price, "shippingRate": {"price": price, "tiers": []},
            "shippingMethodState": "MatchesCart", "deliveries": list(shipping.get("deliveries") or ()), "taxRate": shipping.get("taxRate"),
        }  # fmt: skip
    return made


def _imported_links(project: Project, draft: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"custom": custom_of(project, draft.get("custom"), "order")}
    if draft.get("customerId"):
        made["customerId"] = project.identified("customer", {"id": draft["customerId"]}).id
    if draft.get("customerGroup"):
        made["customerGroup"] = project.reference("customer-group", draft["customerGroup"])
    if draft.get("paymentInfo"):
        made["paymentInfo"] = {"payments": [project.reference("payment", item) for item in draft["paymentInfo"].get("payments") or ()]}
    if draft.get("store"):
        made["store"] = project.key_reference("store", draft["store"])
        countries = {item["code"] for item in project.named("store", "key", made["store"]["key"]).doc()["countries"]}
        if countries and draft.get("country") and draft["country"] not in countries:
            words = f"The country '{draft['country']}' is not configured for the store '{made['store']['key']}'."
            raise Refusal(
                "CountryNotConfiguredInStore", words, storeCountries=sorted(countries), country=draft["country"],
                countriesNotInStore=[draft["country"]],
            )  # fmt: skip
    return made


def _take_stock(project: Project, fields: Mapping[str, Any]) -> None:
    """Everything is checked before anything is taken; raises Refusal (400 OutOfStock)."""
    wanted = []
    for line in fields["lineItems"]:
        mode = line.get("inventoryMode") or fields["inventoryMode"]
        sku, channel = line["variant"].get("sku"), (line.get("supplyChannel") or {}).get("id")
        if mode == "None":
            continue
        entry = project.find("inventory-entry", "sku", f"{sku}|{channel or ''}")
        short = entry is None or (
            mode == "ReserveOnOrder" and entry.doc()["availableQuantity"] < line["quantity"] and not entry.doc().get("restockableInDays")
        )
        if short:
            raise Refusal("OutOfStock", f"Some line items are out of stock: {sku}.", lineItems=[line["id"]], skus=[sku])
        wanted.append((str(sku), channel, line["quantity"], mode == "ReserveOnOrder"))
    for sku, channel, quantity, reserve in wanted:
        take = partial(ordered, project, sku, channel, quantity, reserve=reserve)
        if project.settings.stock_lag and not project.in_past:
            project.later(project.random.uniform(0, project.settings.stock_lag), take)
        else:
            take()


def delete_order(project: Project, row: Stored, *, erase: bool = False) -> None:
    """Drop an order."""
    project.delete("order", row, [("OrderDeleted", {} if erase else {"order": row.doc()})], erased=erase)
