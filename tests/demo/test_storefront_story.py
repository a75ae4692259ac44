"""The storefront's story comes out right, and the verdict on the project and on consent names what goes wrong behind its back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from django.utils import timezone

from integrations.engine import accounts, pull
from integrations.engine.watch import check_subscriptions
from integrations.management.demo import cast, storefront_story, verdict
from integrations.management.demo.stage import Stage
from integrations.management.demo.story import Story
from integrations.models import Checkpoint, Delivery, Flow, InboxEvent
from integrations.standins.commercetools.specs import DEMO_CLIENT_ID
from integrations.standins.wire import Request
from tests.demo.conftest import PAST
from tests.demo.test_buyer_story import Pumping

pytestmark = [pytest.mark.slow, pytest.mark.journey]
PASSING = 6.0  # seconds of everybody's time between two looks: messages are read once they are older than five


class Passing(Pumping):
    """Time passes for all platforms alike, and messages are asked for at every look."""

    def until(self, what: str, happened: Callable[[], bool], *, seconds: float) -> None:
        def look() -> bool:
            if happened():
                return True
            for stand_in in (self.stage.shopify, self.stage.ometria, self.stage.commercetools):
                stand_in.clock.advance(PASSING)
            Checkpoint.objects.filter(reader="messages").update(due_at=timezone.now())
            InboxEvent.objects.filter(state=InboxEvent.State.NEW).update(due_at=timezone.now())
            self.stage.ometria.wait_sent(2)
            return False

        super().until(what, look, seconds=seconds)


@pytest.fixture
def play(transactional_db: None, web: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    accounts._clients.clear()
    monkeypatch.setattr(storefront_story, "LIVES", 6)
    with Stage() as stage:
        stage.ometria.change_settings({"delay": 0.0, "push_rate": None, "read_rate": None})
        stage.shop.bulk.seconds = 0.05
        with stage.shop.past(timezone.now() - PAST):
            stage.shopify.lives.history(customers=2, orders=1, days=5)
        players = cast.seed(
            shop_url=stage.shop_url, account_url=stage.account_url, storefront_url=stage.commercetools_url, webhook_base_url=web
        )
        players.account.settings |= {"push_rate": 0, "read_rate": 0, "confirm_grace_seconds": 1}
        players.account.save()
        for flow in Flow.objects.all():
            flow.settings["settle_seconds"] = 0
            flow.save()
        check_subscriptions(players.shop)
        pull.ensure_polls(players.storefront)
        yield Story(stage, players, Passing(stage, web), lambda line: None)
    accounts._clients.clear()


@dataclass(frozen=True)
class Lie:
    """Something that goes wrong behind the product's back, and the words the verdict must find for it."""

    name: str
    tell: Callable[[Story], None]
    found: str


def push(play: Story, record: dict[str, Any], **changes: Any) -> None:
    headers = {"x-ometria-auth": "demo-ometria-key", "content-type": "application/json"}
    answer = play.stage.ometria.handle(Request("POST", "/v2/push", {}, headers, orjson.dumps([{**record, **changes}])))
    assert answer.status == 202, answer.body


def sent(play: Story, kind: str, key: str) -> dict[str, Any]:
    return Delivery.objects.get(flow=play.cast.flow(play.cast.storefront, kind), record_key=key).sent_payload


def _other_total(play: Story) -> None:
    push(play, sent(play, "order", play.bought), grand_total=1.23)


def _other_price(play: Story) -> None:
    push(play, sent(play, "variant", storefront_story.SKU), price=1.23)


def _other_consent(play: Story) -> None:
    play.stage.ometria.act("/preference", email=storefront_story.TORN, marketing_optin=storefront_story.IN)


def _written_by_nobody(play: Story) -> None:
    project = play.stage.commercetools.project()
    stranger = play.stage.commercetools.act("register", email="stranger@example.com")
    project.ledger.append("customer.setCustomField", stranger.id, {"clientId": DEMO_CLIENT_ID})


def _never_came(play: Story) -> None:
    play.stage.commercetools.act("guest_order", email="late@example.com", lines=[storefront_story.SKU])


LIES = (
    Lie("another total", _other_total, "1.23 GBP there"),
    Lie("another price", _other_price, "another price there, 1.23"),
    Lie("another consent", _other_consent, "False there, True at Ometria, False in the shop"),
    Lie("a consent that nobody sent", _written_by_nobody, "consent changed in commercetools without a delivery"),
    Lie("an order that never came", _never_came, "order of the shop that never came in"),
    Lie("a message that could not be read", lambda play: _fail(play), "could not be read"),
)


def _fail(play: Story) -> None:
    row = InboxEvent.objects.filter(connection=play.cast.storefront).exclude(topic__startswith="pull:").first()
    InboxEvent.objects.filter(pk=row.pk).update(state=InboxEvent.State.FAILED)


def faults(play: Story) -> list[str]:
    """What the verdict says of the storefront and of consent; the shop's own history was not pulled here."""
    found = verdict.reach(play.stage, play.cast)
    checks = found.checks[6:]
    rows = [row for row in found.rows if "storefront" in row.flow or "consent" in row.flow]
    assert (len(rows), len(checks)) == (9, 5)
    return [fault for part in (*rows, *checks) for fault in part.faults]


def test_the_storefronts_story_comes_out_right_and_what_goes_wrong_behind_our_back_is_named(play: Story) -> None:
    for _, chapter in storefront_story.CHAPTERS:
        chapter(play)

    assert faults(play) == []
    assert storefront_story.sides(play, play.torn) == (False, False, False)
    assert all(flow.deliveries.filter(state="delivered").exists() for flow in play.cast.consents if flow.source != play.cast.account)
    for lie in LIES:
        assert not any(lie.found in fault for fault in faults(play)), lie.name
        lie.tell(play)
        assert any(lie.found in fault for fault in faults(play)), (lie.name, faults(play))
