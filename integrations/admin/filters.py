"""Filters of the lists: drop-downs whose choices are tables, never a query per choice."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta

from django.contrib.admin import ModelAdmin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import DropdownFilter

from integrations.models import Connection, Flow

Choices = Iterable[tuple[str, str]]
AGES = (("hour", "Last hour", timedelta(hours=1)), ("day", "Last 24 hours", timedelta(days=1)), ("week", "Last 7 days", timedelta(days=7)))
OLDER = (("over_hour", "Older than an hour", timedelta(hours=1)), ("over_day", "Older than a day", timedelta(days=1)))


def dropdown(
    title: str, parameter: str, choices: Callable[[HttpRequest], Choices], apply: Callable[[QuerySet, str, HttpRequest], QuerySet]
) -> type[DropdownFilter]:
    """A drop-down filter: `choices(request)` gives its entries, `apply(rows, value, request)` narrows the list."""

    def lookups(self: DropdownFilter, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, str]]:
        return list(choices(request))

    def queryset(self: DropdownFilter, request: HttpRequest, rows: QuerySet) -> QuerySet:
        value = self.value()
        return apply(rows, value, request) if value in {key for key, _ in self.lookup_choices} else rows

    parts = {"title": title, "parameter_name": parameter, "lookups": lookups, "queryset": queryset}
    return type(f"{parameter.title().replace('_', '')}Filter", (DropdownFilter,), parts)


def field_filter(title: str, parameter: str, choices: Choices) -> type[DropdownFilter]:
    """A drop-down over one column with fixed choices."""
    return dropdown(title, parameter, lambda request: choices, lambda rows, value, request: rows.filter(**{parameter: value}))


def _flows(request: HttpRequest) -> Choices:
    return [(str(flow.pk), str(flow)) for flow in Flow.objects.select_related("source", "destination")]


def _connections(request: HttpRequest) -> Choices:
    return [(str(pk), name) for pk, name in Connection.objects.values_list("pk", "name")]


def age_filter(title: str, column: str) -> type[DropdownFilter]:
    """A drop-down over how long ago `column` was."""
    newer = {key: span for key, _, span in AGES}
    older = {key: span for key, _, span in OLDER}

    def apply(rows: QuerySet, value: str, request: HttpRequest) -> QuerySet:
        now = timezone.now()
        if value in newer:
            return rows.filter(**{f"{column}__gte": now - newer[value]})
        return rows.filter(**{f"{column}__lt": now - older[value]})

    return dropdown(title, "age", lambda request: [(key, label) for key, label, _ in (*AGES, *OLDER)], apply)


FlowFilter = dropdown("flow", "flow", _flows, lambda rows, value, request: rows.filter(flow_id=value))
ConnectionFilter = dropdown("connection", "connection", _connections, lambda rows, value, request: rows.filter(connection_id=value))


def chosen_filters(shown: ChangeList) -> list[tuple[str, str]]:
    """The drop-down filters of a list that are set, in words."""
    found = []
    for spec in shown.filter_specs:
        value = getattr(spec, "value", None)
        label = dict(spec.lookup_choices).get(value()) if callable(value) else None
        if label:
            found.append((str(spec.title), str(label)))
    return found
