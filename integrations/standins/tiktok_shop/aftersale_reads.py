"""Searches for cancellations and returns, in both of their versions."""

from typing import Any

from integrations.standins.tiktok_shop.aftersales import CANCEL_STATUSES, FIRST_STATUS, RETURN_STATUSES, Cancellation, Return
from integrations.standins.tiktok_shop.asked import Asked, no_paging_in_body, page_size, texts, whole
from integrations.standins.tiktok_shop.errors import PARAMETER, Refusal
from integrations.standins.tiktok_shop.paging import Window, listed, page_of
from integrations.standins.tiktok_shop.shops import Shop
from integrations.standins.tiktok_shop.shown_aftersales import shown_cancellation, shown_return

CANCEL_TYPES = frozenset({"CANCEL", "BUYER_CANCEL"})
LEAST, MOST = 10, 50


def cancellations(asked: Asked) -> dict[str, Any]:
    """``POST /return_refund/202602/cancellations/search``."""
    shop, body = asked.one_shop, asked.body
    size, window, among = _common(asked, shop.cancellations_of, "cancel_ids")
    types = _known(texts(body, "cancel_types"), CANCEL_TYPES, "cancel_types")
    statuses = _known(texts(body, "cancel_status"), frozenset(CANCEL_STATUSES), "cancel_status")
    buyers = texts(body, "buyer_user_ids")

    def keep(found: Cancellation) -> bool:
        return _fits(found.type, types) and _fits(found.status, statuses) and _fits_buyer(shop, found.order_id, buyers)

    needed = types or statuses or buyers
    page = page_of(shop.cancellations, asked, size=size, window=window, keep=keep if needed else None, among=among)
    return listed(asked, "cancellations", [shown_cancellation(shop, row) for row in page.rows], page)


def returns(asked: Asked) -> dict[str, Any]:
    """``POST /return_refund/202602/returns/search``."""
    shop, body = asked.one_shop, asked.body
    size, window, among = _common(asked, shop.returns_of, "return_ids")
    types = _known(texts(body, "return_types"), frozenset(FIRST_STATUS), "return_types")
    statuses = _known(texts(body, "return_status"), RETURN_STATUSES, "return_status")
    buyers = texts(body, "buyer_user_ids")

    def keep(found: Return) -> bool:
        return _fits(found.type, types) and _fits(found.status, statuses) and _fits_buyer(shop, found.order_id, buyers)

    needed = types or statuses or buyers
    page = page_of(shop.returns, asked, size=size, window=window, keep=keep if needed else None, among=among)
    return listed(asked, "return_orders", [shown_return(shop, row) for row in page.rows], page)


def records(asked: Asked) -> dict[str, Any]:
    """``GET /return_refund/202309/returns/{id}/records``: what happened, oldest first."""
    found = asked.one_shop.returns.rows.get(asked.wild[0])
    if found is None:
        raise Refusal(PARAMETER, "Invalid parameter: return_id")
    return {"records": [{"event": status, "role": found.role, "create_time": moment} for moment, status in found.history]}


def _common(asked: Asked, of_order: dict[str, list[str]], own_ids: str) -> tuple[int, Window, list[str] | None]:
    """Page size, time window, and the ids that ``order_ids`` or the kind's own ids limit the search to."""
    body = asked.body
    no_paging_in_body(body)
    size = page_size(asked, LEAST, MOST)
    window = Window(
        (whole(body, "create_time_ge"), whole(body, "create_time_lt")), (whole(body, "update_time_ge"), whole(body, "update_time_lt"))
    )
    own, order_ids = texts(body, own_ids), texts(body, "order_ids")
    if order_ids is None:
        return size, window, own
    of_orders = [key for order_id in order_ids for key in of_order.get(order_id, ())]
    return size, window, of_orders if own is None else [key for key in of_orders if key in own]


def _known(values: list[str] | None, allowed: frozenset[str], name: str) -> frozenset[str] | None:
    if values is not None and not allowed.issuperset(values):
        raise Refusal(PARAMETER, f"Invalid parameter: body.{name}")
    return None if values is None else frozenset(values)


def _fits(value: str, allowed: frozenset[str] | None) -> bool:
    return allowed is None or value in allowed


def _fits_buyer(shop: Shop, order_id: str, buyers: list[str] | None) -> bool:
    return buyers is None or shop.orders.get(order_id).buyer.user_id in buyers
