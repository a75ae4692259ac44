"""Codes in the envelope to error families, over real HTTP with whatever status the platform chooses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from integrations.platforms.errors import Misconfigured, Reconnect, Refused, SlowDown, TryLater
from integrations.platforms.throttle import QUIET_SECONDS, Throttle
from integrations.standins.tiktok_shop.failures import Failure

SAID = "as the platform puts it"
FAMILIES = [
    (36009003, SAID, TryLater, SAID),
    (36009007, SAID, TryLater, SAID),
    (33001002, SAID, TryLater, SAID),
    (12001000, SAID, TryLater, SAID),
    (10002014, SAID, TryLater, SAID),
    (10037003, SAID, TryLater, SAID),
    (105002, "Access token is expired", Reconnect, "has ended"),
    (101000, SAID, Reconnect, "do not belong together"),
    (36004004, SAID, Reconnect, "let the seller authorise the app again"),
    (105005, SAID, Misconfigured, "enable it for the app in Partner Center"),
    (106001, SAID, Misconfigured, "check app key and app secret"),
    (106013, SAID, Misconfigured, "let the seller authorise"),
    (36009033, SAID, Misconfigured, "IP allow list"),
    (36009009, SAID, Refused, SAID),
    (36009010, SAID, Refused, SAID),
    (36009014, SAID, Refused, SAID),
    (36009022, SAID, Refused, SAID),
    (98001004, SAID, Refused, SAID),
    (12052910, SAID, Refused, SAID),
    (36009004, "Missing credentials, the param query.sign (signature) is missing", Refused, "signature"),
    (36009004, "x-tts-access-token header is invalid", Reconnect, "does not know the access token"),
    (36009004, "Invalid app_key", Misconfigured, "does not know the app key"),
    (36009004, "Invalid timestamp, earlier than 5 minutes before the current time", TryLater, "switch on time synchronisation"),
    (36009004, "Invalid timestamp, more than 30 seconds after the current time", TryLater, "switch on time synchronisation"),
    (36009004, "Invalid timestamp, lesser than 0", TryLater, "switch on time synchronisation"),
    (36009004, "The param query.shop_cipher is not required", Refused, "not required"),
    (36009004, "The param body.address is missing", Refused, "body.address"),
    (77, SAID, Refused, SAID),
]


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize(("code", "message", "family", "words"), FAMILIES)
def test_the_code_decides_whatever_the_status(stand_in, client, code, message, family, words, status):
    stand_in.failures.add(Failure(code, message, status=status))

    with pytest.raises(family) as raised:
        client.shops()

    assert (type(raised.value), raised.value.code) == (family, str(code))
    assert words in str(raised.value)
    assert raised.value.request_id


@pytest.mark.parametrize(("status", "family"), [(401, Reconnect), (403, Reconnect), (408, TryLater), (500, TryLater), (503, TryLater)])
def test_a_code_nobody_knows_leaves_it_to_the_status(stand_in, client, status, family):
    stand_in.failures.add(Failure(77, SAID, status=status))
    with pytest.raises(family) as raised:
        client.shops()
    assert type(raised.value) is family


def test_an_outage_is_no_throttling_even_with_a_time(stand_in, client):
    stand_in.failures.add(Failure(36009003, SAID, status=503, retry_after="30"))
    with pytest.raises(TryLater) as raised:
        client.shops()
    assert not isinstance(raised.value, SlowDown)


@pytest.mark.parametrize("status", [200, 429])
def test_a_pause_in_seconds_holds_every_worker_and_halves_the_rate(stand_in, client, pacer, status):
    stand_in.failures.add(Failure(36009002, "Too many requests", status=status, retry_after="7"))

    with pytest.raises(SlowDown) as raised:
        client.shops()

    assert (raised.value.seconds, raised.value.group, raised.value.stated) == (7.0, "read", True)
    assert pacer.pauses == [("read", 7.0)]
    assert pacer.rates[-1] == ("read", 1.5)


def test_a_pause_until_a_date_counts_by_the_platforms_own_clock(stand_in, client):
    stand_in.advance(7200)
    until = datetime.now(UTC) + timedelta(hours=2, seconds=12)
    stand_in.failures.add(Failure(36009002, "Too many requests", status=429, retry_after=format_datetime(until, usegmt=True)))

    with pytest.raises(SlowDown) as raised:
        client.shops()

    assert 9 <= raised.value.seconds <= 13


def test_pauses_without_a_time_grow(stand_in, client):
    waits = []
    for _ in range(3):
        stand_in.failures.add(Failure(36009002, "Too many requests", status=429))
        with pytest.raises(SlowDown) as raised:
            client.shops()
        waits.append(raised.value.seconds)
    assert 1 <= waits[0] < 2 <= waits[1] < 4 <= waits[2] < 5


def test_a_halved_rate_comes_back_by_a_quarter_per_ten_quiet_minutes():
    now = [0.0]
    throttle = Throttle(4.0, clock=lambda: now[0])
    assert (throttle.slower(), throttle.slower(), throttle.answered()) == (2.0, 1.0, None)
    raised = []
    for _ in range(8):
        now[0] += QUIET_SECONDS
        raised.append(throttle.answered())
    assert raised == [1.25, 1.5625, 1.953125, 2.44140625, 3.0517578125, 3.814697265625, 4.0, None]


def test_without_a_quota_nothing_is_halved():
    throttle = Throttle(0.0)
    assert (throttle.slower(), throttle.answered()) == (0.0, None)


def test_the_chosen_rates_are_told_to_the_shared_budget(connect, pacer):
    connect(read_rate="8", write_rate=0)
    assert pacer.rates == [("read", 8.0), ("write", 0.0)]


def test_reads_and_writes_spend_from_budgets_of_their_own(client, pacer):
    client.shops()
    client.subscribe("ORDER_STATUS_CHANGE", "http://127.0.0.1:9/hooks")
    assert pacer.taken == ["read", "write"]


@pytest.mark.parametrize("rate", ["fast", -1])
def test_a_rate_that_is_none_is_told(connect, rate):
    with pytest.raises(Misconfigured, match="Reads a second"):
        connect(read_rate=rate)
