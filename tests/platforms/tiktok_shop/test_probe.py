"""The test call: the shop, its scopes, the clock, in words with their remedy."""

from __future__ import annotations

from dataclasses import replace

import pytest

from integrations.platforms.base import Unpaced
from integrations.platforms.tiktok_shop import PLATFORM
from integrations.platforms.tiktok_shop.client import TikTokShopClient
from integrations.platforms.tiktok_shop.probe import _clock
from integrations.standins.server import StandInServer
from integrations.standins.tiktok_shop import TikTokShopStandIn
from integrations.standins.tiktok_shop.specs import DEMO_SELLER, SCOPES

NEEDED = ("data.shop_analytics.public.read", "seller.authorization.info", "seller.order.info", "seller.product.basic",
          "seller.return_refund.basic")  # fmt: skip


def with_scopes(stand_in, make_account, address, scopes):
    tokens = stand_in.tokens.issue(DEMO_SELLER, frozenset(scopes), cause="test")
    return TikTokShopClient(make_account(address, secrets={"access_token": tokens["access_token"]}), Unpaced())


def test_a_sound_connection_has_nothing_to_settle(client):
    probe = PLATFORM.probe(client)
    assert (probe.ok, probe.summary, probe.problems, probe.scopes) == (True, "Demo UK answers.", (), NEEDED)
    assert (probe.facts["Region"], probe.facts["Kind of seller"]) == ("GB", "local")
    assert probe.facts["Shops of this authorisation"].startswith("Demo UK (GB), Demo Deutschland (DE)")


@pytest.mark.parametrize(
    ("scope", "ok", "use"),
    [
        ("seller.order.info", False, "orders"),
        ("seller.return_refund.basic", False, "cancellations and returns"),
        ("seller.product.basic", True, "products"),
        ("data.shop_analytics.public.read", True, "figures"),
    ],
)
def test_a_missing_scope_is_named_and_only_stops_what_orders_need(stand_in, make_account, address, scope, ok, use):
    probe = PLATFORM.probe(with_scopes(stand_in, make_account, address, set(SCOPES) - {scope}))
    assert probe.ok is ok
    assert probe.problems == (
        f"Missing scope {scope}: {use} cannot be read. Enable it in Partner Center, then let the seller authorise the app again.",
    )
    assert scope not in probe.scopes


def test_known_scopes_are_compared_without_trying(connect, pacer):
    client = connect(granted_scopes=["seller.authorization.info", "seller.order.info"])
    probe = PLATFORM.probe(client)
    assert (probe.ok, len(probe.problems), pacer.taken) == (False, 3, ["read"])


def test_a_shop_that_the_authorisation_does_not_cover_is_told(make_account, address):
    account = replace(make_account(address), external_id="123")
    probe = PLATFORM.probe(TikTokShopClient(account, Unpaced()))
    assert probe.ok is False
    assert probe.problems[0].startswith("The authorisation does not cover shop 123, only: Demo UK (7495540735365777507)")


def test_a_changed_cipher_is_told(connect):
    probe = PLATFORM.probe(connect(shop_cipher="GCP_demoDE/mn+op=="))
    assert (probe.ok, probe.problems) == (False, ("The shop's cipher has changed: let the seller authorise the app again.",))


def test_a_cross_border_shop_is_warned_of(make_account):
    shop = replace(DEMO_SELLER.shops[0], seller_type="CROSS_BORDER")
    stand_in = TikTokShopStandIn([replace(DEMO_SELLER, shops=(shop,))], read_rate=None)
    with StandInServer([stand_in]) as server:
        probe = PLATFORM.probe(TikTokShopClient(make_account(server.url("tiktok_shop")), Unpaced()))
    stand_in.close()
    assert probe.ok is True
    assert [problem[:32] for problem in probe.problems] == ["This is a cross-border shop: its"]


@pytest.mark.parametrize(("seconds", "words"), [(285, "s behind TikTok Shop's"), (-25, "s ahead of TikTok Shop's")])
def test_a_clock_that_goes_wrong_is_told_before_calls_are_refused(client, seconds, words):
    client.ahead = float(seconds)
    problems = list(_clock(client))
    assert len(problems) == 1
    assert words in problems[0]
    assert "time synchronisation" in problems[0]


def test_a_dead_token_fails_the_test_with_its_remedy(stand_in, client):
    stand_in.deauthorise(DEMO_SELLER)
    probe = PLATFORM.probe(client)
    assert probe.ok is False
    assert "let the seller authorise the app again" in probe.problems[0]
