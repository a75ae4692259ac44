"""Who a customer is at the destination."""

from __future__ import annotations

import pytest

from mapping.crosswalk import KnownContact
from mapping.identity import IdentityKey, Match, MatchKind, handles, match_contact
from tests.mapping.samples import customer

EMAIL, PHONE, ID = IdentityKey("email"), IdentityKey("phone"), IdentityKey("customer_id")
X = KnownContact(contact_key="X", emails=("ADA@example.com",))
Y = KnownContact(contact_key="Y", phones=("+442079460018",))
Z = KnownContact(contact_key="Z", emails=("ada@example.com",), phones=("+442079460018",), customer_ids=("7001",))
OTHER = KnownContact(contact_key="O", emails=("eve@example.com",), phones=("+442079460999",), customer_ids=("1",))


def test_handles_are_normalised_and_unusable_ones_left_out():
    assert handles(customer()) == {"email": "ada@example.com", "phone": "+442079460018", "customer_id": "7001"}
    assert handles(customer(email="nobody", phone="***", key="")) == {}


@pytest.mark.parametrize(
    ("rules", "candidates", "expected"),
    [
        ((EMAIL, PHONE, ID), (), Match(MatchKind.NEW)),
        ((EMAIL, PHONE, ID), (OTHER,), Match(MatchKind.NEW)),
        ((EMAIL, PHONE, ID), (OTHER, X), Match(MatchKind.MATCH, "X", "email", (X,))),
        ((EMAIL, PHONE, ID), (Y,), Match(MatchKind.MATCH, "Y", "phone", (Y,))),
        ((PHONE, EMAIL), (Z,), Match(MatchKind.MATCH, "Z", "phone", (Z,))),
        ((EMAIL,), (X, Y), Match(MatchKind.MATCH, "X", "email", (X,))),
        ((), (X,), Match(MatchKind.MATCH, "X", "email", (X,))),
        ((EMAIL, PHONE), (X, Y), Match(MatchKind.AMBIGUOUS, rule="email", candidates=(X, Y))),
        ((EMAIL, PHONE), (X, Z), Match(MatchKind.AMBIGUOUS, rule="email", candidates=(X, Z))),
        ((IdentityKey("email", "next"), PHONE), (X, Z), Match(MatchKind.MATCH, "Z", "phone", (X, Z))),
        ((IdentityKey("email", "next"), PHONE), (X, Z, Y), Match(MatchKind.MATCH, "Z", "phone", (X, Z, Y))),
        ((IdentityKey("email", "next"),), (X, Z), Match(MatchKind.AMBIGUOUS, rule="email", candidates=(X, Z))),
        ((PHONE, EMAIL), (Y, Z), Match(MatchKind.AMBIGUOUS, rule="phone", candidates=(Y, Z))),
    ],
)
def test_rules_and_candidates_decide(rules, candidates, expected):
    assert match_contact(customer(), rules, candidates) == expected


def test_a_shared_phone_does_not_unseat_the_owner_of_the_email():
    household = (Z, KnownContact(contact_key="H", phones=("+442079460018",)))
    assert match_contact(customer(), (EMAIL, PHONE), household).contact_key == "Z"


BYRON = KnownContact(contact_key="B", phones=("+442079460018",), emails=("ada@example.com",), first_name="Ada", last_name="Byron")


@pytest.mark.parametrize(
    ("shown", "kind"),
    [
        ({"email": ""}, MatchKind.MATCH),
        ({"email": "", "last_name": "BYRÓN"}, MatchKind.MATCH),
        ({"email": "", "last_name": ""}, MatchKind.MATCH),
        ({"email": "", "last_name": "Lovelace"}, MatchKind.AMBIGUOUS),
        ({"email": "eve@example.com"}, MatchKind.AMBIGUOUS),
        ({"last_name": "Lovelace"}, MatchKind.MATCH),
    ],
)
def test_a_phone_alone_does_not_decide_for_a_partial_customer_who_seems_to_be_somebody_else(shown, kind):
    assert match_contact(customer(partial=True, **shown), (), (BYRON,)).kind is kind


def test_a_phone_decides_for_a_customer_who_is_shown_whole():
    assert match_contact(customer(email="", last_name="Lovelace"), (), (BYRON,)).kind is MatchKind.MATCH
