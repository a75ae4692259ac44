"""Which addresses of the console are asked: every page there is, and every list under each of its views and filters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlencode

from django.apps import apps
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.contrib.auth.models import User
from django.test import RequestFactory
from django.urls import reverse

from integrations.engine.find_terms import one_way
from integrations.models import DeskRun, Flow, ImpactRun
from integrations.routes import route_of
from mapping.models import MappingVersion, SkuCrosswalk
from monitoring.attempts import WHATS
from monitoring.models import Drift, Duplicate, Reconciliation, Segment
from monitoring.segments.causes import CAUSES
from tests.browser.pages import LISTS, staff_pages

OVERVIEW = ("/admin/", "/overview/live/")
POST = "POST "  # before an address whose query is sent as a form
PERSON = "person-10@example.com"
CHECKS = ("segments", "comparisons", "drift", "duplicates")  # lists that make a group of their own
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
    "drift": ("state=all", "state=all&p=10", "cause=missing&flow={flow}", "q=bench-777", "p=10"),
    "duplicates": ("q=person-777", "p=10"),
    "segments": ("q=Segment+5",),
    "skus": ("q=TT-777", "p=10"),
    "values": ("q=word+77",),
}  # fmt: skip
OWN = ("deliveries", "exceptions", "unmapped", "contacts", "inbox")  # lists with a figure of their own


def all_addresses(user: User) -> dict[str, list[str]]:
    """Addresses by group: overview, each of the big lists, what compares and counts, all other lists, searches, routes, all other pages."""
    named = staff_pages()
    groups: dict[str, list[str]] = {
        "overview": list(OVERVIEW), **{name: [] for name in OWN}, "checks": list(_checks()), "lists": [], "find": list(_searches(named)),
        "routes": list(_routes(named["attempts"])), "pages": list(_parts(named)),
    }  # fmt: skip
    for name, model in LISTS.items():
        group = name if name in OWN else "checks" if name in CHECKS else "lists"
        groups[group] += [named[name] + query for query in dict.fromkeys(_variants(name, model, user))]
    known = {address for addresses in groups.values() for address in addresses}
    for name, address in named.items():
        if name not in NOT_OURS and address not in known:
            groups["find" if "/find/" in address else "routes" if "/route/" in address else "pages"].append(address)
    return groups


def _checks() -> Iterator[str]:
    """Pages of single segments, comparisons, drifts and suspected duplicates, with the parts that renew themselves."""
    for model, query in (("segment", Segment.objects.filter(watched=True)), ("reconciliation", Reconciliation.objects.all()),
                         ("drift", Drift.objects.all()), ("duplicate", Duplicate.objects.all())):  # fmt: skip
        pk = query.order_by("pk").values_list("pk", flat=True).last()
        yield from (reverse(f"admin:monitoring_{model}_{what}", args=[pk]) for what in ("change", "live"))
    widest = Segment.objects.filter(rule__days=365, rule__consent=True).first()
    since = urlencode({"since": widest.changed["day"]["since"].replace("+00:00", "Z")})
    yield from (f"{reverse('admin:monitoring_segment_people', args=[widest.pk, cause])}?{since}" for cause in CAUSES)
    yield reverse("admin:monitoring_drift_repairs")
    yield reverse("admin:monitoring_segment_standing")


def _searches(named: Mapping[str, str]) -> Iterator[str]:
    """The page of hits and the box: a number, its beginning, a person, a SKU, words of a title, and what nobody has."""
    page, box = reverse("admin:find"), reverse("admin:find_live")
    for typed in ("777", "#77", "SKU-77", "organic shirt", "bench-777", "nothing of that name"):
        yield f"{page}?{urlencode({'q': typed})}"
        yield f"{POST}{box}?{urlencode({'q': typed})}"
    yield f"{page}?who=e.{one_way(PERSON)}"
    yield f"{POST}{page}?{urlencode({'q': PERSON})}"
    yield f"{POST}{box}?{urlencode({'q': PERSON})}"
    yield from (address for name, address in named.items() if name.startswith("story-"))


def _routes(attempts: str) -> Iterator[str]:
    """Pages of routes, and what was tried by way of looking, route and flow."""
    orders = Flow.objects.select_related("source", "destination").get(record_type="order")
    slug = route_of(orders).slug
    yield from (f"{reverse('admin:route', args=[slug])}?span={span}" for span in ("day", "week"))
    yield reverse("admin:route_live", args=[slug])
    yield reverse("admin:route_trend", args=[slug])
    yield from (f"{attempts}?what={what}" for what in WHATS)
    yield f"{attempts}?what=failed&flow={orders.pk}"
    yield f"{attempts}?what=delivered&route={slug}"


def _parts(named: Mapping[str, str]) -> Iterator[str]:
    """Pages that belong to one row or one list and no list shows: histories, the way back, answers, candidates, how fields are filled."""
    orders = Flow.objects.filter(record_type="order").first()
    rows = {
        "flow": orders, "skucrosswalk": SkuCrosswalk.objects.first(), "mappingversion": MappingVersion.objects.filter(flow=orders).last(),
    }  # fmt: skip
    for model, row in rows.items():
        if row is not None:
            yield reverse(f"admin:{row._meta.app_label}_{model}_history", args=[row.pk])
    yield from (reverse(f"admin:mapping_{model}_way_back") for model in ("skucrosswalk", "valuecrosswalk"))
    yield from (f"{named['manual']}fields/?{query}" for query in ("", "q=order", f"flow={orders.pk}"))
    yield reverse("admin:integrations_flow_live", args=[orders.pk])
    for view, newest in (("impactrun_live", ImpactRun.objects), ("syncexception_run", DeskRun.objects)):
        yield from (reverse(f"admin:integrations_{view}", args=[row.pk]) for row in newest.order_by("-pk")[:1])
    if "unmapped-sku" in named:
        base = named["unmapped-sku"].removesuffix("change/")
        yield from (f"{base}{part}" for part in ("candidates/", "search/?q=shirt"))


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
