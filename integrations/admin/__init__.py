"""The console's pages for moving records."""

from integrations.admin import backfill, connection, contact_syncs, delivery, exception, figures, flow, inbox, rules, unmapped

__all__ = ["backfill", "connection", "contact_syncs", "delivery", "exception", "figures", "flow", "inbox", "rules", "unmapped"]
