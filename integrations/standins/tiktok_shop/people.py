"""Invented buyers: numbers from ranges that regulators keep free for fiction, addresses that do not exist, e-mail at example.com."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from integrations.standins.shopify.words import FIRST_NAMES, LAST_NAMES, STREETS

# (prefix in E.164, digits that follow); Japan keeps no range free, so its numbers are no valid ones
PHONES: dict[str, tuple[tuple[str, int], ...]] = {
    "GB": tuple(
        (f"+44{prefix}", 3)
        for prefix in (
            "2079460", "1134960", "1144960", "1154960", "1164960", "1174960", "1184960", "1214960", "1314960", "1414960", "1514960",
            "1614960", "1914980", "2896496", "2920180",
        )
    ),
    "DE": tuple((f"+49{prefix}", 3) for prefix in ("3023125", "4066969", "6990009", "8999998", "2214710")),
    "FR": (("+3363998", 4),),
    "US": tuple((f"+1{area}55501", 2) for area in (202, 212, 213, 303, 312, 404, 415, 503, 512, 617, 702, 713, 718, 773, 808)),
    "JP": (("+81300000", 4),),
}  # fmt: skip
PLACES: dict[str, tuple[tuple[str, str], ...]] = {
    "GB": (("London", "N1 1AA"), ("Leeds", "LS1 1AA"), ("Cardiff", "CF10 1AA")),
    "DE": (("Bremen", "28195"), ("Leipzig", "04109")),
    "FR": (("Lille", "59000"), ("Nantes", "44000")),
    "US": (("Denver", "80202"), ("Portland", "97201")),
    "JP": (("Nagoya", "460-0001"), ("Sapporo", "060-0001")),
}


def phone(region: str, number: int) -> str:
    """The n-th fictitious number of a market in E.164; repeats when its ranges are used up."""
    ranges = PHONES[region]
    rest = number % sum(10**digits for _, digits in ranges)
    for prefix, digits in ranges:
        if rest < 10**digits:
            return f"{prefix}{rest:0{digits}d}"
        rest -= 10**digits
    raise AssertionError("unreachable: the rest is within the ranges")


def person(random: Random, region: str, number: int) -> dict[str, str]:
    """The n-th invented buyer, as ``add_buyer`` takes one."""
    city, post = random.choice(PLACES[region])
    return {
        "first_name": random.choice(FIRST_NAMES),
        "last_name": random.choice(LAST_NAMES),
        "phone": phone(region, number),
        "address_line1": f"{random.randint(1, 99)} {random.choice(STREETS)}",
        "postal_code": post,
        "city": city,
    }


def known_person(random: Random, region: str, number: int, known: Mapping[str, Any]) -> dict[str, str]:
    """A given person (``first_name, last_name, phone, email``) at an invented address; who has no phone shows none."""
    return {**person(random, region, number), "phone": "", **{name: value for name, value in known.items() if value}}


class Crowd:
    """Makes buyers: some are given people, some share a phone with an earlier one, some show an address that is no alias.

    ``known_share`` of them are ``people``, in turn; ``own_email_share`` show their own address, which the platform does not do, so that
    rules for it can be tested; ``shared_phone_share`` have the number of somebody before them. Numbers begin at the ``first_number``-th.
    """

    def __init__(
        self,
        random: Random,
        region: str,
        *,
        people: Sequence[Mapping[str, Any]] = (),
        known_share: float = 0.0,
        own_email_share: float = 0.0,
        shared_phone_share: float = 0.0,
        first_number: int = 0,
    ) -> None:
        self._random, self._region, self._people = random, region, people
        self._known_share, self._own_email_share = known_share if people else 0.0, own_email_share
        self._shared_phone_share = shared_phone_share
        self._made, self._known = first_number, 0
        self._last_phone = ""

    def next(self) -> dict[str, str]:
        """The next buyer, as ``add_buyer`` takes one."""
        number, self._made = self._made, self._made + 1
        if self._random.random() < self._known_share:
            given = self._people[self._known % len(self._people)]
            self._known += 1
            found = known_person(self._random, self._region, number, given)
            if self._random.random() >= self._own_email_share:
                found.pop("email", None)
            return found
        found = person(self._random, self._region, number)
        if self._random.random() < self._own_email_share:
            found["email"] = f"{found['first_name']}.{found['last_name']}.{number}@example.com".lower().replace("ë", "e")
        if self._last_phone and self._random.random() < self._shared_phone_share:
            found["phone"] = self._last_phone
        self._last_phone = found["phone"]
        return found
