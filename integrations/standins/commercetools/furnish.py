"""What every project has before anybody does anything: built-in states, stores, channels, groups, product types, consent fields."""

from typing import Any

from integrations.standins.commercetools.project import Project
from integrations.standins.commercetools.resources import create

CONSENT_TYPE = "marketing-consent"
CONSENT_FIELDS = (("emailOptIn", "Boolean"), ("emailOptInAt", "DateTime"), ("smsOptIn", "Boolean"), ("smsOptInAt", "DateTime"))
BEGINNING = 1_704_067_200.0  # 1 January 2024
COLOURS = ("natural", "blue", "black")
STATES = (
    ("Initial", "LineItemState", True, True), ("picked", "LineItemState", False, False), ("sent", "LineItemState", False, False),
    ("order-new", "OrderState", True, False), ("order-packed", "OrderState", False, False),
)  # fmt: skip


def furnish(project: Project) -> None:
    """Give an empty project its surroundings; keys: stores uk and de, channels shop-uk, shop-de, wh-leeds, groups vip and staff."""
    with project.past(BEGINNING):
        for key, kind, initial, built_in in STATES:
            create(project, "state", {"key": key, "type": kind, "initial": initial, "builtIn": built_in, "name": {"en-GB": key}})
        fields = [{"name": name, "label": {"en-GB": name}, "type": {"name": kind}} for name, kind in CONSENT_FIELDS]
        draft: dict[str, Any] = {"key": CONSENT_TYPE, "name": {"en-GB": "Marketing consent"}, "resourceTypeIds": ["customer"]}
        create(project, "type", {**draft, "fieldDefinitions": fields})
        _channels(project)
        for key, name in (("vip", "VIP"), ("staff", "Staff")):
            create(project, "customer-group", {"key": key, "groupName": name})
        _product_types(project)
        _categories(project)


def _channels(project: Project) -> None:
    for key, roles in (("shop-uk", ["ProductDistribution"]), ("shop-de", ["ProductDistribution"]), ("wh-leeds", ["InventorySupply"])):
        create(project, "channel", {"key": key, "roles": roles, "name": {"en-GB": key}})
    for key, name, language, country in (("uk", "United Kingdom", "en-GB", "GB"), ("de", "Deutschland", "de", "DE")):
        lists = {"languages": [language], "countries": [{"code": country}], "distributionChannels": [{"key": f"shop-{key}"}]}
        create(project, "store", {"key": key, "name": {"en-GB": name, "de": name}, **lists})


def _product_types(project: Project) -> None:
    colour = {"name": "lenum", "values": [{"key": key, "label": {"en-GB": key.title(), "de": f"{key.title()} (de)"}} for key in COLOURS]}
    attributes = [
        {"name": "color", "type": colour, "label": {"en-GB": "Colour", "de": "Farbe"}, "attributeConstraint": "CombinationUnique"},
        {"name": "size", "type": {"name": "text"}, "label": {"en-GB": "Size"}, "attributeConstraint": "CombinationUnique"},
        {"name": "brand", "type": {"name": "text"}, "label": {"en-GB": "Brand"}, "attributeConstraint": "SameForAll"},
        {"name": "washable", "type": {"name": "boolean"}, "label": {"en-GB": "Washable"}},
        {"name": "weight", "type": {"name": "number"}, "label": {"en-GB": "Weight"}},
        {"name": "material", "type": {"name": "ltext"}, "label": {"en-GB": "Material"}},
        {"name": "tags", "type": {"name": "set", "elementType": {"name": "text"}}, "label": {"en-GB": "Tags"}},
        {"name": "season", "type": {"name": "enum", "values": [{"key": "ss26", "label": "Spring 26"}]}, "label": {"en-GB": "Season"}},
    ]
    create(project, "product-type", {"key": "apparel", "name": "Apparel", "description": "Things to wear", "attributes": attributes})
    create(project, "product-type", {"key": "homeware", "name": "Homeware", "description": "Things to have", "attributes": attributes[2:]})


def _categories(project: Project) -> None:
    tree = (("all", "All goods", "Alle Waren", ""), ("wear", "Clothing", "Kleidung", "all"), ("shirts", "Shirts", "Hemden", "wear"),
            ("home", "Home", "Wohnen", "all"))  # fmt: skip
    for key, english, german, parent in tree:
        draft: dict[str, Any] = {"key": key, "name": {"en-GB": english, "de": german}, "slug": {"en-GB": key, "de": f"{key}-de"}}
        create(project, "category", {**draft, "parent": {"key": parent}} if parent else draft)
