"""What one batch may look up, in a fixed number of queries."""

from __future__ import annotations

from decimal import Decimal

import pytest

from integrations.models import Connection
from mapping.crosswalk import Component, KnownSkus, SkuGate, SkuMap
from mapping.lookups import load_lookups
from mapping.models import SkuCrosswalk, ValueCrosswalk
from mapping.plans import NoPlan
from mapping.versions import draft_from, publish, save_rules
from tests.mapping.samples import line, order, rule

pytestmark = pytest.mark.django_db


def crosswalk(flow, sku, *components, action="map", destination=None):
    row = SkuCrosswalk.objects.create(source=flow.source, destination=destination or flow.destination, source_sku=sku, action=action)
    for target, quantity, share in components:
        row.components.create(target_sku=target, quantity=quantity, share=share)


def test_a_batch_of_orders_finds_its_rows_in_two_queries(flow, django_assert_num_queries):
    other = Connection.objects.create(platform="ometria", name="Other", external_id="other", base_url="http://127.0.0.1:3")
    crosswalk(flow, "SHIRT-M", ("TEE", 1, None))
    crosswalk(flow, "KIT", ("B", 2, Decimal("0.2500")), ("A", 1, Decimal("0.7500")))
    crosswalk(flow, "GIFT", action="ignore")
    crosswalk(flow, "HALF")
    crosswalk(flow, "MUG", ("X", 1, None), destination=other)
    crosswalk(flow, "NOT-ASKED", ("Y", 1, None))
    ValueCrosswalk.objects.create(name="status", source_value="paid", target_value="complete")
    ValueCrosswalk.objects.create(name="unused", source_value="a", target_value="b")
    skus = ["SHIRT-M", "KIT", "GIFT", "HALF", "MUG", ""]
    records = [order(key=str(i), lines=tuple(line(sku, sku=sku) for sku in skus)) for i in range(50)]

    with django_assert_num_queries(2):
        known = KnownSkus({"TEE": ("P", "V")})
        lookups = load_lookups(flow, records, tables={"status", "empty"}, known_skus=frozenset({"K"}), catalogue=known)

    assert lookups.skus == {
        "SHIRT-M": SkuMap((Component("TEE", 1, None),)),
        "KIT": SkuMap((Component("B", 2, Decimal("0.2500")), Component("A", 1, Decimal("0.7500")))),
        "GIFT": SkuMap(()),
    }
    assert lookups.values == {"status": {"paid": "complete"}, "empty": {}}
    assert lookups.target_skus == {"TEE", "A", "B"}
    assert (lookups.sku_gate, lookups.known_skus, lookups.catalogue) == (SkuGate.OFF, {"K"}, {"TEE": ("P", "V")})


def test_the_gate_is_the_flows_setting(flow):
    flow.settings = {"sku_gate": "crosswalk"}
    crosswalk(flow, "SHIRT-M", ("TEE", 1, None))
    lookups = load_lookups(flow, [order()], tables=())
    assert [lookups.accepts(sku) for sku in ("SHIRT-M", "TEE", "OTHER")] == [True, True, False]


def test_tables_are_those_of_the_published_plan(flow):
    ValueCrosswalk.objects.create(name="status", source_value="paid", target_value="complete")
    with pytest.raises(NoPlan):
        load_lookups(flow, [])
    publish(save_rules(draft_from(flow.pk), [rule("s", "status", ("lookup", "status"))]))
    assert load_lookups(flow, []).values == {"status": {"paid": "complete"}}
