"""Whose alerts somebody sees: those of their teams; who runs the installation or manages it sees all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import QuerySet

from monitoring.alerts.digest import of_teams
from monitoring.alerts.watches import TEAMS, WATCHES, Watch

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

EDIT, ADD, REMOVE = "monitoring.change_alerttarget", "monitoring.add_alerttarget", "monitoring.delete_alerttarget"
ROTATE, SET = "monitoring.rotate_alerttarget", "monitoring.change_alertstate"


def teams_of(user: User | AnonymousUser) -> list[str] | None:
    """The teams whose alerts this person sees, None for all."""
    if user.has_perm(EDIT):
        return None
    return [name for name in user.groups.values_list("name", flat=True) if name in TEAMS]


def seen_by(user: User | AnonymousUser, rows: QuerySet) -> QuerySet:
    """Those of the rows that concern this person."""
    teams = teams_of(user)
    if teams is None:
        return rows
    return of_teams(rows, teams) if teams else rows.none()


def watches_of(user: User | AnonymousUser) -> list[Watch]:
    """The conditions that may concern this person."""
    teams = teams_of(user)
    every = list(WATCHES.values())
    return every if teams is None else [watch for watch in every if not watch.teams or set(watch.teams) & set(teams)]
