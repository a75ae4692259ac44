"""Rows for tests of pages and endpoints: connections, flows, deliveries, exceptions, people, written without the engine."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.utils import timezone

from integrations.models import Attempt, Connection, Delivery, Flow, Hold, InboxEvent, PrivacyRequest, SyncException

PASSWORD = "correct horse battery"


def make_connections() -> tuple[Connection, Connection]:
    """A shop and an Ometria account."""
    shop = Connection.objects.create(
        platform="shopify", name="Example shop", external_id="example.myshopify.com", base_url="http://127.0.0.1:9"
    )
    return shop, Connection.objects.create(platform="ometria", name="Example Ometria", external_id="example", base_url="http://127.0.0.1:9")


def make_flow(record_type: str = "order") -> Flow:
    """A flow between the shop and Ometria, which are made when they do not exist."""
    shop = Connection.objects.filter(platform="shopify").first()
    shop, ometria = (shop, Connection.objects.get(platform="ometria")) if shop else make_connections()
    return Flow.objects.create(source=shop, destination=ometria, record_type=record_type)


def make_delivery(flow: Flow, key: str = "1001", **values: Any) -> Delivery:
    """One delivery, ready since now unless told otherwise."""
    now = timezone.now()
    record = {"key": key, "customer": {"email": "ann@example.com", "first_name": "Ann"}}
    defaults = {"record": record, "occurred_at": now, "due_at": now, "ready_since": now, "updated_at": now, "cause": "webhook"}
    return Delivery.objects.create(flow=flow, record_key=key, **{**defaults, **values})


def make_attempt(delivery: Delivery, outcome: str = "delivered", **values: Any) -> Attempt:
    """One try."""
    return Attempt.objects.create(delivery=delivery, number=1, outcome=outcome, **values)


def make_exception(flow: Flow, kind: str = "unmapped_sku", subject: str = "TEE-RED", *, waiting: int = 0, **values: Any) -> SyncException:
    """One open question with so many deliveries that wait for it."""
    row = SyncException.objects.create(flow=flow, kind=kind, subject=subject, title=f"Unknown: {subject}", **values)
    for number in range(waiting):
        delivery = make_delivery(flow, f"{subject}-{number}", state=Delivery.State.BLOCKED)
        Hold.objects.create(exception=row, delivery=delivery)
    return row


def make_event(connection: Connection, key: str, **values: Any) -> InboxEvent:
    """One inbox event."""
    return InboxEvent.objects.create(connection=connection, topic="orders/updated", dedup_key=key, body="{}", **values)


def make_person(role: str = "", *, username: str = "", password: str | None = None) -> User:
    """A member of the staff with a role; without one, somebody who may do nothing yet. Without a password the form lets nobody in."""
    user = User.objects.create_user(username=username or role or "newcomer", password=password, is_staff=True)
    if role:
        if not Group.objects.exists():
            make_roles()
        user.groups.add(Group.objects.get(name=role))
    return user


def signed_in(role: str) -> Client:
    """A browser of somebody with that role."""
    client = Client()
    client.force_login(make_person(role), backend="django.contrib.auth.backends.ModelBackend")
    return client


def make_roles() -> None:
    """All roles with their permissions, as `sync_roles` makes them, in three statements."""
    groups = Group.objects.bulk_create(Group(name=role) for role in settings.ROLES)
    known = {f"{app}.{name}": pk for pk, name, app in Permission.objects.values_list("pk", "codename", "content_type__app_label")}
    held = Group.permissions.through
    held.objects.bulk_create(held(group=group, permission_id=known[name]) for group in groups for name in settings.ROLES[group.name])


def make_privacy_request(**values: Any) -> PrivacyRequest:
    """An erasure that was asked for in the console and has not begun."""
    now = timezone.now()
    return PrivacyRequest.objects.create(
        **{"kind": "erasure", "origin": "console", "start_at": now, "due_at": now + timedelta(days=30), "subject": "", **values}
    )


def minutes_ago(number: float) -> Any:
    """A moment in the past."""
    return timezone.now() - timedelta(minutes=number)
