"""Loading the defaults never overwrites what staff changed."""

from __future__ import annotations

import pytest

from integrations.models import Connection, Flow
from mapping.defaults import Loaded, default_mapping, load_all_defaults, load_defaults
from mapping.models import IdentityRule, MappingVersion, ValueCrosswalk
from mapping.versions import draft_from, publish, published_version, save_rules
from tests.mapping.samples import rule

pytestmark = pytest.mark.django_db


def test_a_new_flow_gets_rules_tables_and_identity_rules(customer_flow):
    loaded = load_defaults(customer_flow)
    default = default_mapping("shopify", "ometria", "customer")
    assert (loaded.version.state, loaded.version.note, loaded.version.values()) == ("published", "Default mapping", default.rules)
    assert {row.target: row.note for row in loaded.version.rules.all() if row.note} == default.notes
    assert dict(ValueCrosswalk.objects.filter(name="shopify_ometria_email_consent").values_list("source_value", "target_value")) == {
        "granted": "EXPLICITLY_OPTEDIN", "withdrawn": "EXPLICITLY_OPTEDOUT", "unknown": "",
    }  # fmt: skip
    assert list(IdentityRule.objects.values_list("destination__name", "key")) == [
        ("Demo Ometria", "email"), ("Demo Ometria", "phone"), ("Demo Ometria", "customer_id"),
    ]  # fmt: skip


@pytest.mark.parametrize("record_type", ["customer", "order", "product", "variant", "checkout"])
def test_loading_twice_changes_nothing(shop, ometria, record_type):
    flow = Flow.objects.create(source=shop, destination=ometria, record_type=record_type)
    assert load_defaults(flow).version is not None
    assert load_defaults(flow) == Loaded(None, 0, 0)
    assert MappingVersion.objects.count() == 1


def test_what_staff_changed_or_deleted_stays_so(customer_flow):
    load_defaults(customer_flow)
    ours = publish(save_rules(draft_from(customer_flow.pk), [rule("id", "key")]), note="Ours")
    unknown = ValueCrosswalk.objects.get(name="shopify_ometria_email_consent", source_value="unknown")
    unknown.target_value = "NOT_SPECIFIED"
    unknown.save()
    ValueCrosswalk.objects.get(name="shopify_ometria_email_consent", source_value="withdrawn").delete()
    IdentityRule.objects.all().delete()

    assert load_defaults(customer_flow) == Loaded(None, 0, 0)

    assert MappingVersion.objects.get(flow=customer_flow, state="published") == ours
    assert dict(ValueCrosswalk.objects.filter(name="shopify_ometria_email_consent").values_list("source_value", "target_value")) == {
        "granted": "EXPLICITLY_OPTEDIN", "unknown": "NOT_SPECIFIED",
    }  # fmt: skip
    assert not IdentityRule.objects.exists()


def test_a_row_that_a_later_release_brings_is_added(customer_flow):
    load_defaults(customer_flow)
    row = ValueCrosswalk.objects.get(name="shopify_ometria_sms_allowed", source_value="granted")
    row.delete()
    ValueCrosswalk.history.filter(name="shopify_ometria_sms_allowed").delete()  # as if it had never been there
    assert load_defaults(customer_flow).value_rows == 1


def test_a_pair_without_default_is_left_alone(ometria, shop):
    backwards = Flow.objects.create(source=ometria, destination=shop, record_type="customer")
    assert load_defaults(backwards) == Loaded(None, 0, 0)
    assert not MappingVersion.objects.exists()


def test_each_flow_of_a_second_shop_gets_its_own_version(customer_flow):
    second = Connection.objects.create(platform="shopify", name="Second", external_id="second.myshopify.com", base_url="http://127.0.0.1:4")
    other = Flow.objects.create(source=second, destination=customer_flow.destination, record_type="customer")
    one, two = load_defaults(customer_flow), load_defaults(other)
    assert (one.version.flow, two.version.flow, two.value_rows, two.identity_rows) == (customer_flow, other, 0, 0)


def test_many_flows_get_at_once_what_each_would_get_alone(customer_flow, shop, ometria, django_assert_num_queries):
    ours = publish(save_rules(draft_from(customer_flow.pk), [rule("id", "key")]), note="Ours")
    orders, products = (Flow.objects.create(source=shop, destination=ometria, record_type=kind) for kind in ("order", "product"))
    draft = draft_from(orders.pk)
    backwards = Flow.objects.create(source=ometria, destination=shop, record_type="customer")

    kept, second, first, nothing = load_all_defaults([customer_flow, orders, products, backwards])

    assert (kept.version, published_version(customer_flow.pk)) == (None, ours)
    assert (second.version.number, first.version.number, draft.number) == (2, 1, 1)
    assert published_version(products.pk).values() == default_mapping("shopify", "ometria", "product").rules
    assert [row.state for row in first.version.history.all()] == ["published"]
    assert kept.identity_rows + second.identity_rows + first.identity_rows == IdentityRule.objects.count()
    assert nothing == Loaded(None, 0, 0)
    with django_assert_num_queries(12):
        assert {loaded.version for loaded in load_all_defaults([customer_flow, orders, products])} == {None}


def test_a_flow_that_is_gone_gets_no_draft(customer_flow):
    with pytest.raises(Flow.DoesNotExist):
        draft_from(customer_flow.pk + 1)
