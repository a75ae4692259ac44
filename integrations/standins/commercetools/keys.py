"""Keys that the clouds in front of the console sign with; made when first needed, never kept."""

import time
from base64 import b64encode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import orjson
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.x509.oid import NameOID

BITS, EXPONENT = 2048, 65_537


@lru_cache(maxsize=8)
def private_key(name: str) -> RSAPrivateKey:
    """The key of that name, the same one as long as this process lives."""
    return generate_private_key(public_exponent=EXPONENT, key_size=BITS)


@lru_cache(maxsize=8)
def certificate(name: str, common_name: str) -> bytes:
    """A self-signed certificate over a key, as PEM."""
    key, subject = private_key(name), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def sign(name: str, content: bytes, *, version: str = "2") -> bytes:
    """An RSA signature (PKCS 1 v1.5), with SHA-1 for version 1 and SHA-256 for version 2."""
    algorithm = hashes.SHA1() if version == "1" else hashes.SHA256()  # noqa: S303 - what SNS version 1 is
    return private_key(name).sign(content, padding.PKCS1v15(), algorithm)


def signature(name: str, content: str, *, version: str) -> str:
    """The same in base 64."""
    return b64encode(sign(name, content.encode(), version=version)).decode()


def token(name: str, claims: dict[str, Any], *, algorithm: str = "RS256") -> str:
    """A JSON web token over claims; ``none`` leaves it unsigned."""
    head = {"alg": algorithm, "kid": name, "typ": "JWT"}
    content = f"{_encoded(orjson.dumps(head))}.{_encoded(orjson.dumps(claims))}"
    signed = b"" if algorithm == "none" else sign(name, content.encode())
    return f"{content}.{_encoded(signed)}"


def jwk(name: str) -> dict[str, str]:
    """The public half of a key, as a JSON web key."""
    numbers = private_key(name).public_key().public_numbers()
    return {"kid": name, "kty": "RSA", "alg": "RS256", "use": "sig", "n": _number(numbers.n), "e": _number(numbers.e)}


def identity(audience: str, email: str, **changes: Any) -> dict[str, Any]:
    """What Google says about a push service account, now by the wall clock (page "Authentication for push subscriptions")."""
    now = int(time.time())
    return {
        "iss": "https://accounts.google.com", "aud": audience, "azp": "113774264463038321964", "sub": "113774264463038321964",
        "email": email, "email_verified": True, "iat": now, "exp": now + 3600, **changes,
    }  # fmt: skip


def _encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _number(value: int) -> str:
    return _encoded(value.to_bytes((value.bit_length() + 7) // 8))
