"""Every flow with its freshness, volume, success share and backlog, as the overview shows it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Sum
from django.db.models.functions import Extract, Floor

from integrations.models import Checkpoint, Connection, Flow
from integrations.platforms.registry import PLATFORMS
from monitoring.bounded import flows_with_backlog
from monitoring.latest import Amount, LatestSamples, amount
from monitoring.models import Metric, Sample

BEHIND = timedelta(minutes=5)  # live work that waits longer is told
SLOT = timedelta(minutes=10)  # one bar of a flow's chart
SLOTS = 12  # two hours: the last one and the one before


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowLine:
    """One flow on the overview. Shares are of one; `bars` are deliveries per ten minutes over two hours, oldest first."""

    flow: Flow
    lag: timedelta | None
    ready: Amount
    held: Amount
    last_hour: int
    hour_before: int
    share: float | None
    bars: tuple[int, ...]
    next_run: datetime | None

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
        """The bars in percent of the highest; a bar that is not nothing can be seen."""
        top = max(self.bars, default=0)
        return tuple(max(6, round(100 * bar / top)) if bar else 0 for bar in self.bars)


@dataclass(slots=True)
class _Sums:
    """Deliveries and failures per slot, the newest slot first."""

    delivered: list[int] = field(default_factory=lambda: [0] * SLOTS)
    failed: list[int] = field(default_factory=lambda: [0] * SLOTS)


def flow_lines(samples: LatestSamples, now: datetime) -> list[FlowLine]:
    """Every flow with its freshness, volume and backlog; three queries."""
    sums = _sums_by_flow(samples.at or now)
    polls = _next_polls()
    return [_flow_line(flow, samples, sums[flow.pk], polls, now=now) for flow in flows_with_backlog()]


def _flow_line(flow: Flow, samples: LatestSamples, sums: _Sums, polls: Mapping[tuple[int, str], datetime], *, now: datetime) -> FlowLine:
    half = SLOTS // 2
    last_hour, failed = sum(sums.delivered[:half]), sum(sums.failed[:half])
    return FlowLine(
        flow=flow,
        lag=None if flow.oldest_due is None else max(now - flow.oldest_due, timedelta()),
        ready=amount(flow.ready, samples.of_flow(flow.pk, Metric.READY)),
        held=amount(flow.held, samples.of_flow(flow.pk, Metric.HELD)),
        last_hour=last_hour,
        hour_before=sum(sums.delivered[half:]),
        share=last_hour / (last_hour + failed) if last_hour + failed else None,
        bars=tuple(reversed(sums.delivered)),
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


def _sums_by_flow(until: datetime) -> dict[int, _Sums]:
    """What was delivered and what failed per flow in each of the slots before `until`."""
    age = until.timestamp() - Extract("at", "epoch")
    rows = (
        Sample.objects.filter(at__gt=until - SLOT * SLOTS, at__lte=until, metric__in=(Metric.DELIVERED, Metric.FAILED), flow__isnull=False)
        .annotate(slot=Floor(age / SLOT.total_seconds()))
        .values_list("flow", "metric", "slot")
        .annotate(total=Sum("value"))
    )
    sums: dict[int, _Sums] = defaultdict(_Sums)
    for flow_id, metric, slot, total in rows:
        column = sums[flow_id].delivered if metric == Metric.DELIVERED else sums[flow_id].failed
        column[int(slot)] = int(total)
    return sums
