"""Pages for the tables of the rules. Mapping versions have theirs where records can be previewed, in the app that moves them."""

from mapping.admin import crosswalk, identity, masking, ownership

__all__ = ["crosswalk", "identity", "masking", "ownership"]
