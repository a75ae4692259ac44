"""Where alerts may be sent: the public internet by https, and beyond that only what the operator allows (`ALERT_TARGETS_ALLOWED`).

Every address of a host is looked at, and the call goes to the address that was looked at, so that a name which answers differently the
second time gains nothing.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from django.conf import settings

Address = IPv4Address | IPv6Address
PORTS = {"https": 443, "http": 80}
NAT64 = ip_network("64:ff9b::/96")  # RFC 6052: an IPv4 address in the last 32 bits
COMPATIBLE = ip_network("::/96")  # RFC 4291, deprecated: likewise
# What looks public to some versions of Python: special purposes by IANA's registries, and services of clouds that only insiders reach.
SPECIAL = tuple(
    ip_network(network)
    for network in (
        "192.0.0.0/24", "192.88.99.0/24", "64:ff9b:1::/48", "3fff::/20", "5f00::/16",
        "168.63.129.16/32", "100.100.100.200/32", "fd00:ec2::/32",
    )
)  # fmt: skip


class Forbidden(Exception):
    """An alert may not be sent there; the text says why in one sentence."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a call goes: the checked address for the socket, the host for the certificate and the Host header."""

    scheme: str
    host: str
    port: int
    address: str
    path: str

    @property
    def header(self) -> str:
        """The Host header."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == PORTS[self.scheme] else f"{name}:{self.port}"


def shape_of(url: str) -> tuple[str, str, int, str]:
    """Scheme, host, port and path of an address as it is written; raises Forbidden when it is none that can be called."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as fault:
        raise Forbidden("This is not an address.") from fault
    if parts.scheme not in PORTS or not parts.hostname:
        raise Forbidden("An address begins with https:// and a host.")
    if parts.username or parts.password:
        raise Forbidden("A name or password in the address is not used; the signature proves who sends.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if any(not " " < letter <= "~" for letter in path) or any(letter.isspace() for letter in url.strip()):
        raise Forbidden("There is a blank or a sign in the address that must be written as %…")
    return parts.scheme, _ascii(parts.hostname), port or PORTS[parts.scheme], path


def _ascii(host: str) -> str:
    """A host's name as the network knows it."""
    try:
        return host if host.isascii() else host.encode("idna").decode()
    except UnicodeError as fault:
        raise Forbidden("The host has a name that cannot be.") from fault


def place_of(url: str) -> Place:
    """The place to call, every address of its host looked at; raises Forbidden."""
    scheme, host, port, path = shape_of(url)
    found = addresses_of(host, port)
    named = host.lower().rstrip(".") in _names()
    if not named:
        for address in found:
            _check(host, address)
    if scheme == "http" and not named and not all(_allowed(address) for address in found):
        raise Forbidden("Only https is called.")
    return Place(scheme, host, port, str(found[0]), path)


def addresses_of(host: str, port: int) -> list[Address]:
    """Every address that the name has right now; raises Forbidden when there is none."""
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError) as fault:
        raise Forbidden(f"The host {host} is not known.") from fault
    found = [ip_address(str(answer[4][0]).partition("%")[0]) for answer in answers]
    return list(dict.fromkeys(found))


def _check(host: str, address: Address) -> None:
    if not _allowed(address) and any(_internal(meant) for meant in _meanings(address)):
        raise Forbidden(f"{host} is an internal address ({address}); alerts go there only when ALERT_TARGETS_ALLOWED names it.")


def _meanings(address: Address) -> Iterator[Address]:
    """The address, and every other that it leads to."""
    yield address
    if isinstance(address, IPv6Address):
        inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if address in NAT64 or address in COMPATIBLE:
            inner.append(IPv4Address(int(address) & 0xFFFFFFFF))
        yield from (found for found in inner if found is not None)


def _internal(address: Address) -> bool:
    """Whether it is anything but one host of the public internet. A mapped address is judged by what it leads to."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return False
    beyond = not address.is_global or address.is_multicast or address.is_reserved or getattr(address, "is_site_local", False)
    return beyond or any(address in network for network in SPECIAL if network.version == address.version)


def _allowed(address: Address) -> bool:
    """Whether the operator allows it, as it is or as what it leads to."""
    return any(meant in network for network in _networks() for meant in _meanings(address) if meant.version == network.version)


def _networks() -> Iterator[IPv4Network | IPv6Network]:
    for entry in settings.ALERT_TARGETS_ALLOWED:
        try:
            yield ip_network(entry.strip(), strict=False)
        except ValueError:
            continue  # a host name


def _names() -> set[str]:
    return {entry.strip().lower().rstrip(".") for entry in settings.ALERT_TARGETS_ALLOWED}
