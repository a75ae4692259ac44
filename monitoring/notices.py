"""What the overview says first: whether all is well, nothing arrives, somebody is asked, or nobody is at work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from integrations.models import Connection
from integrations.words import plural, span
from monitoring.connection_lines import ConnectionLine
from monitoring.flow_lines import FlowLine
from monitoring.latest import LatestSamples
from monitoring.models import AlertTarget
from monitoring.question_lines import QuestionLine
from monitoring.reconcile.numbers import alarms
from monitoring.segments.trouble import segment_trouble
from monitoring.unusual import Unusual
from monitoring.working import Working

NEEDS_AUTH = "Its credentials are no longer accepted. Deliveries are kept until it is connected again."
TOO_LITTLE = "Look at the source first: its webhooks, its own outages, a campaign that ended."
TOO_MUCH = "A sale, an import at the source, or a loop: look at what moves before the destination's limits do."
PAUSED = "A person paused it. Deliveries are kept and go out when it is resumed."


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to know. `kind` chooses look and symbol: clear, quiet, empty; question, behind, low, high, paused; silent, and how the
    worker stands: stopped, unsampled, yesterday, ahead. `watch` and `about` name what may be alerted and the thing it is about."""

    kind: str
    title: str
    text: str
    url: str = ""
    action: str = ""
    watch: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything the notices are made from."""

    now: datetime
    samples: LatestSamples
    flows: Sequence[FlowLine]
    questions: Sequence[QuestionLine]
    connections: Sequence[ConnectionLine]
    unusual: Sequence[Unusual]
    working: Working


def notices(situation: Situation) -> list[Notice]:
    """The worst first; exactly one that says so when all is well."""
    if not situation.connections:
        return [_nothing_connected()]
    found = [notice for source in SOURCES for notice in source(situation)]
    return found or [_all_clear(situation)]


def _nothing_connected() -> Notice:
    return Notice(
        kind="empty",
        title="Nothing is connected yet",
        text="Connect the shop and the marketing platform first; then switch on the flows between them.",
        url=reverse("admin:integrations_connection_add"),
        action="Connect a platform",
    )


def _stopped(situation: Situation) -> Iterator[Notice]:
    """How the worker stands, when it does not do all that it should."""
    at, now = situation.samples.at, situation.now
    if situation.working == Working.YES:
        return
    title, text = STANDS[situation.working]
    since = "No worker has reported yet." if at is None else f"The last report is {span(abs((now - at).total_seconds()))} old."
    moment = "" if at is None else date_format(timezone.localtime(at), "j F, H:i")
    yield Notice(
        kind=str(situation.working), title=title.format(moment=moment), text=text.format(since=since, moment=moment),
        watch="worker", about=str(situation.working),
    )  # fmt: skip


STANDS: dict[Working, tuple[str, str]] = {
    Working.STOPPED: (
        "No worker is running",
        "{since} Webhooks are still taken and kept, but nothing is sent until the worker process is started again.",
    ),
    Working.UNSAMPLED: (
        "The worker runs, but it has stopped counting",
        "{since} Deliveries may well go on; volumes, usual figures and alarms stand still until the schedule “Samples” runs again.",
    ),
    Working.YESTERDAY: (
        "This is how things stood on {moment}",
        "{since} Either nothing has run since, or this database is a copy of that day. Nothing below is of today.",
    ),
    Working.AHEAD: (
        "The clocks disagree",
        "The newest numbers are of {moment}, in the future of this server. Ages and volumes are wrong until its clock is set right.",
    ),
}


def _silent(situation: Situation) -> Iterator[Notice]:
    for line in situation.connections:
        if line.silent_for is None:
            continue
        usual = "its habits are not known yet"
        if line.usual:
            usual = f"usually something comes within {span(line.usual.total_seconds())} at this time"
        yield Notice(
            kind="silent",
            title=f"No data is arriving from {line.connection.name}",
            text=f"Nothing for {span(line.silent_for.total_seconds())}; {usual}. Test the connection and its webhook subscriptions.",
            url=reverse("admin:integrations_connection_change", args=[line.connection.pk]),
            action="Open the connection",
            watch="silence",
            about=str(line.connection.pk),
        )


def _connections(situation: Situation) -> Iterator[Notice]:
    """Connections that stand still, each in one sentence with what happens to its deliveries."""
    for line in situation.connections:
        told = _standing_still(line.connection, situation.now)
        if told:
            watch, title, text = told
            yield Notice(
                kind="paused",
                title=title,
                text=text,
                url=reverse("admin:integrations_connection_change", args=[line.connection.pk]),
                action="Open the connection",
                watch=watch,
                about=str(line.connection.pk),
            )


def _standing_still(connection: Connection, now: datetime) -> tuple[str, str, str] | None:
    if connection.state == Connection.State.NEEDS_AUTH:
        return "needs_auth", f"{connection.name} needs re-authorisation", NEEDS_AUTH
    if connection.state == Connection.State.PAUSED:
        return "paused", f"{connection.name} is paused", connection.state_reason or PAUSED
    if connection.resume_at is not None and connection.resume_at > now:
        wait = span((connection.resume_at - now).total_seconds())
        return "down", f"{connection.name} does not answer", f"Deliveries are kept; the next probe is in {wait}. It goes on by itself."
    return None


def _behind(situation: Situation) -> Iterator[Notice]:
    for line in situation.flows:
        if line.state == "behind":
            yield Notice(
                kind="behind",
                title=f"{line.flow} is behind",
                text=f"The oldest live delivery has waited for {span(line.lag.total_seconds())}; ready to go: {line.ready}.",
                url=f"{reverse('admin:integrations_delivery_changelist')}?flow={line.flow.pk}&state=ready",
                action="See what waits",
                watch="behind",
                about=str(line.flow.pk),
            )


def _volumes(situation: Situation) -> Iterator[Notice]:
    """Routes that move far fewer or far more than they usually do at this hour."""
    if situation.working != Working.YES:
        return
    for line in situation.unusual:
        ago = span((situation.now - line.since).total_seconds())
        yield Notice(
            kind="low" if line.low else "high",
            title=f"{line.route.name}: far {'less' if line.low else 'more'} than usual",
            text=f"For {ago} it has delivered {'less than half of' if line.low else 'a multiple of'} what is usual at this hour. "
            + (TOO_LITTLE if line.low else TOO_MUCH),
            url=reverse("admin:route", args=[line.route.slug]),
            action="See the last 24 hours",
            watch="volume",
            about=line.route.slug,
        )


def _questions(situation: Situation) -> Iterator[Notice]:
    if not situation.questions:
        return
    count = sum(line.count.value for line in situation.questions)
    waits = any(line.waiting for line in situation.questions)
    yield Notice(
        kind="question",
        title=plural(count, "open exception"),
        text=f"{'What waits for them goes out' if waits else 'No delivery waits for them'}{' once they are answered' if waits else ''}. "
        "Everything else goes on meanwhile.",
        url=f"{reverse('admin:integrations_syncexception_changelist')}?state=open",
        action="Answer them",
    )


def _drift(situation: Situation) -> Iterator[Notice]:
    for alarm in alarms():
        yield Notice(
            kind="behind",
            title=f"{alarm.flow}: the two ends drift apart",
            text=f"The last comparison found {alarm.drifted:,} of {alarm.compared:,} records different.",
            url=f"{reverse('admin:monitoring_drift_changelist')}?state=all&run={alarm.run}",
            action="See the drift",
            watch="drift",
            about=str(alarm.flow_id),
        )


def _segments(situation: Situation) -> Iterator[Notice]:
    trouble = segment_trouble()
    if trouble is not None:
        yield Notice(kind="low", title=trouble.title, text=trouble.text, url=trouble.url, action="See why")


def _untold(situation: Situation) -> Iterator[Notice]:
    """Who is told nothing any more because no message reached them for days."""
    for target in AlertTarget.objects.filter(state=AlertTarget.State.OFF):
        yield Notice(
            kind="low",
            title=f"Alerts do not reach “{target.name}” any more",
            text=f"{target.state_reason} It was switched off; nobody is told there until it is switched on again.",
            url=reverse("admin:monitoring_alerttarget_change", args=[target.pk]),
            action="Open the target",
            watch="target",
            about=str(target.pk),
        )


WATCHED: tuple[Callable[[Situation], Iterator[Notice]], ...] = (_stopped, _silent, _connections, _behind, _volumes, _drift, _untold)
SOURCES: tuple[Callable[[Situation], Iterator[Notice]], ...] = (
    _stopped, _silent, _connections, _behind, _volumes, _drift, _segments, _untold, _questions,
)  # fmt: skip


def watched(situation: Situation) -> Iterator[Notice]:
    """What the overview says and people may be alerted of, thing by thing; segments and questions are counted there and told one by one."""
    for source in WATCHED:
        yield from source(situation)


def _all_clear(situation: Situation) -> Notice:
    arrivals = [line.last_arrival for line in situation.connections if line.expects and line.last_arrival]
    if not arrivals:
        return Notice(
            kind="quiet",
            title="Nothing has arrived yet",
            text="The connections are in order and the worker runs. The first change at a source will appear here by itself.",
        )
    ago = span((situation.now - max(arrivals)).total_seconds())
    return Notice(kind="clear", title="All clear", text=f"Data is arriving (last {ago} ago), nothing is late and nobody is asked.")
