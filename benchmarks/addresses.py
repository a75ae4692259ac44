"""Which addresses of the console are asked: every page there is, and every list under each of its views and filters."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

from django.apps import apps
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.contrib.auth.models import User
from django.test import RequestFactory

from integrations.models import Flow
from tests.browser.pages import LISTS, staff_pages

OVERVIEW = ("/admin/", "/overview/live/")
NOT_OURS = ("missing", "api")  # a page that is not there, and the API's own document
# Combinations that people use and no single filter shows; {flow} is the flow of orders, {contacts} the source of contacts.
MORE = {
    "deliveries": ("flow={flow}&state=blocked", "age=hour&state=skipped", "cause=replay&state=delivered", "cause=replay&flow={flow}",
                   "q=bench-777", "p=10"),
    "exceptions": ("state=resolved&who=me", "kind=needs_auth", "q=SUBJECT-778", "p=10"),
    "unmapped": ("sort=score&suggestion=strong", "sort=score&p=20", "sort=orders&value=100", "source={source}&sort=score", "q=SUBJECT-778",
                 "p=10"),
    "contacts": ("reason=bad_phone&age=over_day", "source={source}&reason=no_profile", "q=bench-777", "p=10"),
    "inbox": ("q=bench-777", "p=10"),
}  # fmt: skip


def all_addresses(user: User) -> dict[str, list[str]]:
    """Addresses by group: overview, a group for each of the four big lists, all other lists, all other pages."""
    groups: dict[str, list[str]] = {"overview": list(OVERVIEW), **{name: [] for name in MORE}, "lists": [], "pages": []}
    named = staff_pages()
    for name, model in LISTS.items():
        groups[name if name in groups else "lists"] += [named[name] + query for query in dict.fromkeys(_variants(name, model, user))]
    known = {address for addresses in groups.values() for address in addresses}
    groups["pages"] += [address for name, address in named.items() if name not in NOT_OURS and address not in known]
    return groups


def _variants(name: str, model: str, user: User) -> Iterator[str]:
    """Queries of a list: none, each view, each choice of each filter, and what people combine."""
    yield ""
    desk = admin.site._registry[apps.get_model(*model.split("_", 1))]
    yield from (f"?{urlencode(values)}" for _, values in getattr(desk, "tabs", ()) if values)
    yield from _choices(desk, user)
    orders = Flow.objects.filter(record_type="order").first()
    for query in MORE.get(name, ()):
        yield "?" + query.format(flow=orders.pk, source=orders.source_id)


def _choices(desk: ModelAdmin, user: User) -> Iterator[str]:
    request = RequestFactory().get("/")
    request.user = user
    for spec in desk.get_changelist_instance(request).filter_specs:
        for value, _ in getattr(spec, "lookup_choices", ()) if hasattr(spec, "parameter_name") else ():
            yield f"?{urlencode({spec.parameter_name: value})}"
