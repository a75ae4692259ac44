"""What a person leaves in texts: addresses, numbers, ids and names in the ways they are written, found and taken out again.

A trace is only found as a whole: `ada@example.com` is not part of `granada@example.com`, and `Ada Byron` not of `Ada Byron-King`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import phonenumbers

from integrations.engine.find_terms import one_way
from integrations.engine.privacy.subject import Subject

GONE = "(erased)"
SHORTEST_NUMBER, SHORTEST_WORD = 9, 12  # characters from which an id is like no other; shorter ones are found by their column alone
SHORTEST_NAME = 5  # of first and last name together
PHONE_FORMATS = (
    phonenumbers.PhoneNumberFormat.E164, phonenumbers.PhoneNumberFormat.INTERNATIONAL, phonenumbers.PhoneNumberFormat.NATIONAL,
)  # fmt: skip
NOTHING = re.compile(r"(?!)")


@dataclass(frozen=True, slots=True)
class Traces:
    """How to look for some texts: `like` are patterns for the database (small letters), `found` the exact expression."""

    like: tuple[str, ...]
    found: re.Pattern[str]

    def __bool__(self) -> bool:
        return bool(self.like)

    def are_in(self, text: str) -> bool:
        """Whether one of them stands in a text as a whole."""
        return self.found.search(text) is not None

    def without(self, data: Any) -> Any:
        """The same text or JSON without them."""
        if isinstance(data, str):
            return self.found.sub(GONE, data)
        if isinstance(data, dict):
            return {self.without(name): self.without(value) for name, value in data.items()}
        if isinstance(data, list):
            return [self.without(value) for value in data]
        if isinstance(data, int) and not isinstance(data, bool) and self.found.fullmatch(str(data)):
            return GONE
        return data


def traces_of(texts: Iterable[str]) -> Traces:
    """How these texts are looked for."""
    wanted = sorted({text.lower() for text in texts if text.strip()}, key=lambda text: (-len(text), text))
    if not wanted:
        return Traces((), NOTHING)
    parts = "|".join(map(re.escape, wanted))
    return Traces(
        like=tuple(f"%{_escaped(text)}%" for text in wanted),
        found=re.compile(rf"(?<![\w.+%-])(?:{parts})(?![\w@-])(?!\.\w)", re.IGNORECASE),
    )


def distinctive(subject: Subject) -> Traces:
    """What means this person wherever it stands: addresses, numbers as people write them, long ids, and the codes of the search."""
    return traces_of(_texts(subject))


def by_name(subject: Subject) -> Traces:
    """That, and the person's full names, for texts that people wrote; in records others may be called the same."""
    return traces_of({*_texts(subject), *(name for name in subject.names if len(name) >= SHORTEST_NAME)})


def _texts(subject: Subject) -> set[str]:
    texts = {*subject.emails, *(quote(address, safe="") for address in subject.emails)}
    texts |= {text for phone in subject.phones for text in spellings(phone)}
    texts |= {one_way(value) for value in (*subject.emails, *subject.phones)}
    return texts | {key for _, key in subject.keys if _is_like_no_other(key)}


def spellings(phone: str) -> list[str]:
    """A phone number (E.164) in the ways it is written."""
    try:
        number = phonenumbers.parse(phone, None)
    except phonenumbers.NumberParseException:
        return [phone]
    written = [phonenumbers.format_number(number, form) for form in PHONE_FORMATS]
    national = written[2]
    bare = [re.sub(r"[^\d]", "", text) for text in written]
    return list(dict.fromkeys([*written, national.replace(" ", "-"), *(text for text in bare if len(text) >= SHORTEST_NUMBER)]))


def _is_like_no_other(key: str) -> bool:
    return len(key) >= (SHORTEST_NUMBER if key.isdecimal() else SHORTEST_WORD)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
