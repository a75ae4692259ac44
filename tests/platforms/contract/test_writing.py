"""Writers: one outcome per item, nothing delivered because it was asked, faults sorted into families."""

import pytest

from integrations.platforms.base import OutcomeState
from integrations.platforms.errors import PlatformError, Reconnect, SlowDown, TryLater

PASSING = [
    {"status": 500, "body": {}},
    {"status": 502, "text": "<html>bad gateway</html>"},
    {"status": 200, "text": "<html>hello</html>"},
    None,
]
FAULTS = [*PASSING, *({"status": status, "body": {}} for status in (401, 403, 404, 429))]


@pytest.mark.over("room")
def test_every_writer_has_a_sample(room):
    assert set(room.part("writers")) == {str(record_type) for record_type in room.platform.writers}


@pytest.mark.over("writer")
def test_samples_pass_the_writers_own_check_and_have_keys_of_their_own(room, record_type):
    writer, items = room.platform.writers[record_type], room.items(record_type)

    assert [list(writer.check(item.payload)) for item in items] == [[], []]
    assert len({writer.destination_key(item.payload) for item in items} - {""}) == 2


@pytest.mark.over("writer")
def test_an_empty_payload_is_found_wanting_before_it_is_sent(room, record_type):
    problems = room.platform.writers[record_type].check({})

    assert problems
    assert all(problem.message for problem in problems)


@pytest.mark.over("writer")
def test_the_writer_answers_one_outcome_per_item(room, record_type, call):
    writer, items = room.platform.writers[record_type], room.items(record_type)
    client = call(room, room.part("writers")[record_type]["answer"])

    outcomes = writer.send(client, items)

    assert sorted(outcome.key for outcome in outcomes) == [item.key for item in items]
    assert {outcome.state for outcome in outcomes} <= {OutcomeState.ACCEPTED, OutcomeState.DELIVERED}
    assert all(outcome.receipt for outcome in outcomes if outcome.state is OutcomeState.ACCEPTED)
    assert {outcome.destination_key for outcome in outcomes} == {writer.destination_key(item.payload) for item in items}


@pytest.mark.over("writer")
def test_sending_changes_no_payload(room, record_type, call):
    items, untouched = room.items(record_type), room.items(record_type)

    room.platform.writers[record_type].send(call(room, room.part("writers")[record_type]["answer"]), items)

    assert [item.payload for item in items] == [item.payload for item in untouched]


@pytest.mark.over("writer")
def test_a_pause_asked_for_is_passed_on_to_the_second(room, record_type, call):
    assert room.samples["throttled"]
    for answer in room.samples["throttled"]:
        with pytest.raises(SlowDown) as raised:
            room.platform.writers[record_type].send(call(room, answer), room.items(record_type))
        assert raised.value.seconds == pytest.approx(answer["seconds"])


@pytest.mark.over("writer")
@pytest.mark.parametrize("answer", PASSING, ids=["500", "502", "html", "dropped"])
def test_a_passing_fault_is_tried_later_and_is_no_pause(room, record_type, call, answer):
    with pytest.raises(TryLater) as raised:
        room.platform.writers[record_type].send(call(room, answer), room.items(record_type))

    assert not isinstance(raised.value, SlowDown)


@pytest.mark.over("writer")
@pytest.mark.parametrize("status", [401, 403])
def test_dead_credentials_ask_to_reconnect_and_show_no_secret(room, record_type, call, status):
    with pytest.raises(Reconnect) as raised:
        room.platform.writers[record_type].send(call(room, {"status": status, "body": {}}), room.items(record_type))

    assert not any(secret in str(raised.value) for secret in room.account().secrets.values())


@pytest.mark.over("room")
@pytest.mark.parametrize("answer", FAULTS, ids=["500", "502", "html", "dropped", "401", "403", "404", "429"])
def test_the_test_call_tells_every_fault_in_words_without_secrets(room, call, answer):
    try:
        probe = room.platform.probe(call(room, answer))
    except PlatformError as fault:
        said = str(fault)
    else:
        assert probe.ok is False
        assert probe.problems
        said = " ".join((probe.summary, *probe.problems))

    assert said.strip()
    assert not any(secret in said for secret in room.account().secrets.values())


@pytest.mark.over("room")
@pytest.mark.parametrize("status", [401, 403])
def test_the_test_call_names_the_remedy_for_dead_credentials(room, call, status):
    probe = room.platform.probe(call(room, {"status": status, "body": {}}))

    assert probe.ok is False
    assert probe.problems
