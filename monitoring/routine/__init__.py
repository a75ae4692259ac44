"""What people look at in regular turns: the daily check and the monthly audit, with the live evidence."""

from monitoring.routine import audit, daily

__all__ = ["audit", "daily"]
