"""How the console looks: title, colours and the side bar with the open questions first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.urls import reverse_lazy


def may(permission: str) -> Callable[[HttpRequest], bool]:
    """An entry of the side bar is there for people who may open it."""
    return lambda request: request.user.has_perm(permission)


def entry(title: str, icon: str, model: str, permission: str = "") -> dict[str, Any]:
    """A side bar entry that leads to the list of `model` ("app_model")."""
    app, _, name = model.partition("_")
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{model}_changelist"),
        "permission": may(permission or f"{app}.view_{name}"),
    }


NAVIGATION = [
    {
        "items": [
            {"title": "Overview", "icon": "monitoring", "link": reverse_lazy("admin:index")},
            entry("Questions", "help", "integrations_syncexception"),
        ]
    },
    {
        "title": "Moving data",
        "separator": True,
        "items": [
            entry("Flows", "swap_horiz", "integrations_flow"),
            entry("Deliveries", "outbox", "integrations_delivery"),
            entry("Inbox", "inbox", "integrations_inboxevent"),
            entry("Backfills", "history", "integrations_checkpoint"),
        ],
    },
    {
        "title": "Rules",
        "separator": True,
        "items": [
            entry("Mappings", "rule", "mapping_mappingversion"),
            entry("SKU crosswalk", "sync_alt", "mapping_skucrosswalk"),
            entry("Value tables", "table", "mapping_valuecrosswalk"),
            entry("Identity rules", "fingerprint", "mapping_identityrule"),
        ],
    },
    {
        "title": "Set-up",
        "separator": True,
        "items": [
            entry("Connections", "cable", "integrations_connection"),
            entry("People", "group", "auth_user"),
        ],
    },
]

# A blue green on neutral greys. White on 600 and 700 on 50 both exceed 4.5:1.
COLORS = {
    "base": {
        "50": "#f7f8f9", "100": "#eef0f2", "200": "#dfe3e7", "300": "#c5ccd3", "400": "#94a0ab", "500": "#65727e", "600": "#4a5661",
        "700": "#384249", "800": "#262e34", "900": "#181d21", "950": "#0d1114",
    },
    "primary": {
        "50": "#eef7f8", "100": "#d5ecef", "200": "#afdadf", "300": "#7cc0c8", "400": "#459fab", "500": "#2a8391", "600": "#1b6b79",
        "700": "#1a5763", "800": "#1b4852", "900": "#1a3d46", "950": "#0b262d",
    },
}  # fmt: skip

UNFOLD = {
    "SITE_TITLE": "Switchyard",
    "SITE_HEADER": "Switchyard",
    "SITE_SUBHEADER": "Operations console",
    "SITE_SYMBOL": "alt_route",
    "SITE_URL": None,
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "monitoring.views.dashboard",
    "BORDER_RADIUS": "6px",
    "COLORS": COLORS,
    "ACCOUNT": {
        "navigation": [
            {"title": "Change password", "link": reverse_lazy("account_change_password")},
            {"title": "Two-factor sign-in", "link": reverse_lazy("mfa_index")},
        ]
    },
    "SIDEBAR": {"show_search": False, "show_all_applications": False, "navigation": NAVIGATION},
}


def account_pages(request: HttpRequest) -> dict[str, Any]:
    """Context of the console's frame for the sign-in and two-factor pages, which are not admin views."""
    match = request.resolver_match
    if match is None or not (match.url_name or "").startswith(("account_", "mfa_")):
        return {}
    from django.contrib import admin

    return admin.site.each_context(request)
