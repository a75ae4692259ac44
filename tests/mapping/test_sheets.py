"""Crosswalks as spreadsheets."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st
from tablib import Dataset

from integrations.models import Connection
from mapping.models import IdentityRule, MaskingRule, SkuComponent, SkuCrosswalk, ValueCrosswalk
from mapping.resources import IdentityRuleResource, MaskingRuleResource, SkuCrosswalkResource, ValueCrosswalkResource, as_text, from_text

HEADERS = ["source", "destination", "source_sku", "action", "target_sku", "quantity", "share", "note"]
ENDS = ["Demo shop", "Demo Ometria"]


def sheet(*rows, headers=HEADERS):
    return Dataset(*[[*ENDS, *row] for row in rows], headers=headers)


def stored():
    return {
        row.source_sku: (row.action, row.note, {c.target_sku: (c.quantity, c.share) for c in row.components.all()})
        for row in SkuCrosswalk.objects.all()
    }


@given(st.text() | st.sampled_from(["=1+1", "+44", "-5", "@x", "'=1", "''+1", "\t=1", "'plain"]))
def test_a_safe_cell_gives_back_what_it_was_and_never_begins_like_a_formula(text):
    safe = as_text(text)
    assert from_text(safe) == text
    assert not safe.startswith(("=", "+", "-", "@", "\t", "\r"))


def test_cells_that_are_not_text_stay_as_they_are():
    assert [as_text(value) for value in (5, -5, None, True)] == [5, -5, None, True]


@pytest.mark.django_db
class TestSkuSheet:
    def test_rows_make_plain_maps_bundles_and_skus_that_are_let_through(self, flow):
        result = SkuCrosswalkResource().import_data(
            sheet(
                ["TEE", "map", "T-1", "", "", "first"],
                ["KIT", "", "A", 2, "0.25", ""],
                ["KIT", "MAP ", "B", 1, "0.75", ""],
                ["GIFT", "ignore", "", "", "", "wrapping"],
            ),
            raise_errors=True,
        )
        assert not result.has_errors()
        assert stored() == {
            "TEE": ("map", "first", {"T-1": (1, None)}),
            "KIT": ("map", "", {"A": (2, Decimal("0.2500")), "B": (1, Decimal("0.7500"))}),
            "GIFT": ("ignore", "wrapping", {}),
        }

    def test_the_rows_of_a_sku_are_all_it_has_and_other_skus_stay(self, flow):
        first = sheet(["KIT", "map", "A", 1, "", ""], ["KIT", "map", "B", 1, "", ""], ["TEE", "map", "T", 1, "", ""])
        SkuCrosswalkResource().import_data(first)
        SkuCrosswalkResource().import_data(sheet(["KIT", "map", "B", 3, "", ""], ["KIT", "map", "C", 1, "", ""]))
        assert stored() == {"KIT": ("map", "", {"B": (3, None), "C": (1, None)}), "TEE": ("map", "", {"T": (1, None)})}
        assert [row.quantity for row in SkuComponent.history.filter(target_sku="B").order_by("history_id")] == [1, 3]

    def test_a_dry_run_shows_the_outcome_and_writes_nothing(self, flow):
        SkuCrosswalkResource().import_data(sheet(["KIT", "map", "A", 1, "", ""]))
        result = SkuCrosswalkResource().import_data(sheet(["KIT", "map", "B", 1, "", ""], ["NEW", "ignore", "", "", "", ""]), dry_run=True)
        assert [row.import_type for row in result.rows] == ["update", "new"]
        assert stored() == {"KIT": ("map", "", {"A": (1, None)})}

    @pytest.mark.parametrize(
        ("row", "field"),
        [
            (["TEE", "map", "", "", "", ""], "target_sku"),
            (["TEE", "map", "T", 0.5, "", ""], "quantity"),
            (["TEE", "map", "T", -1, "", ""], "quantity"),
            (["TEE", "map", "T", 1, "-2", ""], "share"),
            (["TEE", "lose", "T", 1, "", ""], "action"),
            (["GIFT", "ignore", "T", 1, "", ""], "target_sku"),
            (["", "map", "T", 1, "", ""], "source_sku"),
        ],
    )
    def test_a_row_that_makes_no_sense_is_named_and_nothing_is_written(self, flow, row, field):
        result = SkuCrosswalkResource().import_data(sheet(["OK", "map", "X", 1, "", ""], row), rollback_on_validation_errors=True)
        assert [field in invalid.error_dict for invalid in result.invalid_rows] == [True]
        assert stored() == {}

    def test_an_unknown_connection_is_said_in_plain_words(self, flow):
        data = Dataset(["Nowhere", "Demo Ometria", "TEE", "map", "T", 1, "", ""], headers=HEADERS)
        (fault,) = SkuCrosswalkResource().import_data(data).rows[0].errors
        assert str(fault.error) == "There is no connection named “Nowhere”."

    def test_two_connections_of_one_name_are_not_guessed_between(self, flow):
        Connection.objects.create(platform="shopify", name="Demo shop", external_id="other", base_url="http://127.0.0.1:9")
        (fault,) = SkuCrosswalkResource().import_data(sheet(["TEE", "map", "T", 1, "", ""])).rows[0].errors
        assert str(fault.error) == "There is more than one connection named “Demo shop”."

    def test_an_export_can_be_imported_again_formulas_included(self, flow, django_assert_num_queries):
        rows = [
            ["+44-TEE", "map", "=1+1", 1, "", "@note"],
            ["KIT", "map", "A", 2, "0.2500", ""],
            ["KIT", "map", "B", 1, "", ""],
            ["Z", "ignore", "", "", "", ""],
        ]
        SkuCrosswalkResource().import_data(Dataset(*[[*ENDS, *map(as_text, row)] for row in rows], headers=HEADERS), raise_errors=True)
        before = stored()
        assert before["+44-TEE"] == ("map", "@note", {"=1+1": (1, None)})
        with django_assert_num_queries(2):
            exported = SkuCrosswalkResource().export(SkuCrosswalk.objects.all())
        assert exported.headers == HEADERS
        assert exported[0] == ("Demo shop", "Demo Ometria", "'+44-TEE", "map", "'=1+1", "1", "", "'@note")
        SkuCrosswalk.objects.all().delete()
        SkuCrosswalkResource().import_data(Dataset().load(exported.export("csv"), format="csv"), raise_errors=True)
        assert stored() == before


@pytest.mark.django_db
def test_value_tables_and_identity_rules_go_out_and_come_in(ometria):
    ValueCrosswalk.objects.create(name="status", source_value="=paid", target_value="complete")
    IdentityRule.objects.create(destination=ometria, position=1, key="email")
    values, rules = ValueCrosswalkResource().export(), IdentityRuleResource().export()
    assert (values[0], rules[0]) == (("status", "'=paid", "complete"), ("Demo Ometria", "1", "email", "hold"))
    ValueCrosswalk.objects.all().delete()
    assert ValueCrosswalkResource().import_data(values, raise_errors=True).totals["new"] == 1
    assert IdentityRuleResource().import_data(rules, raise_errors=True).totals["skip"] == 1
    assert ValueCrosswalk.objects.get().source_value == "=paid"


@pytest.mark.django_db
def test_masking_rules_go_out_and_come_in_and_a_rule_that_makes_no_sense_is_refused():
    MaskingRule.objects.create(field="any", how="contains", pattern="*", platform="tiktok_shop", note="Asterisks")
    rules = MaskingRuleResource().export()
    assert rules[0] == ("tiktok_shop", "any", "contains", "*", "Asterisks")
    MaskingRule.objects.all().delete()
    assert MaskingRuleResource().import_data(rules, raise_errors=True).totals["new"] == 1
    for how, pattern in (("matches", "**"), ("domain", "example.com")):
        refused = MaskingRule(field="phone", how=how, pattern=pattern)
        with pytest.raises(ValidationError):
            refused.full_clean()
