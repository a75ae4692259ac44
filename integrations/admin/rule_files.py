"""A mapping as a file: JSON for other installations, XLSX for people; and what is wrong with one that comes back, by row and name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any

import orjson
from django.http import Http404, HttpResponse

from integrations.admin.rule_fit import known_target
from integrations.admin.rule_forms import argument_of, constant_of, constant_text
from integrations.admin.rule_words import targets_of
from integrations.admin.sheets import Unreadable, download, read_sheet
from integrations.models import Flow
from mapping.exchange import rule_from_json, rules_to_json
from mapping.models import FieldRule, MappingVersion
from mapping.records import RecordType
from mapping.rules import MAX_CHAIN, Mode, OnInvalid, Rule, check_rule, check_rules
from mapping.transforms import Call

MOST_RULES = 300
MOST_BYTES = 2 * 1024 * 1024
FORMS = ("json", "xlsx")
STEP_COLUMNS = tuple(name for number in range(1, MAX_CHAIN + 1) for name in (f"step {number}", f"argument {number}"))
COLUMNS = ("target", "source", "fixed value", *STEP_COLUMNS, "mode", "when invalid", "required", "send when empty", "only with", "note")
WORDS = {"yes": True, "true": True, "1": True, "x": True, "": False, "no": False, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one row of a file."""

    row: int
    target: str
    message: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """The rules of a file with their notes by target, and everything that is wrong with it."""

    rules: tuple[Rule, ...]
    notes: Mapping[str, str]
    faults: tuple[Fault, ...] = ()


def exported(version: MappingVersion, form: str) -> HttpResponse:
    """A version's rules as a download; raises Http404 for other forms than json and xlsx."""
    if form not in FORMS:
        raise Http404(f"There is no form {form}.")
    flow, rows = version.flow, list(version.rules.all())
    name = f"mapping-{flow.source.platform}-{flow.destination.platform}-{flow.record_type}-{version.number}"
    if form == "xlsx":
        return download("xlsx", name, COLUMNS, [[_cells(row) for row in rows]])
    ends = {"source": flow.source.platform, "destination": flow.destination.platform}
    told = {**ends, "record_type": flow.record_type, "version": version.number, **rules_to_json(rows)}
    response = HttpResponse(orjson.dumps(told, option=orjson.OPT_INDENT_2), content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="{name}.json"'
    return response


def _cells(row: FieldRule) -> list[object]:
    rule = row.value()
    steps = [cell for call in rule.transforms for cell in (call.name, "" if call.argument is None else constant_text(call.argument))]
    flags = ["yes" if flag else "" for flag in (rule.required, rule.keep_null)]
    steps += [""] * (2 * MAX_CHAIN - len(steps))
    return [rule.target, rule.source, constant_text(rule.constant), *steps, rule.mode, rule.on_invalid, *flags, rule.only_with, row.note]


def parsed(name: str, file: IO[bytes], flow: Flow) -> Parsed:
    """The rules of an uploaded file, each checked by name; raises Unreadable for what is no mapping of this record type at all."""
    rows = list(_sheet_rows(name, file) if name.lower().endswith((".xlsx", ".csv")) else _json_rows(file, flow))
    if not rows:
        raise Unreadable("The file holds no rule.")
    if len(rows) > MOST_RULES:
        raise Unreadable(f"A mapping has at most {MOST_RULES} rules; the file has {len(rows)}.")
    rules, notes, faults = [], {}, []
    for number, target, rule, note in rows:
        if isinstance(rule, str):
            faults.append(Fault(number, target, rule))
            continue
        rules.append(rule)
        notes |= {rule.target: note[:300]} if note else {}
        faults += [Fault(number, target, message) for message in _wrong(rule, flow)]
    places = {rule.target: number for number, _, rule, _ in rows if isinstance(rule, Rule)}
    if not faults:
        faults = [Fault(places[p.target], p.target, _sentence(p.message)) for p in check_rules(rules, RecordType(flow.record_type))]
    return Parsed(tuple(rules), notes, tuple(dict.fromkeys(faults)))


def _wrong(rule: Rule, flow: Flow) -> Iterator[str]:
    for problem in check_rule(rule, RecordType(flow.record_type)):
        yield _sentence(problem.message)
    targets = targets_of(flow)
    if targets and known_target(rule.target, targets) is None:
        yield f"{flow.destination.name} has no field “{rule.target}”."


def _sentence(message: str) -> str:
    return f"{message[:1].upper()}{message[1:].removesuffix('.')}."


Row = tuple[int, str, Rule | str, str]  # number in the file, target, the rule or why it is none, note


def _json_rows(file: IO[bytes], flow: Flow) -> Iterator[Row]:
    try:
        stored = orjson.loads(file.read())
    except orjson.JSONDecodeError as fault:
        raise Unreadable(f"The file is no JSON: {fault}.") from fault
    rows = stored.get("rules") if isinstance(stored, dict) else None
    if not isinstance(rows, list):
        raise Unreadable("A mapping is an object with a list of “rules”.")
    if stored.get("record_type", flow.record_type) != flow.record_type:
        raise Unreadable(f"The file maps {stored['record_type']} records, and this flow carries {flow.record_type} records.")
    for number, row in enumerate(rows, start=1):
        target = str(row.get("target", "")) if isinstance(row, dict) else ""
        yield number, target, _rule_of(row), str(row.get("note") or "") if isinstance(row, dict) else ""


def _rule_of(row: Any) -> Rule | str:
    if not isinstance(row, dict) or not isinstance(row.get("target"), str):
        return "Each rule is an object with a “target”."
    unknown = sorted(set(row) - {*Rule.__dataclass_fields__, "note"})
    if unknown:
        return f"A rule has no “{unknown[0]}”."
    try:
        return rule_from_json(row)
    except (ValueError, TypeError) as fault:
        return _sentence(str(fault))


def _sheet_rows(name: str, file: IO[bytes]) -> Iterator[Row]:
    rows = read_sheet(name, file, MOST_RULES)
    unknown = sorted(set(rows[0]) - {*COLUMNS, ""}) if rows else []
    if unknown:
        raise Unreadable(f"There is no column “{unknown[0]}”. The columns are: {', '.join(COLUMNS)}.")
    for number, row in enumerate(rows, start=2):  # the first line names the columns
        yield number, row.get("target", ""), _rule_in(row), row.get("note", "")


def _rule_in(row: Mapping[str, str]) -> Rule | str:
    try:
        return Rule(
            target=row.get("target", ""), source=row.get("source", ""), constant=constant_of(row.get("fixed value", "")),
            transforms=tuple(_calls(row)), mode=Mode(row.get("mode") or Mode.OVERWRITE),
            on_invalid=OnInvalid(row.get("when invalid") or OnInvalid.HOLD), required=_flag(row, "required"),
            keep_null=_flag(row, "send when empty"), only_with=row.get("only with", ""),
        )  # fmt: skip
    except ValueError as fault:
        return _sentence(str(fault))


def _calls(row: Mapping[str, str]) -> Iterable[Call]:
    pairs = [(row.get(f"step {number}", ""), row.get(f"argument {number}", "")) for number in range(1, MAX_CHAIN + 1)]
    for name, argument in pairs:
        if argument and not name:
            raise ValueError(f"the argument “{argument}” stands beside no step")
        if name:
            yield Call(name, argument_of(argument))


def _flag(row: Mapping[str, str], name: str) -> bool:
    word = row.get(name, "").strip().lower()
    if word not in WORDS:
        raise ValueError(f"“{word}” under “{name}” is neither yes nor no")
    return WORDS[word]
