"""The monthly audit: evidence about people, keys, versions, rules and what was waved through; recorded as done by whom with a note."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.utils import timezone
from rest_framework.authtoken.models import Token

from integrations.admin.manual import filled_by, manual_url
from integrations.models import Connection, Credential, Flow, SkuAnswer, SyncException
from integrations.platforms.registry import PLATFORMS
from integrations.words import plural
from mapping.models import MappingVersion
from monitoring.bounded import PEEK
from monitoring.models import Audit, Drift, Segment
from monitoring.reconcile.numbers import by_day
from monitoring.routine.evidence import Item, Level, listed
from monitoring.segments.trouble import segment_trouble

VIEW, RECORD = "monitoring.view_audit", "monitoring.add_audit"
MONTH = timedelta(days=31)
UNUSED = timedelta(days=60)
OLD_KEY = timedelta(days=365)
ENDS_SOON = timedelta(days=90)
SHOWN = 24  # audits of the past on the page: two years


@filled_by("monthly-audit")
def monthly_audit(request: HttpRequest) -> dict[str, Any]:
    """The evidence of today and the audits of the past, for those who may see them."""
    if not request.user.has_perm(VIEW):
        return {}
    now = timezone.now()
    return {
        "items": [look(now) for look in LOOKS],
        "as_of": now,
        "may_record": request.user.has_perm(RECORD),
        "audits": list(Audit.objects.order_by("-at")[:SHOWN]),
    }


def record(request: HttpRequest) -> HttpResponse:
    """Keep what the page says today, which lines were looked at, and the note; managers and administrators by POST only."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if not request.user.has_perm(RECORD):
        raise PermissionDenied
    seen, now = set(request.POST.getlist("seen")), timezone.now()
    findings = [
        {"name": item.name, "title": item.title, "answer": item.answer, "level": str(item.level), "seen": item.name in seen}
        for item in (look(now) for look in LOOKS)
    ]
    left = [finding["title"] for finding in findings if not finding["seen"]]
    note = request.POST.get("note", "").strip()[:2000]
    if left and not note:
        messages.error(request, f"Not recorded: tick what you looked at, or say in the note why not. Left: {'; '.join(left)}.")
        return HttpResponseRedirect(manual_url("monthly-audit", "evidence"))
    Audit.objects.create(by=request.user, by_name=request.user.get_username(), note=note, findings=findings)
    messages.success(request, "The audit is recorded.")
    return HttpResponseRedirect(manual_url("monthly-audit", "history"))


def people(now: datetime) -> Item:
    """Who may sign in, and who has not for long."""
    staff = User.objects.filter(is_active=True, is_staff=True)
    long_ago = Q(last_login__lt=now - UNUSED) | Q(last_login=None, date_joined__lt=now - UNUSED)
    unused = list(staff.filter(long_ago).order_by("username").values_list("username", flat=True)[:5])
    answer = plural(staff.count(), "person may sign in", "people may sign in")
    return Item(
        name="people", title="Everybody who may sign in still works here",
        answer=f"{answer}; not seen for two months: {', '.join(unused)}" if unused else answer, level=Level.LOOK if unused else Level.FINE,
        why="End the sign-in of people who left or changed their work.", url=listed("auth_user"), article="people", anchor="roles",
    )  # fmt: skip


def factors(now: datetime) -> Item:
    """Who signs in with the password alone."""
    second = Authenticator.objects.filter(user=OuterRef("pk")).exclude(type=Authenticator.Type.RECOVERY_CODES)
    mighty = Q(groups__name="administrator") | Q(is_superuser=True)
    rows = User.objects.filter(mighty, ~Exists(second), is_active=True).distinct().order_by("username")
    bare = list(rows.values_list("username", flat=True))
    answer = f"With the password alone: {', '.join(bare[:5])}" if bare else "Every administrator has one"
    return Item(
        name="factors", title="Administrators sign in with a second factor", answer=answer, level=Level.LOOK if bare else Level.FINE,
        why="An administrator's password opens every connection.", url=listed("auth_user"), article="people", anchor="second-factor",
    )  # fmt: skip


def tokens(now: datetime) -> Item:
    """API tokens and their age."""
    number = Token.objects.count()
    oldest = Token.objects.order_by("created").values_list("created", flat=True).first()
    old = oldest is not None and now - oldest > OLD_KEY
    answer = f"{plural(number, 'token')}, the oldest of {oldest:%B %Y}" if oldest else "None"
    return Item(
        name="tokens", title="API tokens are in use and not old", answer=answer, level=Level.LOOK if old else Level.FINE,
        why="A token may do what its person may, for as long as it exists.", url=listed("auth_user"), article="people", anchor="tokens",
    )  # fmt: skip


def keys(now: datetime) -> Item:
    """Secrets of connections that have not been changed for a year."""
    rows = Credential.objects.filter(refreshed_at__lt=now - OLD_KEY).select_related("connection").order_by("connection__name", "kind")
    old = list(rows.values_list("connection__name", "kind")[:5])
    answer = "; ".join(f"{name}: {kind.replace('_', ' ')}" for name, kind in old)
    return Item(
        name="keys", title="No secret is older than a year", answer=answer or "None is", level=Level.LOOK if old else Level.FINE,
        why="Change a key without a gap: store the new one beside the old one.", url=listed("integrations_connection"),
        article="connections", anchor="renew",
    )  # fmt: skip


def versions(now: datetime) -> Item:
    """Platform versions whose support ends soon."""
    ending = []
    for row in Connection.objects.exclude(api_version="").order_by("name"):
        ends = PLATFORMS[row.platform].version_ends.get(row.api_version, "") if row.platform in PLATFORMS else ""
        if ends and date.fromisoformat(ends) - now.date() < ENDS_SOON:
            ending.append(f"{row.name}: {row.api_version} until {ends}")
    return Item(
        name="versions", title="No platform version ends within three months", answer="; ".join(ending) or "None does",
        level=Level.LOOK if ending else Level.FINE, why="Choose the next version while there is time to test it.",
        url=listed("integrations_connection"), article="connections", anchor="connect",
    )  # fmt: skip


