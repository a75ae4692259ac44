"""What makes a set of rules wrong."""

from __future__ import annotations

import pytest

from mapping.compiler import plan_from_rules
from mapping.records import RecordType
from mapping.rules import BadRules, Mode, Rule, check_rules
from mapping.transforms import Call
from tests.mapping.samples import plan, rule


def problems(*rules, record_type=RecordType.ORDER):
    return [(problem.target, problem.attribute) for problem in check_rules(rules, record_type)]


@pytest.mark.parametrize("target", ["", "a..b", "a b", "a[0].b", "tags[]", ".a", "{x}", "a[].b[]"])
def test_a_target_is_names_joined_by_dots(target):
    assert problems(rule(target, "key")) == [(target, "target")]


@pytest.mark.parametrize("target", ["id", "@type", "customer.email", "lineitems[].sku", "channels.sms.allow-it", "a.b[].c"])
def test_targets_that_are_fine(target):
    assert problems(rule(target, "lines[].sku")) == []


@pytest.mark.parametrize(
    ("wrong", "attribute"),
    [
        (Rule(target="a"), "source"),
        (Rule(target="a", source="key", constant=1), "constant"),
        (Rule(target="a", source="no.such"), "source"),
        (Rule(target="a", source="key", transforms=(Call("trim"),) * 5), "transforms"),
        (Rule(target="a", source="key", transforms=(Call("exec", "x"),)), "transforms"),
        (Rule(target="a[].b", source="lines[].sku", mode=Mode.APPEND), "mode"),
        (Rule(target="a[].b", source="lines[].sku", only_with="c"), "only_with"),
    ],
)
def test_a_rule_alone_may_be_wrong(wrong, attribute):
    assert problems(wrong) == [(wrong.target, attribute)]


def test_rules_together_may_be_wrong():
    assert problems(rule("a", "key"), rule("a", "number")) == [("a", "target"), ("a", "target")]
    assert problems(rule("a", "key"), rule("a.b", "number")) == [("a", "target")]
    assert problems(rule("a[].b", "key")) == [("a[].b", "source")]
    assert problems(rule("a[].b", "lines[].sku"), rule("a[].c", "refunds[].key")) != []
    assert problems(rule("a[].b[].c", "lines[].sku"), rule("a[].d", "lines[].sku")) == [("a[].b[].c", "source")]


def test_a_wrong_set_is_never_compiled_and_lists_everything():
    with pytest.raises(BadRules) as caught:
        plan("order", rule("a", "nope"), rule("b", "key", "nope"))
    assert [problem.target for problem in caught.value.problems] == ["a", "b"]


def test_a_plan_knows_its_tables_and_whether_it_must_see_the_destination():
    one = plan("order", rule("a", "status", ("lookup", "s")), rule("b", "status", ("lookup", "v"), "boolean"))
    two = plan("order", rule("a", "coupon_codes", mode=Mode.APPEND))
    assert (one.tables, one.needs_current) == (frozenset({"s", "v"}), False)
    assert (two.tables, two.needs_current) == (frozenset(), True)


def test_equal_rules_make_equal_hashes():
    rules = (rule("a", "key", ("prefix", "x")), Rule(target="b", constant={"x": [1]}))
    assert plan("order", *rules).hash == plan_from_rules(rules, record_type="order", version_id=9).hash
    assert plan("order", *rules).hash != plan("order", rules[0]).hash
