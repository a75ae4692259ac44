"""A person's decision who a customer is: remembered for good, and everything that waited for it goes out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from integrations.engine import people
from integrations.engine.exceptions import resolve_exceptions
from integrations.engine.follow import resend_orders
from integrations.models import SyncException

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def choose_contact(exception: SyncException, contact_key: str, by: User | None) -> int:
    """The customer that an ambiguous_contact question is about is this contact; returns how many deliveries were let go.

    `people.new_key(subject)` says that it is nobody the destination knows. Orders that were sent under another identity go out again.
    """
    flow, customer = exception.flow, exception.subject
    with transaction.atomic():
        people.lock(flow.destination_id)
        people.bind(flow.destination_id, {customer: contact_key}, chosen=True)
        resend_orders(flow, [customer])
        said = "a new person" if contact_key == people.new_key(customer) else f"contact {contact_key}"
        return resolve_exceptions(_waiting_for(exception), by, f"This is {said}")


def _waiting_for(exception: SyncException) -> set[int]:
    """The same question in other flows of these two connections, and what gave up waiting for the customer."""
    pair = {"flow__source": exception.flow.source_id, "flow__destination": exception.flow.destination_id}
    still_open = SyncException.objects.filter(state=SyncException.State.OPEN, **pair)
    same = still_open.filter(kind=exception.kind, subject=exception.subject)
    children = still_open.filter(kind="missing_link", holds__delivery__parent_key=exception.subject)
    return {exception.pk, *same.values_list("pk", flat=True), *children.values_list("pk", flat=True)}
