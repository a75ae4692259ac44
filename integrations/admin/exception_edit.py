"""Putting the values of a held delivery right: the fields that its mapping writes, the difference, and sending it like that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect

from integrations.access import may_answer, may_replay
from integrations.admin.desk import MASK_PERMISSION, Refusal
from integrations.admin.summaries import headline
from integrations.engine.corrections import CannotCorrect, Draft, Editable, correct, draft, editable, latest, typed
from integrations.engine.masking import masked, masked_text
from integrations.models import Correction, Delivery, SyncException
from mapping.plans import NoPlan
from mapping.preview import FieldChange

if TYPE_CHECKING:
    from integrations.admin.exception import ExceptionDesk

FIRST = 8  # fields that stand open; the others fold out
PREFIX = "field:"
UNREADABLE = "The stored record cannot be read by this program any more, so its values cannot be changed here."


@dataclass(frozen=True, slots=True)
class Line:
    """One field of the form as this person may see it; `hidden` = its present value is personal and masked."""

    field: Editable
    shown: str
    text: str
    hidden: bool
    said: str = ""  # what the source says, when that is something else

    @property
    def name(self) -> str:
        """Its name in the form."""
        return PREFIX + self.field.path


def edit(desk: ExceptionDesk, request: HttpRequest, object_id: int, delivery_id: int) -> HttpResponse:
    """The form (GET), the difference it would make (POST preview), or storing and sending it (POST send)."""
    row, delivery = _both(desk, request, object_id, delivery_id)
    personal = request.user.has_perm(MASK_PERMISSION)
    try:
        fields = editable(delivery)
        values = _values(request, fields) if request.method == "POST" else {}
        if request.method == "POST" and request.POST.get("do") == "send":
            return _send(desk, request, row, delivery, values)
        found = draft(delivery, values) if values else None
    except Refusal as refusal:
        messages.error(request, str(refusal))
        values, found = {}, None
    except (NoPlan, ValueError, KeyError, TypeError):
        messages.error(request, UNREADABLE)
        return HttpResponseRedirect(desk.view_url("change", row.pk))
    urgent = {field.path for field in fields if field.problem}
    if found is not None:  # what is wrong after the values that are being tried
        fields = [replace(field, problem=found.problems.get(field.path, "")) for field in fields]
    lines = [_line(field, request, personal=personal) for field in fields]
    first = [line for line in lines if line.field.path in urgent or line.field.problem] or lines[:FIRST]
    context = {
        "title": headline(delivery.flow.record_type, delivery.record, personal=personal) or delivery.record_key,
        "delivery": delivery,
        "first": first,
        "more": [line for line in lines if line not in first],
        "asked": request.method == "POST",
        "note": request.POST.get("note", ""),
        "before": correction_of(delivery, personal=personal),
        **_difference(found, fields, personal=personal),
    }
    return desk.show(request, "integrations/exception_edit.html", row, **context)


def correction_of(delivery: Delivery, *, personal: bool) -> Correction | None:
    """The last values that a person put right on a delivery, with `shown`: field and value as this reader may see them."""
    row = latest(delivery)
    if row is not None:
        row.shown = [(path, _masked(path, value, personal=personal)) for path, value in row.values.items()]
    return row


def _both(desk: ExceptionDesk, request: HttpRequest, object_id: int, delivery_id: int) -> tuple[SyncException, Delivery]:
    row = desk.row_or_404(request, object_id)
    held = Delivery.objects.select_related("flow__source", "flow__destination").filter(pk=delivery_id, flow=row.flow_id)
    delivery = held.first() if row.flow_id else None
    if delivery is None:
        raise Http404("This delivery does not belong to the question.")
    if not may_answer(request.user, row) or not may_replay(request.user, delivery):
        raise PermissionDenied
    return row, delivery


def _values(request: HttpRequest, fields: Sequence[Editable]) -> dict[str, Any]:
    """What was changed: fields whose text is another than what is written today; raises Refusal."""
    found: dict[str, Any] = {}
    for field in fields:
        text = request.POST.get(PREFIX + field.path)
        emptied = f"empty:{field.path}" in request.POST
        if text is None or (not text.strip() and not emptied):
            continue
        try:
            value = None if emptied else typed(field, text)
        except CannotCorrect as reason:
            raise Refusal(str(reason)) from reason
        if value != field.value:
            found[field.path] = value
    return found


def _send(desk: ExceptionDesk, request: HttpRequest, row: SyncException, delivery: Delivery, values: Mapping[str, Any]) -> HttpResponse:
    try:
        correct(delivery, values, request.user, request.POST.get("note", "").strip())
    except CannotCorrect as reason:
        messages.error(request, str(reason))
        return HttpResponseRedirect(desk.view_url("edit", row.pk, delivery.pk))
    desk.log_change(request, row, f"Put right and retried {delivery.record_key}: {', '.join(sorted(values))}")
    messages.success(request, f"{delivery.record_key} goes out with your values. The source's own record stays as it is.")
    return HttpResponseRedirect(desk.view_url("change", row.pk))


def _line(field: Editable, request: HttpRequest, *, personal: bool) -> Line:
    shown = _masked(field.path, field.value, personal=personal)
    hidden = not personal and shown != _text(field.value)
    typed_before = request.POST.get(PREFIX + field.path)
    seen = field if personal else replace(field, problem=masked_text(field.problem))
    said = _masked(field.source, field.said, personal=personal) if field.said not in (None, "", field.value) else ""
    return Line(seen, shown, typed_before if typed_before is not None else "" if hidden else shown, hidden, said)


def _difference(found: Draft | None, fields: Sequence[Editable], *, personal: bool) -> dict[str, Any]:
    if found is None:
        return {"changes": [], "problems": [], "ready": False}
    labels = {field.path: field.label for field in fields}
    changes = [_change(change, labels, personal=personal) for change in found.changes]
    problems = [(labels.get(path, path), why if personal else masked_text(why)) for path, why in found.problems.items()]
    return {"changes": changes, "problems": problems, "ready": bool(changes) and not problems}


def _change(change: FieldChange, labels: Mapping[str, str], *, personal: bool) -> tuple[str, str, str]:
    """Label, before and after; what this person just typed is not hidden from them."""
    return labels.get(change.path, change.path), _masked(change.path, change.before, personal=personal), _text(change.after)


def _masked(path: str, value: Any, *, personal: bool) -> str:
    name = path.rpartition(".")[2].partition("[")[0]
    return _text(value if personal else masked(value, name))


def _text(value: Any) -> str:
    if value is None:
        return ""
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


PAGES = (("<int:object_id>/edit/<int:delivery_id>/", "edit", edit),)
