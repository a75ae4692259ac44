"""The client against a real server: limits, pauses, keys, queue, reads."""

from datetime import UTC, datetime

import pytest

from integrations.platforms.errors import Reconnect, Refused, SlowDown, TryLater
from integrations.platforms.ometria import PLATFORM
from integrations.platforms.ometria.client import BAD_ADDRESS
from integrations.standins.faults import Fault
from tests.platforms.ometria.conftest import KEY

BASE_RATES = {"push": (4.0, 4.0), "read": (4.0, 4.0)}


def test_every_call_spends_from_its_own_budget_and_tells_the_pacer_the_rates(client, pacer, sample):
    client.push([sample("contact")])
    client.push_errors()
    client.contact("shopify", "7001")

    assert pacer.taken == ["push", "read", "read"]
    assert pacer.reports == BASE_RATES


def test_without_a_quota_the_pacer_is_told_and_still_asked_because_of_pauses(connect, pacer):
    connect(push_rate=0, read_rate=0).lists()

    assert (pacer.taken, pacer.reports) == (["read"], {"push": (0.0, 1.0), "read": (0.0, 1.0)})


def test_a_stated_pause_is_passed_on_to_the_second_and_to_every_worker(client, pacer, stand_in, sample):
    stand_in.faults.add(Fault(kind="status", path="/push", status=429, retry_after="7"))

    with pytest.raises(SlowDown) as raised:
        client.push([sample("contact")])

    assert (raised.value.seconds, raised.value.group, raised.value.status) == (7.0, "push", 429)
    assert pacer.pauses == [("push", 7.0)]


def test_an_unstated_pause_grows_within_a_minute_and_is_forgotten_after_a_success(client, stand_in, sample):
    stand_in.faults.add(Fault(kind="status", path="/push", status=429, times=9))
    waits = []
    for _ in range(9):
        with pytest.raises(SlowDown) as raised:
            client.push([sample("contact")])
        waits.append(raised.value.seconds)
    client.push([sample("contact")])
    stand_in.faults.add(Fault(kind="status", path="/push", status=429))

    with pytest.raises(SlowDown) as raised:
        client.push([sample("contact")])

    assert all(1.0 <= wait <= min(60.0, 2.0**number) for number, wait in enumerate(waits, 1))
    assert max(waits) > 2.0
    assert 1.0 <= raised.value.seconds <= 2.0


def test_the_quota_of_the_platform_itself_becomes_a_pause(connect, stand_in, sample):
    stand_in.change_settings({"push_rate": 1.0})
    client = connect(push_rate=0)
    client.push([sample("contact")])

    with pytest.raises(SlowDown):
        client.push([sample("contact")])


def test_a_wrong_key_asks_to_reconnect_and_says_why(connect):
    with pytest.raises(Reconnect) as raised:
        connect(key="wrong").lists()

    expected = "Ometria does not accept the API key: it is wrong, revoked, or newer than ten minutes and not active yet"
    assert (str(raised.value), raised.value.status) == (expected, 403)


def test_the_next_key_takes_over_when_the_first_one_is_refused(connect, stand_in, sample):
    stand_in.add_key("demo", "second-demo-key")
    stand_in.revoke_key("demo-ometria-key")
    client = connect(next_key="second-demo-key")

    assert client.push([sample("contact")]).accepted == 1
    assert client.key_in_use == "api_key_next"


def test_two_dead_keys_ask_to_reconnect(connect):
    with pytest.raises(Reconnect):
        connect(key="old", next_key="also-wrong").lists()


def test_a_push_to_an_address_without_the_api_asks_to_reconnect(connect, base, sample):
    client = connect(address=base + "/elsewhere")

    with pytest.raises(Reconnect, match="no Data API at this address"):
        client.push([sample("contact")])


def test_a_base_address_may_end_with_the_version(connect, base):
    assert connect(address=base + "/v2/").lists() == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind="status", path="/push", status=500),
        Fault(kind="status", path="/push", status=503),
        Fault(kind="truncate", path="/push"),
        Fault(kind="html", path="/push"),
        Fault(kind="reset_after_accept", path="/push"),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)
def test_a_passing_fault_is_tried_later(client, stand_in, sample, fault):
    stand_in.faults.add(fault)

    with pytest.raises(TryLater) as raised:
        client.push([sample("contact")])

    assert not isinstance(raised.value, SlowDown)


