"""The draft editor's rows: one form per field rule, turned into plain rules and checked by the mapping's own tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from django import forms

from mapping.models import FieldRule, MappingVersion
from mapping.records import RecordType
from mapping.rules import MAX_CHAIN, Mode, OnInvalid, Rule, check_rule, check_rules
from mapping.transforms import TRANSFORMS, Call

MAX_RULES = 300
WHOLE = re.compile(r"-?(0|[1-9]\d{0,14})")
STEPS = [("", "–"), *((transform.name, transform.label) for transform in TRANSFORMS.values())]
CLOSED = ("constant", "mode", "on_invalid", "required", "keep_null", "only_with", "note")  # what a row shows when it is opened
PARTS = {"target": "target", "source": "source", "constant": "constant", "transforms": "step_1", "mode": "mode", "only_with": "only_with"}


def _text(placeholder: str = "", **attrs: Any) -> forms.TextInput:
    """The console's own plain input: a page has hundreds of them, and the skin's carry half a kilobyte of class names each."""
    return forms.TextInput(attrs={"class": "sy-input", "placeholder": placeholder, "autocomplete": "off", "spellcheck": "false", **attrs})


def _choice(**attrs: Any) -> forms.Select:
    return forms.Select(attrs={"class": "sy-input", **attrs})


def _tick() -> forms.CheckboxInput:
    return forms.CheckboxInput(attrs={"class": "sy-check"})


def known_step(name: str) -> None:
    """Raises ValidationError for a step that there is not."""
    if name not in TRANSFORMS:
        raise forms.ValidationError(f"There is no step “{name}”.")


@dataclass(frozen=True, slots=True)
class StepField:
    """One step of a row: its transform with its words, the argument beside it, and what that is when the step takes one."""

    step: forms.BoundField
    argument: forms.BoundField
    chosen: str
    chosen_label: str
    takes: str
    hint: str


class RuleForm(forms.Form):
    """One field rule as the editor shows it; `rule` is the checked value after validation."""

    target = forms.CharField(max_length=200)
    source = forms.CharField(max_length=200, required=False)
    constant = forms.CharField(required=False, label="Fixed value", widget=_text("text, 12, true"))
    mode = forms.ChoiceField(choices=FieldRule.Mode.choices, initial="overwrite", widget=_choice())
    on_invalid = forms.ChoiceField(label="When invalid", choices=FieldRule.OnInvalid.choices, initial="hold", widget=_choice())
    required = forms.BooleanField(required=False, label="Required: hold the record when empty", widget=_tick())
    keep_null = forms.BooleanField(required=False, label="Send even when empty", widget=_tick())
    only_with = forms.CharField(
        max_length=200, required=False, label="Only together with", widget=_text("another target field", **{"data-field": "with"})
    )
    note = forms.CharField(max_length=300, required=False, widget=_text("why it is so"))

    def __init__(self, *args: Any, record_type: RecordType, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.record_type = record_type
        self.rule: Rule | None = None
        for number in range(1, MAX_CHAIN + 1):
            self.fields[f"step_{number}"] = forms.CharField(required=False, label=f"Step {number}", validators=[known_step])
            self.fields[f"argument_{number}"] = forms.CharField(
                max_length=200, required=False, label=f"Argument of step {number}", strip=False
            )

    def steps(self) -> list[StepField]:
        """The steps in use, transform and argument in pairs."""
        pairs = ((self[f"step_{number}"], self[f"argument_{number}"]) for number in range(1, MAX_CHAIN + 1))
        return [_step(step, argument) for step, argument in pairs if step.value()]

    @property
    def one_more_step(self) -> StepField:
        """An empty step, from which the page makes others."""
        return _step(self["step_1"], self["argument_1"])

    @property
    def full(self) -> bool:
        """Whether it has as many steps as a rule may have."""
        return len(self.steps()) == MAX_CHAIN

    @property
    def closed_values(self) -> list[tuple[str, str]]:
        """What the closed part of the row holds: names of inputs and their values, without those that are empty."""
        bound = (self[name] for name in CLOSED)
        return [(field.html_name, "on" if field.value() is True else str(field.value())) for field in bound if field.value()]

    @property
    def step_choices(self) -> list[tuple[str, str]]:
        """Every transform; the page holds the list once and fills a step with it when it is added."""
        return STEPS

    @property
    def special(self) -> list[str]:
        """What the closed part of the row says, in words."""
        told = (
            (self["constant"].value(), f"always {self['constant'].value()}"),
            (self["required"].value(), "required"),
            (self["mode"].value() == "if_empty", "only when empty at the destination"),
            (self["mode"].value() == "append", "added to the list"),
            (self["on_invalid"].value() == "drop", "left out when invalid"),
            (self["keep_null"].value(), "sent even when empty"),
            (self["only_with"].value(), f"only together with {self['only_with'].value()}"),
            (self["note"].value(), str(self["note"].value())),
        )
        return [words for holds, words in told if holds]

    @property
    def special_open(self) -> bool:
        """Whether the closed part holds something to correct."""
        return self.is_bound and any(name in self.errors for name in ("constant", "mode", "on_invalid", "only_with", "note"))

    def clean(self) -> dict[str, Any]:
        """Build the rule and ask the registries whether it can be used."""
        cleaned = super().clean()
        if self.errors:
            return cleaned
        rule = Rule(
            target=cleaned["target"].strip(), source=cleaned["source"].strip(), constant=constant_of(cleaned["constant"]),
            transforms=tuple(self._calls(cleaned)), mode=Mode(cleaned["mode"]), required=cleaned["required"],
            on_invalid=OnInvalid(cleaned["on_invalid"]), keep_null=cleaned["keep_null"], only_with=cleaned["only_with"].strip(),
        )  # fmt: skip
        for problem in check_rule(rule, self.record_type):
            self.add_error(PARTS.get(problem.attribute, "target"), problem.message[:1].upper() + problem.message[1:] + ".")
        self.rule = rule
        return cleaned

    def _calls(self, cleaned: Mapping[str, Any]) -> list[Call]:
        pairs = [(cleaned.get(f"step_{number}"), cleaned.get(f"argument_{number}", "")) for number in range(1, MAX_CHAIN + 1)]
        return [Call(name, argument_of(text)) for name, text in pairs if name]


def _step(step: forms.BoundField, argument: forms.BoundField) -> StepField:
    name = str(step.value() or "")
    transform = TRANSFORMS.get(name)
    takes, hint, label = (transform.takes, transform.argument_label, transform.label) if transform else ("", "", name)
    return StepField(step, argument, name, label, takes or ("optional" if argument.value() else ""), hint)


class RuleFormSet(forms.BaseFormSet):
    """All rules of a draft in the order of the page."""

    def clean(self) -> None:
        """What is wrong only with the rules together."""
        if any(self.errors):
            return
        try:
            problems = check_rules(self.rules(), self.form_kwargs["record_type"])
        except KeyError as fault:
            raise forms.ValidationError(f"The rules do not fit together: {fault}.") from fault
        if problems:
            raise forms.ValidationError(list(dict.fromkeys(f"{problem.target}: {problem.message}." for problem in problems)))

    def kept(self) -> list[RuleForm]:
        """The forms that hold a rule, in order, without those that were removed."""
        forms_ = [form for form in self.forms if getattr(form, "rule", None) is not None and not form.cleaned_data.get("DELETE")]
        return sorted(forms_, key=lambda form: (form.cleaned_data.get("ORDER") or 10**6, self.forms.index(form)))

    def rules(self) -> list[Rule]:
        """The rules as plain values."""
        return [form.rule for form in self.kept() if form.rule is not None]

    def notes(self) -> dict[str, str]:
        """Target → the note beside its rule."""
        return {form.rule.target: form.cleaned_data["note"] for form in self.kept() if form.rule is not None and form.cleaned_data["note"]}


def rule_formset(version: MappingVersion, data: Mapping[str, Any] | None = None) -> RuleFormSet:
    """The editor's rows for a version, bound when `data` is given."""
    made = forms.formset_factory(
        RuleForm,
        formset=RuleFormSet,
        extra=0,
        can_delete=True,
        can_order=True,
        max_num=MAX_RULES,
        validate_max=True,
        absolute_max=MAX_RULES + 50,
    )
    initial = [initial_of(row) for row in version.rules.all()] if data is None else None
    return made(data, initial=initial, prefix="rules", form_kwargs={"record_type": RecordType(version.flow.record_type)})


