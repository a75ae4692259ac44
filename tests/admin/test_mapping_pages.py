"""Mappings in the console: edit a draft, see it on real records, publish with a reason, go back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django_q.models import OrmQ

from integrations.admin.rule_forms import constant_of, constant_text, rule_formset
from integrations.models import Delivery, Flow, ImpactRun
from mapping import codec
from mapping.defaults import load_defaults
from mapping.models import MappingVersion
from mapping.rules import Rule
from mapping.transforms import Call
from mapping.versions import draft_from, publish, published_version, save_rules
from tests.mapping import samples
from tests.rows import make_delivery, make_flow

pytestmark = pytest.mark.django_db
RULES = (
    Rule(target="id", source="key", transforms=(Call("prefix", "shp-"),), required=True),
    Rule(target="@type", constant="order"),
    Rule(target="customer.email", source="customer.email", transforms=(Call("email"),)),
)


@pytest.fixture
def flow() -> Flow:
    return make_flow("order")


def a_version(flow: Flow, *rules: Rule, note: str = "first") -> MappingVersion:
    return publish(save_rules(draft_from(flow.pk), rules or RULES), note=note)


def an_editor(version: MappingVersion) -> dict[str, Any]:
    """What a browser would post from the untouched editor."""
    formset = rule_formset(version)
    data: dict[str, Any] = {"rules-TOTAL_FORMS": len(formset.forms), "rules-INITIAL_FORMS": len(formset.forms)}
    for form in formset.forms:
        for bound in form:
            value = bound.value()
            if value not in (None, False, ""):
                data[bound.html_name] = "on" if value is True else value
    return data


def act(client: Client, row: MappingVersion, name: str, data: dict[str, Any] | None = None) -> str:
    url = reverse(f"admin:mapping_mappingversion_{name}", args=[row.pk])
    return client.post(url, data or {}, follow=True).content.decode()


@pytest.mark.parametrize("record_type", ["order", "customer", "product", "variant", "checkout"])
def test_saving_the_untouched_editor_changes_no_rule_of_the_defaults(record_type: str, manager: Client):
    flow = make_flow(record_type)
    load_defaults(flow)
    draft = draft_from(flow.pk)
    before = draft.values()

    page = act(manager, draft, "save", an_editor(draft))

    assert ("Draft saved." in page, MappingVersion.objects.get(pk=draft.pk).values()) == (True, before)


def test_a_rule_is_changed_added_and_removed_in_one_save(flow: Flow, manager: Client):
    a_version(flow)
    draft = draft_from(flow.pk)
    data = an_editor(draft) | {
        "rules-0-argument_1": "order-",
        "rules-1-DELETE": "on",
        "rules-TOTAL_FORMS": 4,
        "rules-3-target": "web_id",
        "rules-3-source": "number",
        "rules-3-mode": "overwrite",
        "rules-3-on_invalid": "drop",
        "rules-3-note": "the customer's number",
    }

    act(manager, draft, "save", data)

    saved = MappingVersion.objects.get(pk=draft.pk)
    changed = replace(RULES[0], transforms=(Call("prefix", "order-"),))
    assert saved.values() == (changed, RULES[2], Rule(target="web_id", source="number", on_invalid="drop"))
    assert saved.rules.get(target="web_id").note == "the customer's number"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"rules-0-source": "no.such.field"}, "no field"),
        ({"rules-0-step_1": "truncate", "rules-0-argument_1": "many"}, "sy-error"),
        ({"rules-0-constant": "x"}, "not both"),
        ({"rules-0-target": "customer.email"}, "two rules fill this field"),
        ({"rules-0-step_1": "eval"}, "There is no step “eval”."),
    ],
)
def test_wrong_rules_are_shown_again_and_nothing_is_saved(data: dict[str, Any], told: str, flow: Flow, manager: Client):
    a_version(flow)
    draft = draft_from(flow.pk)

    page = act(manager, draft, "save", an_editor(draft) | data)

    assert ("Not saved" in page, told in page, MappingVersion.objects.get(pk=draft.pk).values()) == (True, True, RULES)


def test_publishing_takes_a_reason(flow: Flow, manager: Client):
    draft = save_rules(draft_from(flow.pk), RULES)

    page = act(manager, draft, "publish", {"reason": "", "resend": "none"})

    assert ("Say why it is published" in page, published_version(flow.pk)) == (True, None)


@pytest.mark.parametrize(("resend", "scope"), [("none", []), ("changed", ["changed"]), ("all", ["all"])])
def test_publishing_sends_again_what_was_chosen(resend: str, scope: list[str], flow: Flow, manager: Client):
    draft = save_rules(draft_from(flow.pk), RULES)

    act(manager, draft, "publish", {"reason": "new prefix", "resend": resend})

    now = published_version(flow.pk)
    assert (now.pk, now.note, now.published_by.get_username()) == (draft.pk, "new prefix", "manager")
    assert [(run.version_id, run.purpose, run.scope) for run in ImpactRun.objects.all()] == [(draft.pk, "resend", each) for each in scope]
    asked = [row.task["args"] for row in OrmQ.objects.all() if row.task["func"] == "integrations.tasks.impact"]
    assert asked == [(run.pk,) for run in ImpactRun.objects.all()]
    assert LogEntry.objects.order_by("pk").first().change_message == "Published: new prefix"


def test_rules_that_cannot_be_compiled_are_not_published(flow: Flow, manager: Client):
    draft = save_rules(draft_from(flow.pk), [Rule(target="id", source="no.such.field")])

    page = act(manager, draft, "publish", {"reason": "try", "resend": "none"})

    assert ("Not published" in page, published_version(flow.pk)) == (True, None)


def test_a_published_version_is_not_edited(flow: Flow, manager: Client):
    version = a_version(flow)

    page = act(manager, version, "save", an_editor(version) | {"rules-0-argument_1": "x-"})

    assert ("Make a draft from it" in page, MappingVersion.objects.get(pk=version.pk).values()) == (True, RULES)


def test_going_back_publishes_a_copy_of_the_earlier_version(flow: Flow, manager: Client):
    first = a_version(flow)
    second = a_version(flow, *RULES[:1], note="second")

    act(manager, first, "rollback", {"reason": "the new one was wrong"})

    now = published_version(flow.pk)
    assert (now.number, now.values(), now.note) == (3, RULES, "the new one was wrong")
    assert list(MappingVersion.objects.order_by("number").values_list("state", flat=True)) == ["retired", "retired", "published"]
    assert second.number == 2


def test_a_draft_is_discarded(flow: Flow, manager: Client):
    a_version(flow)
    draft = draft_from(flow.pk)

    act(manager, draft, "discard")

    assert list(MappingVersion.objects.values_list("state", flat=True)) == ["published"]


def test_the_difference_to_the_published_version_is_on_the_draft_s_page(flow: Flow, manager: Client):
    a_version(flow)
    draft = save_rules(draft_from(flow.pk), [replace(RULES[0], transforms=(Call("prefix", "order-"),)), RULES[2]])

    page = manager.get(reverse("admin:mapping_mappingversion_change", args=[draft.pk])).content.decode()

    assert [part in page for part in ("put “order-” before it", "put “shp-” before it", ">removed<", ">changed<")] == [True] * 4


def put_order(flow: Flow, **values: Any) -> Delivery:
    record = samples.order(**values)
    return make_delivery(flow, record.key, record=orjson.loads(codec.dumps(record)))


def test_the_preview_shows_before_and_after_of_the_flow_s_own_records(flow: Flow, manager: Client):
    a_version(flow)
    key = put_order(flow).record_key
    draft = save_rules(draft_from(flow.pk), [replace(RULES[0], transforms=(Call("prefix", "order-"),)), *RULES[1:]])

    page = manager.get(reverse("admin:mapping_mappingversion_preview", args=[draft.pk])).content.decode()

    assert [part in page for part in (f"shp-{key}", f"order-{key}", "held either way")] == [True] * 3


def test_the_preview_says_what_would_be_held(flow: Flow, manager: Client):
    a_version(flow)
    put_order(flow)
    draft = save_rules(draft_from(flow.pk), [*RULES, Rule(target="coupon", source="cancel_reason", required=True)])

    page = manager.get(reverse("admin:mapping_mappingversion_preview", args=[draft.pk])).content.decode()

    assert ("held either way" in page, "<code>coupon</code> coupon is required" in page) == (True, True)


def test_the_preview_names_records_that_it_does_not_know(flow: Flow, manager: Client):
    version = a_version(flow)
    put_order(flow)
    url = reverse("admin:mapping_mappingversion_preview", args=[version.pk])

    page = manager.get(f"{url}?keys=nobody-has-this").content.decode()

    assert "This flow has no record for nobody-has-this." in page


def test_the_preview_masks_people(flow: Flow, ecommerce: Client):
    version = a_version(flow)
    delivery = put_order(flow)
    email = delivery.record["customer"]["email"]

    page = ecommerce.get(reverse("admin:mapping_mappingversion_preview", args=[version.pk])).content.decode()

    assert (bool(email), email in page) == (True, False)


def test_rules_are_copied_from_a_flow_of_the_same_record_type_only(manager: Client):
    orders, customers = make_flow("order"), make_flow("customer")
    version = a_version(orders)
    url = reverse("admin:mapping_mappingversion_add")

    page = manager.post(url, {"flow": customers.pk, "origin": version.pk}, follow=True).content.decode()
    manager.post(url, {"flow": orders.pk, "origin": version.pk})

    assert "their fields differ" in page
    assert [(row.flow, row.number, row.values()) for row in MappingVersion.objects.filter(state="draft")] == [(orders, 2, RULES)]


def test_ecommerce_reads_rules_without_an_editor(flow: Flow, ecommerce: Client):
    a_version(flow)
    draft = draft_from(flow.pk)

    page = ecommerce.get(reverse("admin:mapping_mappingversion_change", args=[draft.pk])).content.decode()

    assert ("rule-editor" in page, "put “shp-” before it" in page) == (False, True)


@pytest.mark.parametrize("value", [None, "shopify", "12", "true", 12, True, False, 1.5, ["a"], {"a": 1}, '"quoted"', " ", "null", "-"])
def test_a_fixed_value_survives_the_way_through_the_editor(value: object):
    shown = constant_text(value)

    assert constant_of(shown) == value
    assert type(constant_of(shown)) is type(value)


@pytest.mark.parametrize("argument", [None, "shp-", "12", 12, True, "true", " · ", '"', "007"])
def test_a_step_s_argument_survives_the_way_through_the_editor(argument: Any, flow: Flow):
    version = save_rules(draft_from(flow.pk), [Rule(target="id", source="key", transforms=(Call("default", argument or "x"),))])

    formset = rule_formset(version, an_editor(version))

    assert (formset.is_valid(), formset.rules()) == (True, list(version.values()))
