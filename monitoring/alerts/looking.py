"""What is wrong right now, thing by thing, from the functions that the overview is made from; nothing is stored here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q
from django.urls import reverse

from integrations.models import Connection, Credential, SyncException
from integrations.models.exception import SHOWN
from integrations.models.kinds import KINDS
from integrations.platforms.registry import PLATFORMS
from integrations.words import money, plural
from monitoring.alerts.lags import unusually_late
from monitoring.alerts.watches import TOLD_ALREADY, WANTED, WATCHES, Severity, severity_of_kind
from monitoring.health import BrokerAnswers, MigrationsApplied, run_checks
from monitoring.latest import latest_samples
from monitoring.notices import Situation, watched
from monitoring.overview import situation_at
from monitoring.question_lines import open_questions
from monitoring.segments.trouble import trouble_of, troubled
from monitoring.working import Working

VERSION_ENDS, SECRET_ENDS = timedelta(days=60), timedelta(days=14)
RENEWED_BY_ITSELF = "access_token"
OVERDUE = timedelta(hours=1)  # a token of that kind this long past its end was not renewed
MOST = 200  # things of one condition that are told one by one
STAYS = 0.8  # of the threshold: an exception that was told stays told until its worth falls below


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One thing that is wrong: its condition, what it is about, and the words; no personal data is in them."""

    watch: str
    about: str
    title: str
    text: str
    url: str = ""
    action: str = ""
    teams: tuple[str, ...]
    severity: Severity

    @property
    def key(self) -> str:
        """What tells it from everything else that may be wrong."""
        return f"{self.watch}:{self.about}"


@dataclass(frozen=True, slots=True)
class Reading:
    """What was found by key, and the conditions of which nothing is known at this moment, so that they stay as they are."""

    found: Mapping[str, Found]
    unknown: frozenset[str]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a look takes into account: how things stand, the threshold of worth, and the exceptions told as worth much already."""

    situation: Situation
    worth: int
    told: frozenset[str]


def read(now: datetime, *, worth: int, told: frozenset[str]) -> Reading:
    """Everything that is wrong now; some twenty queries, whatever the volume."""
    samples = latest_samples()
    asked = Asked(situation_at(now, samples, open_questions(samples)), worth, told)
    found = {item.key: item for finder in FINDERS for item in finder(asked)}
    return Reading(found, _unknown(asked.situation.working))


def _unknown(working: Working) -> frozenset[str]:
    """While nobody counts, what is counted is not known; a database of another day says nothing of today."""
    if working == Working.YES:
        return frozenset()
    if working == Working.YESTERDAY:
        return frozenset(WATCHES)
    return frozenset(slug for slug, watch in WATCHES.items() if watch.counted)


def made(slug: str, about: str, title: str, text: str, **more: object) -> Found:
    """A finding with its condition's teams and severity, unless told otherwise."""
    watch = WATCHES[slug]
    return Found(
        watch=slug, about=about, title=title[:300], text=watch.said or text,
        **{"teams": watch.teams, "severity": watch.severity, **more},
    )  # fmt: skip


def _overview(asked: Asked) -> Iterator[Found]:
    """What the overview's first lines say; of flows that are behind only those that are not so every day at this hour."""
    late = unusually_late(asked.situation)
    for notice in watched(asked.situation):
        if notice.watch == "behind" and notice.about not in late:
            continue
        yield made(notice.watch, notice.about, notice.title, notice.text, url=notice.url, action=notice.action)


def _health(asked: Asked) -> Iterator[Found]:
    """The checks of /readyz but those that cannot be told from here or are told as the worker's."""
    for name, reason in run_checks((MigrationsApplied, BrokerAnswers)).items():
        if reason:
            yield made("health", name, f"The check “{name}” fails", reason, url=reverse("admin:index"), action="Open the overview")


def _segments(asked: Asked) -> Iterator[Found]:
    for row in troubled(MOST):
        trouble = trouble_of(row)
        yield made("segment", str(row.pk), trouble.title, trouble.text, url=trouble.url, action="See why")


