"""The words of messages: a subject, plain text and HTML for mail, and a JSON body for webhooks. No personal data is in any of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.formats import date_format

from integrations.words import span
from monitoring.alerts.digest import Digest
from monitoring.alerts.watches import WATCHES
from monitoring.models import AlertEvent

MOST_LISTED = 100  # changes in one summary
Change = AlertEvent.Change


@dataclass(frozen=True, slots=True)
class Words:
    """One message in every form; `kind` and `data` are what a webhook carries."""

    subject: str
    text: str
    html: str
    kind: str
    at: datetime
    data: Mapping[str, Any] = field(default_factory=dict)

    def body(self) -> str:
        """The body of a webhook: type, moment and data, as Standard Webhooks recommends."""
        return orjson.dumps({"type": self.kind, "timestamp": instant(self.at), "data": dict(self.data)}).decode()


def link(path: str) -> str:
    """An address within the console as people outside it can follow it."""
    return f"{settings.PUBLIC_URL}{path}" if path else ""


def instant(moment: datetime | None) -> str | None:
    """A moment as ISO 8601 in UTC, to the second."""
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def local(moment: datetime, zone: str) -> datetime:
    """A moment by the clock of that zone."""
    return moment.astimezone(ZoneInfo(zone))


def said(moment: datetime) -> str:
    """A moment for people, in the console's zone with its name."""
    here = timezone.localtime(moment)
    return f"{date_format(here, 'j F, H:i')} {here.tzname()}"


def label_of(watch: str) -> str:
    """What a condition is called; its slug when the table no longer has it."""
    return WATCHES[watch].label if watch in WATCHES else watch


def line_of(event: AlertEvent) -> dict[str, Any]:
    """What templates show of one event."""
    over = event.change == Change.OVER
    lasted = span(((event.until or event.at) - event.since).total_seconds())
    return {
        "event": event, "over": over, "label": label_of(event.watch), "severity": event.get_severity_display(), "link": link(event.url),
        "lasted": lasted, "since": said(event.since), "until": said(event.until or event.at),
    }  # fmt: skip


def data_of(event: AlertEvent) -> dict[str, Any]:
    """What a webhook carries of one event."""
    return {
        "alert": event.alert_id, "condition": event.watch, "label": label_of(event.watch), "about": event.alert.key.partition(":")[2],
        "severity": event.severity, "teams": list(event.teams), "title": event.title, "text": event.text,
        "since": instant(event.since), "until": instant(event.until), "link": link(event.url),
    }  # fmt: skip


def of_change(event: AlertEvent) -> Words:
    """One thing that went wrong, or is over."""
    line = line_of(event)
    subject = f"Over: {event.title}" if line["over"] else f"{line['severity']}: {event.title}"
    kind = "alert.recovered" if line["over"] else "alert.opened"
    return _rendered("change", subject, kind, event.at, context={"line": line}, data=data_of(event))


def of_summary(events: Sequence[AlertEvent], since: datetime, now: datetime) -> Words:
    """What happened in quiet hours: what is still wrong, and what came and went."""
    over = {event.alert_id: event for event in events if event.change == Change.OVER}
    standing = [event for event in events if event.change == Change.OPENED and not _ended(event, over)]
    gone = [event for pk, event in over.items() if pk not in {event.alert_id for event in standing}]
    subject = f"While it was quiet: {len(standing)} still wrong, {len(gone)} over again"
    shown = {"standing": standing, "gone": gone}
    context = {name: [line_of(event) for event in found[:MOST_LISTED]] for name, found in shown.items()}
    context |= {"since": said(since), "alerts": link(ALERTS), "more": max(0, len(standing) - MOST_LISTED)}
    data = {"since": instant(since), "changes": [{"change": event.change, **data_of(event)} for event in events[:MOST_LISTED]]}
    return _rendered("summary", subject, "alert.summary", now, context=context, data=data)


def _ended(event: AlertEvent, over: Mapping[int, AlertEvent]) -> bool:
    later = over.get(event.alert_id)
    return later is not None and later.pk > event.pk


def of_digest(digest: Digest) -> Words:
    """A day in one message."""
    subject = f"{digest.whose}: {digest.headline}"
    return _rendered("digest", subject, "alert.digest", digest.now, context={"digest": digest}, data=digest.data())


def of_test(name: str, now: datetime) -> Words:
    """A test, which says that it is one."""
    subject = f"Test: alerts reach “{name}”"
    data = {"target": name, "link": link(ALERTS)}
    return _rendered("test", subject, "alert.test", now, context={"name": name, "alerts": link(ALERTS)}, data=data)


def _rendered(template: str, subject: str, kind: str, at: datetime, *, context: Mapping[str, Any], data: Mapping[str, Any]) -> Words:
    shown = {**context, "subject": subject, "console": settings.PUBLIC_URL, "at": said(at)}
    text, html = (render_to_string(f"monitoring/alerts/{template}.{form}", shown) for form in ("txt", "html"))
    return Words(" ".join(subject.split()), text.strip() + "\n", html, kind, at, data)


ALERTS = "/admin/monitoring/alertstate/"
