"""How each field is filled today: the published rules of every flow in words, with a real example, and since when by whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Subquery
from django.http import HttpRequest
from django.urls import reverse

from integrations.admin.desk import MASK_PERMISSION
from integrations.admin.manual.views import filled_by
from integrations.admin.rule_words import rule_lines
from integrations.engine.masking import masked
from integrations.models import Delivery, Flow
from integrations.platforms.base import TargetField
from integrations.platforms.registry import PLATFORMS
from mapping.models import FieldRule, MappingVersion
from mapping.records import RecordType

LOOKED_AT = 3  # latest delivered records per flow that an example is taken from
LOOKED_BACK = 30  # versions of a flow that are gone through for the beginning of a rule
LONGEST = 120  # characters of an example
SAID = ("source", "constant", "transforms", "mode", "required", "on_invalid", "keep_null", "only_with")  # what makes a rule the same rule


@dataclass(frozen=True, slots=True)
class Since:
    """When a rule came to be as it is; `earlier` when it is older than what was looked through."""

    at: datetime | None
    by: str
    version: int
    earlier: bool = False


@dataclass(frozen=True, slots=True)
class FilledField:
    """One field of a destination and how it is filled; `words` is a line of `rule_words.rule_lines`."""

    words: dict[str, Any]
    example: str
    since: Since


@dataclass(frozen=True, slots=True)
class FilledFlow:
    """One flow with its published version, the fields that rules fill, and those that nothing fills."""

    flow: Flow
    version: MappingVersion
    fields: Sequence[FilledField]
    unfilled: Sequence[TargetField]
    url: str


@filled_by("fields")
def published_fields(request: HttpRequest) -> dict[str, Any]:
    """The fields of the chosen flow, or those of all flows in which the searched words occur."""
    asked, chosen = request.GET.get("q", "").strip(), request.GET.get("flow", "")
    published = list(
        MappingVersion.objects.filter(state=MappingVersion.State.PUBLISHED)
        .select_related("flow__source", "flow__destination")
        .prefetch_related("rules")
        .order_by("flow__source__name", "flow__destination__name", "flow__record_type")
    )
    here = next((row for row in published if str(row.flow_id) == chosen), None)
    shown = [here] if here else published if asked else published[:1]
    personal = request.user.has_perm(MASK_PERMISSION)
    return {
        "asked": asked,
        "chosen": here.flow_id if here else shown[0].flow_id if shown and not asked else None,
        "flows": [row.flow for row in published],
        "filled": [each for each in filled_flows(shown, asked, personal=personal) if each.fields],
    }


def filled_flows(versions: Sequence[MappingVersion], asked: str, *, personal: bool) -> list[FilledFlow]:
    """The versions' fields in which every word of `asked` occurs, in three queries however many flows and versions there are."""
    lines = {row.pk: [line for line in rule_lines(row, _targets(row.flow)) if fits(line, asked)] for row in versions}
    examples, begun = _samples(versions), _beginnings(versions, {line["target"] for found in lines.values() for line in found})
    found = []
    for row in versions:
        fields = [
            FilledField(line, shown_value(examples[row.flow_id], line["target"], personal=personal), begun[row.pk, line["target"]])
            for line in lines[row.pk]
        ]
        filled = {rule.target for rule in row.rules.all()}
        unfilled = [] if asked else [target for target in _targets(row.flow) if target.path not in filled]
        url = reverse("admin:mapping_mappingversion_change", args=[row.pk])
        found.append(FilledFlow(row.flow, row, fields, unfilled, url))
    return found


def fits(line: dict[str, Any], asked: str) -> bool:
    """Whether every word that is searched for occurs in the rule's own words."""
    parts = (line["target"], line["label"], line["source"], line["source_label"], line["note"], *line["steps"], *line["conditions"])
    text = " ".join(str(part) for part in parts).casefold()
    return all(word in text for word in asked.casefold().split())


def _targets(flow: Flow) -> tuple[TargetField, ...]:
    platform = PLATFORMS.get(flow.destination.platform)
    return platform.targets.get(RecordType(flow.record_type), ()) if platform else ()


def _samples(versions: Iterable[MappingVersion]) -> dict[int, list[Any]]:
    """What was last sent by each flow, newest first."""
    mine = Delivery.objects.filter(flow=OuterRef("pk"), state=Delivery.State.DELIVERED).order_by("-updated_at").values("sent_payload")
    names = [f"sample_{number}" for number in range(LOOKED_AT)]
    flows = Flow.objects.filter(pk__in=[row.flow_id for row in versions])
    flows = flows.annotate(**{name: Subquery(mine[number : number + 1]) for number, name in enumerate(names)})
    return {row["pk"]: [row[name] for name in names if row[name]] for row in flows.values("pk", *names)}


def shown_value(payloads: Iterable[Any], path: str, *, personal: bool) -> str:
    """The first value that stands at the path in one of the payloads, masked unless permitted; empty when there is none."""
    for payload in payloads:
        value = value_at(payload, path)
        if value not in (None, "", [], {}):
            text = str(value if personal else masked(value, path.rpartition(".")[2].removesuffix("[]")))
            return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    return ""


def value_at(payload: Any, path: str) -> Any:
    """The value at a path like "customer.email" or "lineitems[].sku" (of the first entry that has one), None when there is none."""
    name, _, rest = path.partition(".")
    inner = payload.get(name.removesuffix("[]")) if isinstance(payload, dict) else None
    if not rest:
        return inner
    if not name.endswith("[]"):
        return value_at(inner, rest)
    return next((value for entry in inner or () if (value := value_at(entry, rest)) not in (None, "")), None)


def _beginnings(versions: Sequence[MappingVersion], targets: Iterable[str]) -> dict[tuple[int, str], Since]:
    """(published version, target) → since when its rule is as it is."""
    history: dict[int, list[dict[str, Any]]] = defaultdict(list)
    rows = MappingVersion.objects.filter(flow__in=[row.flow_id for row in versions]).exclude(state=MappingVersion.State.DRAFT)
    for row in rows.order_by("flow", "-number").values("pk", "flow", "number", "published_at", "published_by__username"):
        history[row["flow"]].append(row)
    looked_at = [row["pk"] for past in history.values() for row in past[:LOOKED_BACK]]
    rules = FieldRule.objects.filter(version__in=looked_at, target__in=set(targets)).values_list("version", "target", *SAID)
    said = {(version, target): parts for version, target, *parts in rules}
    return {
        (row.pk, target): _since(history[row.flow_id], target, said)
        for row in versions
        for target in {rule.target for rule in row.rules.all()} & set(targets)
    }


def _since(past: Sequence[dict[str, Any]], target: str, said: dict[tuple[int, str], list[Any]]) -> Since:
    """Go back version by version for as long as the rule is the same."""
    now, first = said[past[0]["pk"], target], past[0]
    earlier = False
    for number, row in enumerate(past[:LOOKED_BACK], start=1):
        if said.get((row["pk"], target)) != now:
            break
        first, earlier = row, number == LOOKED_BACK < len(past)
    return Since(first["published_at"], first["published_by__username"] or "", first["number"], earlier)
