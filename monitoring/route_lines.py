"""Each route as one line: its flows taken together, its volume against the usual, and what waits on people with its value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from integrations.routes import OTHER, ROUTES, Route, route_of
from monitoring.flow_lines import FlowLine, heights, share_of
from monitoring.latest import Amount, LatestSamples, add_up
from monitoring.question_lines import OpenQuestions
from monitoring.usual import Usual, Volumes, together, volumes_by_flow
from monitoring.worth import Worth, in_words
from monitoring.worth import add_up as add_up_worth

STATES = ("behind", "paused", "fresh", "off")  # a route is as its worst flow; only one without a live flow is off


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteLine:
    """One route on the overview; numbers of the last hour are those before the newest sample."""

    route: Route
    flows: Sequence[FlowLine]
    usual: Usual | None
    questions: Amount

    @property
    def state(self) -> str:
        """behind, paused, fresh or off."""
        states = {line.state for line in self.flows}
        return next(state for state in STATES if state in states)

    @property
    def lag(self) -> timedelta | None:
        """Age of the oldest live delivery that is due on any flow."""
        return max((line.lag for line in self.flows if line.lag is not None and line.flow.enabled), default=None)

    @property
    def last_delivered(self) -> datetime | None:
        """When something last arrived."""
        return max((line.flow.last_delivered_at for line in self.flows if line.flow.last_delivered_at), default=None)

    @property
    def last_hour(self) -> int:
        """Delivered in the last hour."""
        return sum(line.last_hour for line in self.flows)

    @property
    def acted(self) -> int:
        """Came in and dealt with in the last hour."""
        return sum(line.acted for line in self.flows)

    @property
    def failed(self) -> int:
        """Tries of the last hour that did not go through."""
        return sum(line.failed for line in self.flows)

    @property
    def share(self) -> float | None:
        """Part of the last hour's tries that went through."""
        return share_of(self.last_hour, self.failed)

    @property
    def ready(self) -> Amount:
        """Deliveries that are ready to go."""
        return add_up(line.ready for line in self.flows)

    @property
    def held(self) -> Amount:
        """Deliveries that wait for a person."""
        return add_up(line.held for line in self.flows)

    @property
    def worth(self) -> Worth:
        """Net value of the held orders by currency."""
        return add_up_worth(line.worth for line in self.flows)

    @property
    def worth_words(self) -> str:
        """The value in words, empty when no order is held."""
        return in_words(self.worth)

    @property
    def place(self) -> str:
        """Where the last hour lies: below, within or above the usual; empty while that is not known."""
        return self.usual.place(self.last_hour) if self.usual else ""

    @property
    def heights(self) -> tuple[int, ...]:
        """Deliveries per ten minutes of two hours in percent of the highest, oldest first."""
        return heights([sum(bars) for bars in zip(*[line.bars for line in self.flows], strict=True)])

    @property
    def next_run(self) -> datetime | None:
        """When a source is next asked for changes."""
        return min((line.next_run for line in self.flows if line.next_run), default=None)


def route_lines(flows: Sequence[FlowLine], questions: OpenQuestions, samples: LatestSamples, now: datetime) -> list[RouteLine]:
    """The routes that have flows, in the order of their letters; one query."""
    volumes = volumes_by_flow(samples.at or now)
    lines = [_route_line(route, flows, questions, volumes, until=samples.at or now) for route in (*ROUTES.values(), OTHER)]
    return [line for line in lines if line.flows]


def _route_line(
    route: Route, flows: Sequence[FlowLine], questions: OpenQuestions, volumes: dict[int, Volumes], *, until: datetime
) -> RouteLine:
    mine = [line for line in flows if route_of(line.flow) == route]
    return RouteLine(
        route=route,
        flows=mine,
        usual=together(volumes[line.flow.pk] for line in mine).usual(until) if mine else None,
        questions=add_up(questions.of_flows(line.flow.pk for line in mine).values()),
    )
