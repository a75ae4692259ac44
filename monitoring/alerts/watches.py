"""What is watched: one table of conditions with whom each concerns, how grave it is, and how long it must last before anybody is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from integrations.models.kinds import KINDS
from monitoring.notices import PAUSED


class Severity(StrEnum):
    """How grave a condition is."""

    URGENT = "urgent"
    WARNING = "warning"
    NOTICE = "notice"


RANKS = {Severity.URGENT: 0, Severity.WARNING: 1, Severity.NOTICE: 2}
TEAMS = {"ecommerce": "Ecommerce", "marketing": "Marketing", "manager": "Managers", "administrator": "Administrators"}
AT_ONCE = timedelta()


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One condition. It is told after it has been so for `settle`, and over after it has not been so for `calm`."""

    slug: str
    label: str
    when: str  # in a sentence for people
    teams: tuple[str, ...]  # empty: the team that owns the kind of exception
    severity: Severity
    settle: timedelta = AT_ONCE
    calm: timedelta = AT_ONCE
    counted: bool = False  # told by the samples, so nothing is known of it while nobody counts
    said: str = ""  # said instead of the overview's text, where that may name a person

    @property
    def concerns(self) -> str:
        """Whose it is, in words."""
        return ", ".join(TEAMS[team] for team in self.teams) or "The team that settles it"


def _minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


OPERATORS, PEOPLE_IN_CHARGE, MERCHANTS = ("administrator",), ("administrator", "manager"), ("manager", "ecommerce")
URGENT, WARNING, NOTICE = Severity.URGENT, Severity.WARNING, Severity.NOTICE
WATCHES: dict[str, Watch] = {
    watch.slug: watch
    for watch in (
        Watch(slug="worker", label="The worker stands still", teams=OPERATORS, severity=URGENT, calm=_minutes(1),
              when="No worker has reported for four minutes, it has stopped counting, or the clocks disagree."),
        Watch(slug="health", label="The installation fails a check", teams=OPERATORS, severity=URGENT, settle=_minutes(1), calm=_minutes(2),
              when="A check of /readyz fails: the tables are not those of this program, or the task queue does not answer."),
        Watch(slug="needs_auth", label="A connection needs re-authorisation", teams=PEOPLE_IN_CHARGE, severity=URGENT,
              when="A platform no longer accepts the credentials; what is meant for it waits."),
        Watch(slug="silence", label="A source is silent", teams=PEOPLE_IN_CHARGE, severity=URGENT, settle=_minutes(2), calm=_minutes(2),
              counted=True, when="Nothing has come for twice the pause that is usual at this time of day."),
        Watch(slug="down", label="A platform does not answer", teams=OPERATORS, severity=WARNING, settle=_minutes(2), calm=_minutes(6),
              when="Several calls in a row failed, so the connection is paused and probed; it goes on by itself.",
              said="Several calls in a row failed. Deliveries are kept, the platform is probed, and it goes on by itself."),
        Watch(slug="paused", label="A connection is paused", teams=PEOPLE_IN_CHARGE, severity=NOTICE,
              when="A person paused it; what is meant for it waits until it is resumed.", said=PAUSED),
        Watch(slug="behind", label="A flow is behind", teams=PEOPLE_IN_CHARGE, severity=WARNING, settle=_minutes(3), calm=_minutes(5),
              when="Live records have waited for more than five minutes, and longer than is usual for this flow."),
        Watch(slug="volume", label="Far less or far more than usual", teams=MERCHANTS, severity=WARNING, calm=_minutes(5), counted=True,
              when="A route moves less than half or a multiple of what is usual at this hour."),
        Watch(slug="drift", label="The two ends drift apart", teams=MERCHANTS, severity=WARNING,
              when="The last comparison of a flow found more differences than the threshold allows."),
        Watch(slug="segment", label="A watched segment needs a look", teams=("marketing",), severity=WARNING,
              when="A watched segment is gone, empty, stale, or far from its usual size or from our own records."),
        Watch(slug="grant", label="A platform wants something of us", teams=OPERATORS, severity=WARNING,
              when="An authorisation ends soon, another API version answers than the one pinned, or a webhook subscription is missing."),
        Watch(slug="expiry", label="A version or a secret runs out", teams=OPERATORS, severity=WARNING,
              when="Support of a pinned API version ends within 60 days, or a secret that is not renewed by itself within 14 days."),
        Watch(slug="worth", label="An exception holds up much value", teams=(), severity=WARNING, calm=_minutes(2),
              when="One open exception holds up orders worth at least the threshold below."),
        Watch(slug="kind", label="Exceptions of a kind are open", teams=(), severity=NOTICE, settle=_minutes(2), calm=_minutes(5),
              when="The first exception of a kind opens; over when none of that kind is open any more."),
        Watch(slug="target", label="Alerts do not arrive somewhere", teams=PEOPLE_IN_CHARGE, severity=WARNING,
              when="A target was switched off because no message reached it for days."),
    )
}  # fmt: skip
TOLD_ALREADY = frozenset({"needs_auth", "platform_down", "grant_ends", "version_drift", "missing_subscription"})  # otherwise
WANTED = ("grant_ends", "version_drift", "missing_subscription")  # kinds that are told connection by connection
KIND_SEVERITY = {"privacy_overdue": URGENT}  # kinds that cannot wait for the morning


def severity_of_kind(kind: str) -> Severity:
    """How grave it is that exceptions of this kind are open."""
    return KIND_SEVERITY.get(kind, NOTICE)


def told_kinds() -> list[tuple[str, str]]:
    """Slug and label of the kinds of exceptions that are told as such."""
    return [(kind.slug, kind.label) for kind in KINDS.values() if kind.slug not in TOLD_ALREADY]