def initial_of(row: FieldRule) -> dict[str, Any]:
    """A stored rule as the editor's fields."""
    values: dict[str, Any] = {
        name: getattr(row, name) for name in ("target", "source", "mode", "required", "on_invalid", "keep_null", "only_with", "note")
    }
    values["constant"] = constant_text(row.constant)
    values["rule"] = row.value()
    for number, call in enumerate(row.transforms[:MAX_CHAIN], start=1):
        values[f"step_{number}"] = call["name"]
        values[f"argument_{number}"] = "" if call.get("argument") is None else constant_text(call["argument"])
    return values


def constant_of(text: str) -> object:
    """A fixed value as typed: JSON where it is JSON, else the text itself; empty is no constant."""
    stripped = text.strip()
    if not stripped:
        return None
    try:
        return orjson.loads(stripped)
    except orjson.JSONDecodeError:
        return stripped


def constant_text(value: object) -> str:
    """A fixed value as people type it; text that would read as JSON keeps its quotes."""
    if value is None:
        return ""
    if isinstance(value, str) and constant_of(value) == value:
        return value
    return orjson.dumps(value).decode()


def argument_of(text: str) -> str | int | bool | None:
    """A step's argument as typed: a whole number, yes or no as true and false, else the text; quotes keep what would read as a number."""
    if not text:
        return None
    stripped = text.strip()
    if stripped in ("true", "false"):
        return stripped == "true"
    if WHOLE.fullmatch(stripped):
        return int(stripped)
    if len(stripped) > 1 and stripped[0] == stripped[-1] == '"':
        return unquoted(stripped)
    return text


def unquoted(quoted: str) -> str:
    """Text that was put into quotes because it would read as a number."""
    try:
        value = orjson.loads(quoted)
    except orjson.JSONDecodeError:
        return quoted
    return value if isinstance(value, str) else quoted
