"""Segments as pictures: a small line for lists, and the points of the chart, each with words for those who cannot see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from monitoring.models import Segment, SegmentReading
from monitoring.segments.reading import thinned

WIDTH, HEIGHT, EDGE = 112, 28, 3
RANGES: dict[str, tuple[str, timedelta]] = {
    "week": ("7 days", timedelta(days=7)), "month": ("30 days", timedelta(days=30)), "quarter": ("90 days", timedelta(days=90)),
    "year": ("A year", timedelta(days=365)),
}  # fmt: skip
FIRST_RANGE = "month"
MOST_POINTS = 160


@dataclass(frozen=True, slots=True)
class Chart:
    """The points of a chart as JSON-able values, and the same in a sentence."""

    data: dict[str, list[Any]]
    words: str


def spark(sizes: Sequence[int]) -> SafeString | str:
    """A line of the last sizes with a dot at its end; nothing for fewer than two."""
    if len(sizes) < 2:
        return ""
    low, high = min(sizes), max(sizes)
    span = (high - low) or 1
    step = (WIDTH - 2 * EDGE) / (len(sizes) - 1)
    rise = (HEIGHT - 2 * EDGE) / span
    points = [(round(EDGE + place * step, 1), round(HEIGHT - EDGE - (size - low) * rise, 1)) for place, size in enumerate(sizes)]
    line = " ".join(f"{x},{y}" for x, y in points)
    return format_html(
        '<svg class="sg-spark" viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-label="{}">'
        '<polyline points="{}"/><circle cx="{}" cy="{}" r="2.5"/></svg>',
        WIDTH, HEIGHT, WIDTH, HEIGHT, f"From {sizes[0]:,} to {sizes[-1]:,} people; between {low:,} and {high:,}", line, *points[-1],
    )  # fmt: skip


def chart(segment: Segment, chosen: str, now: datetime) -> Chart:
    """Sizes, and what our own records expected, over the chosen range."""
    label, length = RANGES[chosen]
    rows = SegmentReading.objects.filter(segment=segment, at__gte=now - length).order_by("at")
    points = thinned(rows.values_list("at", "size", "expected"), MOST_POINTS)
    local = [timezone.localtime(at) for at, _, _ in points]
    wide = bool(points) and points[-1][0] - points[0][0] > timedelta(days=2)
    data = {
        "labels": [f"{at:%-d %b %H:%M}" if not wide or length <= timedelta(days=7) else f"{at:%-d %b}" for at in local],
        "size": [size for _, size, _ in points],
        "expected": [expected for _, _, expected in points],
    }
    sizes = [size for _, size, _ in points if size is not None]
    if not sizes:
        return Chart(data, "There is no reading in this time yet.")
    time = label.lower().removeprefix("a ")
    words = f"In the last {time} it had between {min(sizes):,} and {max(sizes):,} people; {sizes[-1]:,} at the end."
    known = [expected for _, _, expected in points if expected is not None]
    return Chart(data, f"{words} Our own records expected {known[-1]:,} at the end." if known else words)
