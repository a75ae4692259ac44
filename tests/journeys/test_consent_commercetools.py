"""Consent between three platforms: Ometria, a Shopify shop and a commercetools project, each telling the others what people said there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.engine import accounts
from integrations.models import Connection, Delivery, Flow, SyncException
from integrations.standins.commercetools import CommercetoolsStandIn
from integrations.standins.commercetools.specs import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, DEMO_PROJECT
from integrations.standins.server import StandInServer
from mapping.defaults import load_defaults
from tests.journeys.consent_sides import OUT, Sides

pytestmark = [pytest.mark.journey]
FIELDS = {
    "email_consent_field": "emailOptIn", "email_consent_time_field": "emailOptInAt",
    "sms_consent_field": "smsOptIn", "sms_consent_time_field": "smsOptInAt",
}  # fmt: skip
EARLIER = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=30)


@dataclass(slots=True)
class Three:
    """Both sides of route B, and a project beside them."""

    sides: Sides
    project: CommercetoolsStandIn
    connection: Connection

    def customer(self, **values: Any) -> tuple[Any, Any]:
        """Ada, who subscribed half an hour ago at both shops, known everywhere."""
        with self.sides.route.shopify.shop().past(EARLIER):
            shopper = self.sides.customer(accepts_email=True, **values)
        self.sides.route.act("update_customer", customer_id=shopper.id, last_name="Byron")
        account = self.project.act("register", email="Ada@Example.com", consent={"email": True, "at": EARLIER.isoformat()})
        self.sides.run()
        self.poll()
        return shopper, account

    def poll(self) -> None:
        """The project's customers are asked for."""
        self.project.advance(2)
        self.sides.poll(self.connection, "customers")

    def agree(self, shopper: Any, account: Any) -> tuple[str, bool, bool | None]:
        """What the shop, the project and Ometria hold of e-mail."""
        held = self.project.project().get("customer", account.id).doc()["custom"]["fields"]["emailOptIn"]
        return self.sides.in_shop(shopper), held, self.sides.in_ometria()[0]

    def effects(self) -> tuple[int, ...]:
        """How much was written to each of the three."""
        return (*self.sides.effects(), len([one for one in self.project.ledger.effects() if one.kind.startswith("customer.set")]))

    def flow(self, source: Connection, destination: Connection) -> Flow:
        return Flow.objects.get(source=source, destination=destination, record_type="consent")


@pytest.fixture
def three(sides: Sides) -> Iterator[Three]:
    stand_in = CommercetoolsStandIn()
    with StandInServer([stand_in]) as server:
        address = server.url("commercetools")
        project = Connection.objects.create(
            platform="commercetools", name="Acme", external_id=DEMO_PROJECT, base_url=f"{address}/api",
            settings={"client_id": DEMO_CLIENT_ID, "auth_url": f"{address}/auth", "read_rate": 0, "write_rate": 0, **FIELDS},
        )  # fmt: skip
        accounts.set_credential(project, "client_secret", DEMO_CLIENT_SECRET)
        shop, ometria = sides.route.source, sides.route.destination
        for source, destination in ((ometria, project), (shop, project), (project, shop)):
            load_defaults(Flow.objects.create(source=source, destination=destination, record_type="consent"))
        load_defaults(Flow.objects.create(source=project, destination=ometria, record_type="customer", settings={"settle_seconds": 0}))
        yield Three(sides, stand_in, project)
        stand_in.close()


def test_who_opts_out_at_ometria_is_opted_out_everywhere(three: Three) -> None:
    ada = three.customer()
    assert three.agree(*ada) == ("SUBSCRIBED", True, True)
    three.sides.listen()
    three.sides.say(OUT)
    three.sides.run()

    (left,) = three.sides.route.ometria.account().unsubscribes
    fields = three.project.project().get("customer", ada[1].id).doc()["custom"]["fields"]
    assert three.agree(*ada) == ("UNSUBSCRIBED", False, False)
    assert datetime.fromisoformat(fields["emailOptInAt"]) == datetime.fromisoformat(left["timestamp"])


def test_who_opts_in_at_the_project_after_leaving_the_shop_is_subscribed_everywhere(three: Three) -> None:
    ada = three.customer()
    three.sides.route.act("set_email_consent", customer_id=ada[0].id, state="UNSUBSCRIBED", at=EARLIER + timedelta(minutes=5))
    three.sides.run()
    assert three.agree(*ada) == ("UNSUBSCRIBED", False, False)
    three.project.act("change_consent", customer=ada[1].id, email=True, at=(EARLIER + timedelta(minutes=9)).isoformat())
    three.poll()

    assert three.agree(*ada) == ("SUBSCRIBED", True, True)


def test_without_a_named_field_the_project_is_left_as_it_is(three: Three) -> None:
    ada = three.customer()
    three.connection.settings |= dict.fromkeys(FIELDS, "")
    three.connection.save()
    three.sides.say(OUT)
    three.sides.poll()

    told = Delivery.objects.get(flow=three.flow(three.sides.route.destination, three.connection))
    assert (told.state, told.last_code) == ("skipped", "not_named")
    assert three.agree(*ada) == ("UNSUBSCRIBED", True, False)
    assert not SyncException.objects.filter(state="open").exists()


def test_once_quiet_all_three_agree_and_nothing_further_is_written(three: Three) -> None:
    ada = three.customer()
    three.sides.listen()
    three.sides.say(OUT)
    three.sides.run()
    three.poll()
    three.project.act("change_consent", customer=ada[1].id, email=True)
    three.poll()
    three.sides.poll()
    agreed, effects = three.agree(*ada), three.effects()
    for _ in range(3):
        three.sides.pass_time(300)
        three.poll()
        three.sides.poll()
        three.sides.poll(three.sides.route.source, "customers")

    assert len({agreed[0] == "SUBSCRIBED", agreed[1], agreed[2]}) == 1
    assert (three.agree(*ada), three.effects()) == (agreed, effects)
