"""The field registry: every path that staff may choose can be read from a record."""

from __future__ import annotations

import dataclasses

import pytest

from mapping.fields import UnknownField, elements, source_field, source_fields
from mapping.records import RECORD_CLASSES, ConsentChange, Event, Facet, Figures, Fulfilment, RecordType, Refund, Totals
from tests.mapping import samples

RECORDS = {
    RecordType.CUSTOMER: samples.customer(addresses=(samples.order().shipping_address,)),
    RecordType.ORDER: samples.order(
        local_currency="EUR",
        local_totals=Totals(total=samples.money("70.00")),
        billing_address=samples.order().shipping_address,
        refunds=(Refund(key="r1", refunded_at=samples.AT, amount=samples.money("27.00")),),
        fulfilments=(Fulfilment(key="f1", status="success", shipped_at=samples.AT, tracking_number="AB1"),),
    ),
    RecordType.PRODUCT: samples.product(images=("https://cdn.example.com/p100.jpg",), skus=("SHIRT-M",)),
    RecordType.VARIANT: samples.variant(facets=(Facet(kind="colour", key="red", label="Red"),)),
    RecordType.CHECKOUT: samples.checkout(),
    RecordType.EVENT: Event(key="e1", occurred_at=samples.AT, name="seen"),
    RecordType.FIGURES: Figures(key="shop:2026-01-08", occurred_at=samples.AT, subject="shop", day="2026-01-08", currency="GBP"),
    RecordType.CONSENT: ConsentChange(key="p1", occurred_at=samples.AT, email="ada@example.com", consents=samples.customer().consents),
}
PATHS = [(kind, field.path) for kind in RecordType for field in source_fields(kind)]


@pytest.mark.parametrize(("record_type", "path"), PATHS, ids=lambda value: str(value))
def test_every_listed_path_reads_from_a_full_record(record_type, path):
    field = source_field(record_type, path)
    scopes = (RECORDS[record_type],)
    for list_path in field.lists:
        scopes = (*scopes, elements(record_type, list_path)(scopes[-1])[0])
    value = field.get(scopes if field.whole else scopes[-1])
    assert (value is None) or {
        "string": isinstance(value, str), "money": hasattr(value, "quantize"), "integer": type(value) is int,
        "boolean": type(value) is bool, "datetime": hasattr(value, "astimezone"), "list": isinstance(value, tuple),
    }[field.type]  # fmt: skip


@pytest.mark.parametrize(("record_type", "path"), PATHS, ids=lambda value: str(value))
def test_the_currency_of_every_amount_is_a_path_too(record_type, path):
    field = source_field(record_type, path)
    assert (field.type == "money") == bool(field.currency)
    if field.currency:
        assert source_field(record_type, field.currency).type == "string"


@pytest.mark.parametrize("record_type", list(RecordType))
def test_no_plain_attribute_of_a_record_was_forgotten(record_type):
    listed = {field.path.split(".")[0].split("[")[0] for field in source_fields(record_type)}
    attributes = {field.name for field in dataclasses.fields(RECORD_CLASSES[record_type])}
    lists_shown_otherwise = {"consents", "local_totals", "attributes", "properties", "values"}
    assert attributes - listed - lists_shown_otherwise == set()


def test_attributes_are_read_by_their_whole_name():
    field = source_field(RecordType.CUSTOMER, "attributes.metafield.custom.tier")
    assert field.get(samples.customer(attributes={"metafield.custom.tier": "gold"})) == "gold"
    assert field.get(samples.customer()) is None


@pytest.mark.parametrize("path", ["nothing", "attributes.", "properties.x", "__class__", "lines[].__class__", "lines.sku"])
def test_a_path_outside_the_registry_is_unknown(path):
    with pytest.raises(UnknownField):
        source_field(RecordType.ORDER, path)


def test_base_price_is_the_one_without_market():
    record = samples.product()
    assert [source_field(RecordType.PRODUCT, path).get(record) for path in ("price", "sale_price", "price_currency")] == [
        samples.money("25.00"), samples.money("20.00"), "GBP",
    ]  # fmt: skip
