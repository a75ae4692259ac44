"""Mapping versions and their field rules. What is published or retired never changes again."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from mapping.compiler import Plan, plan_from_rules
from mapping.records import RecordType
from mapping.rules import Mode, OnInvalid, Rule, check_rule
from mapping.transforms import Call


class ImmutableVersion(Exception):  # noqa: N818 - named for the answer
    """A published or retired mapping version was to be changed; make a draft from it instead."""


class State(models.TextChoices):
    """Where a mapping version is in its life."""

    DRAFT = "draft", "Draft"
    PUBLISHED = "published", "Published"
    RETIRED = "retired", "Retired"


# The only change a version that left the draft may make, with the columns that go with it.
RETIREMENT = (State.PUBLISHED, State.RETIRED)


class VersionQuerySet(models.QuerySet):
    """Mapping versions; changes in bulk stay with drafts."""

    def update(self, **values: Any) -> int:
        _only_drafts(self.exclude(state=State.DRAFT))
        return super().update(**values)

    def delete(self) -> tuple[int, dict[str, int]]:
        _only_drafts(self.exclude(state=State.DRAFT))
        return super().delete()


class RuleQuerySet(models.QuerySet):
    """Field rules; changes in bulk stay with drafts."""

    def update(self, **values: Any) -> int:
        _only_drafts(self.exclude(version__state=State.DRAFT))
        return super().update(**values)

    def delete(self) -> tuple[int, dict[str, int]]:
        _only_drafts(self.exclude(version__state=State.DRAFT))
        return super().delete()

    def bulk_create(self, objs: Any, *args: Any, **kwargs: Any) -> list[Any]:
        rows = list(objs)
        _only_drafts(MappingVersion.objects.filter(pk__in={row.version_id for row in rows}).exclude(state=State.DRAFT))
        return super().bulk_create(rows, *args, **kwargs)


def _only_drafts(others: models.QuerySet) -> None:
    if others.exists():
        raise ImmutableVersion("a published mapping version does not change; make a draft from it")


class MappingVersion(models.Model):
    """One numbered set of field rules of a flow: a draft until it is published, then fixed for ever."""

    State = State

    flow = models.ForeignKey("integrations.Flow", models.CASCADE, related_name="mapping_versions")
    number = models.PositiveIntegerField(editable=False)
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT, editable=False)
    note = models.CharField("reason", max_length=500, blank=True, help_text="Why it was published, for those who read the history.")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", editable=False)
    based_on = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="+", editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True, blank=True, editable=False)
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", editable=False)
    history = HistoricalRecords()

    objects = VersionQuerySet.as_manager()

    class Meta:
        ordering = ["flow", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["flow", "number"], name="one_version_per_number"),
            models.UniqueConstraint(fields=["flow"], condition=Q(state="published"), name="one_published_version_per_flow"),
        ]

    def __str__(self) -> str:
        return f"Version {self.number} ({self.get_state_display().lower()})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write the row; raises ImmutableVersion for a change to a version that is no draft (its retirement excepted)."""
        stored = type(self).objects.filter(pk=self.pk).values("state", "flow_id", "number", "note", "based_on_id", "published_at").first()
        if stored and stored["state"] != State.DRAFT:
            wanted = {name: getattr(self, name) for name in stored}
            retired = (stored.pop("state"), wanted.pop("state")) == RETIREMENT
            if not retired or stored != wanted:
                raise ImmutableVersion(f"{self} does not change; make a draft from it")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete a draft; raises ImmutableVersion for any other version."""
        if self.state != State.DRAFT:
            raise ImmutableVersion(f"{self} stays in the history")
        return super().delete(*args, **kwargs)

    def values(self) -> tuple[Rule, ...]:
        """The rules as plain values, in their order."""
        return tuple(row.value() for row in self.rules.all())

    def plan(self) -> Plan:
        """The rules compiled; raises BadRules."""
        return plan_from_rules(self.values(), record_type=self.flow.record_type, flow_id=self.flow_id, version_id=self.pk or 0)


class FieldRule(models.Model):
    """One target field: where its value comes from and how it is written."""

    class Mode(models.TextChoices):
        OVERWRITE = "overwrite", "Always overwrite"
        IF_EMPTY = "if_empty", "Only when empty at the destination"
        APPEND = "append", "Add to list"

    class OnInvalid(models.TextChoices):
        HOLD = "hold", "Hold the record and ask"
        DROP = "drop", "Leave the field out"

    version = models.ForeignKey(MappingVersion, models.CASCADE, related_name="rules")
    position = models.PositiveIntegerField(default=0)
    target = models.CharField(max_length=200, help_text="Field at the destination, like customer.email or lineitems[].sku.")
    source = models.CharField(max_length=200, blank=True, help_text="Field of the record. Leave empty to write a constant.")
    constant = models.JSONField(null=True, blank=True, help_text='A fixed value as JSON, like "shopify" or true.')
    transforms = models.JSONField(default=list, blank=True, help_text="Up to four steps, one after the other.")
    mode = models.CharField(max_length=10, choices=Mode, default=Mode.OVERWRITE)
    required = models.BooleanField(default=False, help_text="An empty value holds the record and asks.")
    on_invalid = models.CharField("when invalid", max_length=4, choices=OnInvalid, default=OnInvalid.HOLD)
    keep_null = models.BooleanField("send even when empty", default=False, help_text="Clears the field at the destination.")
    only_with = models.CharField(max_length=200, blank=True, help_text="Another target field: without it this one is left out.")
    note = models.CharField(max_length=300, blank=True)
    history = HistoricalRecords()

    objects = RuleQuerySet.as_manager()

    class Meta:
        ordering = ["version", "position", "id"]
        constraints = [models.UniqueConstraint(fields=["version", "target"], name="one_rule_per_target")]

    def __str__(self) -> str:
        return f"{self.target} ← {self.source or self.constant}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write the row; raises ImmutableVersion unless its version is a draft."""
        self._only_in_draft()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete the row; raises ImmutableVersion unless its version is a draft."""
        self._only_in_draft()
        return super().delete(*args, **kwargs)

    @classmethod
    def from_value(cls, version: MappingVersion, rule: Rule, *, position: int, note: str = "") -> Self:
        """An unsaved row for a rule."""
        return cls(
            version=version,
            position=position,
            note=note,
            transforms=[_call_json(call) for call in rule.transforms],
            mode=rule.mode.value,
            on_invalid=rule.on_invalid.value,
            **{name: getattr(rule, name) for name in ("target", "source", "constant", "required", "keep_null", "only_with")},
        )

    def value(self) -> Rule:
        """The rule as a plain value; raises ValueError when the stored transforms have another shape."""
        return Rule(
            target=self.target,
            source=self.source,
            constant=self.constant,
            transforms=calls(self.transforms),
            mode=Mode(self.mode),
            required=self.required,
            on_invalid=OnInvalid(self.on_invalid),
            keep_null=self.keep_null,
            only_with=self.only_with,
        )

    def clean(self) -> None:
        """Check the rule against the field and transform registries."""
        try:
            rule = self.value()
        except ValueError as error:
            raise ValidationError({"transforms": str(error)}) from error
        found: dict[str, list[str]] = {}
        for problem in check_rule(rule, RecordType(self.version.flow.record_type)):
            found.setdefault(problem.attribute, []).append(problem.message)
        if found:
            raise ValidationError(found)

    def _only_in_draft(self) -> None:
        versions = MappingVersion.objects.filter(Q(pk=self.version_id) | Q(rules__pk=self.pk) if self.pk else Q(pk=self.version_id))
        _only_drafts(versions.exclude(state=State.DRAFT))


def calls(stored: object) -> tuple[Call, ...]:
    """Transform calls from their JSON, a list of {"name", "argument"}; raises ValueError for another shape."""
    if not isinstance(stored, list):
        raise ValueError("transforms must be a list")
    found = []
    for entry in stored:
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str) or set(entry) - {"name", "argument"}:
            raise ValueError("each transform needs a name and at most an argument")
        argument = entry.get("argument")
        if argument is not None and not isinstance(argument, str | int | bool):
            raise ValueError(f"the argument of {entry['name']} must be text, a whole number, or yes or no")
        found.append(Call(entry["name"], argument))
    return tuple(found)


def _call_json(call: Call) -> dict[str, object]:
    return {"name": call.name} if call.argument is None else {"name": call.name, "argument": call.argument}
