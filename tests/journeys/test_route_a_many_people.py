"""Ten thousand buyers at once: no profile twice, no relay address sent, no question asked twice."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from integrations.models import SyncException
from mapping.records import Customer
from tests.factories import at
from tests.journeys.hand_fed import MASKED, HandFed, buyer, order

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


@pytest.mark.slow
def test_ten_thousand_buyers_make_no_profile_twice_send_no_relay_address_and_ask_each_question_once(fed: HandFed) -> None:
    """Half of them exist; a third show a relay address; of every fifty existing ones two share a phone."""
    size = 10_000
    known = [_known(number) for number in range(size // 2)]
    fed.existing(*known)
    assert len(fed.profiles()) == len(known)

    buyers = [_buyer(number, known[number] if number < len(known) else None) for number in range(size)]
    random.Random(7).shuffle(buyers)
    for start in range(0, size, 1000):
        fed.put(*buyers[start : start + 1000])
    fed.run(300)
    again = [replace(one, occurred_at=at(60), tags=("again",)) for one in buyers[:2000]]
    fed.put(*again, *(order(number, user=int(one.key.split(":")[2]), second=60) for number, one in enumerate(again)))
    fed.run(200)

    asked = Counter(SyncException.objects.filter(kind="ambiguous_contact").values_list("subject", flat=True))
    expected = {f"tts:7495:{number}" for number in range(len(known)) if number % 3 == 2 and number % 50 < 2}
    assert (set(asked), max(asked.values(), default=0), SyncException.objects.exclude(kind="ambiguous_contact").count()) == (expected, 1, 0)
    profiles = fed.profiles()
    unseen = sum(number % 3 == 0 for number in range(len(known)))  # known people of whom TikTok Shop shows nothing
    assert len(profiles) == len(known) + (size - len(known)) + unseen
    for kind in ("contact", "order"):
        assert not [row for row in fed.pushed(kind) if "tiktokw" in str(row) or "*" in str(row)]
    assert not [row for row in fed.pushed() if row["@collection"] == "tiktok_shop" and "marketing_optin" in row]
    for field in ("email", "customer_id"):
        values = [profile[field] for profile in profiles if profile[field]]
        assert len(values) == len(set(values))


DRAMA = ("113496", "114496", "207946", "116496", "117496", "118496", "121496", "131496", "141496", "151496", "161496")


def _known(number: int) -> dict[str, Any]:
    phone = _phone(number - number % 2 if number % 50 < 2 else number)
    return {
        "id": str(number), "customer_id": f"c-{number}", "email": f"person{number}@example.com", "phone_number": phone,
        "firstname": "Ada", "lastname": "Byron",
    }  # fmt: skip


def _buyer(number: int, known: dict[str, Any] | None) -> Customer:
    """By turns: nothing shown, a real address, a real phone behind a relay address."""
    if number % 3 == 0:
        return buyer(number, **MASKED)
    if number % 3 == 1:
        return buyer(number, email=known["email"].upper() if known else f"new{number}@example.com", phone="***")
    return buyer(number, phone=known["phone_number"] if known else _phone(number), first_name="Ada", last_name="Byron")


def _phone(number: int) -> str:
    """One number per person, of the ranges that are kept for drama (Ofcom)."""
    area, last = divmod(number, 1000)
    return f"+44{DRAMA[area]}0{last:03d}"
