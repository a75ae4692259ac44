"""Parts of a segment's page: what is missing and why, what changed since when, the rows behind each number, the last read-back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils import timezone

from integrations import words
from integrations.access import may_replay
from integrations.admin.desk import MASK_PERMISSION
from integrations.admin.sheets import FORMATS, download
from integrations.admin.summaries import headline
from integrations.engine.masking import masked
from integrations.models import Delivery
from mapping.admin.sheets import log_export
from monitoring.models import ReadBack, Segment, SegmentSource
from monitoring.models.segments import ANSWERS
from monitoring.segments import causes, facts, reading
from monitoring.segments.forms import RuleForm, ThresholdForm
from monitoring.segments.pictures import FIRST_RANGE, RANGES, chart
from monitoring.segments.read_back import CAUSES as READ_CAUSES
from monitoring.segments.read_back import OPEN, SIZES, to_send_again
from monitoring.segments.rule import Rule
from monitoring.segments.verdict import TONES, share_words

if TYPE_CHECKING:
    from monitoring.segments.desk import SegmentDesk

LABELS = dict(ANSWERS)
READINGS, FLIPS, ROWS, EXPORTED = 24, 8, 50, 20_000
SPAN_WORDS = {"last": "the reading before", "day": "a day ago", "week": "a week ago"}
FIELDS_SHOWN = 30


def urls(desk: SegmentDesk) -> list[URLPattern]:
    """Every further page of the desk."""
    pages = (
        ("standing/", "standing", _standing), ("read/", "read_all", _read_all), ("<int:object_id>/live/", "live", _live),
        ("<int:object_id>/edit/", "edit", _edit), ("<int:object_id>/read-back/live/", "read_back_live", _read_back_live),
        ("<int:object_id>/people/<slug:cause>/", "people", _people), ("<int:object_id>/readings/<slug:form>/", "readings", _readings),
    )  # fmt: skip
    return [path(route, desk.wrapped(partial(view, desk)), name=f"monitoring_segment_{name}") for route, name, view in pages]


# --- how far a reading is ---------------------------------------------------------------------------------------------------


def standing(source: SegmentSource) -> dict[str, Any]:
    """One connection's reading: when it was, whether one is under way and how far, why it fails."""
    now = timezone.now()
    wanted = source.asked_at is not None and (source.read_at is None or source.read_at < source.asked_at)
    working = source.lease_until is not None and source.lease_until > now
    return {
        "row": source,
        "busy": (wanted or working or source.done < source.total) and not source.error,
        "share": int(100 * source.done / source.total) if source.total else None,
    }


def _seen(desk: SegmentDesk, request: HttpRequest) -> None:
    if not desk.has_view_permission(request):
        raise PermissionDenied


def _standing(desk: SegmentDesk, request: HttpRequest) -> HttpResponse:
    """The part of the list's head that refreshes itself."""
    _seen(desk, request)
    shown = desk.standing(request)
    done = request.GET.get("busy") == "1" and not any(item["busy"] for item in shown["sources"])
    answer = desk.show(request, "monitoring/segments_standing.html", **shown)
    if done:
        answer["HX-Refresh"] = "true"
    return answer


def _read_all(desk: SegmentDesk, request: HttpRequest) -> HttpResponse:
    """Read the segments of every connection now."""
    _seen(desk, request)
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if not request.user.has_perm("monitoring.change_segment"):
        raise PermissionDenied
    for source in reading.sources():
        reading.ask(source.pk)
    return HttpResponseRedirect(desk.view_url("changelist"))


# --- one segment ------------------------------------------------------------------------------------------------------------


def detail(desk: SegmentDesk, request: HttpRequest, row: Segment) -> dict[str, Any]:
    """Everything on the page of one segment."""
    chosen = request.GET.get("range", FIRST_RANGE)
    chosen = chosen if chosen in RANGES else FIRST_RANGE
    shown = chart(row, chosen, timezone.now())
    return {
        "title": row.title,
        **live_words(desk, row),
        **read_back_words(request, row),
        "chart": shown.data,
        "chart_words": shown.words,
        "chart_title": f"People in {row.title}",
        "ranges": [(key, label, key == chosen) for key, (label, _) in RANGES.items()],
        "readings": [(reading_row, LABELS[reading_row.answer], TONES[reading_row.answer]) for reading_row in _latest(row)],
        "flips": [(flip, LABELS[flip.before], LABELS[flip.after], TONES[flip.after]) for flip in row.flips.order_by("-at")[:FLIPS]],
        "downloads": [(form.upper(), desk.view_url("readings", row.pk, form)) for form in FORMATS],
        "edit_url": desk.view_url("edit", row.pk),
        "log": desk.log_of(row),
        "sizes": SIZES,
    }


def _latest(row: Segment) -> list[Any]:
    return list(row.readings.order_by("-at")[:READINGS])


