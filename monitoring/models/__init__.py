"""Tables of monitoring: what it samples, and what it finds out by comparing."""

from monitoring.models.alerts import AlertEvent, AlertMessage, AlertRound, AlertState, AlertTarget, AlertTry
from monitoring.models.audit import Audit
from monitoring.models.consents import ConsentAudit, StaleConsent
from monitoring.models.reconciliation import Drift, Duplicate, Reconciliation, Seen
from monitoring.models.samples import Metric, Sample
from monitoring.models.segments import (
    ContactFact,
    FactMark,
    OrderFact,
    ReadBack,
    ReadBackRow,
    Segment,
    SegmentFlip,
    SegmentReading,
    SegmentSource,
)

__all__ = [
    "AlertEvent", "AlertMessage", "AlertRound", "AlertState", "AlertTarget", "AlertTry", "Audit", "ConsentAudit", "ContactFact", "Drift",
    "Duplicate", "FactMark", "Metric", "OrderFact", "ReadBack", "ReadBackRow", "Reconciliation", "Sample", "Seen", "Segment", "SegmentFlip",
    "SegmentReading", "SegmentSource", "StaleConsent",
]  # fmt: skip
