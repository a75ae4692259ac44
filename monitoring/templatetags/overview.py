"""Template filters of the overview."""

from __future__ import annotations

from datetime import timedelta

from django import template

from integrations.words import span

register = template.Library()
SYMBOLS = {
    "clear": "check_circle",
    "quiet": "hourglass_empty",
    "question": "help",
    "behind": "schedule",
    "paused": "pause_circle",
    "silent": "sensors_off",
    "stopped": "power_off",
    "unsampled": "query_stats",
    "yesterday": "history",
    "ahead": "schedule_send",
    "low": "trending_down",
    "high": "trending_up",
    "empty": "add_link",
}
STATE_SYMBOLS = {"fresh": "check_circle", "behind": "schedule", "paused": "pause_circle", "off": "toggle_off"}


@register.filter
def state_symbol(state: str) -> str:
    """The symbol that goes with the state of a route or flow."""
    return STATE_SYMBOLS[state]


@register.filter
def lasting(length: timedelta | None) -> str:
    """A length of time in words: "3 minutes"."""
    return "" if length is None else span(length.total_seconds())


@register.filter
def symbol(kind: str) -> str:
    """The symbol that goes with a kind of notice."""
    return SYMBOLS[kind]
