"""Route E for tests of how events reach us: messages that are polled, and doors that a key opens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.utils import timezone

from integrations.models import Checkpoint, InboxEvent
from integrations.standins.commercetools import CommercetoolsStandIn
from integrations.standins.ometria import OmetriaStandIn
from integrations.standins.server import StandInServer
from tests.platforms.commercetools.clouds import DOOR_KEY
from tests.quiet import pull_through, run_until_quiet
from tests.route_e import RouteE, route_e

__all__ = ["route_e"]  # a fixture


@dataclass(slots=True)
class Feed:
    """commercetools → Ometria over stand-ins, people and orders only; `poll` is one run of the messages' poll."""

    shop: CommercetoolsStandIn
    ometria: OmetriaStandIn
    source: Any
    server: StandInServer

    def poll(self, minutes: float = 1.0) -> Checkpoint:
        """One run after so many minutes of the stand-in's time."""
        from integrations.engine import pull

        self.shop.advance(60 * minutes)
        pull.ensure_polls(self.source)
        polls = Checkpoint.objects.filter(connection=self.source, reader="messages", purpose="poll")
        polls.update(due_at=timezone.now())
        pull_through(polls.get().pk)
        return polls.get()

    def run(self) -> None:
        run_until_quiet(lambda: True, 30)

    def numbers(self) -> set[str]:
        """Order numbers or ids as Ometria holds them."""
        return set(self.ometria.look("/orders"))

    def events(self, **values: Any) -> Any:
        return InboxEvent.objects.filter(connection=self.source, **values)


@pytest.fixture
def feed(route_e: RouteE) -> Feed:
    """Route E with the flows of people and orders only, at once, and the doors that a key opens."""
    from integrations.engine import accounts
    from integrations.models import Flow

    Flow.objects.exclude(record_type__in=["customer", "order"]).update(enabled=False)
    Flow.objects.update(settings={"settle_seconds": 0})
    route_e.source.settings["catalogue_wait_seconds"] = 0
    route_e.source.save()
    accounts.set_credential(route_e.source, "door_key", DOOR_KEY)
    return Feed(route_e.shop, route_e.ometria, route_e.source, route_e.server)


def goods(feed: Feed) -> str:
    """A SKU that can be bought."""
    feed.shop.act("create_product", name="Shirt", variants=[{"sku": "SHIRT-1", "price": "20.00"}])
    return "SHIRT-1"
