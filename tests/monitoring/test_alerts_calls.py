"""One call: to the address that was looked at, with the certificate of the host, and in bounded time."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests.certs
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from monitoring.alerts import webhook
from tests.monitoring.alert_rows import SECRET


def test_a_receiver_that_never_ends_its_answer_is_left(settings: Any, monkeypatch: pytest.MonkeyPatch):
    settings.ALERT_TARGETS_ALLOWED = ["127.0.0.0/8"]
    monkeypatch.setattr(webhook, "SECONDS", 0.4)
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=drip, args=(listening, stop), daemon=True)
        thread.start()

        outcome = webhook.post(f"http://127.0.0.1:{listening.getsockname()[1]}/", [SECRET], "msg_1", b"{}")
        stop.set()
        thread.join()

    assert (outcome.ok, outcome.ms < 3000, "nothing came back" in outcome.note) == (False, True, True)


def drip(listening: socket.socket, stop: threading.Event) -> None:
    """An answer of one header after another, for as long as the caller stays."""
    caller, _ = listening.accept()
    with caller:
        caller.sendall(b"HTTP/1.1 200 OK\r\n")
        while not stop.wait(0.05):
            try:
                caller.sendall(b"X-More: yes\r\n")
            except OSError:
                return


class TestCertificates:
    """The call goes to the address that was looked at, and the certificate must be that of the host all the same."""

    @pytest.fixture
    def secure(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[int]:
        """A server on this machine with the certificate of hooks.example.com; every name leads to it. Its port."""
        settings.ALERT_TARGETS_ALLOWED = ["127.0.0.0/8"]
        certificate = certificate_for("hooks.example.com", tmp_path)
        monkeypatch.setattr(requests.certs, "where", lambda: str(certificate))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
            answers = [(socket.AF_INET, 1, 6, "", ("127.0.0.1", port))]
            real = socket.getaddrinfo
            monkeypatch.setattr(
                socket, "getaddrinfo", lambda host, *args, **options: answers if "example" in host else real(host, *args, **options)
            )
            thread = threading.Thread(target=answer_once, args=(listening, context), daemon=True)
            thread.start()
            yield port
            thread.join(5)

    def test_the_host_s_own_certificate_is_accepted(self, secure: int):
        outcome = webhook.post(f"https://hooks.example.com:{secure}/x", [SECRET], "msg_1", b"{}")

        assert (outcome.ok, outcome.status) == (True, 200)

    def test_another_host_s_is_not(self, secure: int):
        outcome = webhook.post(f"https://other.example.com:{secure}/x", [SECRET], "msg_1", b"{}")

        assert (outcome.ok, outcome.note) == (False, "No answer: the certificate is not valid, or not that of the host.")


def certificate_for(host: str, folder: Path) -> Path:
    """A certificate that signs itself, with its key, in one file."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    path = folder / "host.pem"
    plain = serialization.NoEncryption()
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def answer_once(listening: socket.socket, context: ssl.SSLContext) -> None:
    caller, _ = listening.accept()
    try:
        with context.wrap_socket(caller, server_side=True) as secured:
            asked = b""
            while not asked.endswith(b"{}"):
                asked += secured.recv(65536)
            secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    except OSError:
        caller.close()
