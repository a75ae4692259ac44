"""The connection's test call: is the token good, is the shop among those it opens, which scopes are missing, is the clock right."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from integrations.platforms.base import JsonObject, Probe
from integrations.platforms.errors import PlatformError, Reconnect, TryLater
from integrations.platforms.tiktok_shop.answers import NO_SCOPE
from integrations.platforms.tiktok_shop.auth import CROSS_BORDER
from integrations.platforms.tiktok_shop.client import TikTokShopClient
from integrations.platforms.tiktok_shop.options import setting

SHOPS_SCOPE = "seller.authorization.info"
BEHIND, AHEAD = 240, 20  # seconds our clock may be behind or ahead before it is worth a word; 300 and 30 are refused
NOTHING = {"update_time_ge": 1, "update_time_lt": 2}  # a search that finds nothing
A_DAY = ("2024-01-01", "2024-01-02")

# Scope → what it is for, whether orders need it, and a call that costs little and fails without it.
SCOPES: tuple[tuple[str, str, bool, Callable[[TikTokShopClient], object]], ...] = (
    (SHOPS_SCOPE, "webhooks", True, lambda client: client.webhooks()),
    ("seller.order.info", "orders", True, lambda client: client.order_page(NOTHING)),
    ("seller.return_refund.basic", "cancellations and returns", True, lambda client: client.return_page(NOTHING)),
    ("seller.product.basic", "products", False, lambda client: client.product_page({"update_time_ge": 1, "update_time_le": 1})),
    ("data.shop_analytics.public.read", "figures", False, lambda client: client.shop_figures(*A_DAY)),
)


def probe(client: TikTokShopClient) -> Probe:
    """What TikTok Shop says of this connection, each problem with its remedy; raises TryLater or Refused when it says nothing."""
    try:
        shops = client.shops()
        missing = _missing(client)
    except Reconnect as fault:
        return Probe(ok=False, summary="TikTok Shop does not let this connection in.", problems=(str(fault),))
    own = next((shop for shop in shops if str(shop.get("id")) == client.account.external_id), None)
    blocking = [*_shop(client, own, shops), *(_words(scope, use) for scope, use, needed in missing if needed)]
    worth_knowing = [*_border(own), *_clock(client), *(_words(scope, use) for scope, use, needed in missing if not needed)]
    name = str((own or {}).get("name") or client.account.external_id)
    problems = (*blocking, *worth_knowing)
    rest = f"; {len(problems)} thing{'s' * (len(problems) != 1)} to settle." if problems else "."
    return Probe(
        ok=not blocking,
        summary=f"{name} answers{rest}",
        problems=problems,
        scopes=tuple(sorted({scope for scope, *_ in SCOPES} - {scope for scope, *_ in missing})),
        facts=_facts(client, own or {}, shops),
    )


def _missing(client: TikTokShopClient) -> list[tuple[str, str, bool]]:
    """Scopes that were not granted: by the list the seller's consent came with, else by trying."""
    granted = client.account.settings.get("granted_scopes")
    if isinstance(granted, (list, tuple)):
        return [(scope, use, needed) for scope, use, needed, _ in SCOPES if scope not in granted]
    return [(scope, use, needed) for scope, use, needed, call in SCOPES if not _allowed(client, call)]


def _allowed(client: TikTokShopClient, call: Callable[[TikTokShopClient], object]) -> bool:
    try:
        call(client)
    except PlatformError as fault:
        if fault.code == NO_SCOPE:
            return False
        if not isinstance(fault, TryLater):  # a passing fault says nothing of the scope
            raise
    return True


def _words(scope: str, use: str) -> str:
    return f"Missing scope {scope}: {use} cannot be read. Enable it in Partner Center, then let the seller authorise the app again."


def _shop(client: TikTokShopClient, own: JsonObject | None, shops: Sequence[JsonObject]) -> Iterator[str]:
    if own is None:
        names = ", ".join(f"{shop.get('name')} ({shop.get('id')})" for shop in shops) or "none"
        yield f"The authorisation does not cover shop {client.account.external_id}, only: {names}. Let its seller authorise the app."
    elif str(own.get("cipher") or "") != str(setting(client.account, "shop_cipher") or ""):
        yield "The shop's cipher has changed: let the seller authorise the app again."


def _border(own: JsonObject | None) -> Iterator[str]:
    if own and own.get("seller_type") == CROSS_BORDER:
        yield "This is a cross-border shop: its global products are not read, and its orders may hold taxes and fees of their own."


def _clock(client: TikTokShopClient) -> Iterator[str]:
    if client.ahead is not None and (client.ahead > BEHIND or client.ahead < -AHEAD):
        side = "behind" if client.ahead > 0 else "ahead of"
        yield f"This server's clock is {abs(client.ahead):.0f} s {side} TikTok Shop's: switch on time synchronisation."


def _facts(client: TikTokShopClient, own: JsonObject, shops: Sequence[JsonObject]) -> dict[str, str]:
    return {
        "Shop": str(own.get("name") or ""),
        "Region": str(own.get("region") or ""),
        "Kind of seller": str(own.get("seller_type") or "").replace("_", " ").lower(),
        "Shops of this authorisation": ", ".join(f"{shop.get('name')} ({shop.get('region')})" for shop in shops),
        "Clock": "" if client.ahead is None else f"{client.ahead:+.0f} s",
    }
