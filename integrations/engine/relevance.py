"""Records that must not be sent, and why, in words that are shown to people."""

from __future__ import annotations

from integrations.flows import FlowSpec
from integrations.models import Flow
from mapping.anonymous import WORDS, is_anonymous
from mapping.records import Checkout, Customer, Event, EventRole, Order, OrderStatus, Product, Record, Variant

HOLD_SETTING = "hold_until_released"  # of the flow, else of its source's connection; held unless it says no


def why_not(record: Record, *, sent_before: bool) -> str:
    """The reason to skip this record, empty when it is to be sent."""
    if is_anonymous(record):
        return WORDS
    if isinstance(record, Order) and record.test:
        return "A test order of the shop."
    if isinstance(record, Order) and record.attributes.get("order_kind"):
        return f"Not a sale: {record.attributes.get('excluded') or record.attributes['order_kind']}."
    if isinstance(record, Checkout) and record.completed_at is not None and not sent_before:
        return "Completed before it counted as abandoned."
    if isinstance(record, Event) and record.role is EventRole.IDENTITY:
        return "Says only who a visitor is."
    if isinstance(record, Customer) and record.merged_into:
        return f"Merged into customer {record.merged_into} at the source."
    if isinstance(record, Customer) and record.removed:
        return "Deleted at the source; the destination keeps its contact until an erasure is asked for."
    if isinstance(record, Product | Variant) and record.removed and not sent_before:
        return "Not for sale at the source before it was ever sent: deleted, unpublished, or without a price in any market."
    if record.removed and not sent_before:
        return "Deleted at the source before it was ever sent."
    return ""


def not_yet(flow: Flow, spec: FlowSpec, record: Record, *, sent_before: bool) -> str:
    """The reason why this record is held back until its source shows a later state of it, empty when it may go."""
    if not isinstance(record, Order) or sent_before or record.status is not OrderStatus.PENDING:
        return ""
    if record.attributes.get("on_hold"):
        held = flow.settings.get(HOLD_SETTING, flow.source.settings.get(HOLD_SETTING, True))
        return "On hold: the buyer may still cancel. It goes out when the hold ends." if held else ""
    return "" if spec.unpaid else "Not paid yet. It goes out when it is."
