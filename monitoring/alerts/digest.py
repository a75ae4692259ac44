"""The daily digest of teams: what went wrong and what is over, what waits and what it is worth, freshness, and what was compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.urls import reverse

from integrations.words import money, plural, span
from monitoring.alerts.watches import TEAMS
from monitoring.latest import Amount, latest_samples
from monitoring.models import AlertEvent, AlertState, AlertTarget, Reconciliation
from monitoring.notices import Situation
from monitoring.overview import situation_at
from monitoring.question_lines import open_questions
from monitoring.worth import asked_of_flows, in_words

DAY = timedelta(days=1)
MOST = 40  # lines of one part


@dataclass(frozen=True, slots=True)
class Waits:
    """Open exceptions of one kind: how many, since when, what waits and what it is worth, in words."""

    label: str
    count: str
    waiting: str
    worth: str
    oldest: str
    link: str


@dataclass(frozen=True, slots=True)
class Compared:
    """What one flow's comparisons of the day found."""

    flow: str
    words: str
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """A day of some teams, in words."""

    whose: str
    now: datetime
    since: datetime
    standing: Sequence[AlertState]
    opened: Sequence[AlertEvent]
    closed: Sequence[AlertEvent]
    waits: Sequence[Waits]
    fresh: str
    behind: Sequence[str]
    compared: Sequence[Compared]
    links: Mapping[str, str]

    @property
    def headline(self) -> str:
        """The day in half a sentence."""
        wrong = f"{plural(len(self.standing), 'thing')} wrong now" if self.standing else "nothing is wrong"
        return f"{wrong}, {plural(len(self.waits), 'kind')} of exception open" if self.waits else f"{wrong}, no exception is open"

    def data(self) -> dict[str, Any]:
        """What a webhook carries."""
        return {
            "since": f"{self.since:%Y-%m-%dT%H:%M:%SZ}", "whose": self.whose, "headline": self.headline,
            "wrong": [{"title": row.title, "severity": row.severity, "link": _link(row.url)} for row in self.standing],
            "opened": [event.title for event in self.opened], "over": [event.title for event in self.closed],
            "waits": [{"label": line.label, "count": line.count, "worth": line.worth, "link": line.link} for line in self.waits],
            "fresh": self.fresh, "behind": list(self.behind),
            "compared": [{"flow": line.flow, "words": line.words, "link": line.link} for line in self.compared],
        }  # fmt: skip


def digest_of(target: AlertTarget, now: datetime) -> Digest:
    """The last day of the target's teams; a constant number of queries."""
    teams = list(target.digest_teams)
    since = now - DAY
    samples = latest_samples()
    situation = situation_at(now, samples, open_questions(samples))
    live = [line for line in situation.flows if line.flow.enabled]
    late = [line for line in live if line.state == "behind"]
    return Digest(
        whose=", ".join(TEAMS[team] for team in teams) or "All teams",
        now=now,
        since=since,
        standing=list(of_teams(AlertState.objects.filter(wrong=True), teams).order_by("-since")[:MOST]),
        opened=_events(teams, since, AlertEvent.Change.OPENED),
        closed=_events(teams, since, AlertEvent.Change.OVER),
        waits=_waits(situation, teams),
        fresh=f"{plural(len(live), 'flow')} on, {len(live) - len(late)} in time" if live else "No flow is switched on",
        behind=[f"{line.flow}: waits since {span(line.lag.total_seconds())}, {line.ready} ready" for line in late[:MOST]],
        compared=_compared(since),
        links={"alerts": _link(reverse("admin:monitoring_alertstate_changelist")), "overview": _link(reverse("admin:index"))},
    )


def of_teams(rows: QuerySet, teams: Sequence[str]) -> QuerySet:
    """Rows that concern one of the teams; all of them without any."""
    wanted = Q()
    for team in teams:
        wanted |= Q(teams__contains=[team])
    return rows.filter(wanted)


def _events(teams: Sequence[str], since: datetime, change: str) -> list[AlertEvent]:
    rows = AlertEvent.objects.filter(at__gte=since, change=change)
    return list(of_teams(rows, teams).select_related("alert").order_by("-at", "-pk")[:MOST])


def _waits(situation: Situation, teams: Sequence[str]) -> list[Waits]:
    worth = asked_of_flows([line.flow.pk for line in situation.flows], situation.samples)
    lines = [line for line in situation.questions if line.count and (not teams or line.team in teams)]
    exceptions = reverse("admin:integrations_syncexception_changelist")
    return [
        Waits(
            line.label, str(line.count), _waiting(line.waiting), in_words(worth.get(line.kind, {})),
            f"{span((situation.now - line.oldest).total_seconds())} ago", _link(f"{exceptions}?state=open&kind={line.kind}"),
        )
        for line in lines[:MOST]
    ]  # fmt: skip


def _waiting(number: Amount) -> str:
    return f"{number} {'delivery waits' if str(number) == '1' else 'deliveries wait'}" if number else "nothing waits"


def _compared(since: datetime) -> list[Compared]:
    """The newest comparison of each flow that ended in the last day."""
    rows = Reconciliation.objects.filter(level=Reconciliation.Level.RECORDS, state=Reconciliation.State.DONE, finished_at__gte=since)
    newest: dict[int, Reconciliation] = {}
    for row in rows.select_related("flow__source", "flow__destination").order_by("-finished_at")[:MOST]:
        newest.setdefault(row.flow_id, row)
    pages = {pk: reverse("admin:monitoring_reconciliation_change", args=[row.pk]) for pk, row in newest.items()}
    return [Compared(str(row.flow), _found(row), _link(pages[pk])) for pk, row in newest.items()]


def _found(row: Reconciliation) -> str:
    if not row.drifted:
        return f"{row.matched:,} compared, all agree"
    value = f", worth {money(row.value, row.currency)}" if row.value and row.currency else ""
    return f"{row.matched + row.drifted:,} compared, {row.drifted:,} differ{value}"


def _link(path: str) -> str:
    return f"{settings.PUBLIC_URL}{path}" if path else ""
