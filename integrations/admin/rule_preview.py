"""The preview of a version: before and after per field on the latest records of its flow, or on those that somebody looks for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from integrations.admin.desk import MASK_PERMISSION
from integrations.admin.impact import standing_of
from integrations.admin.rule_words import targets_of
from integrations.admin.summaries import headline
from integrations.engine.find_terms import one_way, plain
from integrations.engine.masking import masked, masked_text
from integrations.engine.preview import Tried, Verdict, latest_deliveries, preview_draft
from integrations.models import Delivery, Flow, SearchTerm
from mapping.models import MappingVersion
from mapping.preview import generic
from mapping.rules import BadRules
from mapping.transforms import email

if TYPE_CHECKING:
    from integrations.admin.rules import MappingDesk

RESEND = {
    "none": ("Nothing now", "only records that change from now on"),
    "changed": ("Only what changes", "records whose result is another one, and those that can go out at last"),
    "all": ("Everything", "every record is looked at again; unchanged ones cost no call"),
}
SIZES = (10, 25, 50)
MOST = 50
BADGES = {
    Verdict.SAME: ("stays the same", "good"),
    Verdict.CHANGED: ("would change", "info"),
    Verdict.FAILS: ("would newly be held", "warn"),
    Verdict.ANSWERED: ("held today, would go out", "good"),
    Verdict.HELD: ("held either way", "warn"),
    Verdict.LEFT: ("not sent, whatever the rules", "quiet"),
}
ALIKE = (Verdict.SAME, Verdict.LEFT)


@dataclass(frozen=True, slots=True)
class FieldSum:
    """One field that changes in the records of the page, and in how many."""

    path: str
    label: str
    count: int


def page(desk: MappingDesk, request: HttpRequest, row: MappingVersion) -> HttpResponse:
    """The preview; what was asked for stays in the address."""
    asked = [term for term in request.GET.get("keys", "").replace(",", " ").split() if term][:MOST]
    size = next((size for size in SIZES if request.GET.get("latest") == str(size)), SIZES[0])
    found, unknown = look_for(row.flow, asked) if asked else (latest_deliveries(row.flow, size), [])
    try:
        tried, fault = preview_draft(row, found), ""
    except BadRules as bad:
        tried, fault = [], str(bad)
    personal = request.user.has_perm(MASK_PERMISSION)
    only = request.GET.get("only") == "changes"
    shown = [one for one in tried if not only or one.verdict not in ALIKE]
    return desk.show(
        request,
        "integrations/mapping_preview.html",
        row,
        title=f"Preview of version {row.number}",
        rows=[_shown(one, personal=personal) for one in shown],
        looked_at=len(tried),
        counts={verdict.value: sum(one.verdict is verdict for one in tried) for verdict in Verdict},
        fields=_sums(row.flow, tried),
        fault=fault,
        asked=" ".join(asked),
        unknown=unknown,
        size=size,
        sizes=SIZES,
        only=only,
        **publish_parts(row),
    )


def publish_parts(row: MappingVersion) -> dict[str, Any]:
    """What the publish form shows, wherever it stands."""
    return {
        "standing": standing_of(row),
        "draft": row.state == MappingVersion.State.DRAFT,
        "resend": [(key, label, help_) for key, (label, help_) in RESEND.items()],
    }


def look_for(flow: Flow, asked: Iterable[str]) -> tuple[list[Delivery], list[str]]:
    """Deliveries of the flow by key at the source or the destination, by order number, e-mail or SKU; and what nothing was found for."""
    wanted = {term: {plain(term), one_way(plain(term)), one_way(email(term) or plain(term))} for term in asked}
    named = SearchTerm.objects.filter(
        kind__in=SearchTerm.Kind.values, term__in=set().union(*wanted.values()), connection=flow.source_id, record_type=flow.record_type
    )
    keys: dict[str, set[str]] = {}
    for term, key in named.values_list("term", "record_key")[: MOST * 4]:
        keys.setdefault(term, set()).add(key)
    every = {*wanted, *set().union(*keys.values())}
    rows = flow.deliveries.filter(Q(record_key__in=every) | Q(destination_key__in=list(wanted)))
    found = list(rows.order_by("record_key")[:MOST])
    hit = {name for row in found for name in (row.record_key, row.destination_key)}
    unknown = [term for term, terms in wanted.items() if term not in hit and not any(keys.get(name, set()) & hit for name in terms)]
    return found, unknown


def _sums(flow: Flow, tried: Iterable[Tried]) -> list[FieldSum]:
    labels = {target.path: target.label for target in targets_of(flow)}
    counts: dict[str, int] = {}
    for one in tried:
        for path in {generic(change.path) for change in (one.row.changes if one.row else ())}:
            counts[path] = counts.get(path, 0) + 1
    return [FieldSum(path, labels.get(path, ""), number) for path, number in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))]


def _shown(one: Tried, *, personal: bool) -> dict[str, Any]:
    """One record for the page; personal values are masked unless permitted."""

    def value(field: str, content: Any) -> Any:
        return content if personal else masked(content, field.rpartition(".")[2].partition("[")[0])

    def told(issues: Iterable[Any]) -> list[dict[str, str]]:
        return [{"field": issue.field, "message": issue.message if personal else masked_text(issue.message)} for issue in issues]

    delivery, row = one.delivery, one.row
    return {
        "key": delivery.record_key,
        "title": headline(delivery.flow.record_type, delivery.record, personal=personal),
        "url": reverse("admin:integrations_delivery_change", args=[delivery.pk]),
        "badge": BADGES[one.verdict],
        "new": row is not None and row.before is None,
        "reason": one.reason,
        "changes": [(one.path, value(one.path, one.before), value(one.path, one.after)) for one in (row.changes if row else ())],
        "issues": told(one.issues),
        "solved": told(one.issues_before) if one.verdict is Verdict.ANSWERED else [],
        "dropped": told(row.dropped) if row else [],
        "payload": (row.after if personal else masked(row.after)) if row else None,
    }
