"""E-mail and SMS consent, and the ways it comes back."""

import pytest

IN, OUT, UNSPECIFIED = "EXPLICITLY_OPTEDIN", "EXPLICITLY_OPTEDOUT", "NOT_SPECIFIED"


def optin(api):
    (profile,) = api.look("/profiles").values()
    return profile["marketing_optin"]


@pytest.mark.parametrize(
    ("statements", "verdict"),
    [
        ([None], None),
        ([UNSPECIFIED], None),
        ([IN], True),
        ([OUT], False),
        ([IN, UNSPECIFIED], True),
        ([IN, OUT], False),
        ([OUT, IN], False),
        (["!" + IN], True),
        ([OUT, "!" + IN], True),
        (["!" + IN, OUT], True),
        (["!" + OUT, IN], False),
        (["!" + IN, "!" + OUT], False),
        (["!" + OUT, "!" + IN], True),
        (["!" + OUT, "!" + UNSPECIFIED], None),
    ],
)
def test_consent_is_computed_over_all_listings(api, contact, statements, verdict):
    for number, statement in enumerate(statements):
        forced = True if statement and statement.startswith("!") else None
        api.push(contact(at_collection=f"source-{number}", marketing_optin=statement and statement.lstrip("!"), at_force_optin=forced))
        api.act("/clock", advance=1)

    assert optin(api) is verdict


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [((OUT, None), (IN, None), False), ((OUT, None), (IN, True), True), ((IN, True), (OUT, None), True), ((IN, True), (OUT, True), False)],
)
def test_one_listing_obeys_the_same_rules_over_time(api, contact, first, second, verdict):
    for statement, forced in (first, second):
        api.push(contact(marketing_optin=statement, at_force_optin=forced))

    assert optin(api) is verdict


def test_unforced_update_of_a_forced_listing_leaves_its_statement(api, contact):
    api.push(contact(marketing_optin=IN, at_force_optin=True))
    api.push(contact(marketing_optin=OUT))

    stored = api.read("/contacts/shopify/7001")

    assert (stored["marketing_optin"], stored["@force_optin"]) == (IN, True)


def test_partial_update_restates_nothing(api, contact):
    api.push(contact(marketing_optin=IN, at_force_optin=True))
    api.act("/clock", advance=10)
    api.push(contact(at_collection="tiktok_shop", marketing_optin=OUT, at_force_optin=True))
    api.act("/clock", advance=10)
    api.push({"@type": "contact", "@collection": "shopify", "id": "7001", "@merge": True, "firstname": "Ada"})

    assert optin(api) is False


def test_replacing_a_listing_without_a_statement_keeps_what_was_said(api, contact):
    api.push(contact(marketing_optin=OUT))
    api.push(contact(firstname="Ada"))

    assert optin(api) is False


def test_force_without_a_statement_says_nothing(api, contact):
    api.push(contact(at_force_optin=True))

    assert optin(api) is None
    assert "@force_optin" not in api.read("/contacts/shopify/7001")


def test_change_of_status_without_a_time_is_dated_now(api, contact):
    api.push(contact(marketing_optin=IN))
    subscribed = api.read("/contacts/shopify/7001")["timestamp_subscribed"]
    api.push(contact(marketing_optin=OUT, timestamp_unsubscribed="2026-01-09T10:00:00Z"))

    assert subscribed.endswith("+00:00")
    assert api.read("/contacts/shopify/7001")["timestamp_unsubscribed"] == "2026-01-09T10:00:00Z"


def test_preference_centre_counts_like_force_and_only_opt_outs_are_listed(api, contact):
    api.push(contact(marketing_optin=IN, at_force_optin=True))
    api.act("/clock", advance=1)

    left = api.act("/preference", email="ada@example.com", marketing_optin=OUT)["marketing_optin"]
    api.act("/clock", advance=1)
    returned = api.act("/preference", email="ada@example.com", marketing_optin=IN)["marketing_optin"]

    assert (left, returned) == (False, True)
    assert [row["type"] for row in api.read("/unsubscribes")] == ["preferences_centre"]


