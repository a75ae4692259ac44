"""Taking a person out of rows: what is about nobody else goes, what the books or other people need stays without the person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Any

import orjson
from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.utils import timezone

from integrations.engine.erased import anonymous_json, shadow_key
from integrations.engine.privacy.subject import who_in
from integrations.engine.privacy.tables import Hunt, Table, connections_of, fits, table_of
from integrations.engine.privacy.traces import Traces, traces_of
from integrations.models import Correction, Delivery, Hold, InboxEvent, SyncException
from mapping.anonymous import IMPERSONAL, SHADOW, WORDS, strings_of
from mapping.records import RecordType

DELETED, EMPTIED, CLEANED = "deleted", "emptied", "cleaned"
WHAT = {DELETED: "deleted", EMPTIED: "kept without the person", CLEANED: "cleaned of words"}
WHOLE = frozenset({  # tables whose rows are about one person: they go
    "mapping.Contact", "mapping.ContactHandle", "mapping.ConsentStatement", "integrations.VisitorIdentity", "integrations.SearchTerm",
    "integrations.Correction", "monitoring.Duplicate", "monitoring.StaleConsent",
})  # fmt: skip
BLANKED = frozenset({"differences", "ours", "theirs", "facts"})  # columns that compare or describe: of a person's row they are emptied
SHORTEST = 3  # characters of a text that is taken out of rows that hang on a person's own
BODY = orjson.dumps({"erased": True}).decode()
OVER = (Delivery.State.DELIVERED, Delivery.State.SKIPPED)
QUESTION = "Closed: the person it was about was erased."


def erase(table: Table, pks: Sequence[Any], hunt: Hunt) -> Counter[str]:
    """Take the person out of these rows of a table; returns how many were deleted, emptied or cleaned. Call inside a transaction."""
    handle = HANDLERS.get(table.name)
    if handle is not None:
        return handle(table, pks, hunt)
    done: Counter[str] = Counter()
    for row in table.model._base_manager.select_for_update(of=("self",)).filter(pk__in=pks).order_by("pk"):
        done[_row(table, row, hunt)] += 1
    done.pop("", None)
    return done


def _row(table: Table, row: models.Model, hunt: Hunt, more: Traces | None = None) -> str:
    """One row of any table: gone when it is about the person alone, else without their traces; empty when there were none."""
    at = connections_of(row, hunt)
    mine = [field for field in table.keys if isinstance(value := getattr(row, field.attname), str) and hunt.is_mine(value, at)]
    manager = type(row)._base_manager.filter(pk=row.pk)
    if table.name in WHOLE and (mine or any(_is_trace(getattr(row, field.attname), hunt) for field in table.texts)):
        manager.delete()
        return DELETED
    changes = {field.attname: hunt.shadow_of(getattr(row, field.attname), at) for field in mine}
    for fields, traces in ((table.texts, hunt.traces), (table.spoken, hunt.spoken)):
        for field in fields:
            before = getattr(row, field.attname)
            after = traces.without(before) if more is None else more.without(traces.without(before))
            if field.attname not in changes and after != before:
                changes[field.attname] = after
    if not changes:
        return ""
    named = {field.attname: field for field in (*table.texts, *table.spoken)}
    try:
        with transaction.atomic():
            manager.update(**{name: fits(named[name], value) for name, value in changes.items()})
    except IntegrityError:  # a row with nothing of the person left stands there already
        manager.delete()
        return DELETED
    return CLEANED


def _is_trace(value: Any, hunt: Hunt) -> bool:
    return isinstance(value, str) and hunt.traces.found.fullmatch(value) is not None


def holding(table: Table, pks: Sequence[Any], hunt: Hunt) -> list[Any]:
    """Those of the rows that really hold something of the person: the database looks for parts of words, this for whole ones."""
    rows = table.model._base_manager.filter(pk__in=pks).order_by("pk")
    rows = rows.select_related("flow") if table.model is Delivery else rows
    return [row.pk for row in rows.iterator(chunk_size=500) if _holds(table, row, hunt)]


def _holds(table: Table, row: models.Model, hunt: Hunt) -> bool:
    at = connections_of(row, hunt)
    if isinstance(row, Delivery) and is_mine(row, hunt):
        return True
    if isinstance(row, InboxEvent) and (row.connection_id, row.object_key) in hunt.subject.orders:
        return True
    if any(isinstance(value := getattr(row, field.attname), str) and hunt.is_mine(value, at) for field in table.keys):
        return True
    pairs = ((field, traces) for fields, traces in ((table.texts, hunt.traces), (table.spoken, hunt.spoken)) for field in fields)
    return any(traces.without(value := getattr(row, field.attname)) != value for field, traces in pairs)


# --- messages ----------------------------------------------------------------------------------------------------------------


def _messages(table: Table, pks: Sequence[Any], hunt: Hunt) -> Counter[str]:
    """Messages about the person lose their body; another person's that still waits loses only what is this one's."""
    done: Counter[str] = Counter()
    for event in InboxEvent.objects.select_for_update().filter(pk__in=pks).order_by("pk"):
        at = frozenset((event.connection_id,))
        about = hunt.is_mine(event.object_key, at) or (event.connection_id, event.object_key) in hunt.subject.orders
        named = hunt.traces.are_in(event.body) or hunt.traces.are_in(event.dedup_key)
        if named and not about and event.state == InboxEvent.State.NEW:
            done[_row(table, event, hunt)] += 1
        elif named or (about and event.body != BODY):
            _empty(event, hunt, about=about)
            event.refresh_from_db()
            _row(table, event, hunt)
            done[EMPTIED] += 1
        else:
            done[_row(table, event, hunt)] += 1
    done.pop("", None)
    return done


def _empty(event: InboxEvent, hunt: Hunt, *, about: bool) -> None:
    state, States = event.state, InboxEvent.State  # noqa: N806
    ended = {"state": States.IGNORED, "lease_until": None, "done_at": timezone.now()} if state in (States.NEW, States.FAILED) else {}
    is_order = (event.connection_id, event.object_key) in hunt.subject.orders
    key = event.dedup_key
    InboxEvent.objects.filter(pk=event.pk).update(
        body=BODY, error=WORDS[:500] if ended or event.error else "", object_key=event.object_key if is_order or not about else "",
        dedup_key=shadow_key(event.connection_id, key) if _names_somebody(key, hunt) else key, **ended,
    )  # fmt: skip


def _names_somebody(key: str, hunt: Hunt) -> bool:
    return hunt.traces.are_in(key) or any(part in hunt.places for part in key.replace("/", ":").split(":"))


# --- deliveries --------------------------------------------------------------------------------------------------------------


def _deliveries(table: Table, pks: Sequence[Any], hunt: Hunt) -> Counter[str]:
    """The person's deliveries are ended and emptied with all that hangs on them; others' lose only what is this person's."""
    done: Counter[str] = Counter()
    rows = Delivery.objects.select_for_update(of=("self",)).select_related("flow").filter(pk__in=pks).order_by("record_key")
    mine, others = [], []
    for row in rows:
        (mine if is_mine(row, hunt) else others).append(row)
    for row in others:
        done[_row(table, row, hunt) if not row.record_key.startswith(SHADOW) else ""] += 1
    done += empty_deliveries(mine, hunt)
    done.pop("", None)
    return done


