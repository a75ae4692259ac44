"""Google Pub/Sub's door: only a token that Google signed for this address and account opens it."""

from __future__ import annotations

import base64

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

from integrations.platforms.commercetools.doors.outside import AGAIN_SECONDS, FAILED_SECONDS, Fetched, Shelf
from integrations.platforms.commercetools.doors.pubsub import PubSub
from integrations.platforms.commercetools.doors.token import Token, check_signature, read_keys
from integrations.platforms.errors import TryLater, Unverified
from tests.platforms.commercetools.clouds import (
    AUDIENCE,
    CERTS,
    CHANGE,
    MESSAGE,
    NOW,
    ORDER_ID,
    PUSHER,
    Web,
    account,
    b64,
    certificate,
    key_pair,
    key_set,
    pushed,
    token,
)


class Google:
    """The door with Google's keys on an address of the test's own web, and a clock that stands."""

    def __init__(self) -> None:
        self.web, self.at = Web({CERTS: key_set(k1=key_pair(1))}), 1000.0
        shelf = Shelf(read_keys, self.web.fetch, lambda: self.at)
        self.door = PubSub(shelf, NOW.timestamp)

    def check(self, bearer: str, **settings: str) -> None:
        self.door.check(account(**settings), pushed(MESSAGE, bearer))


@pytest.fixture
def google() -> Google:
    return Google()


def test_a_push_with_googles_token_is_genuine_and_holds_the_hint(google: Google) -> None:
    google.check(token())
    (event,) = google.door.events(account(), pushed(MESSAGE, token()))

    assert (event.topic, event.object_key, event.hint) == ("order/OrderShipmentStateChanged", ORDER_ID, True)
    assert event.dedup_key == "message:5f0d0000-0000-4000-8000-00000000cc01"


def test_both_spellings_of_the_issuer_are_google(google: Google) -> None:
    google.check(token(iss="accounts.google.com"))


