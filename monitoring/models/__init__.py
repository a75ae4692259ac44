"""Tables of monitoring: what it samples, and what it finds out by comparing."""

from monitoring.models.audit import Audit
from monitoring.models.samples import Metric, Sample

__all__ = ["Audit", "Metric", "Sample"]
