"""What the draft editor shows beside its rows: fields to choose from with examples of real records, doubts, and what each rule gives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseNotAllowed, JsonResponse
from django.http.response import HttpResponseBase

from integrations.admin.desk import MASK_PERMISSION
from integrations.admin.rule_fit import known_target, misfits
from integrations.admin.rule_forms import RuleForm, RuleFormSet
from integrations.admin.rule_words import TYPES, call_words, targets_of
from integrations.engine.examples import Examples, result_of
from integrations.engine.masking import masked
from integrations.models import Flow
from integrations.platforms.base import TargetField
from mapping.fields import UnknownField, source_field, source_fields
from mapping.models import MappingVersion
from mapping.records import RecordType
from mapping.rules import MAX_CHAIN, BadRules
from mapping.transforms import TRANSFORMS

LONGEST = 60  # characters of an example
PREFIX = "rule"  # of the row that is checked alone


def spoken(value: Any, path: str, *, personal: bool) -> str:
    """An example as the page shows it: short, and masked unless `personal`."""
    if value is None:
        return ""
    leaf = path.rpartition(".")[2].removesuffix("[]")
    shown = value if personal else masked(value, leaf)
    text = shown if isinstance(shown, str) else orjson.dumps(shown, default=str).decode()
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def fields_to_choose(flow: Flow, found: Examples, *, personal: bool) -> dict[str, Any]:
    """Target fields, fields of the record and steps, as the editor's script reads them."""
    return {
        "target": [_target(field, found, personal) for field in targets_of(flow)],
        "source": [
            {
                "path": field.path, "label": field.label, "type": TYPES.get(field.type, field.type), "group": field.group,
                "example": spoken(found.sources.get(field.path), field.path, personal=personal),
            }
            for field in source_fields(RecordType(flow.record_type))
        ],
        "steps": {each.name: {"takes": each.takes, "hint": each.argument_label} for each in TRANSFORMS.values()},
        "most_steps": MAX_CHAIN,
    }  # fmt: skip


def _target(field: TargetField, found: Examples, personal: bool) -> dict[str, Any]:
    limits = [f"at most {field.max_length:,}" if field.max_length else "", f"one of {', '.join(field.choices)}" if field.choices else ""]
    return {
        "path": field.path, "label": field.label, "type": TYPES.get(field.type, field.type), "group": group_of(field.path),
        "required": field.required, "help": " · ".join(part for part in (*limits, field.help) if part),
        "example": spoken(found.results.get(field.path), field.path, personal=personal),
    }  # fmt: skip


def group_of(path: str) -> str:
    """The part of the destination's object that a target belongs to, in words; empty for the object itself."""
    outer = path.rpartition(".")[0]
    return f"Each entry of {outer.removesuffix('[]')}" if outer.endswith("[]") else outer


def dress(formset: RuleFormSet, flow: Flow, found: Examples, *, personal: bool) -> RuleFormSet:
    """Give every row what stands around its inputs: labels, doubts and what it gives for a real record."""
    targets = targets_of(flow)
    for form in formset.forms:
        _dress(form, flow, targets, found, personal=personal)
    return formset


def _dress(form: RuleForm, flow: Flow, targets: tuple[TargetField, ...], found: Examples, *, personal: bool) -> None:
    target, source = str(form["target"].value() or ""), str(form["source"].value() or "")
    known = known_target(target, targets)
    form.target_label = known.label if known else ""
    form.group = group_of(target)
    form.source_label = _source_label(flow, source)
    form.given = spoken(found.sources.get(source), source, personal=personal)
    form.gives = spoken(found.results.get(target), target, personal=personal)
    rule = getattr(form, "rule", None) or form.initial.get("rule")
    form.doubts = misfits(rule, RecordType(flow.record_type), targets, flow.destination.name) if rule is not None else []


def _source_label(flow: Flow, path: str) -> str:
    try:
        return source_field(RecordType(flow.record_type), path).label if path else ""
    except UnknownField:
        return ""


def doubts_of(version: MappingVersion, targets: Sequence[TargetField]) -> list[tuple[str, str]]:
    """Target and doubt, for every rule of a version that may not fit."""
    flow = version.flow
    record_type = RecordType(flow.record_type)
    return [
        (row.target, doubt)
        for row in version.rules.all()
        for doubt in misfits(row.value(), record_type, tuple(targets), flow.destination.name)
    ]


def check(request: HttpRequest, version: MappingVersion, permission: str) -> HttpResponseBase:
    """What is wrong or doubtful with one row as it is typed, and what it gives for the latest record. Nothing is stored."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if not request.user.has_perm(permission):
        raise PermissionDenied
    flow, targets = version.flow, targets_of(version.flow)
    form = RuleForm(request.POST, prefix=PREFIX, record_type=RecordType(flow.record_type))
    valid = form.is_valid()
    known = known_target(request.POST.get(f"{PREFIX}-target", "").strip(), targets)
    answer: dict[str, Any] = {"errors": [] if valid else _errors(form), "doubts": [], "gives": "", "words": ""}
    answer["label"] = known.label if known else ""
    if form.rule is not None:
        answer["doubts"] = misfits(form.rule, form.record_type, targets, flow.destination.name)
        answer["words"] = ", ".join(call_words(call) for call in form.rule.transforms if call.name in TRANSFORMS)
    if valid and form.rule is not None:
        answer |= _given(flow, form, personal=request.user.has_perm(MASK_PERMISSION))
    return JsonResponse(answer)


def _given(flow: Flow, form: RuleForm, *, personal: bool) -> dict[str, str]:
    try:
        key, value = result_of(flow, form.rule)
    except BadRules:  # it needs the other rules of its list
        return {}
    return {"gives": spoken(value, form.rule.target, personal=personal), "key": key}


def _errors(form: RuleForm) -> list[str]:
    told: Iterable[str] = (str(message) for messages in form.errors.values() for message in messages)
    return list(dict.fromkeys(told))
