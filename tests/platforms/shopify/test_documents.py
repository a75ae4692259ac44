"""Every GraphQL document is checked against the real schema of its version; bulk documents as they are sent."""

from __future__ import annotations

import pytest
from graphql import parse, validate

from integrations.platforms.errors import Misconfigured
from integrations.platforms.shopify import VERSION_ENDS
from integrations.platforms.shopify.client import SIZES
from integrations.platforms.shopify.documents import (
    FLAT_SMS_VERSION,
    FOLDER,
    bulk_document,
    checked_locale,
    checked_markets,
    checked_metafields,
    document,
    market_variables,
)
from integrations.standins.shopify.schema import schema_of

NAMES = sorted(path.stem for path in FOLDER.glob("*.graphql") if not path.stem.endswith("_2026_07"))
BULK = ("bulk_orders", "bulk_customers", "bulk_products")


def faults(text: str, version: str) -> list[str]:
    return [fault.message for fault in validate(schema_of(version), parse(text))]


@pytest.mark.parametrize("version", VERSION_ENDS)
@pytest.mark.parametrize("name", NAMES)
def test_every_document_fits_the_schema_of_every_version(name, version):
    assert faults(document(name, version), version) == []


def test_only_documents_with_sms_consent_have_a_variant_for_the_older_version():
    variants = sorted(path.stem for path in FOLDER.glob("*_2026_07.graphql"))
    assert variants == ["bulk_customers_2026_07", "consent_by_ids_2026_07", "consent_of_2026_07", "customers_full_2026_07"]
    assert faults(document("customers_full", "2026-10"), FLAT_SMS_VERSION) != []


@pytest.mark.parametrize("version", VERSION_ENDS)
@pytest.mark.parametrize("name", BULK)
def test_bulk_documents_fit_the_schema_as_they_are_sent(name, version):
    text = bulk_document(name, version, window="updated_at:<'2026-11-01T00:00:00Z'", metafields=("a.b",), markets=("GB", "DE"), locale="de")
    assert faults(text, version) == []
    assert "$" not in text
    assert "ZZ" not in text


def test_a_bulk_document_leaves_out_what_nobody_asked_for():
    text = bulk_document("bulk_products", "2026-10", window="updated_at:>='2026-11-01T00:00:00Z'")
    assert faults(text, "2026-10") == []
    assert [word for word in ("WINDOW", "METAFIELD", "LOCALE", "contextualPricing", "metafields", "translations") if word in text] == []
    assert "\"updated_at:>='2026-11-01T00:00:00Z'\"" in text


def test_a_window_cannot_break_out_of_its_literal():
    text = bulk_document("bulk_orders", "2026-10", window='x" ) { evil }')
    assert parse(text).definitions[0].selection_set.selections[0].arguments[0].value.value == 'x" ) { evil }'


def test_documents_keep_to_what_bulk_operations_allow():
    for name in BULK:
        text = document(name)
        assert text.count("edges") <= 5
        assert "pageInfo" not in text


def test_sizes_name_variables_of_their_documents():
    for name, sizes in SIZES.items():
        text = document(name)
        assert [part for part in sizes if part != "batch" and f"${part}: Int!" not in text] == []


def test_an_unknown_document_is_a_key_error():
    with pytest.raises(KeyError):
        document("nothing")


def test_price_markets_switch_on_one_alias_each():
    assert market_variables(("GB", "DE")) == {"m0": True, "c0": "GB", "m1": True, "c1": "DE"}


@pytest.mark.parametrize(
    ("check", "value", "expected"),
    [
        (checked_markets, "gb, de", ("GB", "DE")),
        (checked_markets, None, ()),
        (checked_metafields, ["custom.birthday", "$app:x.y"], ("custom.birthday", "$app:x.y")),
        (checked_locale, "pt-BR", "pt-BR"),
        (checked_locale, None, ""),
    ],
)
def test_settings_are_read_as_people_write_them(check, value, expected):
    assert check(value) == expected


@pytest.mark.parametrize(
    ("check", "value", "words"),
    [
        (checked_markets, ["GB", "DE", "FR", "IT", "ES", "NL"], "remove 1"),
        (checked_markets, ["Germany"], "GERMANY"),
        (checked_metafields, ["birthday"], "namespace.key"),
        (checked_locale, "german!", "language tag"),
    ],
)
def test_settings_that_cannot_work_are_named_with_the_remedy(check, value, words):
    with pytest.raises(Misconfigured, match=words):
        check(value)
