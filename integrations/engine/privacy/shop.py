"""Erasing a shop: everything that came from one connection or was kept for it. Figures that name nobody stay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.db.models import Q, QuerySet

from integrations.models import (
    Checkpoint,
    Connection,
    Credential,
    Delivery,
    Flow,
    InboxEvent,
    PrivacyRequest,
    SearchTerm,
    SyncException,
    VisitorIdentity,
)  # fmt: skip
from mapping.models import Contact, ContactHandle
from mapping.records import RecordType

Step = dict[str, Any]
BATCH = 1_000
Rows = Callable[[int], QuerySet]


def _of_flows(name: str, path: str = "flow") -> Rows:
    return lambda pk: apps.get_model(name)._base_manager.filter(Q(**{f"{path}__source": pk}) | Q(**{f"{path}__destination": pk}))


def _of_connection(name: str) -> Rows:
    return lambda pk: apps.get_model(name)._base_manager.filter(connection=pk)


# What goes, in this order: bindings of the shop's customers at destinations before the customers themselves.
RULES: dict[str, tuple[str, Rows]] = {
    "messages": ("Messages of the inbox", lambda pk: InboxEvent.objects.filter(connection=pk)),
    "drift": ("Drift", _of_flows("monitoring.Drift")),
    "comparisons": ("Comparisons", _of_flows("monitoring.Reconciliation")),
    "impacts": ("Impact runs", _of_flows("integrations.ImpactRun")),
    "questions": (
        "Exceptions", lambda pk: SyncException.objects.filter(Q(connection=pk) | Q(flow__source=pk) | Q(flow__destination=pk)),
    ),
    "deliveries": ("Deliveries", lambda pk: Delivery.objects.filter(Q(flow__source=pk) | Q(flow__destination=pk))),
    "terms": ("Search terms", lambda pk: SearchTerm.objects.filter(connection=pk)),
    "visitors": ("Visitors", lambda pk: VisitorIdentity.objects.filter(connection=pk)),
    "handles": ("Contact handles", _of_connection("mapping.ContactHandle")),
    "contacts": ("Contacts", _of_connection("mapping.Contact")),
    "duplicates": ("Suspected duplicates", _of_connection("monitoring.Duplicate")),
    "stale": ("Consents not held as they stand", _of_connection("monitoring.StaleConsent")),
    "consent": ("Consent statements", _of_connection("mapping.ConsentStatement")),
    "pulls": ("Backfills and polls", lambda pk: Checkpoint.objects.filter(connection=pk)),
    "secrets": ("Secrets", lambda pk: Credential.objects.filter(connection=pk)),
}  # fmt: skip
STOP, BINDINGS = "stop", "bindings"


def planned() -> list[Step]:
    """The steps of a shop's erasure."""
    names = (STOP, BINDINGS, *RULES)
    return [{"name": name, "state": "waiting", "cursor": None, "looked": 0, "done": {}, "rows": []} for name in names]


def label_of(name: str) -> str:
    """A step in words."""
    plain = {STOP: "The connection, which is paused", BINDINGS: "Matches of the shop's customers"}
    return plain[name] if name in plain else RULES[name][0]


def do(request: PrivacyRequest, step: Step) -> None:
    """One batch of a step; call inside the transaction that stores the request."""
    step["state"] = "running"
    pk = request.connection_id
    more = pk is not None and (ONCE[step["name"]](pk, step) if step["name"] in ONCE else _delete(RULES[step["name"]][1](pk), step))
    if not more:
        step["state"] = "done"


def _delete(rows: QuerySet, step: Step) -> bool:
    batch = list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])
    locked = rows.model._base_manager.filter(pk__in=batch)
    if rows.model is Delivery:
        list(locked.order_by("record_key").select_for_update(of=("self",)).values_list("pk"))  # as every writer of many deliveries does
    locked.delete()
    _count(step, "deleted", len(batch))
    return len(batch) == BATCH


def _count(step: Step, what: str, rows: int) -> None:
    step["looked"] += rows
    if rows:
        step["done"][what] = step["done"].get(what, 0) + rows


def _stop(pk: int, step: Step) -> bool:
    """Nothing is fetched or sent any more."""
    reason = "The shop asked for everything of it to be erased."
    for connection in Connection.objects.filter(pk=pk):
        connection.state, connection.state_reason = Connection.State.PAUSED, reason
        connection.settings = {**connection.settings, "drop_while_paused": True}
        connection.save(update_fields=["state", "state_reason", "settings"])
    for flow in Flow.objects.filter(Q(source=pk) | Q(destination=pk), enabled=True):
        flow.enabled = False
        flow.save(update_fields=["enabled"])
        _count(step, "flows switched off", 1)
    return False


def _bindings(pk: int, step: Step) -> bool:
    """Which contact at a destination each of the shop's customers was matched to, and contacts that were made for them alone."""
    rows = Delivery.objects.filter(flow__source=pk, flow__record_type=RecordType.CUSTOMER, pk__gt=step["cursor"] or 0).order_by("pk")
    batch = list(rows.values_list("pk", "record_key", "flow__destination")[:BATCH])
    for there in {destination for _, _, destination in batch}:
        keys = [key for _, key, destination in batch if destination == there]
        gone, _ = ContactHandle.objects.filter(connection=there, kind=ContactHandle.Kind.SOURCE_ID, value__in=keys).delete()
        made, _ = Contact.objects.filter(connection=there, contact_key__in=[f"@{key}" for key in keys]).delete()
        ContactHandle.objects.filter(connection=there, contact_key__in=[f"@{key}" for key in keys]).delete()
        _count(step, "deleted", gone + made)
    step["cursor"] = batch[-1][0] if batch else step["cursor"]
    return len(batch) == BATCH


ONCE: dict[str, Callable[[int, Step], bool]] = {STOP: _stop, BINDINGS: _bindings}
