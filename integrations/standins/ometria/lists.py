"""Segments: computed by Ometria alone, so here from its own orders and people by a rule, or set by control calls."""

from dataclasses import dataclass, field
from typing import Literal

from integrations.standins.ometria.moments import iso


@dataclass(frozen=True, slots=True)
class SegmentRule:
    """Who is in a dynamic list: people with a valid order of one channel (None = any) within ``days``; ``every`` in seconds."""

    days: float
    channel: str | None = None
    # only people who may be mailed
    optin: bool = False
    # how long its members stand until they are worked out again
    every: float = 4 * 3600.0


@dataclass(slots=True)
class Segment:
    """One list; ``size`` overrides the number of members, as a real segment's size is computed late."""

    id: str
    title: str
    created: float
    refreshed: float
    description: str = ""
    type: Literal["DYNAMIC", "STATIC"] = "DYNAMIC"
    status: str = "READY"
    archived: bool = False
    size: int | None = None
    rule: SegmentRule | None = None
    total_orders: int = 0
    total_revenue: float = 0.0
    members: dict[str, None] = field(default_factory=dict)
    changes: list[dict] = field(default_factory=list)

    def enter(self, profile_id: str, email: str | None, at: float) -> None:
        """Take a profile in; a member already inside changes nothing."""
        if profile_id not in self.members:
            self.members[profile_id] = None
            self._note("list_enter", profile_id, email, at)

    def leave(self, profile_id: str, email: str | None, at: float) -> None:
        """Let a profile go; one outside changes nothing."""
        if profile_id in self.members:
            del self.members[profile_id]
            self._note("list_exit", profile_id, email, at)

    def shown(self) -> dict:
        """As the API lists it."""
        return {
            "@type": "list",
            "id": self.id,
            "public_id": f"pub-{self.id}",
            "title": self.title,
            "description": self.description,
            "type": self.type,
            "status": self.status,
            "size": len(self.members) if self.size is None else self.size,
            "total_orders": self.total_orders,
            "total_revenue": self.total_revenue,
            "timestamp_created": iso(self.created),
            "timestamp_last_refreshed": iso(self.refreshed),
            "timestamp_stats_updated": iso(self.refreshed),
        }

    def _note(self, event: str, profile_id: str, email: str | None, at: float) -> None:
        self.changes.append({"profile_id": profile_id, "email": email, "event": event, "timestamp": iso(at)})
