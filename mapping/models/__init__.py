"""The tables of the rules."""

from mapping.models.consent import ConsentStatement
from mapping.models.crosswalk import SkuComponent, SkuCrosswalk, ValueCrosswalk
from mapping.models.identity import ContactHandle, IdentityRule
from mapping.models.rules import FieldRule, ImmutableVersion, MappingVersion

__all__ = [
    "ConsentStatement",
    "ContactHandle",
    "FieldRule",
    "IdentityRule",
    "ImmutableVersion",
    "MappingVersion",
    "SkuComponent",
    "SkuCrosswalk",
    "ValueCrosswalk",
]
