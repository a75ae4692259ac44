"""The connection's test call: is the key good, the shop the right one, the version the pinned one, and is every scope there."""

from __future__ import annotations

from collections.abc import Iterator

from integrations.platforms.base import JsonObject, Probe
from integrations.platforms.errors import Misconfigured, PlatformError, Reconnect, Refused
from integrations.platforms.shopify.client import ShopifyClient
from integrations.platforms.shopify.documents import checked_locale, checked_markets, checked_metafields
from integrations.platforms.shopify.topics import TOPICS

READER_SCOPES = {"customers": "read_customers", "orders": "read_orders", "products": "read_products", "checkouts": "read_orders"}
OLD_ORDERS = "read_all_orders"
PII_REMEDY = "Ask for protected customer data access in the app's settings."


def probe(client: ShopifyClient) -> Probe:
    """What Shopify says of this connection, each problem one sentence with its remedy; raises TryLater or Refused when it says nothing."""
    try:
        data = client.call("shop_probe")
    except Reconnect as fault:
        return Probe(
            ok=False, summary="Shopify does not let this connection in.", problems=(str(fault),), version_served=client.version_served
        )
    shop = data["shop"]
    scopes = tuple(sorted(entry["handle"] for entry in (data.get("currentAppInstallation") or {}).get("accessScopes") or ()))
    problems = [*_settings(client), *_domain(client, shop), *_version(client, data), *_scopes(scopes), *_personal_data(client, scopes)]
    summary = (
        f"{shop['name']} answers; {len(problems)} thing{'s' * (len(problems) != 1)} to settle." if problems else f"{shop['name']} answers."
    )
    return Probe(
        ok=not any(problem.startswith(BLOCKING) for problem in problems),
        summary=summary,
        problems=tuple(problems),
        scopes=scopes,
        version_served=client.version_served,
        facts=_facts(client, shop),
    )


# Problems with these first words make the test fail; the others are worth knowing and leave it passed.
BLOCKING = ("Another shop answers", "The version", "Missing scope", "Setting")


def has_scope(granted: tuple[str, ...], scope: str) -> bool:
    """Whether a scope is held; writing implies reading and may hide the read scope from the list."""
    return scope in granted or (scope.startswith("read_") and f"write_{scope.removeprefix('read_')}" in granted)


def _settings(client: ShopifyClient) -> Iterator[str]:
    checks = ((checked_markets, "market_countries"), (checked_metafields, "metafields"), (checked_locale, "locale"))
    for check, name in checks:
        try:
            check(client.setting(name))
        except Misconfigured as fault:
            yield f"Setting to correct. {fault}"


def _domain(client: ShopifyClient, shop: JsonObject) -> Iterator[str]:
    served, wanted = str(shop["myshopifyDomain"]).lower(), client.account.external_id.lower()
    if served != wanted:
        yield f"Another shop answers: {served} instead of {wanted}. Correct the myshopify domain of the connection."


def _version(client: ShopifyClient, data: JsonObject) -> Iterator[str]:
    supported = sorted(
        entry["handle"] for entry in data.get("publicApiVersions") or () if entry.get("supported") and entry["handle"][:1].isdigit()
    )
    served = client.version_served
    if served and served != client.version:
        offered = f" Shopify offers {', '.join(supported)}." if supported else ""
        yield f"The version {client.version} is not served, {served} answered. Choose a supported version.{offered}"
    if client.deprecation:
        yield f"Shopify marks parts of what we use as deprecated ({client.deprecation[:200]}). Update Switchyard before the version ends."


def _scopes(granted: tuple[str, ...]) -> Iterator[str]:
    needed: dict[str, list[str]] = {}
    for reader, scope in READER_SCOPES.items():
        needed.setdefault(scope, []).append(f"pulling {reader}")
    for topic in TOPICS.values():
        if topic.scope:
            needed.setdefault(topic.scope, []).append(topic.name)
    for scope, uses in needed.items():
        if not has_scope(granted, scope):
            yield f"Missing scope {scope}: {', '.join(uses)} will not work. Grant it to the app in Shopify and install it again."
    if not has_scope(granted, OLD_ORDERS):
        yield f"Without scope {OLD_ORDERS} Shopify shows only orders of the last 60 days. Grant it before a backfill of older orders."


def _personal_data(client: ShopifyClient, granted: tuple[str, ...]) -> Iterator[str]:
    """Ask for one customer's name and e-mail: Shopify answers null and ACCESS_DENIED when protected data is not granted."""
    if not has_scope(granted, "read_customers"):
        return
    before = len(client.warnings)
    try:
        client.call("customer_pii")
    except (Reconnect, Refused) as fault:
        yield f"Personal data not granted ({_short(fault)}). {PII_REMEDY}"
        return
    if len(client.warnings) > before or any("mail" in warning or "Name" in warning for warning in client.warnings):
        yield f"Personal data not granted: names, e-mail addresses and phones stay empty. {PII_REMEDY}"


def _short(fault: PlatformError) -> str:
    return str(fault)[:160]


def _facts(client: ShopifyClient, shop: JsonObject) -> dict[str, str]:
    plan, domain = shop.get("plan") or {}, shop.get("primaryDomain") or {}
    return {
        "Shop": str(shop["name"]),
        "Domain": str(shop["myshopifyDomain"]),
        "Storefront": str(domain.get("url") or ""),
        "Currency": str(shop["currencyCode"]),
        "Presentment currencies": ", ".join(shop.get("enabledPresentmentCurrencies") or ()),
        "Prices include tax": "yes" if shop.get("taxesIncluded") else "no",
        "Time zone": str(shop.get("ianaTimezone") or ""),
        "Plan": str(plan.get("publicDisplayName") or ""),
        "API version": client.version_served or client.version,
    }
