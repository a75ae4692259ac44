"""The door: signatures over raw bytes, and one key per event however often it comes."""

import dataclasses

import orjson
import pytest

from integrations.platforms.errors import Unverified

UNREADABLE = [
    b"",
    b"{",
    b"7",
    b"\xff\xfe",
    b'{"a": NaN}',
    b'{"a": "\\u0000"}',
    b'{"a": "\\ud800"}',
    b'{"a": 1e400}',
    b'{"a":1,"a":2}',
    b"[" * 10_000,
]


def _signature(room) -> str:
    return room.samples["signature_header"]


@pytest.mark.over("webhook_room")
def test_a_genuine_call_is_recognised_and_verified(room):
    assert room.calls()
    for call in room.calls():
        assert room.platform.webhooks.external_id(call) == room.account().external_id
        room.platform.webhooks.verify(room.account(), call)


@pytest.mark.over("unsigned_room")
def test_what_nobody_signed_is_only_ever_a_hint(room):
    for call in room.calls():
        assert all(event.hint for event in room.platform.webhooks.cut(room.account(), call))


@pytest.mark.over("signed_room")
def test_one_changed_byte_anywhere_is_refused(room):
    for call in room.calls():
        for position in (0, len(call.body) // 2, len(call.body) - 1):
            body = bytearray(call.body)
            body[position] ^= 1
            with pytest.raises(Unverified):
                room.platform.webhooks.verify(room.account(), dataclasses.replace(call, body=bytes(body)))


@pytest.mark.over("webhook_room")
@pytest.mark.parametrize("signature", ["", "AAAA", "é", "0" * 10_000])
def test_a_wrong_or_odd_signature_is_refused(room, signature):
    for call in room.calls():
        headers = {**call.headers, _signature(room): signature}
        with pytest.raises(Unverified):
            room.platform.webhooks.verify(room.account(), dataclasses.replace(call, headers=headers))


@pytest.mark.over("webhook_room")
def test_a_call_without_signature_or_account_is_refused(room):
    call = room.calls()[0]
    unsigned = dataclasses.replace(call, headers={name: value for name, value in call.headers.items() if name != _signature(room)})
    with pytest.raises(Unverified):
        room.platform.webhooks.verify(room.account(), unsigned)
    with pytest.raises(Unverified):
        room.platform.webhooks.external_id(dataclasses.replace(call, headers={}))


@pytest.mark.over("webhook_room")
def test_a_connection_without_secrets_verifies_nothing(room):
    with pytest.raises(Unverified):
        room.platform.webhooks.verify(room.account(secrets={}), room.calls()[0])


@pytest.mark.over("webhook_room")
def test_the_same_event_twice_has_one_key_and_different_events_have_their_own(room):
    keys = [[event.dedup_key for event in room.platform.webhooks.cut(room.account(), call)] for call in room.calls()]
    again = [[event.dedup_key for event in room.platform.webhooks.cut(room.account(), call)] for call in room.calls()]

    assert keys == again
    flat = [key for cut in keys for key in cut]
    assert len(set(flat)) == len(flat) > 0
    assert all(flat)


@pytest.mark.over("webhook_room")
@pytest.mark.parametrize("body", UNREADABLE, ids=lambda body: repr(body[:20]))
def test_a_body_that_cannot_be_read_becomes_an_event_the_inbox_can_store(room, body):
    call = dataclasses.replace(room.calls()[0], body=body)

    for event in room.platform.webhooks.cut(room.account(), call):
        stored = orjson.loads(event.body)
        assert isinstance(stored, dict)
        assert not any("\x00" in str(part) for pair in stored.items() for part in pair)
        assert event.dedup_key
