"""Figures by day for the shop, its products and its SKUs: aggregates only, ready the next day, computed from the orders."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zlib import crc32

from integrations.standins.tiktok_shop.asked import Asked, one_of, page_size
from integrations.standins.tiktok_shop.errors import BAD_REQUEST, PARAMETER, TRANSIENT, Refusal
from integrations.standins.tiktok_shop.money import text
from integrations.standins.tiktok_shop.orders import UNPAID, Line, Order
from integrations.standins.tiktok_shop.shops import Shop

GRANULARITIES = ("1D", "ALL")


@dataclass(slots=True)
class Figures:
    """Sums over orders, or over lines of one product or SKU."""

    gmv: int = 0
    units: int = 0
    orders: set[str] = field(default_factory=set)
    buyers: set[str] = field(default_factory=set)
    refunds: int = 0

    def add(self, order: Order, line: Line) -> None:
        """Count one unit."""
        self.gmv += line.sale
        self.units += 1
        self.refunds += line.refunded
        self.orders.add(order.id)
        self.buyers.add(order.buyer.user_id)


def shop_performance(asked: Asked) -> dict[str, Any]:
    """``GET /analytics/202509/shop/performance``: one interval a day, or one for all with ``granularity=ALL``."""
    shop, begin, end = asked.one_shop, *_window(asked)
    intervals = [_interval(shop, first, last, _figures(shop, first, last)) for first, last in _spans(asked, begin, end)]
    return {"performance": {"intervals": intervals}, "latest_available_date": _latest(shop).isoformat()}


def products_performance(asked: Asked) -> dict[str, Any]:
    """``GET /analytics/202509/shop_products/performance``: products with views or sales in the window, summed."""
    return _list(asked, "products", 200, lambda line: line.sku.product_id)


def skus_performance(asked: Asked) -> dict[str, Any]:
    """``GET /analytics/202509/shop_skus/performance``."""
    return _list(asked, "skus", 100, lambda line: line.sku.id)


def product_performance(asked: Asked) -> dict[str, Any]:
    """``GET /analytics/202509/shop_products/{id}/performance``."""
    shop, begin, end = asked.one_shop, *_window(asked)
    product_id = asked.wild[0]
    if product_id not in shop.products.rows:
        raise Refusal(PARAMETER, "Invalid parameter: product_id")
    intervals = [
        {**_interval(shop, first, last, _figures(shop, first, last, product_id)), **_traffic(product_id, first, last)}
        for first, last in _spans(asked, begin, end)
    ]
    return {"performance": {"id": product_id, "intervals": intervals}, "latest_available_date": _latest(shop).isoformat()}


def _list(asked: Asked, name: str, most: int, key_of: Callable[[Line], str]) -> dict[str, Any]:
    shop, begin, end = asked.one_shop, *_window(asked)
    size = page_size(asked, 1, most)
    found: dict[str, Figures] = {}
    for order, line in _sold(shop, begin, end):
        found.setdefault(key_of(line), Figures()).add(order, line)
    keys = sorted(shop.products.rows if name == "products" else {variant.id for _, variant in shop.variants.values()})
    token = asked.request.query.get("page_token") or "0"
    if not token.isdecimal() or int(token) > len(keys):
        raise Refusal(PARAMETER, "Invalid parameter: page_token")
    start = int(token)
    rows = [{"id": key, **_numbers(shop, found.get(key, Figures())), **_traffic(key, begin, end)} for key in keys[start : start + size]]
    data = {"total_count": len(keys), "next_page_token": str(start + size) if start + size < len(keys) else ""}
    return {**data, "latest_available_date": _latest(shop).isoformat(), **({name: rows} if rows else {})}


def _window(asked: Asked) -> tuple[date, date]:
    """The days asked for, [first, last); raises Refusal for bad dates, another currency, or a shop without data."""
    query, shop = asked.request.query, asked.one_shop
    try:
        begin, end = date.fromisoformat(query["start_date_ge"]), date.fromisoformat(query["end_date_lt"])
    except KeyError as missing:
        raise Refusal(BAD_REQUEST, f"The param query.{missing.args[0]} is missing") from missing
    except ValueError as error:
        raise Refusal(PARAMETER, "Invalid parameter: dates are YYYY-MM-DD") from error
    if begin >= end:
        raise Refusal(PARAMETER, "Invalid parameter: start_date_ge must be before end_date_lt")
    one_of(query.get("currency"), ("LOCAL", shop.region.currency), "currency")
    if not len(shop.orders):
        raise Refusal(TRANSIENT, "Internal error")
    return begin, min(end, _latest(shop) + timedelta(days=1))


def _spans(asked: Asked, begin: date, end: date) -> list[tuple[date, date]]:
    granularity = one_of(asked.request.query.get("granularity"), GRANULARITIES, "granularity") or "1D"
    if granularity == "ALL":
        return [(begin, end)] if begin < end else []
    return [(begin + timedelta(days=n), begin + timedelta(days=n + 1)) for n in range((end - begin).days)]


def _figures(shop: Shop, begin: date, end: date, product_id: str = "") -> Figures:
    found = Figures()
    for order, line in _sold(shop, begin, end):
        if product_id in ("", line.sku.product_id):
            found.add(order, line)
    return found


def _sold(shop: Shop, begin: date, end: date) -> Iterable[tuple[Order, Line]]:
    pairs = shop.orders.by_time["create_time"].slice(_midnight(shop, begin), _midnight(shop, end))
    orders = (shop.orders.rows[key] for _, key in pairs)
    return ((order, line) for order in orders if order.status != UNPAID and not order.is_sample_order for line in order.lines)


def _interval(shop: Shop, begin: date, end: date, figures: Figures) -> dict[str, Any]:
    numbers = _numbers(shop, figures) | {"buyers": len(figures.buyers)}
    return {"start_date": begin.isoformat(), "end_date": end.isoformat(), **numbers, **_traffic(shop.spec.id, begin, end)}


def _numbers(shop: Shop, figures: Figures) -> dict[str, Any]:
    currency, exponent = shop.region.currency, shop.region.exponent
    return {
        "gmv": {"amount": text(figures.gmv, exponent), "currency": currency},
        "refunds": {"amount": text(figures.refunds, exponent), "currency": currency},
        "orders": len(figures.orders),
        "units_sold": figures.units,
    }


def _traffic(key: str, begin: date, end: date) -> dict[str, Any]:
    """Views and clicks, invented but always the same for a thing and a day, so that days add up."""
    sums: Counter[str] = Counter()
    for day in range(begin.toordinal(), end.toordinal()):
        noise = crc32(f"{key}:{day}".encode())
        views = 20 + noise % 400
        sums.update(impressions=views, clicks=views // 8, add_cart_count=views // 20, add_cart_users=views // 25)
    rate = sums["clicks"] / sums["impressions"] if sums["impressions"] else 0.0
    return {
        "impressions": sums["impressions"],
        "clicks": sums["clicks"],
        "add_cart_count": sums["add_cart_count"],
        "add_cart_users": sums["add_cart_users"],
        "ctr": f"{rate:.4f}",
    }


def _midnight(shop: Shop, day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) - shop.region.utc_offset * 3600


def _latest(shop: Shop) -> date:
    local = datetime.fromtimestamp(shop.clock.now() + shop.region.utc_offset * 3600, UTC)
    return local.date() - timedelta(days=shop.settings.analytics_delay_days)
