"""Before and after, per field."""

from __future__ import annotations

from mapping.crosswalk import NO_LOOKUPS
from mapping.preview import FieldChange, changed_fields, preview
from mapping.transform import Issue
from tests.mapping.samples import customer, line, order, plan, rule


def test_a_preview_shows_each_field_that_changes_and_what_would_hold_the_record():
    before = plan("order", rule("id", "key"), rule("web", "number"), rule("items[].sku", "lines[].sku"))
    after = plan(
        "order",
        rule("id", "key", ("prefix", "x-")),
        rule("items[].sku", "lines[].sku", "lower"),
        rule("tag", "cancel_reason", required=True),
    )
    (row,) = preview(before, after, [order(lines=(line("1"), line("2", sku="low")))], NO_LOOKUPS)
    assert row.record_key == "1001"
    assert row.before == {"id": "1001", "web": "#1001", "items": [{"sku": "SHIRT-M"}, {"sku": "low"}]}
    assert row.after == {"id": "x-1001", "items": [{"sku": "shirt-m"}, {"sku": "low"}]}
    assert row.changes == (
        FieldChange("id", "1001", "x-1001"), FieldChange("items[0].sku", "SHIRT-M", "shirt-m"), FieldChange("web", "#1001", None),
    )  # fmt: skip
    assert row.issues == (Issue("missing_field", "tag", "tag is required, and cancel_reason is empty", "tag"),)


def test_without_a_published_version_everything_is_new():
    (row,) = preview(None, plan("customer", rule("a.b", "key")), [customer()], NO_LOOKUPS)
    assert (row.before, row.changes) == (None, (FieldChange("a.b", None, "7001"),))


def test_yes_is_not_one_and_nothing_is_not_null():
    assert changed_fields({"a": 1, "b": None, "c": 2}, {"a": True, "c": 2.0}) == (FieldChange("a", 1, True), FieldChange("b", None, None))
    assert changed_fields({"a": []}, {"a": [1]}) == (FieldChange("a[0]", None, 1), FieldChange("a", [], None))
