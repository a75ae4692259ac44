"""Every path the stand-in knows, with its versions and methods; each endpoint has versions of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from integrations.standins.tiktok_shop import aftersale_reads, analytics, hook_calls, order_reads, product_reads
from integrations.standins.tiktok_shop.asked import Asked
from integrations.standins.tiktok_shop.errors import UNKNOWN_PATH, UNKNOWN_VERSION, WRONG_METHOD, Refusal

ANY = "*"
AUTHORISATION, ORDERS, AFTERSALES = "seller.authorization.info", "seller.order.info", "seller.return_refund.basic"
PRODUCTS, ANALYTICS = "seller.product.basic", "data.shop_analytics.public.read"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One call; without ``answer`` it is the stand-in's own."""

    scope: str
    answer: Callable[[Asked], dict[str, Any]] | None
    write: bool = False
    needs_shop: bool = True


SHOPS = Endpoint(AUTHORISATION, None, needs_shop=False)
SEARCHED = ("202309", "202602")
FIGURES = ("202509", "202605", "202609")


def _serve(versions: tuple[str, ...], **methods: Endpoint) -> dict[str, dict[str, Endpoint]]:
    return dict.fromkeys(versions, methods)


# category and what follows the version → version → method
ROUTES: dict[tuple[str, ...], dict[str, dict[str, Endpoint]]] = {
    ("authorization", "shops"): _serve(("202309",), GET=SHOPS),
    ("order", "orders", "search"): _serve(("202309",), POST=Endpoint(ORDERS, order_reads.search)),
    ("order", "orders"): _serve(("202309", "202507"), GET=Endpoint(ORDERS, order_reads.details)),
    ("order", "orders", ANY, "price_detail"): _serve(("202407",), GET=Endpoint(ORDERS, order_reads.prices)),
    ("return_refund", "cancellations", "search"): _serve(SEARCHED, POST=Endpoint(AFTERSALES, aftersale_reads.cancellations)),
    ("return_refund", "returns", "search"): _serve(SEARCHED, POST=Endpoint(AFTERSALES, aftersale_reads.returns)),
    ("return_refund", "returns", ANY, "records"): _serve(("202309",), GET=Endpoint(AFTERSALES, aftersale_reads.records)),
    ("product", "products", "search"): _serve(("202309", "202502"), POST=Endpoint(PRODUCTS, product_reads.search)),
    ("product", "products", ANY): _serve(("202309",), GET=Endpoint(PRODUCTS, product_reads.details)),
    ("analytics", "shop", "performance"): _serve(FIGURES, GET=Endpoint(ANALYTICS, analytics.shop_performance)),
    ("analytics", "shop_products", "performance"): _serve(FIGURES, GET=Endpoint(ANALYTICS, analytics.products_performance)),
    ("analytics", "shop_products", ANY, "performance"): _serve(FIGURES, GET=Endpoint(ANALYTICS, analytics.product_performance)),
    ("analytics", "shop_skus", "performance"): _serve(FIGURES, GET=Endpoint(ANALYTICS, analytics.skus_performance)),
    ("event", "webhooks"): _serve(
        ("202309",),
        GET=Endpoint(AUTHORISATION, hook_calls.read),
        PUT=Endpoint(AUTHORISATION, hook_calls.put, write=True),
        DELETE=Endpoint(AUTHORISATION, hook_calls.delete, write=True),
    ),
}


def find(method: str, segments: list[str]) -> tuple[Endpoint, str, tuple[str, ...]]:
    """The endpoint, its version and the variable parts of its path; raises Refusal for what is not served."""
    if len(segments) < 3:
        raise Refusal(UNKNOWN_PATH, "Invalid path")
    category, version, *rest = segments
    path = (category, *rest)
    pattern = path if path in ROUTES else next((one for one in ROUTES if _fits(one, path)), None)
    if pattern is None:
        raise Refusal(UNKNOWN_PATH, "Invalid path")
    methods = ROUTES[pattern].get(version)
    if methods is None:
        raise Refusal(UNKNOWN_VERSION, "Invalid API version")
    if method not in methods:
        raise Refusal(WRONG_METHOD, "Invalid method")
    return methods[method], version, tuple(value for value, part in zip(path, pattern, strict=True) if part == ANY)


def _fits(pattern: tuple[str, ...], path: tuple[str, ...]) -> bool:
    return len(pattern) == len(path) and all(part in (ANY, value) for part, value in zip(pattern, path, strict=True))
