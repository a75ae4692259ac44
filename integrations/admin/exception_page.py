"""What the page of one question shows: what happened and what to do, what waits, how it was answered before, and who did what when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from integrations import words
from integrations.access import may_replay
from integrations.admin import contact_answer
from integrations.admin.answers import ANSWERS, value_question
from integrations.admin.desk import MASK_PERMISSION
from integrations.admin.summaries import headline
from integrations.engine.corrections import CORRECTABLE
from integrations.engine.desk_acts import last_act
from integrations.engine.masking import masked
from integrations.engine.snoozes import UNTIL_IT_CHANGES
from integrations.engine.weights import NOTHING_WAITS, Weight, weights
from integrations.models import SyncException
from integrations.models.kinds import KINDS, ORIGIN_LABELS, Kind, Origin

if TYPE_CHECKING:
    from integrations.admin.exception import ExceptionDesk

WAITING_SHOWN = 20
FORMER_SHOWN = 5
CORRECTED_KINDS = frozenset({"missing_field", "bad_phone", "bad_email", "bad_value", "invalid_payload", "refused"})
UNKNOWN = Kind("unknown", "Other", next(iter(ORIGIN_LABELS)), "administrator", "", "")
ORIGIN_TONES = {
    Origin.STOREFRONT: "info", Origin.INTEGRATION: "quiet", Origin.DESTINATION: "info", Origin.PERMISSION: "bad", Origin.OUTAGE: "warn",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a question's history."""

    at: datetime
    who: str
    text: str
    said: bool = False  # somebody's own words


def kind_of(exception: SyncException) -> Kind:
    """The row of the table of kinds."""
    return KINDS.get(exception.kind, UNKNOWN)


def origin_badge(kind: Kind) -> str:
    """Where the failure began, as a badge."""
    return words.badge(ORIGIN_LABELS[kind.origin], ORIGIN_TONES.get(kind.origin, "quiet"), "Where it began")


def manual_url(kind: Kind) -> str:
    """Where the manual speaks of this kind; empty while there is no such article."""
    try:
        return f"{reverse('admin:manual_article', args=['exceptions'])}#{kind.slug}"
    except NoReverseMatch:
        return ""


def value_words(weight: Weight) -> str:
    """What the waiting orders are worth, per currency."""
    return ", ".join(words.money(amount, currency) for currency, amount in weight.values.items())


def snooze_words(row: SyncException) -> str:
    """Until when a question is put away."""
    if row.snoozed_until is None:
        return ""
    return "until it changes" if row.snoozed_until >= UNTIL_IT_CHANGES else f"until {words.stamp(row.snoozed_until)}"


def people() -> QuerySet:
    """Those an exception can be given to."""
    return get_user_model().objects.filter(is_active=True, is_staff=True).order_by("username")


def page(desk: ExceptionDesk, request: HttpRequest, row: SyncException) -> dict[str, Any]:
    """The question, its cause and remedy, what waits, and how to answer it."""
    personal = request.user.has_perm(MASK_PERMISSION)
    kind, answer = kind_of(row), ANSWERS.get(row.kind)
    may, waiting = desk.allowed_acts(request, row), weights([row.pk]).get(row.pk, NOTHING_WAITS)
    former = former_of(row)
    return {
        "title": row.title,
        "kind": kind,
        "origin": origin_badge(kind),
        "manual_url": manual_url(kind),
        "holds": _holds(request, row, personal=personal),
        "waiting": waiting,
        "values": value_words(waiting),
        "answer_template": answer.template if answer and "answer" in may else "",
        "detail_text": row.detail if personal else "\n".join(masked(line) for line in row.detail.splitlines()),
        **(_contacts(row, personal=personal) if row.kind == "ambiguous_contact" else {}),
        "value_question": value_question(row) if row.kind == "unmapped_value" else ("", ""),
        "people": people() if "assign" in may else [],
        "former": former,
        "came_back": words.span((row.first_seen - former[0].resolved_at).total_seconds()) if former and former[0].resolved_at else "",
        "snoozed": snooze_words(row),
        "history": history(desk, row, former),
        "undo": last_act(request.user, row.pk),
        "cause_url": reverse("admin:integrations_connection_change", args=[row.connection_id]) if row.connection_id else "",
    }


def _holds(request: HttpRequest, row: SyncException, *, personal: bool) -> list[Any]:
    """The first deliveries that wait, each with its line and the way to put its values right where that can help."""
    holds = list(row.holds.select_related("delivery").defer("delivery__sent_payload").order_by("since")[:WAITING_SHOWN])
    for hold in holds:
        hold.edit_url = ""
        if row.flow is None:
            hold.headline = hold.delivery.record_key
            continue
        hold.delivery.flow = row.flow
        hold.headline = headline(row.flow.record_type, hold.delivery.record, personal=personal)
        if row.kind in CORRECTED_KINDS and hold.delivery.state in CORRECTABLE and may_replay(request.user, hold.delivery):
            hold.edit_url = reverse("admin:integrations_syncexception_edit", args=[row.pk, hold.delivery_id])
    return holds


def former_of(row: SyncException) -> list[SyncException]:
    """The same question as it was settled before, the last one first."""
    if row.former_id is None:
        return []
    same = SyncException.objects.filter(flow=row.flow_id, connection=row.connection_id, kind=row.kind, subject=row.subject, pk__lt=row.pk)
    return list(same.exclude(state=SyncException.State.OPEN).select_related("resolved_by").order_by("-pk")[:FORMER_SHOWN])


def history(desk: ExceptionDesk, row: SyncException, former: Iterable[SyncException] = ()) -> list[Event]:
    """Who did what and when, comments among it, the newest first."""
    events = [Event(entry.action_time, entry.user.get_username(), entry.get_change_message()) for entry in desk.log_of(row)]
    for comment in row.comments.select_related("author"):
        events.append(Event(comment.at, comment.author.get_username() if comment.author else "somebody", comment.text, said=True))
    events.append(Event(row.first_seen, "the program", "Came back" if row.former_id else "Asked for the first time"))
    if row.state != SyncException.State.OPEN and row.resolved_at and row.resolved_by is None:
        events.append(Event(row.resolved_at, "the program", row.note or "Closed"))
    for old in former:
        if old.resolved_at:
            events.append(Event(old.resolved_at, _person(old), f"{old.get_state_display()} before: {old.note or 'without a note'}"))
    return sorted(events, key=lambda event: event.at, reverse=True)


def _person(row: SyncException) -> str:
    return row.resolved_by.get_username() if row.resolved_by else "the program"


def _contacts(row: SyncException, *, personal: bool) -> dict[str, Any]:
    """Who may be the customer, for the answer's form."""
    return {
        "contacts": contact_answer.cards(row, personal=personal),
        "customer": contact_answer.customer_card(row, personal=personal),
        "new_person": contact_answer.new_person(row),
    }
