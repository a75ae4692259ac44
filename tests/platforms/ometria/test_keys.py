"""How one Ometria record is named on our side, and back."""

from __future__ import annotations

import pytest

from integrations.platforms.ometria.keys import destination_key, split

CONTACTS = [("shopify", "7001"), ("tiktok_shop", "tts:7495:812"), ("optin:sms", "7001"), ("double_optin:sms", "tts:7495:812")]


@pytest.mark.parametrize(("collection", "identifier"), CONTACTS)
def test_a_contact_is_found_again_by_its_key_whatever_colons_its_id_holds(collection: str, identifier: str):
    key = destination_key("contact", {"@collection": collection, "id": identifier})

    assert split(key) == (collection, identifier)


def test_an_order_has_no_owner():
    assert split(destination_key("order", {"id": "shp-1001"})) == ("", "shp-1001")