def test_a_nearly_full_queue_holds_the_next_batch_and_every_worker(client, pacer, stand_in, sample):
    stand_in.change_settings({"queue_limit": 120, "delay": 60.0})
    client.push([sample("order", id=f"shp-{number}") for number in range(50)])

    with pytest.raises(SlowDown) as raised:
        client.push([sample("order", id=f"shp-{number}") for number in range(50, 130)])

    assert (raised.value.code, raised.value.group) == ("queue_full", "push")
    assert 9.0 < raised.value.seconds <= 10.0
    assert pacer.pauses == [("push", 10.0)]
    assert pacer.taken == ["push"]


def test_a_batch_that_still_fits_into_the_queue_goes_out(client, stand_in, sample):
    stand_in.change_settings({"queue_limit": 120, "delay": 60.0})
    client.push([sample("order", id=f"shp-{number}") for number in range(50)])

    assert client.push([sample("order", id="shp-50")]).accepted == 1


@pytest.mark.parametrize("count", [0, 101])
def test_a_push_of_another_size_than_1_to_100_is_a_defect(client, sample, count):
    with pytest.raises(ValueError, match="1 to 100 records of one type"):
        client.push([sample("contact")] * count)


def test_types_are_never_mixed_in_a_push(client, sample):
    with pytest.raises(ValueError, match="of one type"):
        client.push([sample("contact"), sample("order")])


def test_the_error_list_is_found_at_the_other_path_and_remembered(client, stand_in, base):
    stand_in.change_settings({"push_errors_path": False})
    client.push_errors()
    client._errors = None
    client.push_errors()

    calls = stand_in.account().calls
    assert calls["GET /push-errors"] == 2
    assert client._errors_path == "/push-errors"


def test_the_error_list_at_no_path_is_refused_in_plain_words(client, stand_in):
    stand_in.change_settings({"push_errors_path": False, "push_dash_errors_path": False})

    with pytest.raises(Refused, match="none of the known paths"):
        client.push_errors()


def test_the_error_list_is_asked_once_within_a_second_and_again_after_a_push(client, pacer, sample):
    for _ in range(3):
        client.push_errors()
    client.push([sample("contact")])
    client.push_errors()

    assert pacer.taken == ["read", "push", "read"]


@pytest.mark.parametrize("as_object", [False, True])
def test_a_profile_is_found_by_an_address_with_a_plus_in_either_shape(client, stand_in, sample, as_object):
    stand_in.change_settings({"profile_as_object": as_object})
    client.push([sample("contact", email="ada+shop@example.com")])

    assert [profile["email"] for profile in client.profiles_by_email("ada+shop@example.com")] == ["ada+shop@example.com"]
    assert client.profiles_by_email("nobody@example.com") == []


def test_a_profile_is_not_asked_twice_within_a_minute(client, pacer):
    client.profiles_by_email("ada@example.com")
    client.profiles_by_email("ada@example.com")

    assert pacer.taken == ["read"]


PEOPLE = [f"person{number}@example.com" for number in range(20)]


def known(client, sample):
    own = [{"id": str(number), "customer_id": str(number), "email": email} for number, email in enumerate(PEOPLE) if number % 2]
    client.push([sample("contact", **who) for who in own])


def test_profiles_of_many_addresses_are_asked_once_each_and_remembered(client, pacer, sample):
    known(client, sample)
    pacer.taken.clear()

    found = client.profiles_by_emails([*PEOPLE, PEOPLE[3]])
    again = client.profiles_by_emails(PEOPLE)

    assert {email: [row["email"] for row in rows] for email, rows in found.items()} == {
        email: [email] if number % 2 else [] for number, email in enumerate(PEOPLE)
    }
    assert (again, pacer.taken) == (found, ["read"] * 20)


def test_profiles_that_were_answered_before_a_turn_had_to_be_waited_for_are_not_asked_again(client, pacer, sample, monkeypatch):
    known(client, sample)
    monkeypatch.setattr(pacer, "take", turns := Turns(11))
    with pytest.raises(SlowDown, match="turn"):
        client.profiles_by_emails(PEOPLE)
    turns.left = 9

    assert len(client.profiles_by_emails(PEOPLE)) == 20


class Turns:
    """A budget of so many calls."""

    def __init__(self, left):
        self.left = left

    def __call__(self, group, cost=1):
        if not self.left:
            raise SlowDown("waiting for this connection's turn", seconds=3, group=group, code="paced")
        self.left -= 1


