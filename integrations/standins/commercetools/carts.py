"""Carts: of guests by their anonymous id, of customers, merged at sign-in, deleted when nobody touches them."""

from collections.abc import Mapping
from typing import Any

from integrations.standins.commercetools.addresses import address_of
from integrations.standins.commercetools.collection import Stored
from integrations.standins.commercetools.custom import custom_of
from integrations.standins.commercetools.editing import check_unique, need
from integrations.standins.commercetools.errors import Refusal, invalid
from integrations.standins.commercetools.lines import custom_line_of, line_of
from integrations.standins.commercetools.moments import iso
from integrations.standins.commercetools.money import cents
from integrations.standins.commercetools.project import Project
from integrations.standins.commercetools.totals import recalculate

DAY = 86_400.0
BARE = {
    "refusedGifts": [], "shipping": [], "shippingMode": "Single", "taxMode": "Platform", "taxRoundingMode": "HalfEven",
    "taxCalculationMode": "LineItemLevel", "itemShippingAddresses": [], "directDiscounts": [], "discountCodes": [],
}  # fmt: skip


def create_cart(project: Project, draft: Mapping[str, Any], *, store: str = "") -> Stored:
    """Begin a cart; raises Refusal."""
    currency = need(draft, "currency")
    fields: dict[str, Any] = {
        **BARE, "key": draft.get("key"), "cartState": "Active", "country": draft.get("country"), "locale": draft.get("locale"),
        "customerEmail": draft.get("customerEmail"), "origin": draft.get("origin", "Customer"), "totalPrice": cents(currency, 0),
        "inventoryMode": draft.get("inventoryMode", "None"), "anonymousId": draft.get("anonymousId"), "lineItems": [],
        "customLineItems": [custom_line_of(project, item) for item in draft.get("customLineItems") or ()],
        "custom": custom_of(project, draft.get("custom"), "cart"),
        "deleteDaysAfterLastModification": draft.get("deleteDaysAfterLastModification", project.settings.cart_days),
    }  # fmt: skip
    if draft.get("customerId"):
        own(project, fields, project.identified("customer", {"id": draft["customerId"]}))
    if store or draft.get("store"):
        fields["store"] = project.key_reference("store", {"key": store} if store else draft["store"])
    for name in ("shippingAddress", "billingAddress"):
        if draft.get(name):
            fields[name] = address_of(draft[name])
    fields["lineItems"] = [line_of(project, item, **market_of(fields)) for item in draft.get("lineItems") or ()]
    check_unique(project, "cart", fields)
    recalculate(fields)
    return project.create("cart", {name: value for name, value in fields.items() if value is not None})


def market_of(doc: Mapping[str, Any]) -> dict[str, str]:
    """Currency, country and group that a cart's prices are chosen for."""
    country = doc.get("country") or (doc.get("shippingAddress") or {}).get("country") or ""
    group = (doc.get("customerGroup") or {}).get("id", "")
    return {"currency": doc["totalPrice"]["currencyCode"], "country": country, "group": group}


def off_total(project: Project, doc: Mapping[str, Any]) -> int:
    """What codes and direct discounts take from the total, in hundredths of a percent."""
    codes = sum(project.code_worth.get(item["discountCode"]["id"], 0) for item in doc["discountCodes"] if item["state"] == "MatchesCart")
    direct = sum(item["value"].get("permyriad", 0) for item in doc["directDiscounts"] if item["target"].get("type") == "totalPrice")
    return min(10_000, codes + direct)


def own(project: Project, doc: dict[str, Any], customer: Stored) -> None:
    """Let a cart or order belong to a customer."""
    person = customer.doc()
    doc |= {"customerId": customer.id, "customerEmail": doc.get("customerEmail") or person["email"]}
    if person.get("customerGroup"):
        doc["customerGroup"] = person["customerGroup"]


def active_cart(project: Project, *, customer: str = "", anonymous: str = "") -> Stored | None:
    """The cart somebody is filling, the newest one of several."""
    path, value = ("customerId", customer) if customer else ("anonymousId", anonymous)
    active = [row for row in project["cart"].having((path,), value) if row.doc()["cartState"] == "Active"]
    return max(active, key=lambda row: (row.lastModifiedAt, row.id), default=None)


def take_over(project: Project, customer: Stored, anonymous: str, *, merge: bool = True) -> Stored | None:
    """Give a guest's carts and orders to who signed in or up; what was in the cart joins the customer's, if there is one."""
    for row in [row for row in project["order"].having(("anonymousId",), anonymous) if not row.doc().get("customerId")]:
        doc = row.doc()
        own(project, doc, customer)
        project.replace("order", row, doc, [("OrderCustomerSet", {"customer": {"typeId": "customer", "id": customer.id}})])
    guest, existing = active_cart(project, anonymous=anonymous), active_cart(project, customer=customer.id)
    if guest is None:
        return existing
    if existing is None or not merge:
        return _assigned(project, guest, customer)
    return _merged(project, guest, existing)


def _assigned(project: Project, guest: Stored, customer: Stored) -> Stored:
    doc = guest.doc()
    own(project, doc, customer)
    doc["anonymousId"] = None
    return project.replace("cart", guest, doc)


def _merged(project: Project, guest: Stored, existing: Stored) -> Stored:
    """Of lines for the same variant the larger quantity stays; the guest's cart is Merged."""
    left, doc = guest.doc(), existing.doc()
    own_lines = {(line["productId"], line["variant"]["id"]): line for line in doc["lineItems"]}
    for line in left["lineItems"]:
        known = own_lines.get((line["productId"], line["variant"]["id"]))
        if known is None:
            doc["lineItems"].append({**line, "id": project.new_id()})
        else:
            known["quantity"] = max(known["quantity"], line["quantity"])
            known["state"][0]["quantity"] = known["quantity"]
    recalculate(doc, off_total=off_total(project, doc))
    project.replace("cart", guest, {**left, "cartState": "Merged"})
    return project.replace("cart", existing, doc)


def purge(project: Project) -> int:
    """Delete carts that nobody touched for as many days as they say; the number deleted."""
    collection, now = project["cart"], project.now()
    begin, end = collection.sorted["lastModifiedAt"].span(None, iso(now - DAY)[:23])
    rows = [collection.rows[key] for key in collection.sorted["lastModifiedAt"].keys(begin, end) if key in collection.rows]
    old = [row for row in rows if row.lastModifiedAt <= iso(now - DAY * row.doc()["deleteDaysAfterLastModification"])]
    for row in old:
        project.delete("cart", row)
    return len(old)


def check_open(doc: Mapping[str, Any]) -> None:
    """Raises Refusal for a cart that can no longer be changed."""
    if doc["cartState"] != "Active":
        raise Refusal("InvalidOperation", f"The cart is in state {doc['cartState']} and cannot be changed.")


def line_in(doc: Mapping[str, Any], action: Mapping[str, Any]) -> dict[str, Any]:
    """The line an action names by id or key; raises Refusal."""
    name, field = ("lineItemKey", "key") if "lineItemKey" in action else ("lineItemId", "id")
    found = next((line for line in doc["lineItems"] if line.get(field) == action.get(name)), None)
    if found is None:
        raise invalid(f"The line item '{action.get(name)}' was not found.")
    return dict(found)
