"""The console's pages of reconciliation: comparisons, drifts and their repair, suspected duplicates."""

from monitoring.reconcile.pages import comparisons, drifts, duplicates

__all__ = ["comparisons", "drifts", "duplicates"]
