"""Where alerts may be sent: every address of a host is looked at, and nothing internal is called unless the operator named it."""

from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import Any

import pytest

from monitoring.alerts.guard import Forbidden, place_of


def resolve(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """From now on every name has these addresses; returns the names that were asked."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, **options: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET6 if ":" in address else socket.AF_INET, 1, 6, "", (address, port)) for address in answers]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


INTERNAL = [
    "127.0.0.1", "127.255.0.9", "0.0.0.0", "10.0.0.1", "172.16.5.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.100.100.200",
    "192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "168.63.129.16", "::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
    "::ffff:10.1.2.3", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a9fe:a9fe::1",
    "2001:0:7f00:1::", "2001:db8::1", "fec0::1", "192.88.99.1", "3fff::1",
]  # fmt: skip


@pytest.mark.parametrize("address", INTERNAL)
def test_an_internal_address_is_refused_under_whatever_name(address: str, monkeypatch: pytest.MonkeyPatch, settings: Any):
    settings.ALERT_TARGETS_ALLOWED = []
    resolve(monkeypatch, address)

    with pytest.raises(Forbidden, match="internal address"):
        place_of("https://hooks.example.com/alerts")


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:8.8.8.8"])
def test_a_public_address_may_be_called(address: str, monkeypatch: pytest.MonkeyPatch, settings: Any):
    settings.ALERT_TARGETS_ALLOWED = []
    resolve(monkeypatch, address)

    place = place_of("https://hooks.example.com:8443/alerts?team=shop")

    assert (place.scheme, place.host, place.port, ip_address(place.address), place.path, place.header) == (
        "https", "hooks.example.com", 8443, ip_address(address), "/alerts?team=shop", "hooks.example.com:8443",
    )  # fmt: skip


def test_one_internal_address_among_public_ones_is_one_too_many(monkeypatch: pytest.MonkeyPatch, settings: Any):
    settings.ALERT_TARGETS_ALLOWED = []
    resolve(monkeypatch, "93.184.216.34", "10.0.0.5")

    with pytest.raises(Forbidden, match="10.0.0.5"):
        place_of("https://hooks.example.com/")


def test_a_name_with_other_letters_is_called_as_the_network_knows_it(monkeypatch: pytest.MonkeyPatch, settings: Any):
    settings.ALERT_TARGETS_ALLOWED = []
    resolve(monkeypatch, "93.184.216.34")

    place = place_of("https://bücher.example.com/alerts%C3%BC")

    assert (place.host, place.header, place.path) == ("xn--bcher-kva.example.com", "xn--bcher-kva.example.com", "/alerts%C3%BC")


def test_the_name_is_asked_once_and_the_call_goes_to_what_was_looked_at(monkeypatch: pytest.MonkeyPatch, settings: Any):
    settings.ALERT_TARGETS_ALLOWED = []
    asked = resolve(monkeypatch, "93.184.216.34", "93.184.216.35")

    assert (place_of("https://hooks.example.com/").address, asked) == ("93.184.216.34", ["hooks.example.com"])


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/", "ftp://hooks.example.com/", "hooks.example.com", "https://", "https:///x", "//hooks.example.com/", "",
        "https://user:password@hooks.example.com/", "https://hooks.example.com:99999/", "https://hooks.example.com/a b",
        "https://hooks.example.com/ü", "https://[::1/",
        "https://hooks.example.com/\r\nX: y", "javascript:alert(1)", "file:///etc/passwd",
    ],
)  # fmt: skip
def test_anything_but_a_plain_https_address_is_refused(url: str, monkeypatch: pytest.MonkeyPatch, settings: Any):
    settings.ALERT_TARGETS_ALLOWED = []
    resolve(monkeypatch, "93.184.216.34")

    with pytest.raises(Forbidden):
        place_of(url)


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/", "https://2130706433/", "https://0x7f.1/", "https://[::ffff:127.0.0.1]/", "https://localhost/"]
)
def test_other_ways_to_write_this_machine_are_found_out(url: str, settings: Any):
    settings.ALERT_TARGETS_ALLOWED = []

    with pytest.raises(Forbidden):
        place_of(url)


@pytest.mark.parametrize(
    ("allowed", "address"), [("10.1.0.0/16", "10.1.2.3"), ("10.1.2.3", "10.1.2.3"), ("127.0.0.0/8", "::ffff:127.0.0.1"), ("::1/128", "::1")]
)
def test_what_the_operator_allows_may_be_called_by_http_too(allowed: str, address: str, monkeypatch: pytest.MonkeyPatch, settings: Any):
    settings.ALERT_TARGETS_ALLOWED = [allowed]
    resolve(monkeypatch, address)

    assert ip_address(place_of("http://hooks.internal/").address) == ip_address(address)


def test_an_allowed_network_allows_no_other(monkeypatch: pytest.MonkeyPatch, settings: Any):
    settings.ALERT_TARGETS_ALLOWED = ["10.1.0.0/16"]
    resolve(monkeypatch, "10.2.0.1")

    with pytest.raises(Forbidden):
        place_of("https://hooks.internal/")


def test_a_host_may_be_allowed_by_its_name_and_only_by_its_whole_name(monkeypatch: pytest.MonkeyPatch, settings: Any):
    settings.ALERT_TARGETS_ALLOWED = ["Hooks.Internal"]
    resolve(monkeypatch, "10.2.0.1")

    assert place_of("https://hooks.internal./").address == "10.2.0.1"
    with pytest.raises(Forbidden):
        place_of("https://hooks.internal.example.com/")


def test_a_name_that_nobody_knows_is_told(monkeypatch: pytest.MonkeyPatch):
    def unknown(*args: Any, **options: Any) -> list[Any]:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    with pytest.raises(Forbidden, match="not known"):
        place_of("https://nowhere.example.com/")
