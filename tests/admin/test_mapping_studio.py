"""The rules studio: pickers with examples, doubts before saving, two editors, duplicates, differences, files, impact runs."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from openpyxl import Workbook, load_workbook

from integrations.admin.rule_editor import doubts_of
from integrations.admin.rule_words import targets_of
from integrations.engine import impact
from integrations.engine.find_terms import refill
from integrations.models import Delivery, Flow, ImpactRun
from mapping import codec
from mapping.defaults import load_defaults
from mapping.models import MappingVersion
from mapping.rules import Rule
from mapping.transforms import TRANSFORMS, Call
from mapping.versions import draft_from, fingerprint, publish, published_version, save_rules
from tests.admin.test_mapping_pages import RULES, act, an_editor, put_order
from tests.mapping import samples
from tests.rows import make_delivery, make_flow

pytestmark = pytest.mark.django_db
SHIPPED = ["order", "customer", "product", "variant", "checkout"]


@pytest.fixture
def flow() -> Flow:
    flow = make_flow("order")
    load_defaults(flow)
    return flow


def url(name: str, row: MappingVersion, *rest: str) -> str:
    return reverse(f"admin:mapping_mappingversion_{name}", args=[row.pk, *rest])


def fields_of(page: str) -> dict[str, Any]:
    return json.loads(page.split('id="rule-fields" type="application/json">')[1].split("</script>")[0])


def changed(row: MappingVersion, target: str, **values: Any) -> list[Rule]:
    return [replace(rule, **values) if rule.target == target else rule for rule in row.values()]


def a_draft(flow: Flow) -> MappingVersion:
    """Order numbers get a prefix."""
    draft = draft_from(flow.pk)
    return save_rules(draft, changed(draft, "web_id", transforms=(Call("prefix", "UK-"),)))


# --- pickers, examples, doubts ---


def test_fields_to_choose_have_a_label_a_type_and_an_example_of_the_flow_s_own_records(flow: Flow, manager: Client):
    put_order(flow)

    found = fields_of(manager.get(url("change", draft_from(flow.pk))).content.decode())

    source = {field["path"]: field for field in found["source"]}["customer.email"]
    target = {field["path"]: field for field in found["target"]}["web_id"]
    assert source == {
        "path": "customer.email", "label": "Customer e-mail", "type": "text", "group": "Customer", "example": "ada@example.com"
    }  # fmt: skip
    assert (target["label"], target["type"], target["required"], target["example"]) == ("Order number", "text", False, "#1001")
    assert {field["path"]: field["example"] for field in found["source"]}["lines[].sku"] == "SHIRT-M"


def test_examples_are_masked_without_the_right_to_personal_data(flow: Flow, manager: Client, settings: Any):
    put_order(flow)
    from django.contrib.auth.models import Permission, User

    person = User.objects.get(username="manager")
    person.groups.clear()
    wanted = ("view_mappingversion", "change_mappingversion", "view_delivery")
    person.user_permissions.set(Permission.objects.filter(codename__in=wanted))

    page = manager.get(url("change", draft_from(flow.pk))).content.decode()

    assert ("ada@example.com" in page, "a•••@example.com" in page) == (False, True)


def test_a_row_is_told_what_it_gives_and_what_does_not_fit_as_it_is_typed(flow: Flow, manager: Client):
    put_order(flow)
    draft = draft_from(flow.pk)
    base = {"rule-mode": "overwrite", "rule-on_invalid": "hold"}

    def said(**row: str) -> dict[str, Any]:
        return manager.post(url("check", draft), {**base, **{f"rule-{name}": value for name, value in row.items()}}).json()

    good = said(target="web_id", source="number", step_1="prefix", argument_1="UK-")
    assert (good["errors"], good["doubts"], good["gives"], good["words"]) == ([], [], "UK-#1001", "put “UK-” before it")
    assert said(target="web_id", source="totals.total")["doubts"] == [
        "Order number takes text, and this gives amount. Add the step “Text”."
    ]
    assert said(target="web_id", source="no.such.field")["errors"] == ["Order has no field “no.such.field”."]
    assert said(target="no_such_target", source="number")["doubts"] == ["Example Ometria has no field “no_such_target”."]
    assert said(target="web_id", source="placed_at", step_1="negate")["doubts"] == [
        "“Change the sign” works on a value of the kind amount, and gets date and time.",
        "Order number takes text, and this gives amount. Add the step “Text”.",
    ]
    assert MappingVersion.objects.get(pk=draft.pk).values() == draft.values()


@pytest.mark.parametrize("record_type", SHIPPED)
def test_no_shipped_rule_is_doubted(record_type: str):
    flow = make_flow(record_type)
    version = load_defaults(flow).version

    assert doubts_of(version, targets_of(flow)) == []


def test_every_step_is_said_in_plain_words():
    from integrations.admin.rule_words import PHRASES

    assert set(PHRASES) == set(TRANSFORMS)


def test_required_fields_that_no_rule_fills_are_named(flow: Flow, manager: Client):
    draft = draft_from(flow.pk)
    save_rules(draft, [rule for rule in draft.values() if rule.target not in ("grand_total", "timestamp")])

    page = manager.get(url("change", draft)).content.decode()
    note = page.split('id="missing"')[1].split("</div>")[0]

    assert [f"<code>{name}</code>" in note for name in ("timestamp", "grand_total", "currency")] == [True, True, False]


def test_the_editor_asks_the_same_number_of_questions_whatever_there_is(flow: Flow, manager: Client, django_assert_max_num_queries: Any):
    for number in range(30):
        put_order(flow, key=f"20{number}")
    draft = draft_from(flow.pk)
    ImpactRun.objects.bulk_create(ImpactRun(flow=flow, version=draft, rules={"rules": []}, fingerprint="x") for _ in range(5))

    with django_assert_max_num_queries(40):
        assert manager.get(url("change", draft)).status_code == 200


def test_the_editor_of_the_longest_mapping_weighs_less_than_400_kb(flow: Flow, manager: Client):
    put_order(flow)

    page = manager.get(url("change", draft_from(flow.pk))).content

    assert len(page) < 400_000


# --- two people ---


def test_who_saves_later_sees_what_the_other_one_saved_and_loses_nothing(flow: Flow, manager: Client, administrator: Client):
    draft = draft_from(flow.pk)
    seen = fingerprint(draft.rules.all())
    mine, theirs = an_editor(draft), an_editor(draft)
    place = next(name for name, value in mine.items() if value == "web_id").removesuffix("target")
    act(administrator, draft, "save", theirs | {f"{place}note": "theirs", f"{place}source": "key", "seen": seen})

    page = act(manager, draft, "save", mine | {f"{place}note": "mine", "seen": seen})

    assert ("administrator saved this draft" in page, 'value="mine"' in page) == (True, True)
    assert MappingVersion.objects.get(pk=draft.pk).rules.get(target="web_id").note == "theirs"
    newer = page.split('name="seen" value="')[1].split('"')[0]
    assert "Draft saved" in act(manager, draft, "save", mine | {f"{place}note": "mine", "seen": newer})
    assert MappingVersion.objects.get(pk=draft.pk).rules.get(target="web_id").note == "mine"


# --- drafts ---


def test_a_version_is_duplicated_to_another_flow_of_the_same_record_type(flow: Flow, manager: Client):
    version = published_version(flow.pk)
    flow.source.pk, flow.source.name, flow.source.external_id = None, "Second shop", "second.myshopify.com"
    flow.source.save()
    other = Flow.objects.create(source=flow.source, destination=flow.destination, record_type="order")
    customers = make_flow("customer")

    refused = act(manager, version, "duplicate", {"flow": customers.pk})
    act(manager, version, "duplicate", {"flow": other.pk})

    draft = MappingVersion.objects.get(state="draft")
    assert ("their fields differ" in refused, draft.flow, draft.values(), draft.based_on) == (True, other, version.values(), version)
    assert LogEntry.objects.get(object_id=str(draft.pk)).change_message == f"Duplicate of {version.flow}, version 1"


def test_any_two_versions_are_compared_in_words(flow: Flow, ecommerce: Client):
    first = published_version(flow.pk)
    publish(a_draft(flow), note="Prefix")
    third = publish(draft_from(flow.pk), note="The same")

    page = ecommerce.get(f"{url('compare', third)}?with={first.pk}").content.decode()

    wanted = ("1 difference between version 1 and version 3", "put “UK-” before it", "Order number")
    assert [part in page for part in wanted] == [True] * 3


def test_the_way_back_is_two_clicks_from_the_history_and_sends_again_what_it_changes(flow: Flow, manager: Client):
    first = published_version(flow.pk)
    second = publish(a_draft(flow), note="Prefix")
    page = manager.get(url("change", second)).content.decode()
    assert f'action="{url("rollback", first)}"' in page

    act(manager, first, "rollback", {"reason": "Back to version 1", "resend": "changed"})

    now = published_version(flow.pk)
    run = ImpactRun.objects.get()
    assert (now.number, now.values()) == (3, first.values())
    assert (run.purpose, run.scope, run.version_id, run.before_id) == ("resend", "changed", now.pk, second.pk)


# --- preview ---


@pytest.mark.parametrize("asked", ["1001", "#1001", "shp-1001", "ada@example.com"])
def test_the_preview_finds_records_by_what_people_know_of_them(asked: str, flow: Flow, manager: Client):
    Delivery.objects.filter(pk=put_order(flow).pk).update(destination_key="shp-1001")
    put_order(flow, key="1002", number="#1002", customer=samples.CustomerRef(key="2", email="bo@example.com"))
    refill()

    page = manager.get(url("preview", a_draft(flow)), {"keys": asked}).content.decode()

    assert [part in page for part in ("Order #1001", "UK-#1001", "#1002", "This flow has no record")] == [True, True, False, False]


def test_the_preview_says_what_stays_the_same_only_when_it_is_asked_for(flow: Flow, manager: Client):
    put_order(flow)
    put_order(flow, key="1002", number="")
    address = url("preview", a_draft(flow))

    whole, only = (manager.get(address, query).content.decode() for query in ({}, {"only": "changes"}))

    assert (whole.count("stays the same<"), only.count("stays the same<"), only.count("would change<")) == (1, 0, 1)


# --- impact runs ---


def test_an_impact_run_is_started_followed_and_told_before_publishing(flow: Flow, manager: Client):
    delivery = put_order(flow)
    draft = a_draft(flow)

    started = act(manager, draft, "impact", {"most": "1000"})
    run = ImpactRun.objects.get()
    impact.pump_impact(run.pk)
    page = manager.get(reverse("admin:integrations_impactrun_change", args=[run.pk])).content.decode()
    editor = manager.get(url("change", draft)).content.decode()

    assert ("every 2s" in started, "every 2s" in page, run.most, run.requested_by.get_username()) == (True, False, 1000, "manager")
    assert [part in page for part in ("Of 1 record, 1 would change", "UK-#1001", f"/delivery/{delivery.pk}/")] == [True] * 3
    assert ("of 1 records 1 would change" in editor, "Only what changes – 1 record" in editor) == (True, True)


def test_an_old_impact_run_says_so_before_publishing(flow: Flow, manager: Client):
    draft = a_draft(flow)
    impact.pump_impact(impact.start(draft, None).pk)
    save_rules(draft, published_version(flow.pk).values())

    page = manager.get(url("change", draft)).content.decode()

    assert ("is out of date: The draft was changed since." in page, "Only what changes –" in page) == (True, False)


def test_the_examples_of_an_impact_run_are_masked(flow: Flow, ecommerce: Client):
    put_order(flow)
    draft = draft_from(flow.pk)
    save_rules(draft, changed(draft, "customer.email", transforms=(Call("upper"),)))
    run = impact.start(draft, None)
    impact.pump_impact(run.pk)

    page = ecommerce.get(reverse("admin:integrations_impactrun_change", args=[run.pk])).content.decode()

    assert ("ada@example.com" in page.lower(), "A•••@EXAMPLE.COM" in page) == (False, True)


# --- files ---


def downloaded(client: Client, row: MappingVersion, form: str) -> bytes:
    answer = client.get(url("file", row, form))
    assert f'.{form}"' in answer["Content-Disposition"]
    return answer.content


def uploaded(client: Client, row: MappingVersion, name: str, content: bytes) -> str:
    return client.post(url("import", row), {"file": SimpleUploadedFile(name, content)}).content.decode()


def hidden(page: str, name: str) -> str:
    from html import unescape

    return unescape(page.split(f'name="{name}" value="')[1].split('"')[0])


@pytest.mark.parametrize("form", ["json", "xlsx"])
@pytest.mark.parametrize("record_type", SHIPPED)
def test_a_mapping_survives_the_way_through_a_file(form: str, record_type: str, manager: Client):
    flow = make_flow(record_type)
    version = load_defaults(flow).version
    publish(save_rules(draft_from(flow.pk), RULES[:1]), note="Another")

    page = uploaded(manager, published_version(flow.pk), f"m.{form}", downloaded(manager, version, form))
    posted = {"rules": hidden(page, "rules"), "name": hidden(page, "name")}
    assert MappingVersion.objects.filter(state="draft").count() == 0  # a dry run
    manager.post(url("import", published_version(flow.pk)), posted)

    draft = MappingVersion.objects.get(state="draft")
    notes = [(row.target, row.note) for row in version.rules.all()]
    assert (draft.values(), [(row.target, row.note) for row in draft.rules.all()]) == (version.values(), notes)
    assert draft.note == f"Imported from m.{form}"


def test_the_dry_run_says_rule_by_rule_what_the_file_would_change(flow: Flow, manager: Client):
    content = downloaded(manager, a_draft(flow), "json")

    page = uploaded(manager, published_version(flow.pk), "m.json", content)

    assert ("<dd>1</dd>" in page, "put “UK-” before it" in page, "Make a draft of it" in page) == (True, True, True)


def test_unknown_fields_and_steps_are_refused_by_name_and_row(flow: Flow, manager: Client):
    book = Workbook()
    for row in (
        ("target", "source", "step 1", "argument 1", "required"),
        ("web_id", "number", "prefix", "UK-", ""),
        ("no_such_target", "number", "", "", ""),
        ("status", "no.such.source", "", "", ""),
        ("id", "key", "eval", "", ""),
        ("currency", "currency", "", "", "maybe"),
    ):
        book.active.append(row)
    held = io.BytesIO()
    book.save(held)

    page = uploaded(manager, published_version(flow.pk), "m.xlsx", held.getvalue())

    said = [page.split(f'data-label="Row">{number}<')[1].split("</tr>")[0] for number in (3, 4, 5, 6)]
    wanted = ("no_such_target", "no.such.source", "There is no transform “eval”.", "neither yes nor no")
    assert [word in text for word, text in zip(wanted, said, strict=True)] == [True] * 4
    assert ("Make a draft of it" in page, MappingVersion.objects.filter(state="draft").exists()) == (False, False)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("m.json", b"{", "The file is no JSON"),
        ("m.json", b'{"rules": {}}', "an object with a list of “rules”"),
        ("m.json", b'{"record_type": "customer", "rules": [{"target": "id"}]}', "this flow carries order records"),
        ("m.json", b'{"rules": [{"target": "id", "code": "1"}]}', "A rule has no “code”."),
        ("m.json", b'{"rules": []}', "The file holds no rule."),
        ("m.csv", b"target,code\nid,1\n", "There is no column “code”."),
        ("m.xlsx", b"no workbook", "cannot be read as XLSX"),
    ],
)  # fmt: skip
def test_files_that_are_no_mapping_are_refused_in_plain_words(name: str, content: bytes, said: str, flow: Flow, manager: Client):
    assert said in uploaded(manager, published_version(flow.pk), name, content)


def test_no_cell_of_an_exported_mapping_is_a_formula(flow: Flow, manager: Client):
    version = publish(save_rules(draft_from(flow.pk), [Rule(target="id", constant="=1+1")]), note="Formula")

    sheet = load_workbook(io.BytesIO(downloaded(manager, version, "xlsx"))).active

    assert [cell.value for cell in sheet[2]][2] == "'=1+1"


def test_only_managers_import_and_check(flow: Flow, sign_in: Callable[[str], Client]):
    version = published_version(flow.pk)

    for role in ("ecommerce", "marketing"):
        client = sign_in(role)
        codes = [client.post(url(name, version)).status_code for name in ("import", "check")]
        assert (codes, client.get(url("file", version, "json")).status_code) == ([403, 403], 200)


def test_deliveries_of_other_flows_are_never_previewed(flow: Flow, manager: Client):
    other = make_flow("checkout")
    record = samples.checkout()
    make_delivery(other, record.key, record=orjson.loads(codec.dumps(record)))

    page = manager.get(url("preview", published_version(flow.pk)), {"keys": record.key}).content.decode()

    assert f"This flow has no record for {record.key}." in page
