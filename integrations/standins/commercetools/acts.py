"""Everything that can happen in a project by people's doing, by name, for control calls and generators."""

from collections.abc import Callable, Mapping
from typing import Any

from integrations.standins.commercetools import buying, catalogue, shipping, shoppers
from integrations.standins.commercetools.collection import Stored
from integrations.standins.commercetools.moments import seconds
from integrations.standins.commercetools.project import Project

ACTS: dict[str, Callable[..., Any]] = {
    act.__name__: act
    for act in (
        shoppers.register, shoppers.login, shoppers.change_consent, shoppers.change_email, shoppers.change_customer, shoppers.add_address,
        shoppers.verify_email, shoppers.set_group, shoppers.delete_customer, shoppers.update, shoppers.touch,
        buying.add_to_cart, buying.start_checkout, buying.place_order, buying.guest_order, buying.order, buying.delete_cart,
        buying.discount_code, buying.order_with,
        shipping.pay, shipping.ship, shipping.deliver, shipping.return_items, shipping.receive_return, shipping.refund, shipping.cancel,
        shipping.change_order, shipping.delete_order, shipping.complete,
        catalogue.create_product, catalogue.edit_product, catalogue.change_price, catalogue.discount_price, catalogue.publish,
        catalogue.unpublish, catalogue.delete_product, catalogue.standalone_price, catalogue.set_stock, catalogue.create_category,
        catalogue.edit_category, catalogue.stock,
    )
}  # fmt: skip


def act(project: Project, name: str, arguments: Mapping[str, Any]) -> Any:
    """Let something happen, in the past (untold) if there is ``in_past_at``, in Unix seconds or ISO 8601; raises ValueError and Refusal."""
    chosen = ACTS.get(name)
    if chosen is None:
        raise ValueError(f"There is no act {name}; there are {sorted(ACTS)}.")
    values = dict(arguments)
    at = values.pop("in_past_at", None)
    with project.lock:
        project.catch_up()
        if at is None:
            return chosen(project, **values)
        with project.past(seconds(at) if isinstance(at, str) else float(at)):
            return chosen(project, **values)


def summary(made: Any) -> Any:
    """What an act made, as JSON: a resource as the API shows it."""
    if isinstance(made, Stored):
        return made.doc()
    return made if isinstance(made, (dict, list)) else {"ok": True}
