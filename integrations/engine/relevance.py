"""Records that must not be sent, and why, in words that are shown to people."""

from __future__ import annotations

from mapping.records import Checkout, Customer, Event, EventRole, Order, Record


def why_not(record: Record, *, sent_before: bool) -> str:
    """The reason to skip this record, empty when it is to be sent."""
    if isinstance(record, Order) and record.test:
        return "A test order of the shop."
    if isinstance(record, Checkout) and record.completed_at is not None and not sent_before:
        return "Completed before it counted as abandoned."
    if isinstance(record, Event) and record.role is EventRole.IDENTITY:
        return "Says only who a visitor is."
    if isinstance(record, Customer) and record.merged_into:
        return f"Merged into customer {record.merged_into} at the source."
    if isinstance(record, Customer) and record.removed:
        return "Deleted at the source; the destination keeps its contact until an erasure is asked for."
    if record.removed and not sent_before:
        return "Deleted at the source before it was ever sent."
    return ""
