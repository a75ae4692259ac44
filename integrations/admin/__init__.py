"""The console's pages for moving records."""

from integrations.admin import backfill, connection, delivery, exception, flow, inbox, rules

__all__ = ["backfill", "connection", "delivery", "exception", "flow", "inbox", "rules"]
