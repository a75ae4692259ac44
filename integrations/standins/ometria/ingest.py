"""Background processing of a push: validate each record, then apply it or put it on the error list."""

from collections.abc import Callable
from dataclasses import dataclass

from integrations.standins.ledger import digest_of
from integrations.standins.ometria.account import Account, Batch
from integrations.standins.ometria.change import Change
from integrations.standins.ometria.contacts import apply_contact, stored_contact
from integrations.standins.ometria.events import apply_event, stored_event
from integrations.standins.ometria.moments import iso
from integrations.standins.ometria.orders import apply_order, stored_order
from integrations.standins.ometria.products import apply_product, stored_product
from integrations.standins.ometria.schema import CONTACT, CUSTOM_EVENT, ORDER, PRODUCT
from integrations.standins.ometria.shapes import Findings, Problem, Shape, inspect_required, inspect_values

# fields merged key by key; every other field is replaced as a whole
MERGED_OBJECTS = ("properties", "channels")


@dataclass(frozen=True, slots=True)
class RecordType:
    """How one type of record is checked, found and applied."""

    shape: Shape
    stored: Callable[[Account, dict], dict | None]
    apply: Callable[[Account, Change], None]


TYPES = {
    "contact": RecordType(CONTACT, stored_contact, apply_contact),
    "order": RecordType(ORDER, stored_order, apply_order),
    "product": RecordType(PRODUCT, stored_product, apply_product),
    "custom_event": RecordType(CUSTOM_EVENT, stored_event, apply_event),
}


def process_due(account: Account) -> None:
    """Validate and apply everything whose time has come, in the order it was pushed; the caller holds the lock."""
    now = account.clock.now()
    while account.waiting and account.waiting[0].due <= now:
        batch = account.waiting.popleft()
        account.queued -= len(batch.records)
        for record in batch.records:
            _process(account, batch, record)


def _process(account: Account, batch: Batch, record: dict) -> None:
    record_type = TYPES[record["@type"]]
    digest = digest_of(record)
    findings = Findings()
    inspect_values(record_type.shape, record, findings)
    complete = record
    if not findings.problems and record.pop("@merge", False):
        stored = record_type.stored(account, record)
        complete = record if stored is None else _merged(stored, record)
    if "@merge" not in record:  # a merge that failed is not asked for what it may leave out
        inspect_required(record_type.shape, complete, findings)
    if findings.unknown:
        account.note_unknown(record["@type"], findings.unknown)
    if findings.problems:
        _reject(account, batch, record, findings.problems)
    else:
        record_type.apply(account, Change(record, complete, digest, batch.due))


def _merged(stored: dict, record: dict) -> dict:
    both = {name: stored[name] | record[name] for name in MERGED_OBJECTS if name in stored and name in record}
    return stored | record | both


def _reject(account: Account, batch: Batch, record: dict, problems: list[Problem]) -> None:
    kind, record_id = record["@type"], str(record.get("id"))
    messages = [{"error_message": problem.message, "error_path": problem.path} for problem in problems]
    for message in messages:
        account.errors.appendleft(
            {
                "request_id": batch.request_id,
                "record_type": kind,
                "record_id": record_id,
                "record": record,
                "timestamp": iso(batch.due),
                "account": account.name,
                "source": "api",
                "message": message,
            }
        )
    account.note("rejected", f"{kind}:{record_id}", {"request_id": batch.request_id, "record": record, "errors": messages})
