"""The project's own settings, read and changed over the API."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from integrations.standins.commercetools.editing import need
from integrations.standins.commercetools.errors import Refusal, invalid, required
from integrations.standins.commercetools.moments import iso
from integrations.standins.commercetools.project import Project

BORN = 1_704_067_200.0  # 1 January 2024


def read_project(project: Project) -> dict[str, Any]:
    """``GET /{projectKey}``."""
    spec, settings = project.spec, project.settings
    return {
        "version": project.version, "key": spec.key, "name": spec.name, "countries": list(spec.countries),
        "currencies": list(spec.currencies), "languages": list(spec.languages), "createdAt": iso(BORN),
        "messages": {"enabled": settings.messages_enabled, "deleteDaysAfterCreation": settings.message_days},
        "carts": {"deleteDaysAfterLastModification": settings.cart_days, "countryTaxRateFallbackEnabled": False},
        "inventory": {"releaseExpiredReservations": False}, "discounts": {"discountCombinationMode": "Stacking"},
        "productCatalogModel": settings.product_catalog_model,
    }  # fmt: skip


def project_settings(project: Project, body: Any) -> dict[str, Any]:
    """``POST /{projectKey}``: the messages feature and the life of carts; raises Refusal."""
    if not isinstance(body, Mapping) or not isinstance(body.get("actions"), list):
        raise required("actions")
    if body.get("version") != project.version:
        words = (
            f"Object {project.spec.key} has a different version than expected. Expected: {body.get('version')} - Actual: {project.version}."
        )
        raise Refusal("ConcurrentModification", words, currentVersion=project.version)
    made = project.settings
    for action in body["actions"]:
        if action.get("action") == "changeMessagesConfiguration":
            wanted = need(action, "messagesConfiguration", dict)
            days = need(wanted, "deleteDaysAfterCreation", int)
            if not 1 <= days <= 90:
                raise invalid("deleteDaysAfterCreation is between 1 and 90.")
            made = replace(made, messages_enabled=bool(wanted.get("enabled")), message_days=days)
        elif action.get("action") == "changeCartsConfiguration":
            days = need(need(action, "cartsConfiguration", dict), "deleteDaysAfterLastModification", int)
            made = replace(made, cart_days=days)
        else:
            raise invalid(f"Unknown update action '{action.get('action')}' for the project.")
    if made != project.settings:
        project.settings, project.version = made, project.version + 1
    return read_project(project)
