"""Two contacts that may be one person: found, shown side by side, merged by a person over real HTTP, read back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from integrations.engine import people
from integrations.models import Connection, Delivery
from mapping.crosswalk import KnownContact
from mapping.models import ContactHandle
from monitoring.models import Duplicate
from monitoring.reconcile import merging, runs, suspects, work
from tests.journeys.hand_fed import ADA, CLEAR, MASKED, HandFed, buyer, order
from tests.journeys.hand_fed import fed as fed
from tests.rows import make_connections, make_person, signed_in

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/monitoring/duplicate/"


def known(connection: Connection, *contacts: KnownContact) -> None:
    people.store(connection.pk, contacts)


def person(key: str, email: str = "", phone: str = "", **values: Any) -> KnownContact:
    lists = {"emails": (email,) if email else (), "phones": (phone,) if phone else ()}
    return KnownContact(contact_key=key, **lists, **values)


def pairs() -> set[tuple[str, str, tuple[str, ...]]]:
    return {(row.first, row.second, tuple(row.reasons)) for row in Duplicate.objects.all()}


class TestFinding:
    @pytest.fixture
    def account(self) -> Connection:
        return make_connections()[1]

    def test_doubles_are_found_by_address_spelling_phone_and_id(self, account: Connection):
        known(
            account,
            person("a", "ada.byron@gmail.com"), person("b", "adabyron+shop@googlemail.com"),
            person("c", "bea@example.com", "+442079460018"), person("d", "other@example.com", "+442079460018"),
            person("e", "eve@example.com", customer_ids=("7001",)), person("f", "eva@example.com", customer_ids=("7001",)),
            person("g", "sam@example.com"), person("h", "sam@example.com"),
            person("i", "alone@example.com"), person("@new", "alone@example.com"),
        )  # fmt: skip

        assert (suspects.find(account), suspects.find(account)) == (4, 0)

        assert pairs() == {
            ("a", "b", ("email_spelling",)), ("c", "d", ("same_phone",)), ("e", "f", ("same_customer_id",)),
            ("g", "h", ("same_email", "email_spelling")),
        }  # fmt: skip
        assert Duplicate.objects.get(first="a").title == "a•••@gmail.com (a) / a•••@googlemail.com (b)"

    def test_not_the_same_person_is_remembered(self, account: Connection):
        known(account, person("c", phone="+442079460018"), person("d", phone="+442079460018"))
        suspects.find(account)
        row = Duplicate.objects.get()

        signed_in("marketing").post(f"{LIST}{row.pk}/different/", {"note": "mother and daughter"})
        suspects.find(account)

        row.refresh_from_db()
        assert (Duplicate.objects.count(), row.state, row.note) == (1, "different", "mother and daughter")
        assert row.decided_by.username == "marketing"

    @pytest.mark.parametrize("role", ["ecommerce", "marketing", "manager", "administrator"])
    def test_marketing_and_managers_decide_and_everybody_sees_masked(self, account: Connection, role: str):
        known(account, person("c", "sam@example.com"), person("d", "sam@example.com"))
        suspects.find(account)
        row, client = Duplicate.objects.get(), signed_in(role)

        page = client.get(f"{LIST}{row.pk}/change/").content.decode()
        listed = client.get(LIST).content.decode()
        status = client.post(f"{LIST}{row.pk}/different/").status_code

        assert status == (403 if role == "ecommerce" else 302)
        assert "sam@example.com" not in listed
        assert ("sam@example.com" in page) == (role != "ecommerce")
        assert ("/different/" in page) == (role != "ecommerce")


class TestMerging:
    @pytest.fixture
    def left(self, fed: HandFed) -> Duplicate:
        """A buyer who was nobody at first and turned out to be Ada: the old listing stays behind on a profile of its own."""
        fed.existing({**ADA, "marketing_optin": "EXPLICITLY_OPTEDIN"})
        fed.put(buyer(**MASKED), order())
        fed.run()
        fed.put(buyer(second=60, **CLEAR))
        fed.run()
        flow = fed.shop.flows_out.get(record_type="customer")
        now = timezone.now()
        run = runs.start(flow, now - timedelta(days=1), now, grace_seconds=0)
        work._page(work.Work(run, work.Ends(flow)))
        return Duplicate.objects.get()

    @pytest.fixture
    def marketing(self) -> Client:
        return signed_in("marketing")

    def test_a_listing_that_was_left_behind_is_found_while_both_ends_are_compared(self, fed: HandFed, left: Duplicate):
        profiles = {profile["id"]: profile for profile in fed.profiles()}

        assert (left.reasons, left.listing, profiles[left.first]["email"], profiles[left.second]["email"]) == (
            ["left_behind"], "tts:7495:1", "ada@example.com", None,
        )  # fmt: skip

    def test_both_are_shown_as_they_are_now_masked_for_those_who_may_not_see_people(self, left: Duplicate, marketing: Client):
        seen = {}
        for name, client in (("marketing", marketing), ("ecommerce", signed_in("ecommerce"))):
            seen[name] = client.get(f"{LIST}{left.pk}/now/").content.decode()

        assert "ada@example.com" in seen["marketing"]
        assert "ada@example.com" not in seen["ecommerce"]
        assert "a•••@example.com" in seen["ecommerce"]

    def test_nothing_is_merged_without_the_typed_word(self, fed: HandFed, left: Duplicate, marketing: Client):
        for typed in ("", "merge", merging.word(left.first)):
            marketing.post(f"{LIST}{left.pk}/merge/", {"survivor": left.first, "typed": typed})

        merging.carry_out()
        left.refresh_from_db()
        assert (left.state, len(fed.profiles())) == ("open", 2)

    def test_a_confirmed_merge_is_carried_out_read_back_and_followed_here(self, fed: HandFed, left: Duplicate, marketing: Client):
        marketing.post(f"{LIST}{left.pk}/merge/", {"survivor": left.first, "typed": merging.word(left.second)})

        ended = merging.carry_out()
        left.refresh_from_db()
        fed.run()

        (profile,) = fed.profiles()
        assert (ended, left.state, left.survivor, left.decided_by.username) == (1, "merged", left.first, "marketing")
        assert (profile["id"], profile["email"], profile["stats"]["orders"]) == (left.first, "ada@example.com", 1)
        assert fed.look("contacts")["tiktok_shop:tts:7495:1"]["@profile_id"] == left.first
        assert not ContactHandle.objects.filter(contact_key=left.second).exists()
        assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}

    def test_a_merge_waits_for_its_turn_and_for_its_job(self, fed: HandFed, left: Duplicate):
        fed.ometria.change_settings({"merge_delay": 120.0, "merge_rate": None})
        merging.ask(left, left.first, make_person("manager"))

        merging.carry_out()
        left.refresh_from_db()
        assert left.state == "merging"
        fed.ometria.clock.advance(121)
        Duplicate.objects.update(due_at=timezone.now())
        merging.carry_out()
        left.refresh_from_db()
        assert left.state == "merged"

    def test_a_decision_is_taken_back_before_it_is_carried_out(self, fed: HandFed, left: Duplicate, marketing: Client):
        marketing.post(f"{LIST}{left.pk}/merge/", {"survivor": left.first, "typed": merging.word(left.second)})
        marketing.post(f"{LIST}{left.pk}/withdraw/")

        merging.carry_out()
        left.refresh_from_db()
        assert (left.state, len(fed.profiles())) == ("open", 2)
