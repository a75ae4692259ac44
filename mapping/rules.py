"""Field rules as plain values, and what makes a set of them wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mapping.fields import UnknownField, source_field
from mapping.records import RecordType
from mapping.transforms import BadArgument, Call, step

MAX_CHAIN = 4
TARGET = re.compile(r"@?[A-Za-z0-9_:\-]+(\[\])?(\.@?[A-Za-z0-9_:\-]+(\[\])?)*")


class Mode(StrEnum):
    """How a value is written when the destination already holds one."""

    OVERWRITE = "overwrite"
    IF_EMPTY = "if_empty"
    APPEND = "append"


class OnInvalid(StrEnum):
    """What a value that cannot be used does: hold the record, or leave the field out."""

    HOLD = "hold"
    DROP = "drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One target field: where its value comes from and how it is written.

    A target like "lineitems[].sku" fills one entry per entry of the source's list. A rule without source writes its constant.
    `only_with` names another target without which this one is left out.
    """

    target: str
    source: str = ""
    constant: object = None
    transforms: tuple[Call, ...] = ()
    mode: Mode = Mode.OVERWRITE
    required: bool = False
    on_invalid: OnInvalid = OnInvalid.HOLD
    keep_null: bool = False
    only_with: str = ""


@dataclass(frozen=True, slots=True)
class RuleProblem:
    """Why a rule cannot be used, in plain words; `attribute` is the part of it to correct."""

    target: str
    attribute: str
    message: str


class BadRules(ValueError):  # noqa: N818 - named for the answer
    """A set of rules that cannot be compiled; `problems` lists everything that is wrong."""

    def __init__(self, problems: Sequence[RuleProblem]) -> None:
        super().__init__("; ".join(f"{problem.target}: {problem.message}" for problem in problems))
        self.problems = tuple(problems)


def list_paths(path: str) -> tuple[str, ...]:
    """The lists a path enters: "a[].b[].c" → ("a", "a[].b")."""
    parts = path.split("[]")[:-1]
    return tuple("[]".join(parts[: i + 1]) for i in range(len(parts)))


def check_rule(rule: Rule, record_type: RecordType) -> list[RuleProblem]:
    """What is wrong with one rule on its own."""
    found: list[tuple[str, str]] = []
    if not TARGET.fullmatch(rule.target) or rule.target.endswith("[]"):
        found.append(("target", "write names joined by dots, like customer.email or lineitems[].sku"))
    if rule.source and rule.constant is not None:
        found.append(("constant", "choose a source or a constant, not both"))
    if not rule.source and rule.constant is None and not rule.keep_null:
        found.append(("source", "choose a source or give a constant"))
    if rule.source:
        try:
            source_field(record_type, rule.source)
        except UnknownField as error:
            found.append(("source", str(error)))
    if len(rule.transforms) > MAX_CHAIN:
        found.append(("transforms", f"at most {MAX_CHAIN} transforms"))
    if rule.mode is not Mode.OVERWRITE and "[]" in rule.target:
        found.append(("mode", "fields inside a list are always overwritten"))
    if rule.only_with and ("[]" in rule.target or "[]" in rule.only_with):
        found.append(("only_with", "works only for fields outside lists"))
    for call in rule.transforms:
        try:
            step(call)
        except BadArgument as error:
            found.append(("transforms", str(error)))
    return [RuleProblem(rule.target, attribute, message) for attribute, message in found]


def check_rules(rules: Iterable[Rule], record_type: RecordType) -> list[RuleProblem]:
    """Everything that is wrong with a set of rules, each alone and all together."""
    rules = tuple(rules)
    problems = [problem for rule in rules for problem in check_rule(rule, record_type)]
    if problems:
        return problems
    targets = [rule.target.replace("[]", "") for rule in rules]
    for rule in rules:
        plain = rule.target.replace("[]", "")
        if targets.count(plain) > 1:
            problems.append(RuleProblem(rule.target, "target", "two rules fill this field"))
        if any(other.startswith(plain + ".") for other in targets):
            problems.append(RuleProblem(rule.target, "target", "another rule fills a field inside this one"))
    return problems or _check_lists(rules)


def _check_lists(rules: Sequence[Rule]) -> list[RuleProblem]:
    """Every list entered by a target needs exactly one source list that says how many entries it has."""
    problems = []
    sources = list_sources(rules)
    for rule in rules:
        entered, fed = list_paths(rule.target), list_paths(rule.source)
        for depth, target_list in enumerate(entered):
            named = sources[target_list]
            if not named:
                problems.append(RuleProblem(rule.target, "source", f"no rule says what fills the list {target_list}"))
            elif depth < len(fed) and fed[depth] != sorted(named)[0]:
                problems.append(RuleProblem(rule.target, "source", f"the list {target_list} is filled from {sorted(named)[0]}"))
    return problems


def list_sources(rules: Sequence[Rule]) -> dict[str, set[str]]:
    """For every list entered by a target, the source lists its rules read."""
    found: dict[str, set[str]] = {}
    for rule in rules:
        entered, fed = list_paths(rule.target), list_paths(rule.source)
        for depth, target_list in enumerate(entered):
            found.setdefault(target_list, set()).update(fed[depth : depth + 1])
    return found