def test_profiles_of_many_addresses_go_on_with_the_next_key(connect, stand_in):
    client = connect(key="revoked-key", next_key=KEY)

    assert client.profiles_by_emails(PEOPLE[:9]) == {email: [] for email in PEOPLE[:9]}
    assert client.key_in_use == "api_key_next"


def test_a_pause_that_is_asked_for_among_many_reads_is_held_for_everybody(client, pacer, stand_in):
    stand_in.faults.add(Fault(kind="status", path="/profiles", status=429, retry_after="7"))

    with pytest.raises(SlowDown) as told:
        client.profiles_by_emails(PEOPLE)

    assert (told.value.seconds, pacer.pauses) == (7.0, [("read", 7.0)])


def test_a_collection_with_a_colon_is_reached(client, sample):
    client.push([sample("contact", **{"@collection": "optin:sms"})])

    assert client.contact("optin:sms", "7001")["id"] == "7001"


def test_objects_are_read_one_by_one_and_absent_ones_are_none(client, sample):
    for name in ("contact", "order", "product", "variant", "checkout"):
        client.push([sample(name)])
    profile = client.profiles_by_email("ada@example.com")[0]

    assert client.order("shp-5001")["total_refunded"] == 27.0
    assert client.product("V100-M")["parent_id"] == "P100"
    assert client.custom_event("abandoned_checkout", "9f1c2d3e4a5b46778899aabbccddeeff")["properties"]["checkout_id"] == "c-889"
    assert client.profile(profile["id"])["email"] == "ada@example.com"
    absent = [client.order("x"), client.product("x"), client.contact("shopify", "x"), client.profile("x"), client.custom_event("a", "b")]
    assert absent == [None] * 5


def test_pages_are_read_in_windows(client, sample):
    client.push([sample("order", id=f"shp-{day}", timestamp=f"2026-01-{day:02d}T12:00:00Z") for day in range(1, 11)])
    client.push([sample("contact")])
    client.push([sample("product"), sample("variant")])
    since, before = datetime(2026, 1, 3, tzinfo=UTC), datetime(2026, 1, 6, tzinfo=UTC)

    assert [order["id"] for order in client.orders("timestamp", since, before)] == ["shp-3", "shp-4", "shp-5"]
    assert len(client.orders("update", since)) == 10
    assert [row["id"] for row in client.contacts("shopify", since=since)] == ["7001"]
    assert client.contacts("tiktok_shop") == []
    assert client.collections() == [{"collection": "shopify", "count": 1}]
    assert [row["id"] for row in client.products()] == ["P100", "V100-M"]
    assert [row["id"] for row in client.products(variants=False)] == ["P100"]
    assert [row["email"] for row in client.profiles(since=since)] == ["ada@example.com"]
    assert client.unsubscribes(since, before) == []


def test_the_probe_says_that_the_key_works(connect):
    probe = PLATFORM.probe(connect(reporting_currency="GBP", push_rate=8, read_rate=0))

    assert (probe.ok, probe.summary, probe.problems) == (True, "Ometria answers and accepts the API key.", ())
    assert probe.facts == {"Active segments": "0", "Pushes": "8 a second", "Reads": "no quota"}


def test_the_probe_names_the_remedy_for_a_bad_key(connect):
    probe = PLATFORM.probe(connect(key="wrong"))

    assert (probe.ok, probe.summary) == (False, "Ometria does not accept the API key.")
    assert "up to ten minutes" in probe.problems[0]


def test_the_probe_says_when_only_the_next_key_works(connect, stand_in):
    stand_in.add_key("demo", "second-demo-key")
    probe = PLATFORM.probe(connect(key="old", next_key="second-demo-key", reporting_currency="GBP"))

    assert (probe.ok, probe.problems[0].split(":")[0]) == (True, "Ometria takes only the next API key")


@pytest.mark.parametrize(
    ("fault", "summary"),
    [
        (Fault(kind="status", path="/lists", status=404), f"{BAD_ADDRESS}."),
        (Fault(kind="status", path="/lists", status=429, retry_after="7"), "Ometria asks for a pause, so the key could not be tested."),
        (Fault(kind="html", path="/lists"), "Ometria did not answer properly (the answer was not JSON)."),
    ],
    ids=["404", "429", "html"],
)
def test_the_probe_answers_every_fault_in_a_sentence_with_a_remedy(client, stand_in, fault, summary):
    stand_in.faults.add(fault)

    probe = PLATFORM.probe(client)

    assert (probe.ok, probe.summary, len(probe.problems)) == (False, summary, 1)
