"""One item of a checklist: what is looked at, today's answer, whether it is fine, and where to look closer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.urls import reverse


class Level(StrEnum):
    """How an answer is meant."""

    FINE = "fine"
    LOOK = "look"
    WRONG = "wrong"


SYMBOLS = {Level.FINE: "check_circle", Level.LOOK: "visibility", Level.WRONG: "error"}
SPOKEN = {Level.FINE: "Fine", Level.LOOK: "Have a look", Level.WRONG: "Needs you"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line; `why` says what it is good for, `article` and `anchor` where the manual says more."""

    name: str
    title: str
    answer: str
    level: Level
    why: str
    url: str = ""
    article: str = ""
    anchor: str = ""

    @property
    def symbol(self) -> str:
        """The sign beside it; never the only one."""
        return SYMBOLS[self.level]

    @property
    def spoken(self) -> str:
        """The level in words."""
        return SPOKEN[self.level]


def listed(model: str, query: str = "") -> str:
    """The address of a list of the console with its filters."""
    return reverse(f"admin:{model}_changelist") + (f"?{query}" if query else "")