NOW_SECONDS = int(NOW.timestamp())
FORGED = {
    "for another audience": lambda: token(aud="https://console.example.com/"),
    "for a list of audiences": lambda: token(aud=[AUDIENCE]),
    "without audience": lambda: token(aud=None),
    "of another issuer": lambda: token(iss="https://accounts.example.com"),
    "of another account": lambda: token(email="pusher@evil.iam.gserviceaccount.com"),
    "of an account in capitals": lambda: token(email=PUSHER.upper()),
    "of an unverified account": lambda: token(email_verified=False),
    "of an account that says it is verified in words": lambda: token(email_verified="true"),
    "expired": lambda: token(exp=NOW_SECONDS - 61),
    "without end": lambda: token(exp=None),
    "with an end in words": lambda: token(exp="tomorrow"),
    "with an end that is true": lambda: token(exp=True),
    "made in the future": lambda: token(iat=NOW_SECONDS + 600),
    "not valid yet": lambda: token(nbf=NOW_SECONDS + 600),
    "signed by nobody (alg none)": lambda: token(header={"alg": "none"}),
    "signed with the public key as a password (HS256)": lambda: token(header={"alg": "HS256"}),
    "signed with another digest": lambda: token(header={"alg": "RS512"}),
    "signed by another key under a known name": lambda: token(key_pair(9)),
    "signed by an unknown key": lambda: token(key_pair(9), kid="k9"),
    "that brings its own key": lambda: token(key_pair(9), kid="k9", header={"jwk": orjson.loads(key_set(k9=key_pair(9)))["keys"][0]}),
    "with an extension we do not know": lambda: token(header={"crit": ["b64"], "b64": False}),
    "whose key has no name": lambda: token(header={"kid": None}),
    "whose key's name is an object": lambda: token(header={"kid": {"k1": 1}}),
    "with padding": lambda: token() + "==",
    "cut short": lambda: token()[:-5],
    "without signature": lambda: token().rpartition(".")[0] + ".",
    "with a fourth part": lambda: token() + ".e30",
    "with blanks inside": lambda: token().replace(".", ".\n", 1),
    "of two parts": lambda: "a.b",
    "of no parts": lambda: "secret",
    "too long": lambda: token(sub="x" * 10_000),
    "of arrays": lambda: f"{b64(b'[]')}.{b64(b'[]')}.{b64(b'x')}",
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_a_token_is_refused_that_is(google: Google, forged) -> None:
    with pytest.raises(Unverified):
        google.check(forged())


def test_a_token_whose_claims_were_changed_is_refused(google: Google) -> None:
    head, _, signature = token(email="somebody@example.com").split(".")
    claims = token().split(".")[1]
    with pytest.raises(Unverified):
        google.check(f"{head}.{claims}.{signature}")


@pytest.mark.parametrize("settings", [{"pubsub_audience": ""}, {"pubsub_email": ""}, {"pubsub_audience": "", "pubsub_email": ""}])
def test_a_connection_that_does_not_name_audience_and_account_lets_nobody_in(google: Google, settings: dict[str, str]) -> None:
    for claims in ({}, {"aud": "", "email": ""}, {"aud": None, "email": None}):
        with pytest.raises(Unverified):
            google.check(token(**claims), **settings)


@pytest.mark.parametrize(
    "address",
    ["https://keys.example.com/certs", "http://www.googleapis.com/oauth2/v3/certs", "https://www.googleapis.com.example.com/", "http://10.0.0.7/",
     "https://www.googleapis.com@example.com/", "http://169.254.169.254/latest/", "file:///etc/passwd", "https://www.googleapis.com:8443/"],
)  # fmt: skip
def test_keys_are_read_from_google_only(google: Google, address: str) -> None:
    with pytest.raises(Unverified):
        google.check(token(), google_certs_url=address)
    assert google.web.asked == []


def test_a_stand_in_on_this_machine_may_give_the_keys_when_the_settings_name_it(google: Google) -> None:
    google.web.answers["http://127.0.0.1:8123/certs"] = key_set(k1=key_pair(1))
    google.check(token(), google_certs_url="http://127.0.0.1:8123/certs")
    assert google.web.asked == ["http://127.0.0.1:8123/certs"]


def test_a_token_with_wrong_claims_makes_nobody_call_google(google: Google) -> None:
    with pytest.raises(Unverified):
        google.check(token(aud="https://elsewhere.example.com/"))
    assert google.web.asked == []


def test_keys_are_read_once_for_as_long_as_google_says(google: Google) -> None:
    google.web.answers[CERTS] = Fetched(key_set(k1=key_pair(1)), 600.0)
    for moment in (1000.0, 1300.0, 1599.0):
        google.at = moment
        google.check(token())
    assert len(google.web.asked) == 1
    google.at = 1601.0
    google.check(token())
    assert len(google.web.asked) == 2


def test_a_key_that_google_withdrew_opens_nothing_once_the_old_list_has_ended(google: Google) -> None:
    google.check(token())
    google.web.answers[CERTS] = key_set(k2=key_pair(3))
    google.at += 3601.0
    with pytest.raises(Unverified):
        google.check(token())


def test_a_new_key_is_found_before_the_old_list_has_ended(google: Google) -> None:
    google.check(token())
    google.web.answers[CERTS] = key_set(k1=key_pair(1), k2=key_pair(3))
    google.at += AGAIN_SECONDS + 1
    google.check(token(key_pair(3), kid="k2"))
    assert len(google.web.asked) == 2


def test_names_of_unknown_keys_do_not_make_us_call_google_again_and_again(google: Google) -> None:
    google.check(token())
    google.at += AGAIN_SECONDS + 1
    for number in range(50):
        call = pushed(MESSAGE, token(key_pair(9), kid=f"made-up-{number}"))
        assert google.door.calls_out(account(), call) is (number == 0)
        with pytest.raises(Unverified):
            google.door.check(account(), call)
    assert len(google.web.asked) == 2


def test_while_google_does_not_answer_the_call_is_to_be_sent_again(google: Google) -> None:
    google.web.answers[CERTS] = TryLater("no answer")
    for _ in range(3):
        with pytest.raises(TryLater):
            google.check(token())
    assert len(google.web.asked) == 1
    google.at += FAILED_SECONDS + 1
    google.web.answers[CERTS] = key_set(k1=key_pair(1))
    google.check(token())


def test_a_known_key_is_used_without_any_call(google: Google) -> None:
    assert google.door.calls_out(account(), pushed(MESSAGE, token())) is True
    google.check(token())
    assert google.door.calls_out(account(), pushed(MESSAGE, token())) is False


def test_keys_may_come_as_certificates() -> None:
    pem = certificate(key_pair(1)).decode()
    keys = read_keys(orjson.dumps({"k1": pem}))
    assert keys["k1"].public_numbers() == key_pair(1).public_key().public_numbers()


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"keys": []}', b'{"keys": [{"kty": "RSA", "kid": "a", "n": "AQAB", "e": "AQAB"}]}', b'{"k1": "no PEM"}']
)  # fmt: skip
def test_what_holds_no_usable_key_is_said_to_hold_none(body: bytes) -> None:
    with pytest.raises(ValueError):
        read_keys(body)


def _rfc(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


# RFC 7515, appendix A.2: the published example of RS256
MODULUS = (
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2j"
    "Z47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK"
    "-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
)  # fmt: skip
SIGNED = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
SIGNATURE = (
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--"
    "f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUi"
    "pUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
)  # fmt: skip


def test_the_published_example_of_rs256_verifies_and_no_other_text_does() -> None:
    key = RSAPublicNumbers(65537, int.from_bytes(_rfc(MODULUS))).public_key()
    check_signature(Token("", {}, SIGNED.encode(), _rfc(SIGNATURE)), key)
    with pytest.raises(Unverified):
        check_signature(Token("", {}, SIGNED.encode() + b"x", _rfc(SIGNATURE)), key)


def test_a_push_without_the_wrapping_is_read_too(google: Google) -> None:
    call = pushed(CHANGE, token())
    bare = orjson.dumps(CHANGE)
    wrapped, unwrapped = (google.door.events(account(), made) for made in (call, _with(call, bare)))
    assert wrapped == unwrapped
    assert wrapped[0].dedup_key == "change:customer:c-1:5:ResourceUpdated"


def _with(call, body: bytes):
    return type(call)(path=call.path, headers=call.headers, body=body)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"7", b'{"message": 7}', b'{"message": {}}', b'{"message": {"data": "???"}}',
             b'{"message": {"data": "\xc3\xa9"}}', b'{"message": {"data": 5}}', b'{"message": {"data": "e30="}}',
             b'{"message": {"data": ""}}', b"[" * 10_000]
)  # fmt: skip
def test_a_push_that_cannot_be_read_is_kept_with_its_reason(google: Google, body: bytes) -> None:
    (event,) = google.door.events(account(), _with(pushed(MESSAGE, token()), body))
    assert set(orjson.loads(event.body)) == {"raw", "reason"}
    assert event.topic == "unknown"
