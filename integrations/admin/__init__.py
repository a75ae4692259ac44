"""The console's pages for moving records."""

from integrations.admin import backfill, connection, contact_syncs, delivery, exception, figures, flow, inbox, privacy, rules, unmapped

__all__ = ["backfill", "connection", "contact_syncs", "delivery", "exception", "figures", "flow", "inbox", "privacy", "rules", "unmapped"]
