"""The shop itself: probe, configuration, locations, locales, markets, versions."""

from typing import Any

from integrations.standins.shopify.ids import gid
from integrations.standins.shopify.paging import page_of
from integrations.standins.shopify.products import LOCATION_ID
from integrations.standins.shopify.resolvers import Call

SHOP_ID = 548_380_009


def shop_object(source: Any, arguments: Any, call: Call) -> dict[str, Any]:
    """What ``shop`` answers."""
    spec = call.shop.spec
    return {
        "id": gid("Shop", SHOP_ID),
        "name": spec.name,
        "myshopifyDomain": spec.domain,
        "currencyCode": spec.currency,
        "ianaTimezone": spec.timezone,
        "timezoneOffset": f"{spec.utc_offset:+03d}00",
        "timezoneOffsetMinutes": spec.utc_offset * 60,
        "taxesIncluded": spec.taxes_included,
        "taxShipping": True,
        "enabledPresentmentCurrencies": [spec.currency, *spec.rates],
        "plan": {
            "publicDisplayName": "Development" if spec.partner_development else "Shopify",
            "partnerDevelopment": spec.partner_development,
            "shopifyPlus": False,
        },
        "primaryDomain": {"url": f"https://{spec.domain}", "host": spec.domain},
        "url": f"https://{spec.domain}",
    }


def installation(source: Any, arguments: Any, call: Call) -> dict[str, Any]:
    """What ``currentAppInstallation`` answers: the scopes really granted."""
    scopes = [{"handle": handle, "description": handle} for handle in sorted(call.shop.scopes)]
    app = {"id": gid("App", 1), "title": "Switchyard", "handle": "switchyard"}
    return {"id": gid("AppInstallation", 1), "accessScopes": scopes, "app": app}


def locations(source: Any, arguments: Any, call: Call) -> Any:
    """One location, open for online orders."""
    row = {
        "id": gid("Location", LOCATION_ID),
        "legacyResourceId": LOCATION_ID,
        "name": "Main",
        "isActive": True,
        "shipsInventory": True,
        "fulfillsOnlineOrders": True,
    }
    return page_of([row], arguments, call)


def locales(source: Any, arguments: Any, call: Call) -> list[dict[str, Any]]:
    """The shop's languages, the first being the primary one."""
    return [
        {"locale": locale, "name": locale, "primary": index == 0, "published": True} for index, locale in enumerate(call.shop.spec.locales)
    ]


def markets(source: Any, arguments: Any, call: Call) -> Any:
    """One market per country."""
    rows = [
        {
            "id": gid("Market", index),
            "handle": code.lower(),
            "name": name,
            "status": "ACTIVE",
            "currencySettings": {"baseCurrency": {"currencyCode": call.shop.spec.currency}},
        }
        for index, (code, name) in enumerate(call.shop.spec.countries.items(), start=1)
    ]
    return page_of(rows, arguments, call)