def is_mine(row: Delivery, hunt: Hunt) -> bool:
    """Whether a delivery's record is about this person; False once the person was taken out."""
    if row.flow.record_type in IMPERSONAL or is_empty(row):
        return False
    source, subject = row.flow.source_id, hunt.subject
    by_key = (source, row.record_key) in (subject.orders if row.flow.record_type == RecordType.ORDER else subject.customers)
    by_parent = any((source, row.parent_key) in keys for keys in (subject.customers, subject.visitors))
    return by_key or by_parent or subject.owns(who_in(row.flow.record_type, row.record), source)


def is_empty(row: Delivery) -> bool:
    """Whether a delivery's person was taken out before."""
    owner = row.record.get("customer") if isinstance(row.record, dict) else None
    return row.record_key.startswith(SHADOW) or (isinstance(owner, dict) and str(owner.get("key", "")).startswith(SHADOW))


def empty_deliveries(rows: Collection[Delivery], hunt: Hunt) -> Counter[str]:
    """End these deliveries and take the person out of them and of everything that hangs on them; the rows are locked by the caller."""
    done: Counter[str] = Counter()
    if not rows:
        return done
    personal: set[str] = set()
    for row in rows:
        kept, key = _kept(row, hunt)
        personal |= strings_of([row.record, row.sent_payload, row.issues]) - strings_of(kept)
        if key != row.record_key and Delivery.objects.filter(flow=row.flow_id, record_key=key).exists():
            _hanging([row.pk], hunt, traces_of(_words(personal)))
            Delivery.objects.filter(pk=row.pk).delete()
            done[DELETED] += 1
            continue
        _store(row, kept, key)
        done[EMPTIED] += 1
    _hanging([row.pk for row in rows], hunt, traces_of(_words(personal)))
    return done


def _words(texts: Collection[str]) -> set[str]:
    return {text for text in texts if len(text) >= SHORTEST}


def _kept(row: Delivery, hunt: Hunt) -> tuple[dict[str, Any], str]:
    kept = anonymous_json(row.flow.record_type, dict(row.record), row.flow.source_id, shadow=hunt.shadow)
    return kept, row.record_key if row.flow.record_type == RecordType.ORDER else shadow_key(row.flow.source_id, row.record_key)


