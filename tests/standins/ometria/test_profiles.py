"""Storing listings and clustering them into profiles."""

import pytest


def only_profile(api):
    (profile,) = api.look("/profiles").values()
    return profile


def test_contact_is_keyed_by_collection_and_id(api, contact):
    api.push(contact(), contact(at_collection="tiktok_shop"), contact(at_collection=None), contact(firstname="Ada"))

    found = {key: row.get("firstname") for key, row in api.look("/contacts").items()}

    assert found == {"shopify:7001": "Ada", "tiktok_shop:7001": None, "default:7001": None}


def test_contact_without_merge_is_replaced(api, contact):
    api.push(contact(firstname="Ada", properties={"tier": "gold", "tags": "vip"}))
    api.push(contact(lastname="Byron", properties={"tier": "silver"}))

    stored = api.read("/contacts/shopify/7001")

    assert stored.keys().isdisjoint({"firstname"})
    assert (stored["lastname"], stored["properties"], stored["object_version"]) == ("Byron", {"tier": "silver"}, 2)


def test_contact_with_merge_keeps_what_was_not_sent(api, contact):
    api.push(contact(firstname="Ada", properties={"tier": "gold", "tags": "vip"}))
    api.push({"@type": "contact", "@collection": "shopify", "id": "7001", "@merge": True, "properties": {"tier": "silver"}})

    (effect,) = api.look("/ledger", kind="contact", key="shopify:7001")[1:]

    assert effect["payload"] == contact(firstname="Ada", properties={"tier": "silver", "tags": "vip"})


def test_partial_contact_without_merge_lacks_an_identifier(api, contact):
    api.push(contact())
    api.push({"@type": "contact", "@collection": "shopify", "id": "7001", "firstname": "Ada"})

    assert api.problems() == [("7001", "root > email")]


def test_same_content_again_is_visible_by_its_digest(api, contact):
    api.push(contact(firstname="Ada"))
    api.push(contact(firstname="Ada"))
    api.push(contact(firstname="Augusta"))

    digests = [effect["digest"] for effect in api.look("/ledger", kind="contact")]

    assert digests[0] == digests[1] != digests[2]


def test_listings_with_one_email_make_one_profile(api, contact):
    api.push(contact(firstname="Ada"), contact(at_collection="tiktok_shop", id="t1", email="ADA@example.com", lastname="Byron"))

    profile = only_profile(api)

    assert (profile["email"], profile["firstname"], profile["lastname"]) == ("ada@example.com", "Ada", "Byron")
    assert profile["identities"] == [{"type": "email", "id": "ada@example.com"}]


def test_customer_id_is_trusted_before_email(api, contact):
    api.push(contact(customer_id="A"), contact(at_collection="other", id="x", customer_id="A", email="second@example.com"))

    profile = only_profile(api)

    assert (profile["customer_id"], profile["email"]) == ("A", "second@example.com")
    assert {row["id"] for row in profile["identities"]} == {"A", "ada@example.com", "second@example.com"}


def test_identifier_of_another_profile_is_ignored(api, contact):
    api.push(contact(id="1", customer_id="A", email="ada@example.com"), contact(id="2", customer_id="B", email="grace@example.com"))
    api.push(contact(id="3", customer_id="B", email="ada@example.com"))

    assert api.read("/profiles", email="ada@example.com")[0]["customer_id"] == "A"
    assert api.read("/profiles", email="grace@example.com")[0]["customer_id"] == "B"
    assert api.look("/contacts")["shopify:3"]["@profile_id"] == api.read("/profiles", email="grace@example.com")[0]["id"]


def test_same_email_with_a_new_customer_id_is_another_person(api, contact):
    api.push(contact(id="1", customer_id="A"), contact(id="2", customer_id="B"))

    found = {row["customer_id"]: row["email"] for row in api.look("/profiles").values()}

    assert found == {"A": "ada@example.com", "B": None}


@pytest.mark.parametrize(("enabled", "profiles"), [(False, 2), (True, 1)])
def test_phone_matches_only_where_the_account_has_it_on(api, contact, enabled, profiles):
    api.act("/settings", phone_identifier=enabled)
    api.push(contact(id="1", phone_number="+447700900123"))
    api.push(contact(id="2", email=None, phone_number="+447700900123"))

    assert len(api.look("/profiles")) == profiles


def test_email_change_moves_the_profile_and_frees_the_old_address(api, contact):
    api.push(contact())
    before = only_profile(api)["id"]
    api.push(contact(email="ada.byron@example.com"))

    assert (only_profile(api)["id"], only_profile(api)["email"]) == (before, "ada.byron@example.com")
    assert api.read("/profiles", email="ada@example.com") == []
    api.push(contact(id="9", email="ada@example.com"))
    assert len(api.look("/profiles")) == 2


