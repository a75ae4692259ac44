"""Mapping versions: draft, publish, roll back; what is published never changes."""

from __future__ import annotations

import threading

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from mapping.models import FieldRule, ImmutableVersion, MappingVersion
from mapping.plans import NoPlan, active_plan
from mapping.rules import BadRules, OnInvalid, Rule
from mapping.versions import difference, draft_from, publish, published_version, rollback, save_rules
from tests.mapping.samples import rule

pytestmark = pytest.mark.django_db
State = MappingVersion.State
RULES = (
    Rule(target="@type", constant="order"),
    rule("id", "key", ("prefix", "shp-"), required=True),
    rule("p.status", "status", ("lookup", "s"), ("truncate", 5), on_invalid=OnInvalid.DROP, keep_null=True, only_with="id"),
)


@pytest.fixture
def published(flow, staff):
    return publish(save_rules(draft_from(flow.pk, staff), RULES, staff), staff, "First")


def states(flow):
    return [(version.number, version.state) for version in MappingVersion.objects.filter(flow=flow).order_by("number")]


def test_a_flow_without_published_version_has_no_plan(flow):
    draft_from(flow.pk)
    with pytest.raises(NoPlan):
        active_plan(flow.pk)


def test_rules_come_back_as_they_were_saved(published, staff):
    assert published.values() == RULES
    assert (published.number, published.state, published.note) == (1, "published", "First")
    assert (published.author, published.published_by) == (staff, staff)
    assert [(row.target, row.position) for row in published.rules.all()] == [("@type", 1), ("id", 2), ("p.status", 3)]


def test_publishing_retires_the_version_before(flow, published, staff):
    draft = draft_from(flow.pk, staff)
    save_rules(draft, [*draft.values(), rule("web_id", "number")], staff)
    assert states(flow) == [(1, "published"), (2, "draft")]
    publish(draft, staff, "Web id")
    assert states(flow) == [(1, "retired"), (2, "published")]
    assert published_version(flow.pk) == draft
    assert active_plan(flow.pk).version_id == draft.pk


def test_a_published_plan_is_compiled_once_and_costs_one_query(flow, published, django_assert_num_queries):
    first = active_plan(flow.pk)
    with django_assert_num_queries(1):
        assert active_plan(flow.pk) is first


def test_rolling_back_publishes_a_copy_and_keeps_the_history(flow, published, staff):
    publish(save_rules(draft_from(flow.pk), [rule("id", "key")]), staff, "Broken")
    back = rollback(published, staff)
    assert states(flow) == [(1, "retired"), (2, "retired"), (3, "published")]
    assert (back.values(), back.based_on, back.note) == (RULES, published, "Back to version 1")


def test_wrong_rules_are_saved_but_never_published(flow, staff):
    draft = save_rules(draft_from(flow.pk, staff), [rule("id", "no.such.field")], staff)
    with pytest.raises(BadRules):
        publish(draft, staff, "No")
    draft.refresh_from_db()
    assert draft.state == State.DRAFT


def test_a_version_is_published_only_once(published, staff):
    with pytest.raises(ImmutableVersion):
        publish(published, staff, "Again")


def change_note(version):
    version.note = "other"
    version.save()


def change_state(version):
    version.state = State.DRAFT
    version.save()


def change_rule(version):
    row = version.rules.first()
    row.source = "number"
    row.save()


def move_rule_away(version):
    row = version.rules.first()
    row.version = draft_from(version.flow_id)
    row.save()


