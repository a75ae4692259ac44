"""Ometria as a source of consent: unsubscribes in windows, profiles page by page, and hints of automations confirmed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from integrations.platforms.base import IncomingEvent, RawObject, Window
from integrations.platforms.errors import TryLater, Unparsable
from integrations.platforms.ometria import PLATFORM
from integrations.platforms.ometria.read import READERS
from integrations.platforms.ometria.read import unsubscribes as unsubscribes_room
from integrations.platforms.ometria.read.unsubscribes import place_of
from integrations.standins.ometria.schema import OPTIN, OPTOUT
from mapping.records import Consent, ConsentChange, ConsentState

DAY = datetime(2026, 1, 10, tzinfo=UTC)
NO = ConsentState.WITHDRAWN


def at(hour: float) -> str:
    return (DAY + timedelta(hours=hour)).isoformat()


@pytest.fixture
def people(stand_in, client, sample):
    """Ada and nine others, each subscribed, with a phone number."""
    names = ["ada", *(f"person{number}" for number in range(1, 10))]
    client.push([
        {"@type": "contact", "@collection": "shopify", "id": str(7001 + place), "customer_id": str(7001 + place),
         "email": f"{name}@example.com", "phone_number": f"+44207946001{place}", "marketing_optin": OPTIN, "@merge": True}
        for place, name in enumerate(names)
    ])  # fmt: skip
    stand_in.settle()
    return [f"{name}@example.com" for name in names]


def pulled(client, reader, window):
    """All records of a pull and how many pages it took."""
    records, cursor, pages = [], None, 0
    while True:
        page = READERS[reader].pull(client, window, cursor)
        pages += 1
        records += [record for raw in page.objects for record in PLATFORM.parse(client.account, raw)]
        cursor = page.cursor
        if cursor is None:
            return records, pages


def profile_of(stand_in, email):
    return next(profile for profile in stand_in.look("/profiles").values() if profile["email"] == email)


def test_each_way_of_leaving_is_a_dated_withdrawal_of_its_channel(stand_in, client, people):
    left = [(way, people[hour], hour) for hour, way in enumerate(("preferences_centre", "app", "list_unsubscribe", "link_unsubscribe"))]
    for way, email, hour in left:
        stand_in.act("/unsubscribe", email=email, type=way, at=at(hour))
    records, _ = pulled(client, "unsubscribes", Window(since=DAY, until=DAY + timedelta(days=1)))

    assert [(record.email, record.consents) for record in records] == [
        (email, (Consent(channel="email", state=NO, stated_at=DAY + timedelta(hours=hour), source=way, explicit=True),))
        for way, email, hour in left
    ]


def test_a_stop_word_in_any_spelling_withdraws_text_messages_of_the_number_that_the_profile_has(stand_in, client, people):
    stand_in.act("/unsubscribe", email=people[0], type="stopword_unsubscribe_TF", at=at(1))
    stand_in.account().unsubscribes[-1]["type"] = "stopword_unsubscribe_TF_campaign"
    ((record,), _) = pulled(client, "unsubscribes", Window(since=DAY, until=DAY + timedelta(days=1)))

    consent = Consent(channel="sms", state=NO, stated_at=DAY + timedelta(hours=1), source="stopword_unsubscribe_TF_campaign", explicit=True)
    assert record == ConsentChange(
        key=profile_of(stand_in, people[0])["id"], occurred_at=DAY + timedelta(hours=1), email=people[0], phone="+442079460010",
        customer_key="7001", consents=(consent,),
    )  # fmt: skip


def test_a_row_of_somebody_who_was_erased_since_is_nobodys(stand_in, client, people):
    stand_in.act("/unsubscribe", email=people[0], type="stopword_unsubscribe_DO", at=at(1))
    stand_in.account().unsubscribes[-1]["profile_id"] = "gone"
    assert pulled(client, "unsubscribes", Window(since=DAY, until=DAY + timedelta(days=1))) == ([], 1)


def test_history_is_asked_for_a_day_at_a_time(stand_in, client, pacer, people):
    for day in range(3):
        stand_in.act("/unsubscribe", email=people[day], at=at(24 * day + 1))
    before = len(pacer.taken)
    records, pages = pulled(client, "unsubscribes", Window(since=DAY, until=DAY + timedelta(days=2, hours=12)))

    assert ([record.email for record in records], pages) == (people[:3], 3)
    assert pacer.taken[before:] == ["read"] * 3


@pytest.mark.parametrize("paged", [True, False])
def test_every_row_comes_once_whether_the_account_pages_them_or_not(stand_in, client, people, monkeypatch, paged):
    monkeypatch.setattr("integrations.platforms.ometria.client.MAX_PAGE", 10)
    stand_in.change_settings({"unsubscribes_paged": paged})
    for number in range(30):
        stand_in.act("/unsubscribe", email=people[number % 10], at=at(number / 4))
    records, _ = pulled(client, "unsubscribes", Window(since=DAY, until=DAY + timedelta(days=1)))

    assert [record.occurred_at for record in records] == [DAY + timedelta(hours=number / 4) for number in range(30)]


def test_a_campaign_of_stop_words_is_looked_up_a_page_at_a_time_and_nobody_is_left_out(stand_in, client, people, monkeypatch):
    monkeypatch.setattr(unsubscribes_room, "LOOK_UPS", 3)
    for hour, email in enumerate(people):
        stand_in.act("/unsubscribe", email=email, type="stopword_unsubscribe_TF", at=at(hour))
    records, pages = pulled(client, "unsubscribes", Window(since=DAY, until=DAY + timedelta(days=1)))

    assert ([record.email for record in records], pages) == (people, 4)


def test_a_row_has_the_same_place_whatever_else_is_told_of_it():
    row = {"profile_id": "p", "type": "app", "timestamp": "2026-01-09 22:08:07+00", "reason": None}
    assert place_of(row) == place_of({**row, "reason": "too many", "send_id": 7})
    assert place_of(row) != place_of({**row, "type": "link_unsubscribe"})


def test_a_profile_shows_a_state_without_time_and_nobody_is_said_to_have_acted(stand_in, client, people):
    stand_in.act("/preference", email=people[0], marketing_optin=OPTOUT)
    client.push([{"@type": "contact", "@collection": "crm", "id": "1", "email": "never.asked@example.com", "@merge": True}])
    stand_in.settle()
    records, _ = pulled(client, "profiles", Window(since=DAY - timedelta(days=365)))

    shown = {record.email: record.consents for record in records}
    assert shown[people[0]] == (Consent(channel="email", state=NO, source="profile"),)
    assert shown[people[1]] == (Consent(channel="email", state=ConsentState.GRANTED, source="profile"),)
    assert shown["never.asked@example.com"] == (Consent(channel="email", state=ConsentState.UNKNOWN, source="profile"),)


def test_pages_of_profiles_overlap_and_leave_nobody_out_when_somebody_changes_meanwhile(stand_in, client, monkeypatch):
    for module in ("integrations.platforms.ometria.client", "integrations.platforms.ometria.read.profiles"):
        monkeypatch.setattr(f"{module}.MAX_PAGE", 20)
    for start in (0, 30):
        rows = [{"@type": "contact", "@collection": "crm", "id": str(n), "email": f"p{n}@example.com", "@merge": True}
                for n in range(start, start + 30)]  # fmt: skip
        client.push(rows)
    stand_in.settle()
    window = Window(since=DAY - timedelta(days=365))
    first = client.profiles(since=window.since, limit=20)
    page = READERS["profiles"].pull(client, window, None)
    stand_in.act("/preference", email=first[3]["email"], marketing_optin=OPTOUT)  # moves to the end, all others one place up
    seen = {raw.data["email"] for raw in page.objects}
    while page.cursor:
        page = READERS["profiles"].pull(client, window, page.cursor)
        seen |= {raw.data["email"] for raw in page.objects}

    assert seen == {f"p{n}@example.com" for n in range(60)}


def test_a_repeated_page_of_profiles_is_found_and_not_waited_out(client, monkeypatch):
    rows = [{"id": f"p{number}"} for number in range(250)]
    monkeypatch.setattr(client, "profiles", lambda **asked: rows)
    first = READERS["profiles"].pull(client, Window(since=DAY), None)
    with pytest.raises(TryLater, match="repeated"):
        READERS["profiles"].pull(client, Window(since=DAY), first.cursor)


@pytest.mark.parametrize("optin", ["true", 1, {}, "EXPLICITLY_OPTEDIN"])
def test_a_state_of_another_kind_is_not_guessed_at(client, optin):
    raw = RawObject("profile", {"id": "p", "email": "ada@example.com", "marketing_optin": optin, "_seen_at": at(0)})
    with pytest.raises(Unparsable, match="marketing_optin"):
        PLATFORM.parse(client.account, raw)


# --- hints --------------------------------------------------------------------------------------------------------------


def hint(body: object, key: str = "k") -> IncomingEvent:
    return IncomingEvent(topic="automation", dedup_key=key, body=orjson.dumps(body), hint=True)


def confirmed(client, *bodies):
    """For each hint the states it came to (channel, state, dated), or the note."""
    found = []
    for expansion in PLATFORM.expand(client, [hint(body, str(place)) for place, body in enumerate(bodies)]):
        records = [record for raw in expansion.objects for record in PLATFORM.parse(client.account, raw)]
        said = [(consent.channel, consent.state, consent.explicit) for record in records for consent in record.consents]
        found.append(said or expansion.note)
    return found


def test_a_hint_is_confirmed_by_what_ometria_says_of_that_person_and_of_nobody_else(stand_in, client, people):
    stand_in.act("/preference", email=people[0], marketing_optin=OPTOUT)
    stand_in.act("/unsubscribe", email=people[1], type="link_unsubscribe")

    assert confirmed(client, {"email": people[0].upper()}) == [[("email", NO, True), ("email", NO, False)]]


def test_a_hint_that_claims_what_is_not_so_changes_nothing(client, people):
    assert confirmed(client, {"email": people[0], "marketing_optin": "false"}) == [[("email", ConsentState.GRANTED, False)]]


def test_a_hint_by_profile_id_brings_the_stop_word_too(stand_in, client, people):
    stand_in.act("/unsubscribe", email=people[0], type="stopword_unsubscribe_DO")
    identifier = profile_of(stand_in, people[0])["id"]

    assert confirmed(client, {"profile_id": identifier}) == [[("sms", NO, True), ("email", ConsentState.GRANTED, False)]]


def test_hints_about_nobody_end_with_a_reason_and_a_body_that_is_none_says_so(client, people):
    nobody, stranger = confirmed(client, {"hello": 1}, {"email": "stranger@example.com"})
    assert (nobody, stranger) == (
        "The call names neither a profile nor an e-mail address: correct the webhook's body in Ometria.",
        "Ometria knows nobody of this name (any more).",
    )
    ((raw,),) = [expansion.objects for expansion in PLATFORM.expand(client, [hint({"raw": "x", "reason": "not JSON"})])]
    with pytest.raises(Unparsable, match="not JSON"):
        PLATFORM.parse(client.account, raw)


def test_a_profile_that_was_looked_up_a_moment_ago_is_read_anew(stand_in, client, people):
    assert client.profiles_by_email(people[0])[0]["marketing_optin"] is True
    stand_in.act("/preference", email=people[0], marketing_optin=OPTOUT)

    assert confirmed(client, {"email": people[0]})[0][-1] == ("email", NO, False)