def _wanted(asked: Asked) -> Iterator[Found]:
    """Questions that a platform asks of the operator, each with its kind's own words."""
    rows = SyncException.objects.filter(SHOWN, kind__in=WANTED, connection__isnull=False).select_related("connection")
    for row in rows.order_by("pk")[:MOST]:
        kind = KINDS[row.kind]
        url = reverse("admin:integrations_connection_change", args=[row.connection_id])
        title = f"{row.connection.name}: {kind.label[:1].lower()}{kind.label[1:]}"
        yield made("grant", f"{row.kind}.{row.connection_id}", title, f"{kind.cause} {kind.remedy}", url=url, action="Open the connection")


def _expiry(asked: Asked) -> Iterator[Found]:
    """Pinned versions whose support ends, and secrets that end and are not renewed by themselves."""
    now = asked.situation.now
    for line in asked.situation.connections:
        row = line.connection
        ends = PLATFORMS[row.platform].version_ends.get(row.api_version, "") if row.platform in PLATFORMS else ""
        if ends and date.fromisoformat(ends) - now.date() <= VERSION_ENDS:
            title = f"{row.name}: support of API version {row.api_version} ends on {date.fromisoformat(ends):%-d %B %Y}"
            yield _ending(f"version.{row.pk}.{row.api_version}", row.pk, title, "Choose the next version while there is time to test it.")
    late = Q(kind=RENEWED_BY_ITSELF, expires_at__lt=now - OVERDUE) | ~Q(kind=RENEWED_BY_ITSELF) & Q(expires_at__lt=now + SECRET_ENDS)
    rows = Credential.objects.filter(late, connection__state=Connection.State.ACTIVE).select_related("connection").defer("secret")
    for secret in rows.order_by("pk")[:MOST]:
        ended = secret.expires_at <= now
        name = secret.kind.replace("_", " ")
        title = f"{secret.connection.name}: the {name} {'ended' if ended else 'ends'} on {secret.expires_at:%-d %B %Y}"
        yield _ending(f"secret.{secret.pk}", secret.connection_id, title, "Open the connection and connect it again, or put in a new key.")


def _ending(about: str, connection_id: int, title: str, text: str) -> Found:
    url = reverse("admin:integrations_connection_change", args=[connection_id])
    return made("expiry", about, title, text, url=url, action="Open the connection")


def _worth(asked: Asked) -> Iterator[Found]:
    """Single exceptions that hold up much; those told already stay until their worth has clearly fallen or they are settled."""
    rows = SyncException.objects.filter(SHOWN, waiting_value__gte=asked.worth * STAYS).order_by("-waiting_value", "-waiting_count", "-id")
    for row in rows.only("kind", "waiting_value", "waiting_values", "waiting_count")[:MOST]:
        if row.waiting_value < asked.worth and str(row.pk) not in asked.told:
            continue
        kind = KINDS[row.kind]
        values = " and ".join(money(value, currency) for currency, value in sorted(row.waiting_values.items()))
        yield made(
            "worth", str(row.pk), f"{kind.label}: {values or money(row.waiting_value, '')} wait for one answer",
            f"{plural(row.waiting_count, 'delivery', 'deliveries')} wait for it. {kind.remedy}", teams=(kind.team, "manager"),
            url=reverse("admin:integrations_syncexception_change", args=[row.pk]), action="Answer it",
        )  # fmt: skip


def _kinds(asked: Asked) -> Iterator[Found]:
    """Kinds of which any are open, as the overview lists them."""
    for line in asked.situation.questions:
        if line.kind in TOLD_ALREADY or not line.count:
            continue
        kind = KINDS[line.kind]
        number = "1 open exception" if str(line.count) == "1" else f"{line.count} open exceptions"
        yield made(
            "kind", line.kind, f"{kind.label}: {number}", f"{kind.cause} {kind.remedy}", teams=(kind.team,),
            severity=severity_of_kind(line.kind), action="Answer them",
            url=f"{reverse('admin:integrations_syncexception_changelist')}?state=open&kind={line.kind}",
        )  # fmt: skip


FINDERS: tuple[Callable[[Asked], Iterator[Found]], ...] = (_overview, _health, _segments, _wanted, _expiry, _worth, _kinds)
