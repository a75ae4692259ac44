"""Which of a variant's prices a market pays."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from integrations.platforms.commercetools.parse.prices import Scope, latest_change, select
from tests.platforms.commercetools.goods import cents

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
BEFORE, AFTER = "2026-10-31T00:00:00.000Z", "2026-12-01T00:00:00.000Z"
WEB = {"channel": {"typeId": "channel", "id": "web"}}
GROUP = {"customerGroup": {"typeId": "customer-group", "id": "vip"}}
RUNNING, OVER, TO_COME = {"validFrom": BEFORE}, {"validUntil": BEFORE}, {"validFrom": AFTER}


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        ([cents(1), cents(2, country="GB")], 2),
        ([cents(1, country="GB"), cents(2, **WEB)], 2),
        ([cents(1, country="GB", **WEB), cents(2, **WEB)], 1),
        ([cents(1, country="GB", **WEB), cents(2, **RUNNING)], 2),
        ([cents(1), cents(2, **OVER), cents(3, **TO_COME)], 1),
        ([cents(1, **GROUP), cents(2, country="DE"), cents(3, channel={"typeId": "channel", "id": "shop"})], None),
        ([cents(1, "EUR", country="GB")], None),
        ([cents(1, active=False)], None),
        ([], None),
    ],
)
def test_a_running_period_comes_first_then_the_channel_then_the_country(prices, expected):
    for order in (prices, prices[::-1]):
        found = select(order, Scope("GBP", "GB", "web"), AT)
        assert (found["value"]["centAmount"] if found else None) == expected


def test_a_period_holds_from_its_first_moment_up_to_its_end():
    sale = cents(1, validFrom="2026-11-01T12:00:00.000Z", validUntil="2026-11-02T12:00:00.000Z")
    assert select([sale], Scope("GBP"), AT) is sale
    assert select([sale], Scope("GBP"), AT.replace(day=2)) is None


def test_the_choice_last_changed_by_itself_when_a_price_began_or_ended():
    prices = [cents(1, validFrom=BEFORE, validUntil=AFTER), cents(2, validUntil="2026-10-30T00:00:00.000Z")]
    assert latest_change(prices, AT) == datetime(2026, 10, 31, tzinfo=UTC)
    assert latest_change([cents(1)], AT) is None


def test_it_is_the_platforms_own_choice():
    """The stand-in selects by a ladder of its own; both must agree on any mixture."""
    from integrations.standins.commercetools.pricing import Market, selected

    dice = random.Random(5)
    for _ in range(500):
        prices = []
        for number in range(dice.randint(0, 8)):
            scopes = [
                {},
                {"country": "GB"},
                {"country": "DE"},
                WEB,
                {"channel": {"typeId": "channel", "id": "shop"}},
                GROUP,
                RUNNING,
                OVER,
                TO_COME,
            ]
            parts = {key: value for scope in dice.sample(scopes, dice.randint(0, 3)) for key, value in scope.items()}
            own = {**parts, "currency": dice.choice(["GBP", "EUR"])}
            if all({**price, "id": "", "value": ""} != {**cents(1, **parts), "id": "", "value": ""} for price in prices):
                prices.append({**cents(number, own.pop("currency"), **parts), "id": str(number)})
        theirs = selected(prices, Market("GBP", "GB", "", "web"), "2026-11-01T12:00:00.000Z")
        ours = select(prices, Scope("GBP", "GB", "web"), AT)
        assert (ours or {}).get("id") == (theirs or {}).get("id")
