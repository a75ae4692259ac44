"""Narrowing a list as the overview counts: to the flows of one route, to one kind of record, to what waits for one kind of question."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest

from integrations.admin.filters import dropdown
from integrations.models import Flow, Hold, SyncException
from integrations.models.kinds import kind_choices
from integrations.routes import OTHER, ROUTES, flows_of, route_named
from mapping.records import RecordType

SHOWN_QUESTION = {"exception__state": SyncException.State.OPEN, "exception__snoozed_until": None}  # of a hold: as the desk shows them


def _routes(request: HttpRequest) -> list[tuple[str, str]]:
    return [(route.slug, route.name) for route in (*ROUTES.values(), OTHER)]


def _of_route(rows: QuerySet, value: str, request: HttpRequest) -> QuerySet:
    route = route_named(value)
    return rows.none() if route is None else rows.filter(flow_id__in=[flow.pk for flow in flows_of(route)])


def _record_types(request: HttpRequest) -> list[tuple[str, str]]:
    return [(str(kind), kind.value.capitalize()) for kind in RecordType]


def _of_record(rows: QuerySet, value: str, request: HttpRequest) -> QuerySet:
    return rows.filter(flow_id__in=list(Flow.objects.filter(record_type=value).values_list("pk", flat=True)))


def _waits_for(rows: QuerySet, value: str, request: HttpRequest) -> QuerySet:
    asked = Hold.objects.filter(delivery=OuterRef("pk"), exception__kind=value, **SHOWN_QUESTION)
    return rows.filter(Exists(asked))


RouteFilter = dropdown("route", "route", _routes, _of_route)
RecordFilter = dropdown("record", "record", _record_types, _of_record)
WaitsForFilter = dropdown("waits for", "waits_for", lambda request: kind_choices(), _waits_for)