def live_words(desk: SegmentDesk, row: Segment) -> dict[str, Any]:
    """What refreshes while a reading is under way: the answer, the numbers, and every why."""
    source = SegmentSource.objects.select_related("connection").filter(pk=row.connection_id).first()
    rule = Rule.of(row.rule)
    told = partial(_cause_line, desk, row)
    return {
        "standing": standing(source) if source else None,
        "answer": LABELS[row.answer],
        "tone": TONES[row.answer],
        "rule_words": rule.words() if rule else "",
        "gap_words": share_words(row.size, row.expected) if row.size is not None and row.expected is not None else "",
        "usual_words": share_words(row.size, row.usual) if row.size is not None and row.usual is not None else "",
        "counting": bool(rule) and row.expected is None and not facts.filled().complete,
        "missing": [told(slug, found) for slug, found in row.missing.items() if slug in causes.MISSING],
        "changes": [_change(row, told, name, entry) for name in SPAN_WORDS if (entry := row.changed.get(name))],
        "live_url": desk.view_url("live", row.pk),
    }


def _cause_line(desk: SegmentDesk, row: Segment, slug: str, found: Mapping[str, Any], *, since: str = "") -> dict[str, Any]:
    moment = since.replace("+00:00", "Z")
    return {
        "cause": causes.CAUSES[slug], "people": found["people"], "rows": found["rows"], "questions": found.get("questions", ()),
        "url": desk.view_url("people", row.pk, slug) + (f"?since={moment}" if moment else ""),
    }  # fmt: skip


