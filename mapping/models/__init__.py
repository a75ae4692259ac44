"""The tables of the rules."""

from mapping.models.consent import ConsentStatement
from mapping.models.crosswalk import SkuComponent, SkuCrosswalk, ValueCrosswalk
from mapping.models.identity import Contact, ContactDirectory, ContactHandle, IdentityRule
from mapping.models.masking import MaskingRule
from mapping.models.ownership import FieldOwner
from mapping.models.rules import FieldRule, ImmutableVersion, MappingVersion

__all__ = [
    "ConsentStatement",
    "Contact",
    "ContactDirectory",
    "ContactHandle",
    "FieldOwner",
    "FieldRule",
    "IdentityRule",
    "ImmutableVersion",
    "MappingVersion",
    "MaskingRule",
    "SkuComponent",
    "SkuCrosswalk",
    "ValueCrosswalk",
]
