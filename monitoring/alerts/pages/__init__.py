"""The console's pages of alerts: what is wrong now, what changed when, who gets what, and the targets."""

from monitoring.alerts.pages import history, states, targets

__all__ = ["history", "states", "targets"]