def test_email_change_keeps_an_address_another_listing_still_has(api, contact):
    api.push(contact(), contact(at_collection="tiktok_shop", id="t1"))
    api.push(contact(email="new@example.com"))

    assert only_profile(api)["email"] == "new@example.com"
    assert api.read("/profiles", email="ada@example.com")[0]["id"] == only_profile(api)["id"]


@pytest.mark.parametrize("customer", [{"id": "7001", "email": "ada@example.com"}, {"id": "7001"}, {"email": "ada@example.com"}])
def test_order_makes_a_profile_without_consent(api, order, customer):
    api.push(order(customer=customer))

    profile = only_profile(api)

    assert (profile["customer_id"], profile["email"], profile["marketing_optin"]) == (customer.get("id"), customer.get("email"), None)
    assert profile["stats"]["orders"] == 1


def test_order_joins_the_profile_its_listing_made(api, contact, order):
    api.push(contact(customer_id="7001", marketing_optin="EXPLICITLY_OPTEDIN"))
    api.push(order(customer={"id": "7001"}), order(id="shp-2", customer={"email": "Ada@Example.com"}))

    profile = only_profile(api)

    assert (profile["stats"]["orders"], profile["marketing_optin"]) == (2, True)


def test_order_with_names_only_stays_unattached(api, order):
    api.push(order(customer={"firstname": "Ada", "lastname": "Byron"}))

    assert api.look("/profiles") == {}
    assert api.look("/counts") == {"order": 1}


def test_order_that_changes_hands_leaves_its_former_profile(api, order):
    api.push(order(customer={"email": "ada@example.com"}))
    api.push(order(customer={"email": "grace@example.com"}))

    found = {row["email"]: row["stats"]["orders_attempted"] for row in api.look("/profiles").values()}

    assert found == {"ada@example.com": 0, "grace@example.com": 1}


def test_order_for_a_shared_email_takes_the_profile_without_customer_id(api, contact, order):
    api.push(contact(customer_id="A"))
    api.act("/duplicate-profile", email="ada@example.com", customer_id="B")
    made = api.act("/duplicate-profile", email="ada@example.com")["id"]
    api.push(order(customer={"email": "ada@example.com"}))

    found = api.read("/profiles", email="ada@example.com")

    assert [(row["customer_id"], row["stats"]["orders"]) for row in found] == [("A", 0), ("B", 0), (None, 1)]
    assert found[2]["id"] == made


def test_event_joins_a_known_profile_and_counts_once(api, contact, event):
    api.push(contact(customer_id="7001"))
    api.push(event(identity_email=None, identity_account_id="7001"), event(properties={"changed": True}))
    api.push(event(id="other", identity_email="nobody@example.com"))

    found = api.read("/custom-events/abandoned_checkout")

    assert [row["id"] for row in found] == [event()["id"], "other"]
    assert [row["profile_id"] for row in found] == [only_profile(api)["id"], None]
    assert found[0]["properties"] == event()["properties"]
    assert api.look("/counts") == {"contact": 1, "custom_event": 2}


def test_profile_is_read_as_ometria_shows_it(api, contact, order):
    api.push(contact(customer_id="7001", firstname="Ada", lastname="Byron", country_id="GB", timestamp_acquired="2025-12-01T08:00:00Z"))
    api.push(order())

    (profile,) = api.read("/profiles", email="ada@example.com")

    dates, stats = profile.pop("dates"), profile.pop("stats")
    assert (dates["acquired"], dates["first_purchase"]) == ("2025-12-01T08:00:00Z", "2026-01-08T14:03:11+00:00")
    assert stats == {"orders": 1, "orders_attempted": 1, "revenue": 58.0, "aov": 58.0, "total_items": 2, "visits": 0}
    assert api.read(f"/profiles/{profile['id']}")["email"] == "ada@example.com"
    assert profile == {
        "@type": "profile",
        "id": profile["id"],
        "email": "ada@example.com",
        "customer_id": "7001",
        "phone_number": None,
        "marketing_optin": None,
        "is_email_valid": True,
        "lifecycle_status": "active",
        "seen": False,
        "tags": [],
        "prefix": None,
        "firstname": "Ada",
        "middlename": None,
        "lastname": "Byron",
        "country": "GB",
        "gender": None,
        "date_of_birth": None,
        "timezone": None,
        "name": "Ada Byron",
        "lists": [],
        "identities": [{"type": "customer_id", "id": "7001"}, {"type": "email", "id": "ada@example.com"}],
        "properties": {},
    }


def test_profile_by_email_can_be_an_object_and_then_404(api, contact):
    api.push(contact(email="a+b@example.com"))
    assert [row["email"] for row in api.read("/profiles", email="a+b@example.com")] == ["a+b@example.com"]
    assert api.get("/profiles?email=a+b@example.com").json() == []

    api.act("/settings", profile_as_object=True)

    assert api.read("/profiles", email="a+b@example.com")["email"] == "a+b@example.com"
    assert api.get("/profiles", email="nobody@example.com").status_code == 404