def probes(now: datetime) -> Item:
    """Connections whose test call is old or told of a problem."""
    bad = [
        row.name
        for row in Connection.objects.order_by("name")
        if row.probed_at is None or now - row.probed_at > MONTH or not row.probe.get("ok") or row.probe.get("problems")
    ]
    answer = f"To be tested or repaired: {', '.join(bad[:5])}" if bad else "All answered within the month, without complaint"
    return Item(
        name="probes", title="Every connection passed its test call this month", answer=answer, level=Level.LOOK if bad else Level.FINE,
        why="The test call names missing permissions before they are missed.", url=listed("integrations_connection"),
        article="connections", anchor="connect",
    )  # fmt: skip


def flows(now: datetime) -> Item:
    """Flows that are off."""
    off = [str(flow) for flow in Flow.objects.filter(enabled=False).select_related("source", "destination")]
    answer = f"Off: {', '.join(off[:4])}" if off else "All flows are on"
    return Item(
        name="flows", title="Flows that are off are meant to be off", answer=answer, level=Level.LOOK if off else Level.FINE,
        why="A flow that is off makes no deliveries; a backfill brings them later.", url=listed("integrations_flow", "enabled=off"),
        article="health", anchor="flows",
    )  # fmt: skip


def rules(now: datetime) -> Item:
    """Mappings that were published this month, and drafts that lie about."""
    published = MappingVersion.objects.exclude(state=MappingVersion.State.DRAFT).filter(published_at__gte=now - MONTH).count()
    drafts = MappingVersion.objects.filter(state=MappingVersion.State.DRAFT, created_at__lt=now - MONTH).count()
    answer = f"{plural(published, 'version')} published this month; {plural(drafts, 'draft')} older than a month"
    return Item(
        name="rules", title="Changes of the rules were meant", answer=answer, level=Level.LOOK if drafts else Level.FINE,
        why="Read the reasons; publish or discard old drafts.", url=listed("mapping_mappingversion"), article="mappings", anchor="rollback",
    )  # fmt: skip


def ignored(now: datetime) -> Item:
    """Questions that were ignored this month: records that will not be sent."""
    rows = SyncException.objects.filter(state=SyncException.State.IGNORED, last_seen__gte=now - MONTH)
    number = len(rows.order_by().values_list("pk", flat=True)[: PEEK + 1])
    spoken = f"{PEEK:,}+" if number > PEEK else f"{number:,}"
    return Item(
        name="ignored", title="What was ignored was rightly ignored", answer=f"{spoken} this month" if number else "Nothing this month",
        level=Level.LOOK if number else Level.FINE, why="Each stands for records that are not sent.",
        url=listed("integrations_syncexception", "state=ignored"), article="exceptions", anchor="desk",
    )  # fmt: skip


def automatic(now: datetime) -> Item:
    """Unknown SKUs that the program answered by itself."""
    rows = SkuAnswer.objects.filter(at__gte=now - MONTH, automatic=True, undone_at=None)
    number = len(rows.order_by().values_list("pk", flat=True)[: PEEK + 1])
    spoken = f"{PEEK:,}+" if number > PEEK else f"{number:,}"
    return Item(
        name="automatic", title="SKUs that mapped themselves are right", answer=f"{spoken} this month" if number else "None this month",
        level=Level.LOOK if number else Level.FINE, why="Look at some; a wrong one can be undone.",
        url=listed("mapping_skucrosswalk"), article="suggestions", anchor="thresholds",
    )  # fmt: skip


def drifts(now: datetime) -> Item:
    """What the month's comparisons found, and the differences that people left as they are."""
    days = by_day()
    compared, drifted, repaired = (sum(getattr(day, name) for day in days) for name in ("compared", "drifted", "repaired"))
    rows = Drift.objects.filter(state=Drift.State.DISMISSED, last_seen__gte=now - MONTH)
    left = len(rows.order_by().values_list("pk", flat=True)[: PEEK + 1])
    spoken = f"{PEEK:,}+" if left > PEEK else f"{left:,}"
    answer = f"{compared:,} compared, {drifted:,} drifted, {repaired:,} found repaired; {spoken} left as they are"
    return Item(
        name="drifts", title="Both ends were compared, and what was left as it is may stay",
        answer=answer if compared else "Nothing was compared",
        level=Level.FINE if compared and not left else Level.LOOK, why="Each one left stands for a record that differs for good.",
        url=listed("monitoring_drift", "state=dismissed") if left else listed("monitoring_reconciliation"), article="reconciliation",
        anchor="when",
    )  # fmt: skip


def segments(now: datetime) -> Item:
    """Which segments are watched, and whether they are as they should be."""
    watched = list(Segment.objects.filter(watched=True).order_by("title").values_list("title", flat=True)[:6])
    trouble = segment_trouble()
    named = ", ".join(watched[:5]) + (" and others" if len(watched) > 5 else "")
    return Item(
        name="segments", title="The segments that matter are watched", level=Level.FINE if watched and trouble is None else Level.LOOK,
        answer=(f"{named}; {trouble.title}" if trouble else named) or "None is watched",
        why="A segment nobody watches can shrink for weeks.", url=listed("monitoring_segment"), article="segments", anchor="what",
    )  # fmt: skip


LOOKS: tuple[Callable[[datetime], Item], ...] = (
    people, factors, tokens, keys, versions, probes, flows, rules, ignored, automatic, drifts, segments,
)  # fmt: skip
