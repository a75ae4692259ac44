"""TikTok buyers become contacts of Ometria: one person, one profile, whatever TikTok Shop shows of them."""

from __future__ import annotations

import pytest
import requests
from django.http import QueryDict

from integrations.admin.answers import ANSWERS
from integrations.engine import masks
from integrations.models import Delivery, SyncException
from mapping.models import ContactDirectory, ContactHandle, MaskingRule
from tests.journeys.hand_fed import ADA, CLEAR, KEY, MASKED, HandFed, buyer, order
from tests.route_a import RouteA
from tests.rows import make_person

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


def answer(question: SyncException, contact_key: str) -> int:
    form = QueryDict(mutable=True)
    form["contact_key"] = contact_key
    return ANSWERS["ambiguous_contact"].give(question, form, make_person("marketing"))


def test_a_buyer_whom_ometria_knows_by_phone_is_that_contact_and_not_a_second_one(fed: HandFed) -> None:
    fed.existing({**ADA, "marketing_optin": "EXPLICITLY_OPTEDIN"})
    (before,) = fed.profiles()

    fed.put(buyer(**CLEAR), order())
    fed.run()

    (after,) = fed.profiles()
    assert (after["id"], after["email"], after["customer_id"], after["firstname"]) == (before["id"], "ada@example.com", "7001", "Ada")
    assert (before["stats"]["orders"], after["stats"]["orders"], after["marketing_optin"]) == (0, 1, True)
    assert fed.look("orders")["tts-576461"]["customer"] == {"id": "7001", "email": "ada@example.com"}


def test_a_buyer_of_whom_nothing_is_shown_becomes_a_contact_of_the_shop_without_address_and_consent(fed: HandFed) -> None:
    fed.put(buyer(**MASKED), order())
    fed.run()

    (profile,) = fed.profiles()
    shown = {name: profile[name] for name in ("email", "phone_number", "customer_id", "firstname", "country", "marketing_optin")}
    assert shown == {
        "email": None, "phone_number": None, "customer_id": "tts:7495:1", "firstname": None, "country": "GB", "marketing_optin": None,
    }  # fmt: skip
    assert (profile["stats"]["orders"], fed.look("orders")["tts-576461"]["customer"]) == (1, {"id": "tts:7495:1"})


def test_a_filled_field_of_the_profile_is_never_written_over(fed: HandFed) -> None:
    fed.existing({"id": "7001", "customer_id": "7001", "email": "ada@example.com", "lastname": "Byron"})
    fed.put(buyer(email="ada@example.com", first_name="Ada", last_name="Lovelace", phone="+442079460018"))
    fed.run()

    (sent,) = [row for row in fed.pushed() if row["@collection"] == "tiktok_shop"]
    assert sent == {
        "@type": "contact", "@collection": "tiktok_shop", "id": "tts:7495:1", "customer_id": "7001", "firstname": "Ada",
        "phone_number": "+442079460018", "country_id": "GB",
    }  # fmt: skip
    (profile,) = fed.profiles()
    assert (profile["firstname"], profile["lastname"]) == ("Ada", "Byron")


def test_what_adds_nothing_costs_no_call(fed: HandFed) -> None:
    fed.put(buyer(**CLEAR), order())
    fed.run()
    pushes = len(fed.pushed())
    fed.put(buyer(second=5, **CLEAR, tags=("again",)))
    fed.run()
    assert (len(fed.pushed()), Delivery.objects.get(flow__record_type="customer").last_code) == (pushes, "unchanged")


def test_a_contact_without_customer_id_takes_the_buyers_and_keeps_its_address(fed: HandFed) -> None:
    fed.existing({"id": "n-1", "email": "ada@example.com", "phone_number": "+442079460018", "lastname": "Byron"})
    fed.put(buyer(**CLEAR), order(), buyer(2, **CLEAR), order(2, user=2))
    fed.run()
    (profile,) = fed.profiles()
    assert (profile["customer_id"], profile["email"], profile["stats"]["orders"]) == ("tts:7495:1", "ada@example.com", 2)


def test_a_rule_added_later_protects_what_waits(fed: HandFed) -> None:
    fed.put(buyer(email="ada@relay.example.com"), order())
    MaskingRule.objects.create(field="email", how="domain", pattern="relay.example.com")
    masks.forget()
    fed.run()
    assert [profile["email"] for profile in fed.profiles()] == [None]
    assert "relay.example.com" not in str(fed.pushed("contact") + fed.pushed("order"))


def test_two_owners_of_a_phone_are_a_question_that_is_asked_once_and_answered_for_good(fed: HandFed) -> None:
    fed.existing(ADA, {**ADA, "id": "7002", "customer_id": "7002", "email": "augusta@example.com", "firstname": "Augusta"})
    fed.put(buyer(**CLEAR), order(1), order(2))
    fed.run()
    fed.put(buyer(second=3, **CLEAR, tags=("again",)), order(3, second=3))
    fed.run()

    question = SyncException.objects.get(state="open")
    assert (question.kind, question.subject, question.detail.count("\n")) == ("ambiguous_contact", "tts:7495:1", 1)
    assert "ada@example.com" not in question.detail
    assert (len(fed.profiles()), fed.look("orders")) == (2, {})

    (augusta,) = [profile for profile in fed.profiles() if profile["firstname"] == "Augusta"]
    answer(question, augusta["id"])
    fed.run()

    assert {name: row["customer"]["id"] for name, row in fed.look("orders").items()} == dict.fromkeys(
        ("tts-576461", "tts-576462", "tts-576463"), "7002"
    )
    fed.put(buyer(second=9, **CLEAR, tags=("later",)), order(4, second=9))
    fed.run()
    assert len(fed.profiles()) == 2
    assert (fed.look("orders")["tts-576464"]["customer"]["id"], SyncException.objects.filter(state="open").count()) == ("7002", 0)


