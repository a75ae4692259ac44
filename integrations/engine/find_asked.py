"""What somebody typed into the search, recognised: an order number, an address, a number in any spelling, an id, words of a title. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from integrations.engine.find_terms import one_way, plain, words_of
from integrations.models import SearchTerm
from mapping.transforms import e164, email

LONGEST = 200  # characters of a search that are looked at
SHORTEST_BEGINNING = 2  # characters from which beginnings are searched
COUNTRIES = ("GB", "DE", "US", "FR", "IT", "ES", "IE", "NL")  # where a number without its country may be from, unless connections say so
PHONE = re.compile(r"[+(]?[\d(][\d\s().\-/]{6,}\d")
GID = re.compile(r"gid://[a-z0-9_-]+/([A-Za-z]+)/([^/?#\s]+)")
ADDRESS_ID = re.compile(r"https?://\S*?/([a-z]+)s/(\d{4,})(?:[/?#]\S*)?")  # a page of a platform's own back office
OBJECTS = {"order": "order", "customer": "customer", "product": "product", "productvariant": "variant", "variant": "variant"}
CODE = re.compile(r"([ep])\.([0-9a-f]{32})")
CODE_KINDS = {"e": SearchTerm.Kind.EMAIL, "p": SearchTerm.Kind.PHONE}
SURE_PHONE = re.compile(r"\s*(\+|00|\(|0\d)|\d.*[\s().\-/]")  # how a number that is no id begins or is written


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A search. Addresses and numbers of people are there as they are compared (`handles`) and as one-way `codes` of a kind and a value."""

    text: str = ""
    key: str = ""  # the id inside a platform's longer writing of it, else the text
    record_type: str = ""  # named by the id itself, else empty
    handles: tuple[tuple[str, str], ...] = ()  # kind (email, phone) and value
    codes: tuple[tuple[str, str], ...] = ()
    personal: bool = False  # must not stand in an address or a log
    unfinished: bool = False  # an address that is not whole yet: it is never searched by its beginning

    @property
    def plain(self) -> str:
        """The text as numbers and SKUs are compared."""
        return "" if self.key != self.text or (self.personal and not self.is_number) else plain(self.text)

    @property
    def is_number(self) -> bool:
        """Whether it may be a number of an order as well as of a phone."""
        return self.text.lstrip("#").isdecimal()

    @property
    def words(self) -> list[str]:
        """Words of a title."""
        return [] if self.personal or self.key != self.text else words_of(self.text)

    @property
    def token(self) -> str:
        """What may stand in an address instead of an e-mail or phone; empty for everything else."""
        letters = {kind: letter for letter, kind in CODE_KINDS.items()}
        return "~".join(f"{letters[SearchTerm.Kind(kind)]}.{code}" for kind, code in self.codes) if self.personal else ""


NOTHING = Asked()


def recognise(text: str, countries: Iterable[str] = ()) -> Asked:
    """What somebody typed; `countries` are those whose phone numbers may be written without their country."""
    text = " ".join(text.replace("\x00", "").split())[:LONGEST]
    if "@" in text:
        address = email(text.removeprefix("mailto:"))
        handles = (("email", address),) if address else ()
        return Asked(text=text, key=text, handles=handles, codes=_codes(handles), personal=True, unfinished=not address)
    named = GID.fullmatch(text) or ADDRESS_ID.fullmatch(text)
    if named:
        return Asked(text=text, key=named[2], record_type=OBJECTS.get(named[1].lower(), ""))
    handles = tuple(("phone", number) for number in _numbers(text, tuple(countries) or COUNTRIES))
    personal = bool(handles) or bool(PHONE.fullmatch(text) and SURE_PHONE.match(text))
    return Asked(text=text, key=text, handles=handles, codes=_codes(handles), personal=personal)


def from_token(token: str) -> Asked:
    """The search that an address with such a token stands for; an empty one when it is none."""
    found = [CODE.fullmatch(part) for part in token.split("~")[:8]]
    codes = tuple((str(CODE_KINDS[match[1]]), match[2]) for match in found if match)
    return Asked(codes=codes, personal=True) if codes else NOTHING


def _codes(handles: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((kind, one_way(value)) for kind, value in handles)


def _numbers(text: str, countries: Iterable[str]) -> Iterator[str]:
    """E.164 for every reading of the text as a phone number: with its country, or as somebody in one of these countries writes it."""
    if not PHONE.fullmatch(text):
        return
    readings = {e164(text.replace("00", "+", 1) if text.startswith("00") else text, country) for country in ("", *countries)}
    if text[0].isdecimal() and text[0] != "0":
        if not SURE_PHONE.match(text):
            readings = set()  # bare digits are an id; as a phone they need their country
        readings.add(e164(f"+{text}", "") if len(text) <= LONGEST_BARE else "")
    yield from sorted(reading for reading in readings if reading)


LONGEST_BARE = 12  # digits without any sign that may be a phone with its country's number: ids of platforms are longer
