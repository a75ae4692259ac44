"""The TikTok buyer's story comes out right, and the verdict on TikTok Shop and the own site names what goes wrong behind its back."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.engine import accounts
from integrations.engine.watch import check_subscriptions
from integrations.management.demo import buyer_story, cast, verdict
from integrations.management.demo.grant import authorise
from integrations.management.demo.motion import is_moving
from integrations.management.demo.stage import SELLER, Stage
from integrations.management.demo.story import Story
from integrations.models import Connection, Credential, Delivery, Flow, InboxEvent
from integrations.standins.wire import Request
from tests.demo.conftest import PAST

pytestmark = pytest.mark.journey


class Pumping:
    """Stands in for the demo's clock: what the workers would do is done while somebody waits."""

    def __init__(self, stage: Stage, web: str) -> None:
        self.stage, self.crew = stage, SimpleNamespace(address=web)

    def until(self, what: str, happened: Callable[[], bool], *, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not happened():
            assert time.monotonic() < end, what
            self.stage.tiktok_shop.wait_sent(2, retries=False)
            self.stage.shopify.wait_sent(2)
            call_command("pump", seconds=5, verbosity=0)
            time.sleep(0.05)

    def rest(self, *, seconds: float) -> None:
        self.until("everything comes to rest", lambda: not is_moving(self.stage), seconds=seconds)

    def pause(self, seconds: float) -> None:
        """Nobody waits for the demo's looks here."""


@pytest.fixture
def play(transactional_db: None, web: str) -> Iterator[Story]:
    accounts._clients.clear()
    with Stage() as stage:
        stage.ometria.change_settings({"delay": 0.0, "push_rate": None, "read_rate": None})
        stage.tiktok_shop.change_settings({"read_rate": None})
        stage.shop.bulk.seconds = 0.05
        with stage.shop.past(timezone.now() - PAST):
            stage.shopify.lives.history(customers=4, orders=4, days=5)
        players = cast.seed(shop_url=stage.shop_url, account_url=stage.account_url, tiktok_url=stage.tiktok_url, webhook_base_url=web)
        for row in (players.account, players.tiktok):
            row.settings |= {"push_rate": 0, "read_rate": 0, "confirm_grace_seconds": 1}
            row.save()
        for flow in players.flows.values():
            flow.settings["settle_seconds"] = 0
            flow.save()
        yield Story(stage, players, Pumping(stage, web), lambda line: None)
    accounts._clients.clear()


def catalogue(play: Story) -> None:
    """The shop's goods as the master catalogue has them, and its webhooks."""
    from integrations.engine import pull

    since = timezone.now() - timedelta(days=30)
    for checkpoint in pull.start_backfill(play.cast.shop, ["products", "customers", "orders"], since=since):
        while checkpoint.state != "done":
            type(checkpoint).objects.filter(pk=checkpoint.pk).update(due_at=timezone.now())
            pull.run_pull(checkpoint.pk, 20)
            checkpoint.refresh_from_db()
    check_subscriptions(play.cast.shop)
    play.motion.rest(seconds=60)


# --- consent -----------------------------------------------------------------------------------------------------------


def test_one_consent_opens_both_shops_with_one_token_and_their_flows(play: Story) -> None:
    shops = authorise(play.cast, SELLER, callback="http://127.0.0.1:9/oauth/tiktok_shop/callback/")

    assert [(shop.name, shop.settings["region"], shop.keeper.pk) for shop in shops] == [
        ("Demo UK", "GB", shops[0].pk), ("Demo Deutschland", "DE", shops[0].pk),
    ]  # fmt: skip
    kinds = {kind for shop in shops for kind in Credential.objects.filter(connection=shop).values_list("connection__name", "kind")}
    assert kinds == {("Demo UK", "app_secret"), ("Demo UK", "access_token"), ("Demo UK", "refresh_token")}
    flows = Flow.objects.filter(source__in=shops).order_by("source", "record_type")
    assert [flow.record_type for flow in flows] == ["customer", "event", "order"] * 2
    assert {flow.settings.get("catalogue_connection") for flow in flows if flow.record_type == "order"} == {play.cast.shop.pk}
    assert all(flow.mapping_versions.filter(state="published").exists() for flow in flows)


def test_the_link_on_the_connections_page_leads_a_browser_to_the_consent_page(play: Story, client: Client) -> None:
    client.force_login(get_user_model().objects.get(username="administrator"))
    page = client.get(reverse("admin:integrations_connection_change", args=[play.cast.tiktok.pk])).content.decode()
    link = re.search(r'<a class="sy-button" href="([^"]+)">.*?Connect at TikTok Shop', page)
    assert link is not None

    answer = client.get(link[1])

    assert answer.status_code == 302
    assert answer["Location"].startswith(f"{play.stage.tiktok_url}/open/authorize?service_id=demo-tts-service-id&state=")


def test_a_seller_who_does_not_agree_opens_nothing(play: Story) -> None:
    from integrations.management.demo import grant

    form = {"agree": "no", "state": "n", "seller": SELLER.open_id}
    address = f"{play.stage.tiktok_url}/open/authorize?service_id=demo-tts-service-id&state=n"
    with pytest.raises(CommandError, match="answered 302 and no code"):
        grant._agree(play.cast.tiktok, address, form, "http://127.0.0.1:9/callback/")
    assert Connection.objects.filter(platform="tiktok_shop").count() == 1


# --- story and verdict -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Lie:
    """Something that goes wrong behind the product's back, and the words the verdict must find for it."""

    name: str
    tell: Callable[[Story], None]
    found: str


def _push(play: Story, record: dict[str, Any]) -> None:
    headers = {"x-ometria-auth": "demo-ometria-key", "content-type": "application/json"}
    answer = play.stage.ometria.handle(Request("POST", "/v2/push", {}, headers, orjson.dumps([record])))
    assert answer.status == 202, answer.body


def _order(play: Story, **changes: Any) -> None:
    row = Delivery.objects.get(flow__source=play.cast.tiktok, record_key=play.heroine.second.id)
    _push(play, {**row.sent_payload, **changes})


def _alias(play: Story) -> None:
    _push(play, {"@type": "contact", "@collection": "shopify", "@merge": True, "id": "alias", "email": "v4bdemo@scs.tiktokw.eu"})


def _first_of(play: Story, platform: str) -> None:
    InboxEvent.objects.filter(connection__platform=platform).exclude(topic__startswith="pull:").order_by("pk").first().delete()


def _never_told(play: Story) -> None:
    play.stage.german.hooks.switches.set(drop=1.0)
    play.stage.tiktok_shop.act("place_order", "DE", lines=[{"seller_sku": play.goods.known[0]}])


LIES = (
    Lie("another total", lambda play: _order(play, grand_total=1.23), "at the shop, "),
    Lie("another currency", lambda play: _order(play, currency="EUR"), "EUR there"),
    Lie("not valid", lambda play: _order(play, is_valid=False), "valid=False"),
    Lie("an alias address", _alias, "a masked value in contact"),
    Lie("a lost webhook", lambda play: _first_of(play, "tiktok_shop"), "TikTok webhook acknowledged but not stored"),
    Lie("a lost visit", lambda play: _first_of(play, "site"), "visitor's event taken but not stored"),
    Lie("an order that never came", _never_told, "order of the shop that never came in"),
)


@pytest.mark.timeout(240)
def test_the_buyers_story_comes_out_right_and_what_goes_wrong_behind_our_back_is_named(play: Story) -> None:
    catalogue(play)
    for _, chapter in buyer_story.CHAPTERS:
        chapter(play)

    found = verdict.reach(play.stage, play.cast, play.visitors.sent)

    assert found.faults == []
    assert {row.flow for row in found.rows} >= {"Demo UK: order", "Demo Deutschland: customer", "Own site: event"}
    for lie in LIES:
        lie.tell(play)
        told = verdict.reach(play.stage, play.cast, play.visitors.sent)
        assert any(lie.found in fault for fault in told.faults), (lie.name, told.faults)
