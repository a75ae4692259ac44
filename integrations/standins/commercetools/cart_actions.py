"""Everything that can be changed about a cart; it is worked out anew after each change."""

from collections.abc import Callable
from typing import Any

from integrations.standins.commercetools.addresses import address_of
from integrations.standins.commercetools.carts import check_open, line_in, market_of, off_total, own
from integrations.standins.commercetools.editing import Action, Doing, Edit, need
from integrations.standins.commercetools.errors import Refusal, invalid
from integrations.standins.commercetools.lines import custom_line_of, first_state, gift_line, line_of
from integrations.standins.commercetools.money import from_draft
from integrations.standins.commercetools.pricing import Market, price_for
from integrations.standins.commercetools.products import variant_by_id
from integrations.standins.commercetools.totals import recalculate


def _open(doing: Doing) -> Doing:
    def act(edit: Edit, action: Action) -> None:
        check_open(edit.doc)
        doing(edit, action)
        recalculate(edit.doc, off_total=off_total(edit.project, edit.doc))

    return act


def _add_line(edit: Edit, action: Action) -> None:
    made = line_of(edit.project, action, **market_of(edit.doc))
    same = next(
        (
            line
            for line in edit.doc["lineItems"]
            if (line["productId"], line["variant"]["id"]) == (made["productId"], made["variant"]["id"])
        ),
        None,
    )
    if same is None or "key" in made:
        edit.doc["lineItems"].append(made)
    else:
        same["quantity"] += made["quantity"]
        same["state"] = first_state(edit.project, same["quantity"])


def _change_quantity(edit: Edit, action: Action) -> None:
    line, quantity = line_in(edit.doc, action), need(action, "quantity", int)
    if quantity <= 0:
        edit.doc["lineItems"] = [item for item in edit.doc["lineItems"] if item["id"] != line["id"]]
        return
    for item in edit.doc["lineItems"]:
        if item["id"] == line["id"]:
            item |= {"quantity": quantity, "state": first_state(edit.project, quantity)}


def _remove_line(edit: Edit, action: Action) -> None:
    line = line_in(edit.doc, action)
    left = line["quantity"] - action["quantity"] if action.get("quantity") else 0
    _change_quantity(edit, {"lineItemId": line["id"], "quantity": left})


def _add_custom_line(edit: Edit, action: Action) -> None:
    edit.doc["customLineItems"].append(custom_line_of(edit.project, action))


def _address(name: str) -> Doing:
    def act(edit: Edit, action: Action) -> None:
        edit.doc[name] = address_of(action["address"]) if action.get("address") else None

    return act


def _plain(name: str, field: str = "") -> Doing:
    def act(edit: Edit, action: Action) -> None:
        edit.doc[name] = action.get(field or name)

    return act


def _set_customer(edit: Edit, action: Action) -> None:
    if not action.get("customerId"):
        edit.doc["customerId"] = None
        return
    edit.doc["customerEmail"] = None
    own(edit.project, edit.doc, edit.project.identified("customer", {"id": action["customerId"]}))


def _shipping(edit: Edit, action: Action) -> None:
    if not edit.doc.get("shippingAddress"):
        raise Refusal("InvalidOperation", "The shipping address must be set before the shipping method.")
    rate = need(action, "shippingRate", dict)
    price = from_draft(rate.get("price"), "shippingRate.price", only_cents=True)
    edit.doc["shippingInfo"] = {
        "shippingMethodName": need(action, "shippingMethodName"), "price": price, "shippingRate": {"price": price, "tiers": []},
        "deliveries": [], "shippingMethodState": "MatchesCart",
    }  # fmt: skip


def _add_code(edit: Edit, action: Action) -> None:
    row = edit.project.find("discount-code", "code", need(action, "code"))
    if row is None or not row.doc()["isActive"]:
        raise Refusal("DiscountCodeNonApplicable", f"The discount code '{action['code']}' is not applicable.", discountCode=action["code"])
    made = {"discountCode": {"typeId": "discount-code", "id": row.id}, "state": "MatchesCart"}
    if made not in edit.doc["discountCodes"]:
        edit.doc["discountCodes"] = [*edit.doc["discountCodes"], made]


def _direct_discounts(edit: Edit, action: Action) -> None:
    given: list[dict[str, Any]] = need(action, "discounts", list)
    edit.doc["directDiscounts"] = [{**item, "id": edit.project.new_id()} for item in given]


def _recalculate(edit: Edit, action: Action) -> None:
    """New prices for every line, where the product still has one."""
    market = market_of(edit.doc)
    for line in edit.doc["lineItems"]:
        if line["priceMode"] != "Platform" or line["lineItemMode"] != "Standard":
            continue
        channel = (line.get("distributionChannel") or {}).get("id", "")
        product, variant = variant_by_id(edit.project, line["productId"], line["variant"]["id"])
        line["price"] = price_for(edit.project, product, variant, Market(**market, channel=channel))


def add_payment(edit: Edit, action: Action) -> None:
    """``addPayment``, for carts and orders: a payment belongs to one of them; raises Refusal."""
    made = edit.project.reference("payment", action.get("payment"))
    payments = (edit.doc.get("paymentInfo") or {"payments": []})["payments"]
    if made in payments:
        return
    path = ("paymentInfo", "payments", "id")
    if any(row.id != edit.doc["id"] for type_id in ("order", "cart") for row in edit.project[type_id].having(path, made["id"])):
        raise invalid("The payment is already assigned to another cart or order.")
    edit.doc["paymentInfo"] = {"payments": [*payments, made]}
    if edit.type_id == "order":
        edit.say("OrderPaymentAdded", paymentRef=made)


def _gift(edit: Edit, action: Action) -> None:
    edit.doc["lineItems"].append(gift_line(edit.project, need(action, "sku"), edit.doc["totalPrice"]["currencyCode"]))


def _line_discount(edit: Edit, action: Action) -> None:
    for line in edit.doc["lineItems"]:
        if line["id"] == line_in(edit.doc, action)["id"]:
            value = from_draft(action.get("value"), "value")
            price = {"value": value, "includedDiscounts": []}
            line["discountedPricePerQuantity"] = [{"quantity": line["quantity"], "discountedPrice": price}]


def _all_open(table: dict[str, Doing]) -> dict[str, Callable[[Edit, Action], None]]:
    return {name: _open(doing) for name, doing in table.items()}


ACTIONS: dict[str, Doing] = _all_open(
    {
        "addLineItem": _add_line,
        "changeLineItemQuantity": _change_quantity,
        "removeLineItem": _remove_line,
        "addCustomLineItem": _add_custom_line,
        "setShippingAddress": _address("shippingAddress"),
        "setBillingAddress": _address("billingAddress"),
        "setCustomerEmail": _plain("customerEmail", "email"),
        "setAnonymousId": _plain("anonymousId"),
        "setCustomerId": _set_customer,
        "setCountry": _plain("country"),
        "setLocale": _plain("locale"),
        "setCustomShippingMethod": _shipping,
        "addDiscountCode": _add_code,
        "setDirectDiscounts": _direct_discounts,
        "addPayment": add_payment,
        "recalculate": _recalculate,
    }
)
# what promotions do by themselves, and tests and people may order
PEOPLE = {**ACTIONS, **_all_open({"addGift": _gift, "discountLine": _line_discount})}
