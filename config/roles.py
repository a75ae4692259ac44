"""What each role may do; `manage.py sync_roles` writes this table into the groups' permissions.

Everybody sees everything but personal data. Two roles are narrowed further to rows of their own (`integrations.access`).
"""

from __future__ import annotations

VIEW_ALL = tuple(
    f"{app}.view_{model}"
    for app, models in {
        "integrations": (
            "connection", "flow", "checkpoint", "inboxevent", "delivery", "attempt", "receipt", "syncexception", "exceptioncomment", "hold",
            "ratebudget", "unmappedsku", "contactsync", "engagementfigure",
            "impactrun",
        ),
        "mapping": (
            "mappingversion", "fieldrule", "skucrosswalk", "skucomponent", "valuecrosswalk", "identityrule", "maskingrule",
            "fieldowner", "contacthandle", "consentstatement",
        ),
        "monitoring": ("sample", "segment", "audit", "reconciliation", "drift", "duplicate", "alertstate", "alertevent",
                       "staleconsent", "consentaudit"),
    }.items()
    for model in models
)  # fmt: skip


def editing(app: str, *models: str, actions: tuple[str, ...] = ("add", "change", "delete")) -> tuple[str, ...]:
    """Permission names for the actions on the models."""
    return tuple(f"{app}.{action}_{model}" for model in models for action in actions)


ANSWER = ("integrations.change_syncexception", "integrations.add_exceptioncomment", "integrations.change_delivery")
CROSSWALK = editing("mapping", "skucrosswalk", "skucomponent")
SEGMENTS = editing("monitoring", "segment", actions=("change",))
COMPARE = editing("monitoring", "reconciliation", actions=("add", "change"))
CONSENTS = editing("monitoring", "staleconsent", actions=("change",))
DUPLICATES = editing("monitoring", "duplicate", actions=("change",))
ECOMMERCE = (*VIEW_ALL, *ANSWER, *CROSSWALK, *COMPARE)
MARKETING = (*VIEW_ALL, *ANSWER, *COMPARE, *DUPLICATES, *CONSENTS, *SEGMENTS, "integrations.view_personal_data")
MANAGER = (
    *ECOMMERCE,
    "integrations.view_personal_data",
    *editing("integrations", "flow", "checkpoint", actions=("add", "change")),
    "integrations.change_inboxevent",
    *SEGMENTS,
    *DUPLICATES,
    *CONSENTS,
    "monitoring.add_consentaudit",
    "monitoring.add_audit",
    "monitoring.change_alertstate",
    *editing("monitoring", "alerttarget", actions=("view", "add", "change")),
    *editing("integrations", "privacyrequest", actions=("view", "add", "change")),
    *editing("mapping", "mappingversion", "fieldrule", "fieldowner", "valuecrosswalk", "identityrule", "maskingrule"),
)
ADMINISTRATOR = (
    *MANAGER,
    *editing("integrations", "connection", "credential"),
    *editing("monitoring", "alerttarget", actions=("delete", "rotate")),
    *editing("auth", "user", actions=("view", "add", "change", "delete")),
    *editing("auth", "group", actions=("view",)),
)

ROLES: dict[str, tuple[str, ...]] = {
    "ecommerce": ECOMMERCE,
    "marketing": MARKETING,
    "manager": MANAGER,
    "administrator": ADMINISTRATOR,
}
