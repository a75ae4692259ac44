"""Every flow with its freshness, volume, success share and backlog, as the overview shows it under its route."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db.models import Sum
from django.db.models.functions import Extract, Floor

from integrations.models import Checkpoint, Connection, Flow
from integrations.platforms.registry import PLATFORMS
from monitoring.bounded import PEEK, flows_with_backlog
from monitoring.latest import Amount, LatestSamples, amount
from monitoring.models import Metric, Sample
from monitoring.worth import Worth, worth_of_held

BEHIND = timedelta(minutes=5)  # live work that waits longer is told
SLOT = timedelta(minutes=10)  # one bar of a flow's chart
SLOTS = 12  # two hours: the last one and the one before
HALF = SLOTS // 2
ACTED_ON = (Metric.DELIVERED, Metric.REFUSED, Metric.STOPPED, Metric.UNCHANGED, Metric.SKIPPED)  # what came in and was dealt with
MOVING = (*ACTED_ON, Metric.FAILED)


@dataclass(slots=True)
class Moved:
    """What became of the tries per metric and slot of two hours, the newest slot first."""

    slots: dict[str, list[int]] = field(default_factory=lambda: {metric: [0] * SLOTS for metric in MOVING})

    def last_hour(self, *metrics: str) -> int:
        """How many in the last hour."""
        return sum(sum(self.slots[metric][:HALF]) for metric in metrics)

    def hour_before(self) -> int:
        """How many were delivered in the hour before."""
        return sum(self.slots[Metric.DELIVERED][HALF:])


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowLine:
    """One flow. `failed` are tries, `acted` are deliveries dealt with, both of the last hour; `bars` are per ten minutes, oldest first."""

    flow: Flow
    lag: timedelta | None
    ready: Amount
    held: Amount
    last_hour: int
    hour_before: int
    failed: int
    acted: int
    bars: tuple[int, ...]
    worth: Worth
    next_run: datetime | None

    @property
    def share(self) -> float | None:
        """Part of the last hour's tries that went through, None when nothing was tried."""
        return share_of(self.last_hour, self.failed)

    @property
    def state(self) -> str:
        """off, paused (an end stands still), behind or fresh."""
        if not self.flow.enabled:
            return "off"
        if any(end.state != Connection.State.ACTIVE for end in (self.flow.source, self.flow.destination)):
            return "paused"
        return "fresh" if self.lag is None or self.lag <= BEHIND else "behind"

    @property
    def trend(self) -> int | None:
        """The last hour against the one before in whole percent, None when there is nothing to compare with."""
        return round(100 * (self.last_hour - self.hour_before) / self.hour_before) if self.hour_before else None

    @property
    def heights(self) -> tuple[int, ...]:
        """The bars in percent of the highest."""
        return heights(self.bars)


def share_of(delivered: int, failed: int) -> float | None:
    """Part of the tries that went through, None when nothing was tried."""
    return delivered / (delivered + failed) if delivered + failed else None


def heights(bars: Sequence[int]) -> tuple[int, ...]:
    """Bars in percent of the highest; a bar that is not nothing can be seen."""
    top = max(bars, default=0)
    return tuple(max(6, round(100 * bar / top)) if bar else 0 for bar in bars)


def flow_lines(samples: LatestSamples, now: datetime) -> list[FlowLine]:
    """Every flow with its freshness, volume and backlog; four queries."""
    moved = moved_by_flow(samples.at or now)
    polls = _next_polls()
    flows = list(flows_with_backlog())
    worth = worth_of_held([flow.pk for flow in flows if 0 < flow.held <= PEEK and flow.record_type == "order"], samples)
    return [_flow_line(flow, samples, moved[flow.pk], worth.get(flow.pk, {}), polls=polls, now=now) for flow in flows]


def _flow_line(
    flow: Flow, samples: LatestSamples, moved: Moved, worth: Worth, *, polls: Mapping[tuple[int, str], datetime], now: datetime
) -> FlowLine:
    return FlowLine(
        flow=flow,
        lag=None if flow.oldest_due is None else max(now - flow.oldest_due, timedelta()),
        ready=amount(flow.ready, samples.of_flow(flow.pk, Metric.READY)),
        held=amount(flow.held, samples.of_flow(flow.pk, Metric.HELD)),
        last_hour=moved.last_hour(Metric.DELIVERED),
        hour_before=moved.hour_before(),
        failed=moved.last_hour(Metric.FAILED),
        acted=moved.last_hour(*ACTED_ON),
        bars=tuple(reversed(moved.slots[Metric.DELIVERED])),
        worth=worth if flow.held else {},
        next_run=_next_run(flow, polls),
    )


def _next_run(flow: Flow, polls: Mapping[tuple[int, str], datetime]) -> datetime | None:
    """When the source is next asked for changes of this flow's records; None when nothing polls it or the flow stands still."""
    if not flow.enabled or flow.source.state != Connection.State.ACTIVE:
        return None
    platform = PLATFORMS.get(flow.source.platform)
    readers = [name for name, reader in platform.readers.items() if flow.record_type in reader.record_types] if platform else []
    return min((polls[(flow.source_id, name)] for name in readers if (flow.source_id, name) in polls), default=None)


def _next_polls() -> dict[tuple[int, str], datetime]:
    running = (Checkpoint.State.WAITING, Checkpoint.State.RUNNING)
    polls = Checkpoint.objects.filter(purpose=Checkpoint.Purpose.POLL, state__in=running).order_by()
    return {(connection, reader): due for connection, reader, due in polls.values_list("connection", "reader", "due_at")}


def moved_by_flow(until: datetime) -> dict[int, Moved]:
    """What became of the tries per flow in each of the slots before `until`; one query."""
    age = until.timestamp() - Extract("at", "epoch", tzinfo=UTC)
    rows = (
        Sample.objects.filter(at__gt=until - SLOT * SLOTS, at__lte=until, metric__in=MOVING, flow__isnull=False)
        .annotate(slot=Floor(age / SLOT.total_seconds()))
        .values_list("flow", "metric", "slot")
        .annotate(total=Sum("value"))
    )
    moved: dict[int, Moved] = defaultdict(Moved)
    for flow_id, metric, slot, total in rows:
        moved[flow_id].slots[metric][int(slot)] = int(total)
    return moved
