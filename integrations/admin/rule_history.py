"""The history of a mapping: every version with who and why, the difference between any two, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse

from integrations.admin.rule_words import change_lines, targets_of
from mapping import versions
from mapping.models import MappingVersion
from mapping.records import RecordType

if TYPE_CHECKING:
    from integrations.admin.rules import MappingDesk

SHOWN = 12  # versions beside a version's page; all of them are on the page of differences
MOST = 200


def versions_of(row: MappingVersion, most: int = SHOWN) -> list[MappingVersion]:
    """The newest versions of the flow."""
    rows = MappingVersion.objects.filter(flow=row.flow_id).select_related("author", "published_by", "based_on")
    return list(rows.order_by("-number")[:most])


def difference(before: MappingVersion | None, after: MappingVersion) -> list[dict[str, str]]:
    """What was added, removed and changed, in words."""
    return change_lines(versions.difference(before, after), targets_of(after.flow), RecordType(after.flow.record_type))


def page(desk: MappingDesk, request: HttpRequest, row: MappingVersion) -> HttpResponse:
    """The difference between this version and another one of its flow; which is in the address."""
    known = versions_of(row, MOST)
    asked = request.GET.get("with", "")
    other = next((version for version in known if str(version.pk) == asked), None) or _other(row, known)
    pair = sorted([version for version in (row, other) if version], key=lambda version: version.number)
    context: dict[str, Any] = {
        "title": f"Versions of this mapping: {' and '.join(str(version.number) for version in pair)}",
        "other": other,
        "older": pair[0],
        "newer": pair[-1],
        "changes": difference(pair[0], pair[-1]) if other else [],
        "labels": [f"Version {version.number}" for version in (pair[0], pair[-1])],
        "known": known,
        "published": next((version for version in known if version.state == MappingVersion.State.PUBLISHED), None),
    }
    return desk.show(request, "integrations/mapping_compare.html", row, **context)


def _other(row: MappingVersion, known: list[MappingVersion]) -> MappingVersion | None:
    """What is compared when nothing was chosen: the version it was made from, else the one before it."""
    others = [version for version in known if version.pk != row.pk]
    based_on = next((version for version in others if version.pk == row.based_on_id), None)
    return based_on or next((version for version in others if version.number < row.number), others[0] if others else None)
