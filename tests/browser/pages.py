"""Every page of the console with its address, from the rows there are: read by the accessibility tests and the screenshots."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib.auth.models import User
from django.db.models import Model, QuerySet
from django.urls import reverse

from integrations.admin.manual import manual_url
from integrations.models import Checkpoint, Connection, Delivery, DeskRun, Flow, Hold, ImpactRun, InboxEvent, SyncException
from integrations.models.privacy import PrivacyRequest
from integrations.routes import route_of
from mapping.models import ConsentStatement, FieldOwner, IdentityRule, MappingVersion, MaskingRule, SkuCrosswalk, ValueCrosswalk
from monitoring.models import AlertState, AlertTarget, Drift, Duplicate, Reconciliation, Segment

LISTS = {
    "exceptions": "integrations_syncexception", "unmapped": "integrations_unmappedsku", "contacts": "integrations_contactsync",
    "flows": "integrations_flow", "deliveries": "integrations_delivery",
    "inbox": "integrations_inboxevent", "backfills": "integrations_checkpoint", "mappings": "mapping_mappingversion",
    "skus": "mapping_skucrosswalk", "values": "mapping_valuecrosswalk", "identity": "mapping_identityrule",
    "masking": "mapping_maskingrule", "owners": "mapping_fieldowner", "connections": "integrations_connection",
    "figures": "integrations_engagementfigure", "people": "auth_user", "impacts": "integrations_impactrun",
    "privacy": "integrations_privacyrequest",
    "segments": "monitoring_segment", "comparisons": "monitoring_reconciliation", "drift": "monitoring_drift",
    "duplicates": "monitoring_duplicate", "alerts": "monitoring_alertstate", "alerts-history": "monitoring_alertevent",
    "targets": "monitoring_alerttarget", "consent": "monitoring_staleconsent",
}  # fmt: skip
ADDED = ("flows", "mappings", "skus", "values", "identity", "masking", "owners", "connections", "people", "targets")
SHEETS = ("skus", "values", "identity", "masking", "owners")
VIEWS = {
    "exceptions-all": ("exceptions", "state=all"), "exceptions-settled": ("exceptions", "state=resolved"),
    "exceptions-by-value": ("exceptions", "state=open&sort=value"), "exceptions-ignored": ("exceptions", "state=ignored"),
    "exceptions-empty": ("exceptions", "q=nothing-has-this-subject"), "deliveries-held": ("deliveries", "state=blocked"),
    "deliveries-empty": ("deliveries", "q=nothing-has-this-key"), "connections-add-form": ("connections-add", "platform=shopify"),
    "alerts-over": ("alerts", "state=over"), "targets-add-mail": ("targets-add", "kind=email"),
    "targets-add-webhook": ("targets-add", "kind=webhook"),
}  # fmt: skip
SEARCHES = {"find": "", "find-hits": "q=1", "find-missing": "q=%239999"}
PLAIN = {"overview": "admin:index", "attempts": "admin:attempts", "password": "account_change_password", "second-factor": "mfa_index"}
MANUAL = ("daily-check", "monthly-audit", "exceptions", "fields", "connections", "people")  # one article of each make
VISITOR_PAGES = {"sign-in": "/accounts/login/"}


def staff_pages() -> dict[str, str]:
    """Name → address of every page that an administrator can open; pages of rows that do not exist are left out."""
    pages = {name: reverse(view) for name, view in PLAIN.items()}
    pages |= {name: reverse(f"admin:{model}_changelist") for name, model in LISTS.items()}
    pages |= {f"{name}-add": reverse(f"admin:{LISTS[name]}_add") for name in ADDED}
    for name in SHEETS:
        pages |= {f"{name}-{what}": reverse(f"admin:{LISTS[name]}_{what}") for what in ("import", "export")}
    pages |= {name: f"{pages[base]}?{query}" for name, (base, query) in VIEWS.items()}
    for route in {route_of(flow).slug for flow in Flow.objects.select_related("source", "destination")}:
        pages[f"route-{route}"] = reverse("admin:route", args=[route])
        pages[f"route-{route}-week"] = f"{pages[f'route-{route}']}?span=week"
    for name, base, rows in _rows():
        if (row := rows.first()) is not None:
            pages[name] = reverse(f"admin:{LISTS[base]}_change", args=[row.pk])
    pages |= {f"{name}-preview": f"{address.removesuffix('change/')}preview/" for name, address in pages.items() if name == "mapping-draft"}
    for name in ("mapping-draft", "mapping-published"):
        if name in pages:
            pages |= {f"{name}-{part}": f"{pages[name].removesuffix('change/')}{part}/" for part in ("compare", "import")}
    pages |= {f"{name}-edit": f"{address.removesuffix('change/')}edit/" for name, address in pages.items() if name == "segment"}
    pages |= {"segments-choose": f"{pages['segments']}?watched=no"}
    pages |= {"privacy-ask": reverse("admin:integrations_privacyrequest_person")}
    pages |= {"drift-repair": f"{pages['drift']}repairs/"}
    for state in ("granted", "withdrawn", "suppressed"):
        for said in ConsentStatement.objects.filter(state=state, told=False).order_by("-pk")[:1]:
            pages[f"consent-{state}"] = reverse("admin:monitoring_staleconsent_person", args=[said.pk])
    pages |= {"alerts-who": reverse("admin:monitoring_alertstate_who")}
    pages |= {"unmapped-upload": reverse("admin:integrations_unmappedsku_upload")}
    pages |= {"contacts-retry": f"{reverse('admin:integrations_contactsync_retries')}?reason=bad_phone"}
    pages |= {"manual": manual_url(), "manual-search": f"{manual_url()}?q=consent"}
    pages |= {f"manual-{slug}": manual_url(slug) for slug in MANUAL}
    pages |= {name: f"{reverse('admin:find')}?{query}" for name, query in SEARCHES.items()} | dict(_stories())
    pages |= {f"exceptions-{act}": reverse("admin:integrations_syncexception_bulk", args=[act]) for act in ("ignore", "snooze")}
    pages |= {"exceptions-runs": reverse("admin:integrations_syncexception_runs")}
    for run in DeskRun.objects.order_by("-pk")[:1]:
        pages["exceptions-run"] = reverse("admin:integrations_syncexception_run", args=[run.pk])
    for hold in Hold.objects.filter(exception__kind="bad_phone", delivery__state="blocked").order_by("-pk")[:1]:
        pages["exception-put-right"] = reverse("admin:integrations_syncexception_edit", args=[hold.exception_id, hold.delivery_id])
    return {**pages, "missing": "/admin/nowhere/", "api": "/api/docs/"}


def _stories() -> Iterator[tuple[str, str]]:
    """Pages of the search that tell one thing's story."""
    deliveries = Delivery.objects.select_related("flow").order_by("-updated_at")
    for name, kind, rows in (
        ("story-order", "order", deliveries.filter(flow__record_type="order", state="delivered")),
        ("story-held", "order", deliveries.filter(flow__record_type="order", state="blocked")),
        ("story-person", "person", deliveries.filter(flow__record_type="customer")),
    ):
        if (row := rows.first()) is not None:
            yield name, reverse("admin:find_trace", args=[kind, row.flow.source_id, row.record_key])
    if (question := SyncException.objects.filter(kind="unmapped_sku", state="open").first()) is not None:
        yield "story-sku", reverse("admin:find_trace", args=["sku", 0, question.subject])


