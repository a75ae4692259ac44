"""How the console says things: states as badges with words, times with their age, money with its currency."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal, InvalidOperation

from babel.numbers import UnknownCurrencyError, format_currency
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

TONES = {
    # deliveries
    "ready": "info", "sending": "info", "accepted": "info", "delivered": "good", "blocked": "warn", "skipped": "quiet",
    # connections
    "active": "good", "needs_auth": "bad",
    # checkpoints
    "waiting": "info", "running": "info", "paused": "warn", "done": "good", "failed": "bad", "cancelled": "quiet",
    # exceptions
    "open": "warn", "resolved": "good", "ignored": "quiet",
    # inbox
    "new": "info",
    # attempts
    "later": "warn", "refused": "bad", "held": "warn", "unchanged": "quiet",
    # mapping versions
    "draft": "info", "published": "good", "retired": "quiet",
}  # fmt: skip

UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
JUST_NOW_SECONDS = 5
NOTHING = "–"


def badge(text: object, tone: str = "quiet", title: str = "") -> SafeString:
    """A word in a tinted frame; the tone is one of good, info, warn, bad, quiet and never the only sign."""
    return format_html('<span class="sy-badge sy-{}" title="{}">{}</span>', tone, title, text)


def state_badge(row: object) -> SafeString:
    """The `state` of a row in the words of its choices."""
    return badge(row.get_state_display(), TONES.get(row.state, "quiet"))


def outcome_badge(attempt: object) -> SafeString:
    """The outcome of an attempt in words."""
    return badge(attempt.get_outcome_display(), TONES.get(attempt.outcome, "quiet"))


def span(seconds: float) -> str:
    """A length of time in its largest fitting unit: "3 minutes"."""
    whole = max(0, int(seconds))
    for size, name in UNITS:
        if whole >= size or size == 1:
            number = whole // size
            return f"{number} {name}{'' if number == 1 else 's'}"
    return "0 seconds"


def age(moment: datetime | None, now: datetime | None = None) -> str:
    """How long ago, or how long until: "3 minutes ago", "in 2 hours", "just now"."""
    if moment is None:
        return NOTHING
    seconds = ((now or timezone.now()) - moment).total_seconds()
    if abs(seconds) < JUST_NOW_SECONDS:
        return "just now"
    return f"{span(seconds)} ago" if seconds > 0 else f"in {span(-seconds)}"


def when(moment: datetime | None) -> str | SafeString:
    """The age, with the exact time in the console's zone on demand."""
    if moment is None:
        return NOTHING
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), stamp(moment), age(moment))


def stamp(moment: datetime | None) -> str:
    """The exact time in the console's zone: "21 November 2026, 08:33:10 UTC"."""
    if moment is None:
        return NOTHING
    local = timezone.localtime(moment)
    return f"{date_format(local, 'j F Y, H:i:s')} {local.tzname()}"


def money(amount: object, currency: str) -> str:
    """An amount in its currency's own digits; what cannot be read is shown as it is."""
    try:
        return format_currency(Decimal(str(amount)), currency, locale="en_GB")
    except (InvalidOperation, UnknownCurrencyError, ValueError):
        return f"{amount} {currency}".strip()


def plural(number: int, word: str, many: str = "") -> str:
    """A number with its noun: "1 delivery", "1,204 deliveries"."""
    return f"{number:,} {word if number == 1 else many or word + 's'}"
