"""Who hears of what: a target's choice of teams, conditions, kinds and severity against one condition. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from integrations.models.kinds import KINDS
from monitoring.alerts.watches import RANKS, TOLD_ALREADY, Watch, severity_of_kind
from monitoring.models import AlertTarget


class Told(Protocol):
    """What is told: a state or an event."""

    key: str
    watch: str
    severity: str
    teams: Sequence[str]


def wants(target: AlertTarget, told: Told) -> bool:
    """Whether this target asked to hear of it."""
    kind = told.key.partition(":")[2] if told.watch == "kind" else ""
    return (
        (not target.watches or told.watch in target.watches)
        and (not target.teams or bool(set(target.teams) & set(told.teams)))
        and (not kind or not target.kinds or kind in target.kinds)
        and RANKS[told.severity] <= _limit(target, told)
    )


def _limit(target: AlertTarget, told: Told) -> int:
    """Kinds that somebody named are told however small they are."""
    named = told.watch == "kind" and bool(target.kinds)
    return max(RANKS.values()) if named else RANKS[target.least]


def hears(target: AlertTarget, watch: Watch) -> str:
    """What the table of who gets what says: "all", "some" (of one's teams or kinds), or "" for nothing."""
    if target.watches and watch.slug not in target.watches:
        return ""
    if watch.slug == "kind":
        if target.kinds:
            return "some"
        graves = [slug for slug in _kinds_of(target) if RANKS[severity_of_kind(slug)] <= RANKS[target.least]]
        return "" if not graves else "all" if target.least == "notice" and not target.teams else "some"
    if RANKS[watch.severity] > RANKS[target.least]:
        return ""
    if not target.teams or not watch.teams:
        return "some" if target.teams and not watch.teams else "all"
    return "all" if set(target.teams) & set(watch.teams) else ""


def _kinds_of(target: AlertTarget) -> list[str]:
    return [kind.slug for kind in KINDS.values() if kind.slug not in TOLD_ALREADY and (not target.teams or kind.team in target.teams)]
