"""Consent between an Ometria account and a shop, both as stand-ins over real HTTP, with everything said there brought to the other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.engine import accounts, pull
from integrations.models import Checkpoint, Connection, Delivery, Flow, InboxEvent
from integrations.platforms.ometria.webhooks import BODY
from mapping.defaults import load_defaults
from tests.conftest import RouteB
from tests.quiet import run_until_quiet

KEY = "demo-webhook-key"
IN, OUT = "EXPLICITLY_OPTEDIN", "EXPLICITLY_OPTEDOUT"


@dataclass(slots=True)
class Sides:
    """Both sides and what each holds; `route` is Shopify → Ometria, and a flow of consent leads back."""

    route: RouteB

    @property
    def flow(self) -> Flow:
        return Flow.objects.select_related("source", "destination").get(record_type="consent", destination=self.route.source)

    def listen(self, *, key: str = KEY) -> None:
        """From now on an automation calls us whenever somebody says something at Ometria."""
        url = f"{self.route.hooks}/hooks/ometria/"
        hook = {"url": url, "headers": {"X-Switchyard-Account": "demo", "X-Switchyard-Key": key}, "body": BODY}
        answer = self.route.http.post(f"{self.route.destination.base_url}/_control/automation", json=hook, timeout=10)
        assert answer.json() == {"account": "demo", "active": True}

    def customer(self, **values: Any) -> Any:
        """Somebody who is known on both sides; what she said is dated some minutes ago."""
        return self.route.act("create_customer", **{"email": "ada@example.com", "first_name": "Ada", **values})

    def say(self, statement: str, **values: Any) -> dict[str, Any]:
        """She uses Ometria's preference centre."""
        return self.route.ometria.act("/preference", **{"email": "ada@example.com", "marketing_optin": statement, **values})

    def pass_time(self, seconds: float) -> None:
        """Both platforms' clocks go on."""
        self.route.shopify.clock.advance(seconds)
        self.route.ometria.clock.advance(seconds)

    def run(self, seconds: float = 20.0) -> None:
        """Work until nothing is due any more."""
        run_until_quiet(lambda: self.route.shopify.wait_sent(10) and self.route.ometria.wait_sent(10), seconds)

    def poll(self, connection: Connection | None = None, *readers: str) -> None:
        """The polls of a connection (Ometria's without one) come round now, and what they bring goes where it goes."""
        self.pull(connection, *readers)
        self.run()

    def pull(self, connection: Connection | None = None, *readers: str) -> None:
        """The polls come round, and nothing is delivered yet."""
        source = connection or self.route.destination
        pull.ensure_polls(source)
        wanted = readers or tuple(pull.readers_of(source))
        for checkpoint in Checkpoint.objects.filter(connection=source, purpose="poll", reader__in=wanted):
            while not pull.run_pull(checkpoint.pk, 5).finished:
                assert not Checkpoint.objects.get(pk=checkpoint.pk).error

    def backfill(self, connection: Connection, *readers: str) -> None:
        """History is pulled; returns when it is done and everything in it went where it goes."""
        for checkpoint in pull.start_backfill(connection, readers, since=timezone.now() - timedelta(days=30)):
            while (checkpoint := Checkpoint.objects.get(pk=checkpoint.pk)).state in ("waiting", "running"):
                pull.run_pull(checkpoint.pk, 5)
            assert checkpoint.state == "done", checkpoint.error
        self.run()

    def in_shop(self, customer: Any, channel: str = "email") -> str:
        """The state that the shop holds."""
        held = self.route.shopify.shop().customers.get(customer.id)
        return (held.email_consent if channel == "email" else held.sms_consent).state

    def in_ometria(self, email: str = "ada@example.com") -> tuple[bool | None, bool | None]:
        """Whether Ometria mails and texts this person."""
        profile = next(row for row in self.route.state("profiles").values() if row["email"] == email)
        return profile["marketing_optin"], profile["sms_optin"]

    def effects(self) -> tuple[int, int]:
        """How many consents were written to the shop, and how many contacts to Ometria."""
        return len(self.route.shopify.ledger.effects("consent")), len(self.route.ometria.ledger.effects("contact"))

    def delivery(self) -> Delivery:
        return Delivery.objects.get(flow=self.flow)

    def hints(self) -> list[tuple[str, str]]:
        """State and reason of every call of the automation."""
        return list(InboxEvent.objects.filter(connection=self.route.destination).order_by("pk").values_list("state", "error"))


@pytest.fixture
def sides(route_b: RouteB) -> Sides:
    """Consent both ways between Shopify and Ometria, webhooks of both arriving at the product's own server."""
    route_b.http.trust_env = False
    ometria = route_b.destination
    ometria.settings["webhook_base_url"] = route_b.hooks
    ometria.save()
    accounts.set_credential(ometria, "webhook_key", KEY)
    load_defaults(Flow.objects.create(source=ometria, destination=route_b.source, record_type="consent"))
    assert route_b.subscribe()
    return Sides(route_b)
