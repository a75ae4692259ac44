"""The news: one line whenever something worth seeing happened, read from the database. No personal data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime

from django.utils import timezone

from integrations.engine.pull import progress
from integrations.models import Checkpoint, Connection, Delivery, RateBudget, SyncException
from integrations.platforms.registry import PLATFORMS

FEW = 3  # more deliveries of a flow than this at once become one line
PLURAL = {kind: f"{kind}s" for kind in ("customer", "order", "checkout", "product", "variant", "event", "consent")}


class News:
    """Remembers what was told; each call of `tell` says what is new since."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._since = timezone.now()
        self._exceptions: dict[int, str] = {}
        self._pulls: dict[int, str] = {}
        self._blocked: dict[tuple[str, str], datetime] = {}
        self._states: dict[int, str] = {}

    def tell(self) -> None:
        """Say what happened since the last call."""
        for source in (self._pulled, self._slowed, self._connections, self._delivered, self._asked):
            for line in source():
                self._say(line)

    def _delivered(self) -> Iterator[str]:
        since, self._since = self._since, timezone.now()
        rows = Delivery.objects.filter(delivered_at__gt=since, delivered_at__lte=self._since).exclude(last_code="unchanged")
        fresh: dict[tuple[str, str], list[str]] = defaultdict(list)
        columns = ("flow__record_type", "flow__destination__platform", "record__number", "record__name", "record_key")
        for kind, place, number, name, key in rows.values_list(*columns):
            fresh[kind, PLATFORMS[place].label].append(number or (name or "").replace("_", " ") or key)
        for (kind, place), names in fresh.items():
            if len(names) > FEW:
                yield f"{len(names)} {PLURAL.get(kind, kind)} delivered to {place}"
            else:
                yield from (f"{kind} {name} delivered to {place}" for name in names)

    def _asked(self) -> Iterator[str]:
        for row in SyncException.objects.order_by("pk"):
            before = self._exceptions.get(row.pk)
            if before == row.state:
                continue
            self._exceptions[row.pk] = row.state
            if row.state == SyncException.State.OPEN:
                yield f"exception: {row.title}"
            elif before is not None:
                yield f"exception answered: {row.title}"

    def _pulled(self) -> Iterator[str]:
        for row in Checkpoint.objects.exclude(purpose=Checkpoint.Purpose.POLL):
            if self._pulls.get(row.pk) == row.state:
                continue
            self._pulls[row.pk] = row.state
            known = progress(row)
            said = f"{known.read} read" if known.read else row.note or "queued"
            yield f"backfill of {row.reader}: {row.get_state_display().lower()}, {said}"

    def _slowed(self) -> Iterator[str]:
        now = timezone.now()
        for budget in RateBudget.objects.filter(blocked_until__gt=now).select_related("connection"):
            key = (budget.connection.name, budget.group)
            if self._blocked.get(key) != budget.blocked_until:
                self._blocked[key] = budget.blocked_until
                seconds = (budget.blocked_until - now).total_seconds()
                yield f"{budget.connection.name} asks to slow down: no {budget.group} call for {seconds:.1f} s"

    def _connections(self) -> Iterator[str]:
        for row in Connection.objects.all():
            state = "waiting for the platform" if row.resume_at and row.resume_at > timezone.now() else row.state
            before = self._states.get(row.pk)
            self._states[row.pk] = state
            if before not in (None, state):
                yield f"{row.name} is {state}"