def test_a_gift_receivers_phone_is_a_question_and_a_new_person_may_be_the_answer(fed: HandFed) -> None:
    fed.existing(ADA)
    fed.put(buyer(**{**CLEAR, "last_name": "Lovelace"}), order())
    fed.run()
    question = SyncException.objects.get(state="open")
    assert (question.kind, len(fed.profiles()), fed.look("orders")) == ("ambiguous_contact", 1, {})

    answer(question, "@tts:7495:1")
    fed.run()

    assert sorted(profile["customer_id"] for profile in fed.profiles()) == ["7001", "tts:7495:1"]
    assert fed.look("orders")["tts-576461"]["customer"] == {"id": "tts:7495:1"}
    assert ContactHandle.objects.get(kind="source id").chosen is True


def test_an_address_that_belongs_to_somebody_else_than_the_phone_is_a_question(fed: HandFed) -> None:
    fed.existing(ADA, {"id": "7002", "customer_id": "7002", "email": "eve@example.com"})
    fed.put(buyer(**{**CLEAR, "email": "eve@example.com"}))
    fed.run()
    assert SyncException.objects.get(state="open").kind == "ambiguous_contact"


def test_a_real_address_that_nobody_has_upgrades_the_contact_that_is_there(fed: HandFed) -> None:
    fed.put(buyer(**MASKED), order())
    fed.run()
    (before,) = fed.profiles()
    fed.put(buyer(second=60, email="ada@example.com", first_name="Ada", last_name="Byron"), order(2, second=60))
    fed.run()
    (after,) = fed.profiles()
    assert (after["id"], after["email"], after["firstname"], after["stats"]["orders"]) == (before["id"], "ada@example.com", "Ada", 2)


def test_when_a_buyer_turns_out_to_be_a_known_contact_the_orders_follow(fed: HandFed) -> None:
    fed.existing(ADA)
    fed.put(buyer(**MASKED), order(1), order(2))
    fed.run()
    (ada,) = [profile for profile in fed.profiles() if profile["customer_id"] == "7001"]
    assert (len(fed.profiles()), ada["stats"]["orders"]) == (2, 0)

    fed.put(buyer(second=60, **CLEAR), order(3, second=60))
    fed.run()

    (ada,) = [profile for profile in fed.profiles() if profile["customer_id"] == "7001"]
    assert (len(fed.profiles()), ada["stats"]["orders"]) == (2, 3)
    assert set(map(len, fed.buyers_of_orders().values())) == {1}
    others = [profile for profile in fed.profiles() if profile["id"] != ada["id"]]
    assert [(other["email"], other["customer_id"], other["stats"]["orders_attempted"]) for other in others] == [(None, None, 0)]
    calls = len(fed.pushed("order"))
    fed.put(buyer(second=70, **CLEAR, tags=("again",)))
    fed.run()
    assert len(fed.pushed("order")) == calls


def test_gifts_to_friends_do_not_make_the_buyer_the_friend(fed: HandFed) -> None:
    fed.put(buyer(**CLEAR), order())
    fed.run()
    fed.existing({"id": "7002", "customer_id": "7002", "email": "bob@example.com", "phone_number": "+442079460999", "lastname": "Bell"})
    ContactDirectory.objects.update(read_at=None)
    fed.put(buyer(second=60, phone="(+44)2079460999", first_name="Bob", last_name="Bell"), order(2, second=60))
    fed.run()
    assert {row["customer"]["id"] for row in fed.look("orders").values()} == {"tts:7495:1"}
    (mine,) = [profile for profile in fed.profiles() if profile["customer_id"] == "tts:7495:1"]
    assert (mine["firstname"], mine["phone_number"], mine["stats"]["orders"]) == ("Ada", "+442079460018", 2)
    assert not SyncException.objects.exists()


# --- through TikTok Shop itself ----------------------------------------------------------------------------------------


def test_a_buyer_who_was_hidden_by_the_platforms_shipping_is_found_when_the_shop_ships_itself(route_a: RouteA) -> None:
    with requests.Session() as http:
        http.trust_env = False
        row = {"@type": "contact", "@collection": "shopify", **ADA}
        http.post(f"{route_a.destination.base_url}/v2/push", json=[row], headers=KEY, timeout=10).raise_for_status()
    route_a.goods("TEE")
    assert route_a.subscribe()

    first = route_a.order("TEE", shipping_type="TIKTOK")
    route_a.run()
    before = orders_by_customer_id(route_a)
    user = f"tts:{route_a.source.external_id}:{first.buyer.user_id}"
    assert before == {"7001": 0, user: 1}

    second = route_a.order("TEE", buyer=first.buyer.user_id)
    route_a.run()

    assert orders_by_customer_id(route_a) == {"7001": 2, None: 0}
    assert [route_a.stored(order)["customer"] for order in (first, second)] == [{"id": "7001", "email": "ada@example.com"}] * 2
    assert "tiktokw" not in route_a.told()


def orders_by_customer_id(route: RouteA) -> dict[str | None, int]:
    return {profile["customer_id"]: profile["stats"]["orders"] for profile in route.state("profiles").values()}
