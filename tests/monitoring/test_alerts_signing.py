"""Signatures of webhooks: the specification's own example, an independent implementation, and two secrets at a time."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.alerts.signing import BadSecret, headers, key_of, new_secret, signature
from tests.monitoring.alert_rows import verified


def test_the_published_example_comes_out_as_published():
    assert (
        signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
        == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


@given(key=st.binary(min_size=24, max_size=64), body=st.binary(max_size=200), timestamp=st.integers(0, 2**33))
def test_an_independent_receiver_takes_what_we_sign_and_nothing_that_was_changed(key: bytes, body: bytes, timestamp: int):
    secret = "whsec_" + base64.b64encode(key).decode()

    signed = headers([secret], "msg_1", timestamp, body)

    assert verified(secret, signed, body)
    assert not verified(secret, signed, body + b" ")
    assert not verified(secret, {**signed, "webhook-id": "msg_2"}, body)
    assert not verified(secret, {**signed, "webhook-timestamp": str(timestamp + 1)}, body)


def test_while_a_secret_is_changed_receivers_with_either_are_served():
    old, new = new_secret(), new_secret()

    signed = headers([new, old], "msg_1", 1, b"{}")

    assert [verified(secret, signed, b"{}") for secret in (old, new, new_secret())] == [True, True, False]


def test_a_fresh_secret_is_long_and_never_the_same():
    made = [new_secret() for _ in range(20)]

    assert (len(set(made)), {len(key_of(secret)) for secret in made}) == (20, {32})


@pytest.mark.parametrize(
    "text", ["", "whsec_", "whsec_short", "whsec_" + "A" * 30, "whsec_" + "A" * 100, "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_€"]
)
def test_what_is_no_secret_is_refused_in_words(text: str):
    with pytest.raises(BadSecret, match="whsec_"):
        key_of(text)