def test_unsubscribe_link_withdraws_consent_and_is_listed(api, contact):
    api.push(contact(marketing_optin=IN, at_force_optin=True))
    profile_id = api.read("/profiles", email="ada@example.com")[0]["id"]

    api.act("/unsubscribe", email="ada@example.com", type="link_unsubscribe", reason="too many", at="2027-01-09T22:08:07+00:00")

    assert optin(api) is False
    assert api.read("/unsubscribes") == [
        {
            "profile_id": profile_id,
            "email_address": "ada@example.com",
            "type": "link_unsubscribe",
            "timestamp": "2027-01-09 22:08:07+00",
            "reason": "too many",
            "reason_text": None,
            "send_id": None,
            "mass_campaign_id": None,
            "trigger_campaign_id": None,
        }
    ]


def test_opt_out_pushed_through_the_api_is_not_listed(api, contact):
    api.push(contact(marketing_optin=OUT, at_force_optin=True))

    assert (optin(api), api.read("/unsubscribes")) == (False, [])


def test_unsubscribes_are_found_by_window_and_type(api, contact):
    api.push(contact())
    for day, kind in ((8, "list_unsubscribe"), (9, "app"), (10, "list_unsubscribe")):
        api.act("/unsubscribe", email="ada@example.com", type=kind, at=f"2026-01-{day:02}T00:00:00")

    window = {"since": "2026-01-09T00:00:00", "before": "2026-01-10T00:00:00"}

    assert [row["type"] for row in api.read("/unsubscribes", **window)] == ["app"]
    assert len(api.read("/unsubscribes", type="list_unsubscribe")) == 2
    assert len(api.read("/unsubscribes", since="2026-01-09T00:00:00")) == 2


def sms(allowed, at=None):
    return {"sms": {"allow_marketing": allowed, **({"dt_updated_marketing": at} if at else {})}}


def sms_state(api):
    (profile,) = api.look("/profiles").values()
    return profile["sms_optin"], profile["sms_pending"]


def test_sms_consent_is_taken_from_any_collection_without_double_optin(api, contact):
    api.push(contact(phone_number="+447700900123", channels=sms(True)))

    assert sms_state(api) == (True, False)


def test_older_sms_statement_does_not_undo_a_newer_one(api, contact):
    api.push(contact(channels=sms(False, "2026-01-09T10:00:00Z")))
    api.push(contact(channels=sms(True, "2026-01-08T10:00:00Z")))

    assert sms_state(api) == (False, False)


def test_second_generation_of_sms_fields_is_taken_too(api, contact):
    api.push(contact(channels={"sms": {"marketing_optin": IN}}))

    assert sms_state(api) == (True, False)


def test_double_optin_ignores_sms_consent_outside_its_collections(api, contact):
    api.act("/settings", sms_double_optin=True)
    api.push(contact(channels=sms(True)))
    ignored = sms_state(api)
    api.push(contact(at_collection="double_optin:sms", channels=sms(True)))

    assert (ignored, sms_state(api)) == ((None, False), (True, False))


def test_double_optin_waits_for_the_confirmation(api, contact):
    api.act("/settings", sms_double_optin=True)
    api.push(contact(at_collection="optin:sms", phone_number="+447700900123", channels=sms(True)))
    waiting = sms_state(api)
    api.act("/sms-confirm", phone="+447700900123")

    assert (waiting, sms_state(api)) == ((None, True), (True, False))
    assert api.read("/contacts/optin:sms/7001")["@collection"] == "optin:sms"


def test_stop_word_withdraws_sms_only_and_lists_no_address(api, contact):
    api.push(contact(phone_number="+447700900123", channels=sms(True), marketing_optin=IN))
    api.act("/unsubscribe", phone="+447700900123", type="stopword_unsubscribe_TF")

    (row,) = api.read("/unsubscribes")

    assert (row["type"], row["email_address"]) == ("stopword_unsubscribe_TF", None)
    assert (sms_state(api), optin(api)) == ((False, False), True)


def test_consent_moves_the_profile_to_the_end_of_changes(api, contact):
    api.push(contact(id="1", email="a@example.com"), contact(id="2", email="b@example.com"))
    api.act("/clock", advance=60)
    since = api.look("/profiles")
    api.act("/preference", email="a@example.com", marketing_optin=IN)

    found = api.read("/profiles", updateSince=max(row["dates"]["last_seen"] for row in since.values()), orderby="timestamp_update")

    assert [row["email"] for row in found][-1] == "a@example.com"
