"""Calls of the API: predicates with variables, pages, versions and faults, against answers that a test has written down."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from integrations.platforms.base import Account, JsonObject
from integrations.platforms.commercetools.client import TRIES, CommercetoolsClient, Query, Where
from integrations.platforms.errors import Misconfigured, PlatformError, Reconnect, Refused, SlowDown, TryLater
from tests.platforms.shopify.scripted import Script

ORDERS = Query(path="/orders", sort=("id asc",))


class NotingPacer:
    """Notes what is asked of the shared rate budget."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, float]] = []
        self.rates: list[tuple[str, float | None]] = []
        self.pauses: list[tuple[str, float]] = []

    def take(self, group: str, cost: float = 1) -> None:
        self.taken.append((group, cost))

    def report(self, group: str, *, rate: float | None = None, burst: float | None = None, available: float | None = None) -> None:
        self.rates.append((group, rate))

    def pause(self, group: str, seconds: float) -> None:
        self.pauses.append((group, seconds))


@pytest.fixture
def script() -> Iterator[Script]:
    made = Script()
    yield made
    made.close()


@pytest.fixture
def pacer() -> NotingPacer:
    return NotingPacer()


@pytest.fixture
def client(script: Script, pacer: NotingPacer) -> CommercetoolsClient:
    account = Account(
        connection_id=1, platform="commercetools", external_id="acme-demo", base_url=script.url, secrets={"access_token": "token-1"}
    )  # fmt: skip
    return CommercetoolsClient(account, pacer)


def page(*ids: str, limit: int = 500) -> JsonObject:
    return {"limit": limit, "offset": 0, "count": len(ids), "results": [{"id": key, "version": 1} for key in ids]}


def refusal(status: int, code: str, **more: object) -> JsonObject:
    return {"statusCode": status, "message": "No.", "errors": [{"code": code, "message": "No.", **more}]}


def asked(script: Script, index: int = -1) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(script.calls[index][1]).query)


def test_values_travel_as_variables_and_never_inside_the_predicate(client, script):
    script.then(page("a"))
    odd = 'x" or id != "'
    client.page(Query(path="/orders", where=(Where("orderNumber = :number and id in :ids", {"number": odd, "ids": ["1", "2"]}),), limit=20))

    assert asked(script) == [
        ("where", "orderNumber = :number and id in :ids"), ("var.number", odd), ("var.ids", "1"), ("var.ids", "2"),
        ("limit", "20"), ("withTotal", "false"),
    ]  # fmt: skip
    assert script.calls[0][1].startswith("/acme-demo/orders?")


@pytest.mark.parametrize("predicate", ['orderNumber = "W-1"', "orderNumber = :number", "id = :id and version = :number"])
def test_a_predicate_with_a_value_in_it_or_a_variable_without_one_is_a_mistake_of_ours(predicate):
    with pytest.raises(ValueError, match="variable"):
        Where(predicate, {"id": "1"})


def test_every_call_has_an_id_of_its_own_that_tells_the_run(client, script):
    script.then({"key": "acme-demo"}, X_DEPRECATION_NOTICE="Old field.")
    client.settings()
    client.settings()
    first, second = (call[2]["x-correlation-id"] for call in script.calls)

    assert (first.split("-")[0], first == second) == (second.split("-")[0], False)
    assert (client.deprecation, abs(client.server_time - datetime.now(UTC)) < timedelta(seconds=5)) == ("Old field.", True)
    assert script.calls[0][2]["authorization"] == "Bearer token-1"


def test_a_page_too_large_is_asked_for_by_half_and_stays_so(client, script):
    script.then(refusal(413, "ContentTooLarge"), 413).then(raw=b"<html>too large</html>", status=413).then(page("a", limit=125))
    found = client.page(ORDERS)
    client.page(ORDERS)

    assert [dict(asked(script, index))["limit"] for index in range(4)] == ["500", "250", "125", "125"]
    assert (found.full, len(found.rows)) == (False, 1)


FAULTS = [
    (400, refusal(400, "InvalidInput"), Refused),
    (400, refusal(400, "DuplicateField"), Refused),
    (404, refusal(404, "ResourceNotFound"), Refused),
    (409, refusal(409, "ConcurrentModification", currentVersion=3), TryLater),
    (400, refusal(400, "LockedField"), TryLater),
    (401, {"statusCode": 401, "error": "invalid_token", "message": "No."}, Reconnect),
    (403, refusal(403, "insufficient_scope"), Misconfigured),
    (500, refusal(500, "General"), TryLater),
    (503, refusal(503, "PendingOperation"), TryLater),
    (418, refusal(418, "SomethingNew"), Refused),
    (599, refusal(599, "SomethingNew"), TryLater),
]


