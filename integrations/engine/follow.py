"""What belongs to a person follows the contact that the person was matched to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from django.db import connection as database

from integrations.engine import people
from integrations.engine.outbox import Claimed
from integrations.engine.wake import wake_flow
from integrations.models import Flow
from integrations.platforms.base import JsonObject
from mapping.crosswalk import KnownContact
from mapping.records import Checkout, Customer, CustomerRef, Event, Order, Record, RecordType

Row = tuple[Claimed, Record]

# Orders alone: a destination keeps an event as it was first told.
RESEND = """
WITH theirs AS MATERIALIZED (
  SELECT d.id FROM integrations_delivery d JOIN integrations_flow f ON f.id = d.flow_id
  WHERE f.source_id = %(source)s AND f.destination_id = %(destination)s AND f.record_type = %(order)s
    AND d.parent_key = ANY(%(buyers)s) AND d.parent_key <> '' AND d.state IN ('delivered', 'accepted', 'sending')
  ORDER BY d.record_key COLLATE "C" FOR UPDATE OF d)
UPDATE integrations_delivery d SET version = version + 1, state = CASE WHEN state = 'delivered' THEN 'ready' ELSE state END,
  due_at = now(), ready_since = now(), attempts = 0, updated_at = now()
FROM theirs WHERE d.id = theirs.id RETURNING d.flow_id
"""


def following(flow: Flow, rows: Sequence[Row]) -> list[Row]:
    """The rows with the identity of the contacts that their buyers were matched to; one look-up for all."""
    keys = {record.customer.key for _, record in rows if isinstance(record, Order | Checkout | Event) and record.customer.key}
    contacts = people.contacts_of(flow.destination_id, keys) if keys else {}
    if not contacts:
        return list(rows)
    return [(row, _belonging(record, contacts)) for row, record in rows]


def _belonging(record: Record, contacts: dict[str, KnownContact]) -> Record:
    if not isinstance(record, Order | Checkout | Event):
        return record
    contact = contacts.get(record.customer.key)
    return record if contact is None else replace(record, customer=identity_of(record.customer, contact))


def identity_of(ref: CustomerRef, contact: KnownContact) -> CustomerRef:
    """The reference to a buyer as the destination knows them: its own customer id, and its address where one is known."""
    key = ref.key if ref.key in contact.customer_ids else next(iter(contact.customer_ids), "")
    known = next(iter(contact.emails), "")
    return replace(ref, key=key, email=(ref.email or known) if key else known)


def as_contact(payload: JsonObject, customer: Customer, contact: KnownContact) -> JsonObject:
    """A contact's payload under the identity that the destination knows the contact by: its customer id, else its address."""
    if "customer_id" not in payload:
        return payload
    if contact.customer_ids and customer.key not in contact.customer_ids:
        return {**payload, "customer_id": contact.customer_ids[0]}
    if customer.partial and contact.emails:
        payload = {**payload, "email": payload.get("email") or contact.emails[0]}
    return payload if contact.customer_ids else {name: value for name, value in payload.items() if name != "customer_id"}


def resend_orders(flow: Flow, buyers: Sequence[str]) -> int:
    """Let the orders of these buyers go out again, because their buyer turned out to be another contact; returns how many."""
    with database.cursor() as cursor:
        cursor.execute(
            RESEND, {"source": flow.source_id, "destination": flow.destination_id, "order": RecordType.ORDER, "buyers": list(buyers)}
        )
        flows = [flow_id for (flow_id,) in cursor.fetchall()]
    for flow_id in set(flows):
        wake_flow(flow_id)
    return len(flows)