def _rows() -> Iterator[tuple[str, str, QuerySet[Model]]]:
    exceptions, deliveries = SyncException.objects.order_by("-last_seen"), Delivery.objects.order_by("-updated_at")
    for kind in exceptions.filter(state="open").order_by().values_list("kind", flat=True).distinct():
        yield f"exception-{kind}", "exceptions", exceptions.filter(kind=kind, state="open")
    yield "unmapped-sku", "unmapped", exceptions.filter(kind="unmapped_sku", state="open")
    yield "unmapped-settled", "unmapped", exceptions.filter(kind="unmapped_sku").exclude(state="open")
    yield "contact-held", "contacts", deliveries.filter(flow__record_type="customer", state="blocked")
    yield "exception-settled", "exceptions", exceptions.exclude(state="open")
    for state in ("delivered", "blocked", "ready", "skipped"):
        yield f"delivery-{state}", "deliveries", deliveries.filter(state=state, flow__record_type="order")
    yield "delivery-customer", "deliveries", deliveries.filter(flow__record_type="customer")
    for kind in ("order", "customer"):
        yield f"flow-{kind}", "flows", Flow.objects.filter(record_type=kind)
    yield "inbox-event", "inbox", InboxEvent.objects.order_by("-pk")
    yield "inbox-failed", "inbox", InboxEvent.objects.filter(state="failed")
    yield "backfill", "backfills", Checkpoint.objects.filter(purpose="backfill").order_by("-pk")
    yield "poll", "backfills", Checkpoint.objects.filter(purpose="poll")
    yield "mapping-published", "mappings", MappingVersion.objects.filter(state="published", flow__record_type="order")
    yield "mapping-draft", "mappings", MappingVersion.objects.filter(state="draft")
    for purpose in ImpactRun.Purpose.values:
        yield f"impact-{purpose}", "impacts", ImpactRun.objects.filter(purpose=purpose)
    yield "sku", "skus", SkuCrosswalk.objects.all()
    yield "value", "values", ValueCrosswalk.objects.all()
    yield "identity-rule", "identity", IdentityRule.objects.all()
    yield "masking-rule", "masking", MaskingRule.objects.all()
    yield "field-owner", "owners", FieldOwner.objects.all()
    for platform in ("shopify", "ometria"):
        yield f"connection-{platform}", "connections", Connection.objects.filter(platform=platform)
    yield "connection-broken", "connections", Connection.objects.exclude(state="active")
    yield "segment", "segments", Segment.objects.filter(watched=True)
    yield "comparison", "comparisons", Reconciliation.objects.filter(level="records")
    yield "comparison-counts", "comparisons", Reconciliation.objects.filter(level="counts")
    for state in ("open", "repairing", "dismissed"):
        yield f"drift-{state}", "drift", Drift.objects.filter(state=state)
    yield "duplicate", "duplicates", Duplicate.objects.filter(state="open")
    for state in ("done", "ready", "following", "waiting", "failed"):
        yield f"privacy-{state}", "privacy", PrivacyRequest.objects.filter(state=state)
    yield "alert", "alerts", AlertState.objects.filter(wrong=True)
    yield "alert-over", "alerts", AlertState.objects.filter(wrong=False, since__isnull=False)
    for kind in ("email", "webhook"):
        yield f"target-{kind}", "targets", AlertTarget.objects.filter(kind=kind)
    yield "person", "people", User.objects.filter(username="ecommerce")
