"""Routes: the named pairs of platforms that people speak of, each a set of flows; the names follow from the table of flows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from integrations.flows import FLOWS
from integrations.models import Flow
from integrations.platforms.registry import PLATFORMS
from mapping.records import RecordType


@dataclass(frozen=True, slots=True)
class Route:
    """One route: its letter, the part of its address, and what people call it."""

    letter: str
    slug: str
    name: str

    def __str__(self) -> str:
        return self.name


def _routes() -> dict[str, Route]:
    """By letter; a route is called after the first pair of platforms in the table of flows."""
    found: dict[str, Route] = {}
    for spec in sorted(FLOWS, key=lambda spec: spec.record_type is RecordType.CONSENT):  # what comes back names no route
        ends = (spec.source, spec.destination)
        slug = "-to-".join(end.replace("_", "-") for end in ends)
        found.setdefault(spec.route, Route(spec.route, slug, " → ".join(PLATFORMS[end].label for end in ends)))
    return dict(sorted(found.items()))


ROUTES = _routes()
BY_SLUG = {route.slug: route for route in ROUTES.values()}
OTHER = Route("", "other", "Other flows")  # pairs that the table of flows no longer knows
_LETTERS = {(spec.source, spec.destination, str(spec.record_type)): spec.route for spec in FLOWS}


def route_of(flow: Flow) -> Route:
    """The route that a flow belongs to; its two connections must be loaded."""
    letter = _LETTERS.get((flow.source.platform, flow.destination.platform, flow.record_type), "")
    return ROUTES.get(letter, OTHER)


def route_named(slug: str) -> Route | None:
    """The route with this address, None when there is none."""
    return OTHER if slug == OTHER.slug else BY_SLUG.get(slug)


def flows_of(route: Route, flows: Iterable[Flow] | None = None) -> list[Flow]:
    """The flows of a route; one query unless they are given."""
    rows = Flow.objects.select_related("source", "destination") if flows is None else flows
    return [flow for flow in rows if route_of(flow) == route]
