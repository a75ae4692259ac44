"""What staff do with mapping versions: draft, save rules, publish, roll back, compare. The only writer of these tables."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import orjson
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from simple_history.utils import bulk_create_with_history

from mapping.models import FieldRule, ImmutableVersion, MappingVersion
from mapping.rules import Rule

Author = AbstractBaseUser | None


class EditedMeanwhile(Exception):  # noqa: N818 - named for the answer
    """Somebody else saved the draft since it was read; nothing was written."""


@dataclass(frozen=True, slots=True)
class RuleChange:
    """One target whose rule differs between two versions; None on the side that has no rule for it."""

    target: str
    before: Rule | None
    after: Rule | None

    @property
    def attributes(self) -> tuple[str, ...]:
        """Which parts of the rule changed; empty when it was added or removed."""
        if self.before is None or self.after is None:
            return ()
        return tuple(f.name for f in fields(Rule) if getattr(self.before, f.name) != getattr(self.after, f.name))


@transaction.atomic
def draft_from(flow_id: int, by: Author = None, *, version: MappingVersion | None = None, note: str = "") -> MappingVersion:
    """A new draft with the rules of a version (the published one when left out; without any, an empty draft)."""
    _lock(flow_id)
    origin = version or published_version(flow_id)
    number = (MappingVersion.objects.filter(flow_id=flow_id).aggregate(last=Max("number"))["last"] or 0) + 1
    draft = MappingVersion.objects.create(flow_id=flow_id, number=number, based_on=origin, author=by, note=note)
    if origin is not None:
        _write([(draft, [(row.value(), row.note) for row in origin.rules.all()])], by)
    return draft


@transaction.atomic
def save_rules(
    draft: MappingVersion, rules: Iterable[Rule], by: Author = None, *, notes: dict[str, str] | None = None, seen: str = ""
) -> MappingVersion:
    """Replace a draft's rules; they may still be wrong: publishing checks them. Raises ImmutableVersion when it is no draft.

    `seen` is the fingerprint of the rules that the change began from; raises EditedMeanwhile when they are others by now.
    """
    current = MappingVersion.objects.select_for_update().get(pk=draft.pk)
    if current.state != MappingVersion.State.DRAFT:
        raise ImmutableVersion(f"{current} does not change; make a draft from it")
    if seen and seen != fingerprint(current.rules.all()):
        raise EditedMeanwhile(f"{current} was saved by somebody else meanwhile")
    draft.rules.all().delete()
    _write([(draft, [(rule, (notes or {}).get(rule.target, "")) for rule in rules])], by)
    return draft


@transaction.atomic
def publish(draft: MappingVersion, by: Author = None, note: str = "") -> MappingVersion:
    """Make a draft the flow's published version and retire the one before; raises BadRules, ImmutableVersion."""
    _lock(draft.flow_id)
    version = MappingVersion.objects.select_for_update(of=("self",)).select_related("flow").get(pk=draft.pk)
    if version.state != MappingVersion.State.DRAFT:
        raise ImmutableVersion(f"{version} was published before; make a draft from it")
    version.plan()
    before = published_version(version.flow_id)
    if before is not None:
        before.state = MappingVersion.State.RETIRED
        before._history_user = by
        before.save(update_fields=["state"])
    version.state, version.published_at, version.published_by = MappingVersion.State.PUBLISHED, timezone.now(), by
    version.note = note or version.note
    version._history_user = by
    version.save()
    return version


@transaction.atomic
def publish_where_none(rules: Mapping[int, Sequence[tuple[Rule, str]]], note: str) -> dict[int, MappingVersion]:
    """Of these flows those without a published version get one with these rules and notes; the new versions, by flow.

    Written in a few statements however many flows there are. The caller knows that the rules compile.
    """
    _lock(*rules)
    known = MappingVersion.objects.filter(flow__in=rules).order_by()
    numbers = dict(known.values_list("flow").annotate(last=Max("number")))
    served = set(known.filter(state=MappingVersion.State.PUBLISHED).values_list("flow", flat=True))
    made = {pk: MappingVersion(flow_id=pk, number=numbers.get(pk, 0) + 1, note=note) for pk in rules if pk not in served}
    MappingVersion.objects.bulk_create(made.values())
    _write((version, rules[pk]) for pk, version in made.items())
    published = {"state": MappingVersion.State.PUBLISHED, "published_at": timezone.now()}
    MappingVersion.objects.filter(pk__in=[version.pk for version in made.values()]).update(**published)
    for version in made.values():
        version.state, version.published_at = published.values()
    MappingVersion.history.bulk_history_create(list(made.values()))
    return made


@transaction.atomic
def rollback(version: MappingVersion, by: Author = None, note: str = "") -> MappingVersion:
    """Publish a copy of an earlier version; the history keeps both."""
    draft = draft_from(version.flow_id, by, version=version)
    return publish(draft, by, note or f"Back to version {version.number}")


def published_version(flow_id: int) -> MappingVersion | None:
    """The flow's published version, if any."""
    return MappingVersion.objects.filter(flow_id=flow_id, state=MappingVersion.State.PUBLISHED).first()


def fingerprint(rows: Iterable[FieldRule]) -> str:
    """What tells one state of a version's rules and notes from another; their order does not count."""
    told = sorted(orjson.dumps([asdict(row.value()), row.note], option=orjson.OPT_SORT_KEYS) for row in rows)
    return hashlib.sha256(b"\n".join(told)).hexdigest()


def difference(before: MappingVersion | Sequence[Rule] | None, after: MappingVersion | Sequence[Rule]) -> list[RuleChange]:
    """Every target whose rule was added, removed or changed, in the order of the later version; the order of rules is no change."""
    old, new = _by_target(before), _by_target(after)
    targets = [*new, *(target for target in old if target not in new)]
    return [RuleChange(target, old.get(target), new.get(target)) for target in targets if old.get(target) != new.get(target)]


def _by_target(rules: MappingVersion | Sequence[Rule] | None) -> dict[str, Rule]:
    values = rules.values() if isinstance(rules, MappingVersion) else rules or ()
    return {rule.target: rule for rule in values}


def _write(drafts: Iterable[tuple[MappingVersion, Iterable[tuple[Rule, str]]]], by: Author = None) -> None:
    rows = [
        FieldRule.from_value(draft, rule, position=position, note=note)
        for draft, rules in drafts
        for position, (rule, note) in enumerate(rules, start=1)
    ]
    bulk_create_with_history(rows, FieldRule, default_user=by)


def _lock(*flow_ids: int) -> None:
    """One change of a flow's versions at a time: the flow's own row is the lock. Raises DoesNotExist when one of them is gone."""
    flow: Any = MappingVersion._meta.get_field("flow").related_model
    found = flow.objects.select_for_update(no_key=True).only("pk").filter(pk__in=flow_ids).order_by("pk")
    if len(found) < len(flow_ids):
        raise flow.DoesNotExist(f"one of the flows {flow_ids} is gone")