def _change(row: Segment, told: Any, name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    before = entry["size"]
    moved = row.size - before if row.size is not None and before is not None else None
    lines = [told(slug, found, since=entry["since"]) for slug, found in entry["causes"].items() if slug in causes.CHANGED]
    return {
        "name": name, "label": SPAN_WORDS[name], "since": datetime.fromisoformat(entry["since"]), "before": before, "moved": moved,
        "words": share_words(row.size, before) if moved is not None else "",
        "lines": sorted(lines, key=lambda line: not line["cause"].away),
    }  # fmt: skip


def _live(desk: SegmentDesk, request: HttpRequest, object_id: int) -> HttpResponse:
    """The refreshing part; when a reading has ended the whole page loads again, for the chart and the table."""
    row = desk.row_or_404(request, object_id)
    shown = live_words(desk, row)
    answer = desk.show(request, "monitoring/segment_live.html", row, **shown)
    if request.GET.get("busy") == "1" and not (shown["standing"] and shown["standing"]["busy"]):
        answer["HX-Refresh"] = "true"
    return answer


def settings_words(row: Segment) -> str:
    """Thresholds and rule in a sentence, for the log."""
    rule = Rule.of(row.rule)
    stale = words.plural(row.stale_days, "day")
    limits = f"usual ±{row.median_percent} %, our records ±{row.drift_percent} %, {stale} without a refresh."
    return f"{limits} {rule.words() if rule else 'Nobody is expected.'}"


def _edit(desk: SegmentDesk, request: HttpRequest, object_id: int) -> HttpResponse:
    row = desk.row_or_404(request, object_id)
    if "configure" not in desk.allowed_acts(request, row):
        raise PermissionDenied
    return edit_page(desk, request, row, limits=ThresholdForm(row), rule=RuleForm(row))


def edit_page(desk: SegmentDesk, request: HttpRequest, row: Segment, *, limits: ThresholdForm, rule: RuleForm) -> HttpResponse:
    """The form of thresholds and rule."""
    return desk.show(request, "monitoring/segment_edit.html", row, limits=limits, rule_form=rule, title=row.title)


# --- the rows behind a number -----------------------------------------------------------------------------------------------


def _people(desk: SegmentDesk, request: HttpRequest, object_id: int, cause: str) -> HttpResponse:
    """Exactly the records that a cause counts, as of the reading that counted them; masked for those who may not see people."""
    row = desk.row_or_404(request, object_id)
    if cause not in causes.CAUSES:
        raise Http404("There is no such cause.")
    since = _since(request.GET.get("since", ""))
    if not row.rule or (since is None and cause in causes.CHANGED):
        raise Http404("This segment has no rule, or the moment to compare with is missing.")
    number = int(request.GET["p"]) if request.GET.get("p", "").isdecimal() else 0
    kept = _kept(row, cause, since)
    ids = kept[number * ROWS : (number + 1) * ROWS + 1]
    deliveries = Delivery.objects.filter(pk__in=ids[:ROWS]).select_related("flow__source", "flow__destination").defer("sent_payload")
    personal = request.user.has_perm(MASK_PERMISSION)
    found = [(one, headline(one.flow.record_type, one.record, personal=personal)) for one in deliveries.order_by("-pk")]
    return desk.show(
        request, "monitoring/segment_people.html", row, cause=causes.CAUSES[cause], found=found, number=number, more=len(ids) > ROWS,
        cut=causes.KEPT if len(kept) == causes.KEPT else 0, since=since, title=causes.CAUSES[cause].label, following=number + 1,
        previous=number - 1, query=request.GET.get("since", ""),
    )  # fmt: skip


def _kept(row: Segment, cause: str, since: datetime | None) -> list[int]:
    """The deliveries that the last reading kept; those of an earlier moment are counted anew."""
    moment = since if cause in causes.CHANGED else None
    stored = row.kept_rows.filter(cause=cause, since=moment).values_list("deliveries", flat=True).first()
    if stored is not None:
        return stored
    told = [entry["since"] for entry in row.changed.values()]
    if row.expected_at is not None and (moment is None or moment.isoformat() in told):
        return []  # the last reading found nothing
    scope = causes.scope_of(row, row.expected_at or timezone.now(), since)
    return [] if scope is None else causes.newest(causes.CAUSES[cause].rows(scope))


def _since(written: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(written) if written else None
    except ValueError as fault:
        raise Http404("There is no such moment.") from fault
    if found is None:
        return None
    return found if timezone.is_aware(found) else timezone.make_aware(found)


def _readings(desk: SegmentDesk, request: HttpRequest, object_id: int, form: str) -> HttpResponse:
    """Every reading as CSV or XLSX."""
    row = desk.row_or_404(request, object_id)
    if form not in FORMATS:
        raise Http404(f"There is no form {form}.")
    header = ["Read", "People in it", "Our records expect", "Status at Ometria", "Refreshed by Ometria", "State"]
    rows = row.readings.order_by("-at")[:EXPORTED]
    table = ([one.at, one.size, one.expected, one.status, one.refreshed_at, LABELS[one.answer]] for one in rows)
    log_export(request, desk.opts, form, [("readings of", row.title)])
    return download(form, f"segment-readings-{timezone.localdate():%Y-%m-%d}", header, [table])


# --- the last read-back -----------------------------------------------------------------------------------------------------


def read_back_words(request: HttpRequest, row: Segment) -> dict[str, Any]:
    """The newest read-back: how far, agreement per field, and every difference with its cause and repair."""
    last = ReadBack.objects.filter(segment=row).select_related("asked_by").order_by("-asked_at").first()
    if last is None:
        return {"read_back": None}
    personal = request.user.has_perm(MASK_PERMISSION)
    rows = list(last.rows.select_related("delivery__flow__source", "delivery__flow__destination").order_by("pk"))
    outside = [one for one in rows if one.kind == "order" and one.member is False]
    to_send = len(to_send_again(last, rows, request.user))
    return {
        "read_back": last,
        "read_back_open": last.state in OPEN,
        "read_back_share": int(100 * last.done / len(last.chosen)) if last.chosen else 0,
        "fields": [_field(name, *counts) for name, counts in sorted(last.fields.items(), key=_worst)][:FIELDS_SHOWN] if last.chosen else [],
        "differing": [_difference(request, one, personal) for one in rows if one.cause not in ("same", "forgotten")],
        "to_send": to_send,
        "send_all": f"Send all {to_send} again",
        "same": sum(one.cause == "same" for one in rows),
        "compared": sum(one.cause != "forgotten" for one in rows),
        "inside": sum(one.kind == "order" and one.member is True for one in rows),
        "outside": [(one.delivery, headline(one.delivery.flow.record_type, one.delivery.record, personal=personal)) for one in outside],
    }


def _worst(item: tuple[str, list[int]]) -> tuple[int, str]:
    return -item[1][1], item[0]


def _field(name: str, compared: int, different: int) -> dict[str, Any]:
    kind, _, field = name.partition(".")
    same = compared - different
    return {"kind": kind, "name": field, "compared": compared, "same": same, "share": int(100 * same / compared)}


def _difference(request: HttpRequest, one: Any, personal: bool) -> dict[str, Any]:
    cause = READ_CAUSES[one.cause]
    return {
        "row": one,
        "delivery": one.delivery,
        "who": headline(one.delivery.flow.record_type, one.delivery.record, personal=personal),
        "cause": cause,
        "fields": [entry if personal else _hidden(entry) for entry in one.differences],
        "acts": {"replay"} if cause.resend and may_replay(request.user, one.delivery) else set(),
    }


def _hidden(entry: Mapping[str, Any]) -> dict[str, Any]:
    name = entry["field"].rpartition(".")[2]
    return {"field": entry["field"], "sent": masked(entry["sent"], name), "there": masked(entry["there"], name)}


def _read_back_live(desk: SegmentDesk, request: HttpRequest, object_id: int) -> HttpResponse:
    """The part of the page that shows how far a read-back is."""
    row = desk.row_or_404(request, object_id)
    return desk.show(request, "monitoring/segment_read_back.html", row, **read_back_words(request, row), sizes=SIZES)
