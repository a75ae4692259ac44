"""Template tags of the console: badges, ages and buttons that post."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

import orjson
from django import template
from django.contrib.admin.utils import label_for_field
from django.urls import reverse

from integrations import words

register = template.Library()
register.filter("when", words.when)
register.filter("stamp", words.stamp)
register.filter("age", words.age)
register.filter("span", words.span)
register.filter("state_badge", words.state_badge)
register.filter("outcome_badge", words.outcome_badge)
register.simple_tag(words.badge, name="badge")
register.simple_tag(words.plural, name="plural")


@register.filter
def pretty(value: object) -> str:
    """JSON with indentation; text stays as it is."""
    if isinstance(value, str):
        return value
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS, default=str).decode()


@register.filter
def literal(value: object) -> str:
    """A value as it is in JSON, text without quotes."""
    return value if isinstance(value, str) else orjson.dumps(value, default=str).decode()


@register.filter
def percent(share: float | None) -> str:
    """A share of one as whole percent, rounded down so that 100 % means all."""
    return "" if share is None else f"{int(share * 100)}"


@register.inclusion_tag("integrations/tabs.html")
def tabs(cl: Any) -> dict[str, Any]:
    """The views of a list that people come back to (`tabs` of its desk); other filters are kept."""
    views = cl.model_admin.tabs
    names = {name for _, values in views for name in values}
    chosen = {name: value for name in names if (value := _first(cl.params.get(name, "")))} or dict(views[0][1])
    entries = [
        {"label": label, "url": cl.get_query_string(values, [*(names - values.keys()), "p"]), "current": chosen == values}
        for label, values in views
    ]
    return {"tabs": entries}


@register.inclusion_tag("integrations/rows.html", takes_context=True)
def desk_rows(context: Mapping[str, Any], cl: Any) -> dict[str, Any]:
    """The rows of a list: labels and cells come from the desk, and the labels once, not once per row."""
    desk = cl.model_admin
    columns = [name for name in cl.list_display if name != "action_checkbox"]
    labels = [label_for_field(name, cl.model, model_admin=desk) for name in columns]
    labels = [label[:1].upper() + label[1:] for label in labels]
    reads = [getattr(desk, name, None) or attrgetter(name) for name in columns]
    address = reverse(f"admin:{cl.opts.app_label}_{cl.opts.model_name}_change", args=[0])
    rows = [
        {
            "key": str(row.pk),
            "title": str(row),
            "url": address.replace("/0/", f"/{row.pk}/"),
            "cells": [(label, read(row) or words.NOTHING) for label, read in zip(labels, reads, strict=True)],
        }
        for row in cl.result_list
    ]
    return {
        "rows": rows,
        "labels": labels,
        "cl": cl,
        "selectable": "action_checkbox" in cl.list_display,
        "has_add_permission": context.get("has_add_permission"),
        "is_popup": False,
    }


def _first(value: object) -> str:
    return str(value[0]) if isinstance(value, list) else str(value)


@register.inclusion_tag("integrations/act.html", takes_context=True)
def act(context: Mapping[str, Any], name: str, label: str, **options: Any) -> dict[str, Any]:
    """A button that posts one act of the page's object; nothing at all for people who may not."""
    row = options.pop("row", None) or context["original"]
    opts = row._meta
    acts = options.pop("acts", None)
    allowed = name in (context["acts"] if acts is None else acts)
    url = reverse(f"admin:{opts.app_label}_{opts.model_name}_{name.replace('-', '_')}", args=[row.pk]) if allowed else ""
    return {
        "allowed": allowed,
        "url": url,
        "label": label,
        "csrf_token": context.get("csrf_token"),
        "next": options.pop("next", ""),
        **options,
    }