@pytest.mark.parametrize(("status", "answer", "family"), FAULTS, ids=[f"{status}-{family.__name__}" for status, _, family in FAULTS])
def test_the_code_of_an_error_decides_its_family(client, script, status, answer, family):
    script.then(answer, status)

    with pytest.raises(PlatformError) as raised:
        client.post("/orders/1", {})
    assert (type(raised.value) is family or family is TryLater and isinstance(raised.value, TryLater)) is True
    assert not isinstance(raised.value, SlowDown)


@pytest.mark.parametrize("status", [502, 503, 504])
def test_an_answer_of_the_infrastructure_without_json_passes(client, script, status):
    script.then(raw=b"<html>bad gateway</html>", status=status)

    with pytest.raises(TryLater) as raised:
        client.settings()
    assert not isinstance(raised.value, SlowDown)


def test_over_capacity_holds_every_worker_and_halves_the_rate(client, script, pacer):
    script.then(refusal(503, "OverCapacity"), 503)

    with pytest.raises(SlowDown):
        client.settings()
    assert [group for group, _ in pacer.pauses] == ["read"]
    assert pacer.rates[-1] == ("read", 25.0)


def test_a_pause_that_is_stated_is_kept_to_the_second(client, script, pacer):
    script.then(refusal(429, "TooManyRequests"), 429, Retry_After="7")

    with pytest.raises(SlowDown) as raised:
        client.settings()
    assert (raised.value.seconds, pacer.pauses) == (7.0, [("read", 7.0)])


# --- versions ----------------------------------------------------------------------------------------------------------


def opt_in(held: JsonObject) -> list[JsonObject]:
    return [] if held.get("said") else [{"action": "setCustomField", "name": "optIn", "value": f"seen at {held['version']}"}]


def test_a_change_that_came_between_is_read_and_the_actions_are_decided_anew(client, script):
    script.then({"id": "1", "version": 1}).then(refusal(409, "ConcurrentModification", currentVersion=3), 409)
    script.then({"id": "1", "version": 3}).then({"id": "1", "version": 5})
    after = client.update("/customers/1", opt_in)

    assert [call[0] for call in script.calls] == ["GET", "POST", "GET", "POST"]
    assert [script.sent(index) for index in (1, 3)] == [
        {"version": version, "actions": opt_in({"version": version})} for version in (1, 3)
    ]  # fmt: skip
    assert after == {"id": "1", "version": 5}


def test_when_the_other_change_did_it_already_nothing_is_sent_again(client, script):
    script.then({"id": "1", "version": 1}).then(refusal(409, "ConcurrentModification"), 409).then({"id": "1", "version": 3, "said": True})

    assert client.update("/customers/1", opt_in) == {"id": "1", "version": 3, "said": True}
    assert [call[0] for call in script.calls] == ["GET", "POST", "GET"]


def test_after_five_tries_the_others_win_for_now(client, script):
    for _ in range(TRIES):
        script.then({"id": "1", "version": 1}).then(refusal(409, "ConcurrentModification"), 409)

    with pytest.raises(TryLater):
        client.update("/customers/1", opt_in)
    assert [call[0] for call in script.calls] == ["GET", "POST"] * TRIES


def test_what_is_gone_is_not_changed(client, script):
    script.then(refusal(404, "ResourceNotFound"), 404)

    assert client.update("/customers/1", opt_in) is None
    assert [call[0] for call in script.calls] == ["GET"]


def test_more_changes_than_one_update_takes_are_refused_before_they_are_sent(client, script):
    script.then({"id": "1", "version": 1})

    with pytest.raises(Refused, match="500"):
        client.update("/customers/1", lambda held: [{"action": "setKey"}] * 501)


def test_several_resources_are_read_side_by_side_in_the_order_asked(client, script, pacer):
    script.then({"id": "x", "version": 1})
    ids = [f"o-{number}" for number in range(11)]

    assert [key for key, _ in client.each("/orders", ids, expand=("cart",))] == ids
    assert sorted(urlsplit(call[1]).path for call in script.calls) == sorted(f"/acme-demo/orders/{key}" for key in ids)
    assert pacer.taken == [("read", 8), ("read", 3)]


def test_of_several_resources_those_that_are_gone_are_none_and_a_fault_stops_the_rest(client, script):
    script.then(refusal(404, "ResourceNotFound"), 404)
    assert list(client.each("/orders", ["1", "2"])) == [("1", None), ("2", None)]

    script.answers.clear()
    script.then(refusal(500, "General"), 500)
    with pytest.raises(TryLater):
        list(client.each("/orders", ["1"]))


def test_long_lists_of_ids_are_asked_for_in_hundreds(client, script):
    script.then(page("a"))
    list(client.among(ORDERS, [f"o-{number}" for number in range(230)]))

    assert [sum(name == "var.ids" for name, _ in asked(script, index)) for index in range(3)] == [100, 100, 30]
    assert max(len(call[1]) for call in script.calls) < 8000
