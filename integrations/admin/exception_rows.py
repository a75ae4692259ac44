"""One row of the exception list: its badges, and what can be done from there in one click or one key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from integrations import words
from integrations.admin.exception_page import kind_of, origin_badge, snooze_words
from integrations.admin.unmapped_parts import in_words
from integrations.models import SyncException

if TYPE_CHECKING:
    from integrations.admin.exception import ExceptionDesk

Button = SafeString | str
POST = (
    '<button type="submit" class="sy-button sy-small {}" data-do="{}" formaction="{}?next={}" name="{}" value="{}" '
    'aria-label="{}">{}</button>'
)
GO = '<a class="sy-button sy-small" href="{}" aria-label="{}">{}</a>'
PUT_AWAY = (
    '<a class="sy-button sy-small" href="{}#snooze" data-do="snooze" data-url="{}?next={}" data-title="{}" aria-label="{}">Snooze…</a>'
)


def marks_of(row: SyncException) -> list[SafeString]:
    """Badges of a question: where it began, whether it came back or is put away, and its state when it is not open."""
    marks = [origin_badge(kind_of(row))]
    if row.returned:
        marks.append(words.badge(f"came back {row.returned}×" if row.returned > 1 else "came back", "warn", "It was settled before"))
    if row.state != SyncException.State.OPEN:
        marks.append(words.state_badge(row))
    elif row.snoozed_until:
        marks.append(words.badge(f"snoozed {snooze_words(row)}", "quiet"))
    return marks


def suggested(row: SyncException) -> list[Any]:
    """The components of the best stored suggestion for an unknown SKU, as JSON holds them."""
    stored = getattr(row, "backlog", None)
    return stored.suggestion.get("parts", []) if stored is not None and stored.score is not None else []


def buttons(desk: ExceptionDesk, row: SyncException) -> SafeString:
    """What this person may do to the row from the list; the row knows its `acts` and the list's address (`back`)."""
    found: list[Button] = [make(desk, row) for make in (_answer, _take, _snooze)]
    return format_html_join("", "{}", ((one,) for one in found if one))


def _post(desk: ExceptionDesk, row: SyncException, act: str, *, label: str, says: str, **options: str) -> SafeString:
    field, value = options.get("field", "by"), options.get("value", "list")
    return format_html(POST, options.get("style", ""), act, desk.view_url(act, row.pk), row.back, field, value, says, label)


def _answer(desk: ExceptionDesk, row: SyncException) -> Button:
    if "accept" in row.acts and (parts := suggested(row)):
        target = in_words(tuple(part) for part in parts)
        return _post(
            desk, row, "accept", label=f"Accept {target}", says=f"Accept {target} for {row.subject}", field="parts",
            value=orjson.dumps(parts).decode(), style="sy-primary",
        )  # fmt: skip
    if "answer" in row.acts:
        return format_html(GO, f"{desk.view_url('change', row.pk)}#answer", f"Answer {row.title}", "Answer")
    return ""


def _take(desk: ExceptionDesk, row: SyncException) -> Button:
    if row.mine or "assign" not in row.acts:
        return ""
    return _post(desk, row, "assign", label="Assign to me", says=f"Assign {row.title} to me", field="assignee", value="me")


def _snooze(desk: ExceptionDesk, row: SyncException) -> Button:
    if "snooze" not in row.acts:
        return ""
    if row.snoozed_until:
        return _post(desk, row, "wake", label="Wake", says=f"Wake {row.title}")
    page = desk.view_url("change", row.pk)
    return format_html(PUT_AWAY, page, desk.view_url("snooze", row.pk), row.back, row.title, f"Snooze {row.title}")
