"""What the overview says of segments: one line for those that are not as they should be."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from monitoring.models import Segment
from monitoring.segments.verdict import TONES

FINE = ("healthy", "unread")
NAMED = 3


@dataclass(frozen=True, slots=True)
class Trouble:
    """Title, text and the page to open."""

    title: str
    text: str
    url: str
    grave: bool


def troubled(most: int) -> list[Segment]:
    """The watched segments that need a look, the latest first, no more than `most`; one query."""
    return list(Segment.objects.filter(watched=True).exclude(answer__in=FINE).order_by("-answered_at")[:most])


def trouble_of(row: Segment) -> Trouble:
    """What is said of one segment."""
    title = f"Segment “{row.title}”: {row.get_answer_display().lower()}"
    url = reverse("admin:monitoring_segment_change", args=[row.pk])
    return Trouble(title, " ".join(row.reasons), url, TONES[row.answer] == "bad")


def segment_trouble() -> Trouble | None:
    """The watched segments that need a look in one line, None when none does; one query."""
    rows = troubled(NAMED + 1)
    if not rows:
        return None
    if len(rows) == 1:
        return trouble_of(rows[0])
    grave = any(TONES[row.answer] == "bad" for row in rows)
    named = "; ".join(f"“{row.title}”: {row.get_answer_display().lower()}" for row in rows[:NAMED])
    several = f"{len(rows)} segments need a look" if len(rows) <= NAMED else f"More than {NAMED} segments need a look"
    more = " and others" if len(rows) > NAMED else ""
    return Trouble(several, f"{named}{more}.", reverse("admin:monitoring_segment_changelist"), grave)