def _store(row: Delivery, kept: dict[str, Any], key: str) -> None:
    owner = kept.get("customer")
    is_order = row.flow.record_type == RecordType.ORDER
    Delivery.objects.filter(pk=row.pk).update(
        record=kept, record_key=key, parent_key=owner["key"] if owner else "", sent_payload=None, sent_hash="", issues=[],
        destination_key=row.destination_key if is_order else "", last_code="erased", last_message=WORDS, manual=False, claim=None,
        lease_until=None, receipt=None, state=row.state if row.state in OVER else Delivery.State.SKIPPED, updated_at=timezone.now(),
    )  # fmt: skip


def _hanging(ids: Sequence[int], hunt: Hunt, personal: Traces) -> None:
    """What hangs on a person's deliveries: corrections and holds go, questions that nobody else waits for close, texts lose the person."""
    corrections, _ = Correction.objects.filter(delivery__in=ids).delete()
    hunt.also["integrations.Correction", DELETED] += corrections
    asked = list(Hold.objects.filter(delivery__in=ids).values_list("exception", flat=True).distinct())
    Hold.objects.filter(delivery__in=ids).delete()
    still = set(Hold.objects.filter(exception__in=asked).values_list("exception", flat=True))
    settle_questions([pk for pk in asked if pk not in still], hunt, personal)
    for relation in relations_of(Delivery):
        _clean(relation.related_model, Q(**{f"{relation.field.name}__in": ids}), hunt, personal)


def settle_questions(ids: Sequence[int], hunt: Hunt, personal: Traces) -> None:
    """Questions about the person alone: closed, and without the person in their texts and in what people wrote about them."""
    if not ids:
        return
    rows = SyncException.objects.filter(pk__in=ids)
    rows.filter(state=SyncException.State.OPEN).update(
        state=SyncException.State.RESOLVED, resolved_at=timezone.now(), note=QUESTION, snoozed_until=None, waiting_count=0, weighed_at=None
    )
    _clean(SyncException, Q(pk__in=ids), hunt, personal)
    for relation in relations_of(SyncException):
        _clean(relation.related_model, Q(**{f"{relation.field.name}__in": ids}), hunt, personal)


def relations_of(model: type[models.Model]) -> list[Any]:
    """The relations by which rows of other tables hang on those of this one."""
    found = [field for field in model._meta.get_fields(include_hidden=True) if field.auto_created and not field.concrete]
    return [field for field in found if (field.one_to_many or field.one_to_one) and not field.related_model._meta.proxy]


def _clean(model: type[models.Model], rows: Q, hunt: Hunt, personal: Traces) -> None:
    table = table_of(model)
    if model is Delivery or not (table.texts or table.spoken):
        return
    blank = [field for field in (*table.texts, *table.spoken) if field.name in BLANKED]
    for row in model._base_manager.filter(rows).order_by("pk").iterator(chunk_size=500):
        for field in blank:
            setattr(row, field.attname, [] if isinstance(field, models.JSONField) else "")
        if blank:
            model._base_manager.filter(pk=row.pk).update(**{field.attname: getattr(row, field.attname) for field in blank})
        what = _row(table, row, hunt, personal) or (CLEANED if blank else "")
        hunt.also[table.name, what] += bool(what)


# --- questions ---------------------------------------------------------------------------------------------------------------


def _questions(table: Table, pks: Sequence[Any], hunt: Hunt) -> Counter[str]:
    """Questions that name the person: about them alone they close, others lose the words."""
    alone = SyncException.objects.filter(pk__in=pks, subject__in=list(hunt.places), flow__record_type=RecordType.CUSTOMER)
    mine = [row.pk for row in alone if hunt.is_mine(row.subject, connections_of(row, hunt))]
    waited_for = set(Hold.objects.filter(exception__in=mine).values_list("exception", flat=True))
    own = [pk for pk in mine if pk not in waited_for]
    settle_questions(own, hunt, hunt.spoken)
    done = Counter({CLEANED: len(own)})
    for row in SyncException.objects.filter(pk__in=set(pks) - set(own)).order_by("pk"):
        done[_row(_loose(table, row), row, hunt)] += 1
    done.pop("", None)
    return +done


def _loose(table: Table, row: SyncException) -> Table:
    """A question's subject is a key only in flows of people; elsewhere the same word may be a SKU."""
    of_people = row.flow_id is not None and row.flow.record_type == RecordType.CUSTOMER
    return table if of_people else Table(table.model, table.texts, table.spoken, ())


HANDLERS: dict[str, Callable[[Table, Sequence[Any], Hunt], Counter[str]]] = {
    "integrations.InboxEvent": _messages,
    "integrations.Delivery": _deliveries,
    "integrations.SyncException": _questions,
}
