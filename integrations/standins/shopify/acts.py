"""Everything that can happen in a shop, by name, for control calls and generators; values come as JSON or as Python objects."""

from collections.abc import Callable, Mapping
from typing import Any

from integrations.standins.shopify import checkouts, customers, order_life, products, returns
from integrations.standins.shopify.ids import parse_time
from integrations.standins.shopify.shops import Shop

ACTS: dict[str, Callable[..., Any]] = {
    act.__name__: act
    for act in (
        customers.create_customer,
        customers.update_customer,
        customers.set_email_consent,
        customers.set_sms_consent,
        customers.add_tags,
        customers.remove_tags,
        customers.merge_customers,
        customers.delete_customer,
        products.create_collection,
        products.create_product,
        products.update_product,
        products.update_variant,
        products.delete_product,
        checkouts.start_checkout,
        checkouts.update_checkout,
        checkouts.complete_checkout,
        checkouts.delete_checkout,
        order_life.create_order,
        order_life.mark_paid,
        order_life.edit_order,
        order_life.update_order,
        order_life.fulfil,
        order_life.deliver,
        order_life.delete_order,
        returns.refund,
        returns.refund_all,
        returns.cancel_order,
    )
}


def act(shop: Shop, name: str, arguments: Mapping[str, Any]) -> Any:
    """Let something happen; raises ValueError for an act that does not exist and whatever the act itself raises."""
    chosen = ACTS.get(name)
    if chosen is None:
        raise ValueError(f"There is no act {name}; there are {sorted(ACTS)}.")
    values = dict(arguments)
    if isinstance(values.get("at"), str):
        values["at"] = parse_time(values["at"])
    return chosen(shop, **values)
