"""What the processing of a push hands to the record types."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """One valid record: as it was pushed, as it is to be stored (merged, or the same object), and when it was accepted."""

    pushed: dict
    record: dict
    digest: str
    at: float
