"""Taking back the latest change of a row of the rules' tables: what was added goes, what was deleted comes back, values return."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model, OuterRef, QuerySet, Subquery

from mapping.models import SkuComponent, SkuCrosswalk

ADDED, CHANGED, DELETED = "+", "~", "-"
TOGETHER = timedelta(seconds=5)  # a deleted row takes its components along, each with a moment of its own
REASON = "Taken back"


class CannotUndo(Exception):  # noqa: N818 - named for the answer
    """The change cannot be taken back; the message says why, for people."""


def latest_changes(model: type[Model], most: int) -> list[Any]:
    """The latest changes of a table, newest first; three queries at most.

    Each has `undoable`, whether it is the last one of its row, and `earlier`, the stored version before it, None where there is none.
    """
    history = model.history
    of_row = history.filter(id=OuterRef("id")).order_by("-history_id").values("history_id")
    before = of_row.filter(history_id__lt=OuterRef("history_id"))
    rows = history.select_related("history_user").annotate(last_id=Subquery(of_row[:1]), before_id=Subquery(before[:1]))
    found = list(rows.order_by("-history_id")[:most])
    earlier = {row.history_id: row for row in history.filter(history_id__in=[row.before_id for row in found if row.before_id])}
    for row in found:
        row.undoable, row.earlier = row.history_id == row.last_id, earlier.get(row.before_id)
    return found


@transaction.atomic
def undo(change: Any, by: AbstractBaseUser | None) -> str:
    """Take back one change, the latest of its row; returns what was done, in words. Raises CannotUndo."""
    model = change.instance_type
    current = model.objects.select_for_update().filter(pk=change.id).first()
    newest = model.history.filter(id=change.id).order_by("-history_id").first()
    if newest is None or newest.history_id != change.history_id:
        raise CannotUndo("It was changed again since. Take that back first.")
    if change.history_type == ADDED:
        return _remove(current, by)
    before = _before(change)
    if before is None:
        raise CannotUndo("What it was before is not kept any more.")
    parts = _parts_before(change) if model is SkuCrosswalk else None
    row = _write_back(before, by)
    if parts is not None:
        _replace_parts(row, parts, by)
    return f"{row} is back." if change.history_type == DELETED else f"{row} is as it was before."


def _before(change: Any) -> Model | None:
    """The row as it was before this change; a deletion keeps its last state itself."""
    if change.history_type == DELETED:
        return change.instance
    earlier = change.instance_type.history.filter(id=change.id, history_id__lt=change.history_id)
    found = earlier.order_by("-history_id").first()
    return None if found is None or found.history_type == DELETED else found.instance


def _remove(current: Model | None, by: AbstractBaseUser | None) -> str:
    if current is None:
        raise CannotUndo("It is gone already.")
    name = str(current)
    current._history_user, current._change_reason = by, REASON
    current.delete()
    return f"{name} is gone again."


def _write_back(row: Model, by: AbstractBaseUser | None) -> Model:
    row._history_user, row._change_reason = by, REASON
    row._state.adding = not type(row).objects.filter(pk=row.pk).exists()
    try:
        row.full_clean(validate_unique=True)
    except ValidationError as fault:
        raise CannotUndo("; ".join(fault.messages)) from fault
    row.save()
    return row


def _parts_before(change: Any) -> list[SkuComponent]:
    """The components that a crosswalk row had before this change."""
    rows = SkuComponent.history.filter(crosswalk_id=change.id)
    if change.history_type == DELETED:
        gone = rows.filter(history_type=DELETED, history_date__gt=change.history_date - TOGETHER, history_date__lte=change.history_date)
        return [row.instance for row in gone.order_by("id")]
    return [row.instance for row in _as_of(rows, change) if row.history_type != DELETED]


def _as_of(rows: QuerySet, change: Any) -> list[Any]:
    last = {row.id: row for row in rows.filter(history_date__lt=change.history_date).order_by("history_date", "history_id")}
    return [last[key] for key in sorted(last)]


def _replace_parts(row: Model, parts: list[SkuComponent], by: AbstractBaseUser | None) -> None:
    """Make the row's components these; the old ones go first, so that a target SKU may return."""
    wanted = {(part.target_sku, part.quantity, part.share) for part in parts}
    held = list(SkuComponent.objects.filter(crosswalk_id=row.pk))
    for part in held:
        if (part.target_sku, part.quantity, part.share) not in wanted:
            part._history_user, part._change_reason = by, REASON
            part.delete()
    kept = {(part.target_sku, part.quantity, part.share) for part in held} & wanted
    for part in parts:
        if (part.target_sku, part.quantity, part.share) not in kept:
            fresh = SkuComponent(crosswalk_id=row.pk, target_sku=part.target_sku, quantity=part.quantity, share=part.share)
            fresh._history_user, fresh._change_reason = by, REASON
            fresh.save()
