"""Identity tokens that Google signs: RS256 only, read strictly.

A JWT library was weighed: of it we would use one algorithm and three claims, and what goes wrong with tokens goes wrong in what such
libraries allow (other algorithms, keys from the token, lax encodings). So the 60 lines below, on `cryptography`, which is there anyway.
Facts: Google, "Authentication for push subscriptions"; RFC 7515 and 7519.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Collection
from dataclasses import dataclass

import orjson
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers

from integrations.platforms.base import JsonObject
from integrations.platforms.errors import Unverified

MAX_TOKEN = 8 * 1024
SKEW_SECONDS = 60.0  # how far another clock may be off
SMALLEST_KEY = 2048  # bits
_PART = re.compile(r"[A-Za-z0-9_-]+")
_KID = re.compile(r"[\x21-\x7e]{1,200}")


@dataclass(frozen=True, slots=True)
class Token:
    """A token taken apart; nothing of it is believed before `check_signature` and `check_claims`."""

    kid: str
    claims: JsonObject
    signed: bytes
    signature: bytes


def read_token(text: str) -> Token:
    """Take a compact token apart; raises Unverified for any other algorithm than RS256 and for anything malformed."""
    parts = text.split(".") if len(text) <= MAX_TOKEN else []
    if len(parts) != 3:
        raise Unverified("not a signed token")
    header, claims = _object(parts[0]), _object(parts[1])
    kid = header.get("kid")
    if header.get("alg") != "RS256" or "crit" in header or not isinstance(kid, str) or not _KID.fullmatch(kid):
        raise Unverified("not signed as Google signs")
    return Token(kid, claims, f"{parts[0]}.{parts[1]}".encode(), _decoded(parts[2]))


def check_signature(token: Token, key: RSAPublicKey) -> None:
    """RSA PKCS #1 v1.5 with SHA-256 over header and claims as they came; raises Unverified."""
    try:
        key.verify(token.signature, token.signed, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature as fault:
        raise Unverified("bad signature") from fault


def check_claims(claims: JsonObject, *, issuers: Collection[str], audience: str, email: str, now: float) -> None:
    """Issuer, audience, account and times (`now` in seconds of the epoch); raises Unverified. Nothing configured, nothing accepted."""
    if not audience or not email:
        raise Unverified("no audience or account is configured")
    if claims.get("iss") not in issuers:
        raise Unverified("another issuer")
    if not _same(claims.get("aud"), audience):
        raise Unverified("for another audience")
    if claims.get("email_verified") is not True or not _same(claims.get("email"), email):
        raise Unverified("of another account")
    ends, began, not_before = (_seconds(claims.get(name)) for name in ("exp", "iat", "nbf"))
    if ends is None or now >= ends + SKEW_SECONDS:
        raise Unverified("expired")
    if any(moment is not None and moment > now + SKEW_SECONDS for moment in (began, not_before)):
        raise Unverified("not valid yet")


def read_keys(body: bytes) -> dict[str, RSAPublicKey]:
    """Signing keys by id, from a JSON Web Key Set or from a map of PEM certificates; raises ValueError without a usable one."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError as fault:
        raise ValueError("not JSON") from fault
    if not isinstance(parsed, dict):
        raise ValueError("not a set of keys")
    rows = parsed.get("keys")
    found = _from_set(rows) if isinstance(rows, list) else _from_certificates(parsed)
    if not found:
        raise ValueError("no usable key")
    return found


def _from_set(rows: list[object]) -> dict[str, RSAPublicKey]:
    found = {}
    for row in rows:
        if not isinstance(row, dict) or row.get("kty") != "RSA" or row.get("use", "sig") != "sig" or row.get("alg", "RS256") != "RS256":
            continue
        numbers = [row.get(name) for name in ("n", "e")]
        if isinstance(row.get("kid"), str) and all(isinstance(number, str) for number in numbers):
            try:
                modulus, exponent = (int.from_bytes(_decoded(str(number))) for number in numbers)
                key = RSAPublicNumbers(exponent, modulus).public_key()
            except (Unverified, ValueError):
                continue
            if key.key_size >= SMALLEST_KEY:
                found[row["kid"]] = key
    return found


def _from_certificates(parsed: JsonObject) -> dict[str, RSAPublicKey]:
    found = {}
    for kid, text in parsed.items():
        key = x509.load_pem_x509_certificate(str(text).encode()).public_key()
        if isinstance(key, RSAPublicKey) and key.key_size >= SMALLEST_KEY:
            found[kid] = key
    return found


def _object(part: str) -> JsonObject:
    try:
        parsed = orjson.loads(_decoded(part))
    except orjson.JSONDecodeError as fault:
        raise Unverified("not a signed token") from fault
    if not isinstance(parsed, dict):
        raise Unverified("not a signed token")
    return parsed


def _decoded(part: str) -> bytes:
    """Base64 for URLs without padding, nothing else; raises Unverified."""
    if not _PART.fullmatch(part):
        raise Unverified("not a signed token")
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except binascii.Error as fault:
        raise Unverified("not a signed token") from fault


def _same(given: object, expected: str) -> bool:
    return isinstance(given, str) and hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def _seconds(value: object) -> float | None:
    """A time of a claim; anything odd counts as absent, which `exp` must not be."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12 else None
