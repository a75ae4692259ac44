"""How the console looks: title, colours and the side bar with the open questions first."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy

# Group → (title, symbol, model whose list it leads to). The first group has no heading; its first entry, the overview, is for everybody.
PAGES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "": (
        ("Exceptions", "help", "integrations.syncexception"),
        ("Unmapped products", "inventory_2", "integrations.unmappedsku"),
        ("Failed contact syncs", "person_alert", "integrations.contactsync"),
    ),
    "Moving data": (
        ("Flows", "swap_horiz", "integrations.flow"),
        ("Deliveries", "outbox", "integrations.delivery"),
        ("Inbox", "inbox", "integrations.inboxevent"),
        ("Backfills", "history", "integrations.checkpoint"),
        ("Engagement figures", "insights", "integrations.engagementfigure"),
    ),
    "Rules": (
        ("Mappings", "rule", "mapping.mappingversion"),
        ("SKU crosswalk", "sync_alt", "mapping.skucrosswalk"),
        ("Value tables", "table", "mapping.valuecrosswalk"),
        ("Identity rules", "fingerprint", "mapping.identityrule"),
        ("Field owners", "assignment_ind", "mapping.fieldowner"),
        ("Masking rules", "visibility_off", "mapping.maskingrule"),
    ),
    "Checks": (
        ("Alerts", "notifications", "monitoring.alertstate"),
        ("Reconciliation", "compare_arrows", "monitoring.reconciliation"),
        ("Drift", "difference", "monitoring.drift"),
        ("Consent", "how_to_reg", "monitoring.staleconsent"),
        ("Duplicates", "people", "monitoring.duplicate"),
        ("Segments", "group_work", "monitoring.segment"),
        ("Privacy", "shield_person", "integrations.privacyrequest"),
    ),
    "Set-up": (
        ("Connections", "cable", "integrations.connection"),
        ("People", "group", "auth.user"),
    ),
}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The side bar of this person: the pages there are and that they may open."""
    groups = []
    for heading, pages in PAGES.items():
        items = [{"title": "Overview", "icon": "monitoring", "link": reverse("admin:index")}] if not heading else []
        items += [_entry(*page) for page in pages if _may_open(request, page[2])]
        if items:
            groups.append({"title": heading, "separator": bool(heading), "items": items})
    manual = {"title": "Manual", "icon": "menu_book", "link": reverse("admin:manual")}
    return [*groups, {"title": "Help", "separator": True, "items": [manual]}]


def _entry(title: str, icon: str, model: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse(f"admin:{model.replace('.', '_')}_changelist")}


def _may_open(request: HttpRequest, model: str) -> bool:
    from django.contrib import admin

    app, _, name = model.partition(".")
    return apps.get_model(model) in admin.site._registry and request.user.has_perm(f"{app}.view_{name}")


# A blue green on neutral greys. White on 600, 700 on 50 and 500 on 900 all exceed 4.5:1.
COLORS = {
    "base": {
        "50": "#f7f8f9", "100": "#eef0f2", "200": "#dfe3e7", "300": "#c5ccd3", "400": "#94a0ab", "500": "#65727e", "600": "#4a5661",
        "700": "#384249", "800": "#262e34", "900": "#181d21", "950": "#0d1114",
    },
    "primary": {
        "50": "#eef7f8", "100": "#d5ecef", "200": "#afdadf", "300": "#7cc0c8", "400": "#5bb3bf", "500": "#37a0af", "600": "#1b6b79",
        "700": "#1a5763", "800": "#1b4852", "900": "#1a3d46", "950": "#0b262d",
    },
}  # fmt: skip

UNFOLD = {
    "SITE_TITLE": "Switchyard",
    "SITE_HEADER": "Switchyard",
    "SITE_SUBHEADER": "Operations console",
    "SITE_SYMBOL": "alt_route",
    "SITE_URL": None,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("switchyard/favicon.svg")}],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "monitoring.views.dashboard",
    "STYLES": [
        lambda request: static("switchyard/console.css"),
        lambda request: static("switchyard/find.css"),
        lambda request: static("switchyard/print.css"),
    ],
    "SCRIPTS": [lambda request: static("switchyard/find.js")],
    "BORDER_RADIUS": "6px",
    "COLORS": COLORS,
    "ACCOUNT": {
        "navigation": [
            {"title": "Change password", "link": reverse_lazy("account_change_password")},
            {"title": "Two-factor sign-in", "link": reverse_lazy("mfa_index")},
        ]
    },
    "SIDEBAR": {"show_search": False, "show_all_applications": False, "navigation": navigation},
}


def account_pages(request: HttpRequest) -> dict[str, Any]:
    """Context of the console's frame for the sign-in and two-factor pages, which are not admin views."""
    match = request.resolver_match
    if match is None or not (match.url_name or "").startswith(("account_", "mfa_")):
        return {}
    from django.contrib import admin

    return {**admin.site.each_context(request), "title": "Your account"}
