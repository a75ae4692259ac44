"""Consent, tags and metafields written by an app: what is taken, what is refused, what the ledger keeps."""

from typing import Any

import pytest

from tests.standins.shopify.conftest import Caller, gid

PAST = "2026-01-02T03:04:05Z"


def email(number: int, state: str = "UNSUBSCRIBED", at: str = PAST) -> dict[str, Any]:
    wish = {"marketingState": state, "marketingOptInLevel": "SINGLE_OPT_IN", "consentUpdatedAt": at}
    return {"input": {"customerId": gid("Customer", number), "emailMarketingConsent": wish}}


def sms(number: int, state: str = "SUBSCRIBED") -> dict[str, Any]:
    wish = {"marketingState": state, "marketingOptInLevel": "SINGLE_OPT_IN", "consentUpdatedAt": PAST}
    return {"input": {"customerId": gid("Customer", number), "smsMarketingConsent": wish}}


def test_email_consent_is_changed_and_kept_in_the_ledger(caller: Caller, zoe: Any) -> None:
    answer = caller.run("email_consent", email(zoe.id))["customerEmailMarketingConsentUpdate"]

    assert answer == {
        "customer": {
            "id": gid("Customer", zoe.id),
            "defaultEmailAddress": {
                "marketingState": "UNSUBSCRIBED",
                "marketingOptInLevel": "SINGLE_OPT_IN",
                "marketingUpdatedAt": PAST,
            },
        },
        "userErrors": [],
    }
    effects = caller.control("GET", f"/ledger?kind=consent&key={gid('Customer', zoe.id)}")
    assert [(effect["payload"]["channel"], effect["payload"]["marketingState"]) for effect in effects] == [
        ("emailMarketingConsent", "UNSUBSCRIBED")
    ]


def test_the_time_of_consent_moves_only_with_its_state(caller: Caller, zoe: Any) -> None:
    caller.run("email_consent", email(zoe.id))
    answer = caller.run("email_consent", email(zoe.id, at="2026-02-02T00:00:00Z"))["customerEmailMarketingConsentUpdate"]

    assert answer["customer"]["defaultEmailAddress"]["marketingUpdatedAt"] == PAST


def test_a_late_older_write_wins_because_nobody_orders_them(caller: Caller, zoe: Any) -> None:
    caller.run("email_consent", email(zoe.id, "UNSUBSCRIBED", "2026-03-01T00:00:00Z"))
    caller.run("email_consent", email(zoe.id, "SUBSCRIBED", "2026-02-01T00:00:00Z"))

    assert (zoe.email_consent.state, zoe.email_consent.updated_at.month) == ("SUBSCRIBED", 2)


@pytest.mark.parametrize("state", ["NOT_SUBSCRIBED", "INVALID", "REDACTED"])
def test_states_that_come_about_by_themselves_cannot_be_written(caller: Caller, zoe: Any, state: str) -> None:
    answer = caller.run("email_consent", email(zoe.id, state))["customerEmailMarketingConsentUpdate"]

    assert (answer["customer"], answer["userErrors"][0]["code"]) == (None, "INVALID")
    assert caller.stand_in.ledger.counts() == {}


def test_consent_cannot_be_given_in_the_future(caller: Caller, zoe: Any) -> None:
    answer = caller.run("email_consent", email(zoe.id, at="2099-01-01T00:00:00Z"))["customerEmailMarketingConsentUpdate"]

    assert answer["userErrors"][0]["field"] == ["input", "emailMarketingConsent", "consentUpdatedAt"]


def test_sms_consent_needs_a_phone_number(caller: Caller) -> None:
    silent = caller.stand_in.act("create_customer", email="silent@example.com")

    assert caller.run("sms_consent", sms(silent.id))["customerSmsMarketingConsentUpdate"] == {
        "customer": None,
        "userErrors": [
            {
                "field": ["input", "smsMarketingConsent"],
                "message": "A phone number is required to set the SMS consent state.",
                "code": "MISSING_ARGUMENT",
            }
        ],
    }


def test_sms_consent_is_changed(caller: Caller, zoe: Any) -> None:
    answer = caller.run("sms_consent", sms(zoe.id))["customerSmsMarketingConsentUpdate"]

    assert answer["customer"]["defaultPhoneNumber"]["smsMarketingConsent"] == {
        "state": "SUBSCRIBED",
        "optInLevel": "SINGLE_OPT_IN",
        "updatedAt": PAST,
    }


def test_an_unknown_customer_is_a_user_error(caller: Caller) -> None:
    answer = caller.run("email_consent", email(1))["customerEmailMarketingConsentUpdate"]

    assert answer == {
        "customer": None,
        "userErrors": [{"field": ["input", "customerId"], "message": "Customer not found.", "code": "INVALID"}],
    }


def test_tags_are_added_and_removed(caller: Caller, zoe: Any) -> None:
    caller.run("tags", {"id": gid("Customer", zoe.id), "add": ["ometria-vip"], "remove": ["vip", "never there"]})

    assert zoe.tags == ["ometria-vip"]
    assert caller.stand_in.ledger.counts() == {"tags": 2}


def test_metafields_are_set_all_or_none(caller: Caller, zoe: Any) -> None:
    good = {"ownerId": gid("Customer", zoe.id), "namespace": "ometria", "key": "segment", "type": "single_line_text_field", "value": "vip"}
    bad = {**good, "key": "other", "value": ""}

    refused = caller.run("set_metafields", {"m": [good, bad]})["metafieldsSet"]
    taken = caller.run("set_metafields", {"m": [good]})["metafieldsSet"]

    assert (refused["metafields"], refused["userErrors"][0]["elementIndex"]) == (None, 1)
    assert [(row["key"], row["value"]) for row in taken["metafields"]] == [("segment", "vip")]
    assert [(field.key, field.value) for field in zoe.metafields] == [("birthday", "1990-05-01"), ("segment", "vip")]


def test_at_most_25_metafields_a_call(caller: Caller, zoe: Any) -> None:
    row = {"ownerId": gid("Customer", zoe.id), "namespace": "a", "type": "single_line_text_field", "value": "x"}

    answer = caller.run("set_metafields", {"m": [{**row, "key": f"k{n}"} for n in range(26)]})["metafieldsSet"]

    assert answer["userErrors"][0]["code"] == "LESS_THAN_OR_EQUAL_TO"
    assert len(zoe.metafields) == 1


def test_a_mutation_without_its_scope_is_denied_and_changes_nothing(caller: Caller, zoe: Any) -> None:
    caller.set(scopes=["read_customers"])
    text = """mutation($id: ID!) { tagsAdd(id: $id, tags: ["x"]) { userErrors { message } } }"""

    assert caller.refused(text, {"id": gid("Customer", zoe.id)})[0] == "ACCESS_DENIED"
    assert zoe.tags == ["vip"]


def test_a_mutation_of_a_later_issue_is_refused_clearly(caller: Caller) -> None:
    text = """mutation { orderCancel(orderId: "gid://shopify/Order/1", reason: CUSTOMER, restock: true) { job { id } } }"""

    assert caller.refused(text) == ("INTERNAL_SERVER_ERROR", "Mutation.orderCancel is not modelled by this stand-in")
