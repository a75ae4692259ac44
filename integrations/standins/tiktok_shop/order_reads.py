"""Order search, details and price details."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson

from integrations.standins.tiktok_shop.asked import Asked, ids_in, no_paging_in_body, one_of, page_size, refuse_repeated, texts, whole
from integrations.standins.tiktok_shop.errors import BAD_REQUEST, PARAMETER, Refusal
from integrations.standins.tiktok_shop.orders import ORDER_STATUSES, Order
from integrations.standins.tiktok_shop.paging import Window, listed, page_of
from integrations.standins.tiktok_shop.shops import Shop
from integrations.standins.tiktok_shop.shown_orders import order_fragment, price_detail, shown_order

MOST_IDS = 50
SHIPPING_TYPES = ("TIKTOK", "SELLER", "TIKTOK_DIGITAL")


def search(asked: Asked) -> dict[str, Any]:
    """``POST /order/202309/orders/search``."""
    body, shop = asked.body, asked.one_shop
    no_paging_in_body(body)
    size = page_size(asked, 1, 100)
    window = Window(
        (whole(body, "create_time_ge"), whole(body, "create_time_lt")), (whole(body, "update_time_ge"), whole(body, "update_time_lt"))
    )
    page = page_of(shop.orders, asked, size=size, window=window, keep=_filter(asked))
    return listed(asked, "orders", [_lagging(shop, order) for order in page.rows], page)


def details(asked: Asked) -> dict[str, Any]:
    """``GET /order/202507/orders?ids=``: unknown ids are absent."""
    refuse_repeated(asked.request, "ids")
    text = asked.request.query.get("ids")
    if text is None:
        raise Refusal(BAD_REQUEST, "The param query.ids is missing")
    shop = asked.one_shop
    found = [shop.orders.rows[key] for key in dict.fromkeys(ids_in(text, MOST_IDS, "ids")) if key in shop.orders.rows]
    return {"orders": [order_fragment(shop, order) for order in found]} if found or not shop.settings.omit_empty_lists else {}


def prices(asked: Asked) -> dict[str, Any]:
    """``GET /order/202407/orders/{id}/price_detail``."""
    shop = asked.one_shop
    order = shop.orders.rows.get(asked.wild[0])
    if order is None:
        raise Refusal(PARAMETER, "Invalid parameter: order_id")
    return price_detail(shop, order)


def _filter(asked: Asked) -> Callable[[Order], bool] | None:
    body = asked.body
    wanted = {
        "status": one_of(body.get("order_status"), ORDER_STATUSES, "body.order_status"),
        "shipping_type": one_of(body.get("shipping_type"), SHIPPING_TYPES, "body.shipping_type"),
        "is_buyer_request_cancel": body.get("is_buyer_request_cancel"),
    }
    wanted = {name: value for name, value in wanted.items() if value is not None}
    buyer, warehouses = body.get("buyer_user_id"), texts(body, "warehouse_ids")
    if not wanted and not buyer and warehouses is None:
        return None

    def keep(order: Order) -> bool:
        fits = all(getattr(order, name) == value for name, value in wanted.items())
        return fits and buyer in (None, "", order.buyer.user_id) and (warehouses is None or order.warehouse_id in warehouses)

    return keep


def _lagging(shop: Shop, order: Order) -> orjson.Fragment | dict[str, Any]:
    """The order as the search index has it, which for a while may be the status before the last one."""
    lag = shop.settings.search_lag
    if lag and order.status_before and shop.clock.now() - order.status_changed < lag:
        return shown_order(shop, replace(order, status=order.status_before))
    return order_fragment(shop, order)
