"""Where help opens: the manual's addresses, and the article that belongs to each page of the console."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from integrations.admin.manual.articles import ARTICLES

# The beginning of a page's name → article and anchor; the longest beginning that fits counts.
PLACES: dict[str, tuple[str, str]] = {
    "": ("what-it-does", ""),
    "index": ("health", "overview"),
    "manual": ("what-it-does", "manual"),
    "find": ("find", ""),
    "route": ("health", "usual"),
    "attempts": ("deliveries", "one-delivery"),
    "segment": ("segments", ""),
    "recon": ("reconciliation", ""),
    "duplicate": ("duplicates", ""),
    "integrations_syncexception": ("exceptions", "desk"),
    "integrations_unmappedsku": ("unmapped-products", ""),
    "integrations_unmappedsku_upload": ("unmapped-products", "spreadsheet"),
    "integrations_contactsync": ("contact-syncs", ""),
    "integrations_contactsync_retries": ("contact-syncs", "retry"),
    "integrations_flow": ("health", "flows"),
    "integrations_delivery": ("deliveries", "states"),
    "integrations_inboxevent": ("deliveries", "inbox"),
    "integrations_checkpoint": ("backfill", ""),
    "integrations_engagementfigure": ("connections", "figures"),
    "integrations_privacyrequest": ("privacy", ""),
    "integrations_privacyrequest_person": ("privacy", "ask"),
    "integrations_connection": ("connections", ""),
    "integrations_impact": ("mappings", "impact"),
    "mapping_mappingversion": ("mappings", ""),
    "mapping_mappingversion_preview": ("mappings", "preview"),
    "mapping_mappingversion_impact": ("mappings", "impact"),
    "mapping_skucrosswalk": ("value-tables", "skus"),
    "mapping_valuecrosswalk": ("value-tables", "values"),
    "mapping_identityrule": ("masking-and-identity", "identity"),
    "mapping_maskingrule": ("masking-and-identity", "masking"),
    "mapping_fieldowner": ("masking-and-identity", "owners"),
    "monitoring_segment": ("segments", ""),
    "monitoring_watchedsegment": ("segments", ""),
    "monitoring_recon": ("reconciliation", ""),
    "monitoring_drift": ("reconciliation", ""),
    "monitoring_staleconsent": ("consent", ""),
    "monitoring_duplicate": ("duplicates", ""),
    "monitoring_alert": ("alerts", ""),
    "monitoring_alertstate_who": ("alerts", "who"),
    "monitoring_alerttarget": ("alerts", "targets"),
    "auth_user": ("people", ""),
    "account_": ("people", "sign-in"),
    "mfa_": ("people", "second-factor"),
}
# Pages of one row whose article has a place for its kind: the part of the page's name → the attribute that is the anchor.
ROW_ANCHORS = {"integrations_syncexception_change": "kind", "integrations_connection_change": "platform"}


def manual_url(slug: str = "", anchor: str = "") -> str:
    """The address of an article and a place in it, without a slug the contents; raises KeyError for an article that is not there."""
    if not slug:
        return reverse("admin:manual")
    address = reverse("admin:manual_article", args=[ARTICLES[slug].slug])
    return f"{address}#{anchor}" if anchor else address


def help_url(request: HttpRequest, row: Any = None) -> str:
    """Where the manual speaks of the page that is shown; `row` is the object it is about, if any."""
    match = request.resolver_match
    name = (match.url_name or "") if match else ""
    slug, anchor = PLACES[max((start for start in PLACES if name.startswith(start)), key=len)]
    return manual_url(slug, getattr(row, ROW_ANCHORS.get(name, ""), "") or anchor)