@pytest.mark.parametrize("retired", [False, True], ids=["published", "retired"])
@pytest.mark.parametrize(
    "change",
    [
        change_note, change_state, change_rule, move_rule_away,
        lambda version: version.delete(),
        lambda version: version.rules.first().delete(),
        lambda version: version.rules.all().delete(),
        lambda version: version.rules.update(source="number"),
        lambda version: MappingVersion.objects.filter(pk=version.pk).update(state="draft"),
        lambda version: MappingVersion.objects.filter(pk=version.pk).delete(),
        lambda version: FieldRule.objects.create(version=version, target="more", source="key"),
        lambda version: FieldRule.objects.bulk_create([FieldRule(version=version, target="more", source="key")]),
        lambda version: save_rules(version, [rule("id", "key")]),
    ],
)  # fmt: skip
def test_what_was_published_never_changes(flow, published, change, retired):
    if retired:
        publish(draft_from(flow.pk), note="Next")
        published.refresh_from_db()
    with pytest.raises(ImmutableVersion):
        change(published)
    stored = MappingVersion.objects.get(pk=published.pk)
    assert (stored.values(), stored.note, stored.state) == (RULES, "First", "retired" if retired else "published")


def test_a_draft_may_go_with_its_rules(flow, published):
    draft_from(flow.pk).delete()
    assert states(flow) == [(1, "published")]
    assert FieldRule.objects.count() == 3


def test_a_deleted_flow_takes_its_versions_along(flow, published):
    flow.delete()
    assert (MappingVersion.objects.count(), FieldRule.objects.count()) == (0, 0)


def test_the_database_holds_one_published_version_per_flow(flow, published):
    with pytest.raises(IntegrityError), transaction.atomic():
        MappingVersion.objects.create(flow=flow, number=9, state=State.PUBLISHED)


def test_the_difference_names_each_rule_and_each_part_of_it(flow, published):
    draft = draft_from(flow.pk)
    save_rules(draft, [rule("web_id", "number"), rule("id", "key", ("prefix", "x-"), required=True), RULES[0]])
    found = [(change.target, change.attributes, change.before is None, change.after is None) for change in difference(published, draft)]
    assert found == [("web_id", (), True, False), ("id", ("transforms",), False, False), ("p.status", (), False, True)]
    assert difference(published, published) == []


def test_the_history_tells_who_changed_a_rule(flow, published, staff):
    assert {(row.history_type, row.history_user) for row in FieldRule.history.filter(version=published)} == {("+", staff)}
    assert [row.state for row in MappingVersion.history.filter(id=published.pk).order_by("history_id")] == ["draft", "published"]


@pytest.mark.parametrize(
    ("values", "attribute"),
    [
        ({"target": "a b", "source": "key"}, "target"),
        ({"target": "a", "source": "nope"}, "source"),
        ({"target": "a", "source": "key", "transforms": [{"name": "lower"}] * 5}, "transforms"),
        ({"target": "a", "source": "key", "transforms": [{"name": "nope"}]}, "transforms"),
        ({"target": "a", "source": "key", "transforms": [{"name": "prefix", "argument": {"x": 1}}]}, "transforms"),
        ({"target": "a", "source": "key", "transforms": {"name": "lower"}}, "transforms"),
        ({"target": "a", "source": "key", "transforms": [{"name": "lower", "code": "1"}]}, "transforms"),
    ],
)
def test_a_form_shows_which_part_of_a_rule_is_wrong(flow, values, attribute):
    with pytest.raises(ValidationError) as caught:
        FieldRule(version=draft_from(flow.pk), **values).full_clean()
    assert list(caught.value.message_dict) == [attribute]


@pytest.mark.django_db(transaction=True)
def test_drafts_published_at_the_same_moment_leave_one_published(flow):
    drafts = [save_rules(draft_from(flow.pk), [rule("id", "key", ("prefix", str(i)))]) for i in range(4)]
    gate, faults = threading.Barrier(4), []

    def run(draft):
        try:
            gate.wait(10)
            publish(draft, note=f"Race {draft.number}")
        except Exception as fault:  # noqa: BLE001 - shown by the assertion
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(draft,)) for draft in drafts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert faults == []
    assert sorted(state for _, state in states(flow)) == ["published", "retired", "retired", "retired"]
