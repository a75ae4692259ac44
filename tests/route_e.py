"""commercetools → Ometria for tests that cross real HTTP: stand-ins, connections, flows, and what happens in a project."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from integrations.standins.commercetools import CommercetoolsStandIn
from integrations.standins.commercetools.specs import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, DEMO_PROJECT
from integrations.standins.ometria import OmetriaStandIn
from integrations.standins.server import StandInServer
from tests.quiet import pull_through, run_until_quiet

MARKETS = ["GB:GBP:en-GB", "DE:EUR:de"]
CONSENT = {
    "email_consent_field": "emailOptIn", "email_consent_time_field": "emailOptInAt",
    "sms_consent_field": "smsOptIn", "sms_consent_time_field": "smsOptInAt",
}  # fmt: skip


@dataclass(slots=True)
class RouteE:
    """commercetools → Ometria, wired to stand-ins; `run` works like the workers do, in this process."""

    shop: CommercetoolsStandIn
    ometria: OmetriaStandIn
    server: StandInServer
    source: Any
    destination: Any

    def act(self, do: str, **arguments: Any) -> Any:
        """Let something happen in the project; a row with `id`, `version` and `doc()`."""
        return self.shop.act(do, **arguments)

    def goods(self, *skus: str, price: str = "20.00", **values: Any) -> None:
        """Products of one variant each, published, with a price in pounds and one in euros."""
        for sku in skus:
            self.act("create_product", name=f"Thing {sku}", variants=[{"sku": sku, "price": price}], **values)

    def flow(self, record_type: str) -> Any:
        from integrations.models import Flow

        return Flow.objects.select_related("source", "destination").get(
            source=self.source, destination=self.destination, record_type=record_type
        )

    def poll(self, *readers: str, seconds: float = 20.0) -> None:
        """One run of each of these standing polls to its end, as if its time had come."""
        from integrations.engine import pull
        from integrations.models import Checkpoint

        pull.ensure_polls(self.source)
        for reader in readers or ("customers", "orders", "payments", "carts"):
            checkpoint = Checkpoint.objects.get(connection=self.source, reader=reader, purpose="poll")
            Checkpoint.objects.filter(pk=checkpoint.pk).update(due_at=checkpoint.created_at)
            pull_through(checkpoint.pk, seconds)

    def hint(self, *events: tuple[str, Any]) -> None:
        """Events of the inbox, each a topic and a row of the project that it is about, as some door took them in."""
        from itertools import count

        from integrations.engine.ingest import ingest
        from integrations.platforms.base import IncomingEvent

        numbers = count(1)
        ingest(self.source.pk, [
            IncomingEvent(topic=topic, dedup_key=f"{topic}:{row.id}:{row.version}:{next(numbers)}", hint=True, object_key=row.id,
                          body=b'{"resourceVersion":%d}' % row.version)
            for topic, row in events
        ])  # fmt: skip

    def run(self, seconds: float = 20.0) -> None:
        """Process, deliver and confirm until nothing is due any more."""
        run_until_quiet(lambda: True, seconds)

    def state(self, what: str) -> Any:
        """What the Ometria stand-in holds: orders, contacts, products, events, profiles."""
        return self.ometria.look(f"/{what}")

    def stored(self, order: Any) -> Any:
        """The order as Ometria holds it, None while it does not."""
        return next((row for key, row in self.state("orders").items() if key.endswith(order.id)), None)

    def effects(self, kind: str) -> Sequence[Any]:
        """What was written to Ometria of a kind, in order."""
        return self.ometria.ledger.effects(kind)


def lay_out_route_e(project: str, ometria: str, **settings: Any) -> tuple[Any, Any]:
    """Rows of route E for stand-ins at these addresses, with every flow to Ometria and its default mapping."""
    from integrations.engine.accounts import set_credential
    from integrations.flows import specs_between
    from integrations.models import Connection, Flow
    from mapping.defaults import load_all_defaults

    source = Connection.objects.create(
        platform="commercetools", name="Acme demo", external_id=DEMO_PROJECT, base_url=f"{project}/api",
        settings={"client_id": DEMO_CLIENT_ID, "auth_url": f"{project}/auth", "markets": MARKETS, "read_rate": 0, "write_rate": 0,
                  **CONSENT, **settings},
    )  # fmt: skip
    set_credential(source, "client_secret", DEMO_CLIENT_SECRET)
    destination = Connection.objects.create(
        platform="ometria", name="Demo account", external_id="demo", base_url=ometria,
        settings={"push_rate": 0, "read_rate": 0, "reporting_currency": "GBP", "confirm_grace_seconds": 2},
    )  # fmt: skip
    set_credential(destination, "api_key", "demo-ometria-key")
    specs = specs_between("commercetools", "ometria")
    load_all_defaults([Flow.objects.create(source=source, destination=destination, record_type=spec.record_type) for spec in specs])
    return source, destination


@pytest.fixture
def route_e(transactional_db: None) -> Iterator[RouteE]:
    """commercetools → Ometria; nothing arrives by itself: a test polls, or hands in hints."""
    from integrations.engine import accounts

    accounts._clients.clear()
    shop = CommercetoolsStandIn()
    ometria = OmetriaStandIn({"demo": "demo-ometria-key"}, push_rate=None, read_rate=None, delay=0.0)
    with StandInServer([shop, ometria]) as server:
        source, destination = lay_out_route_e(server.url("commercetools"), server.url("ometria"))
        yield RouteE(shop, ometria, server, source, destination)
        shop.close()
        ometria.close()
    accounts._clients.clear()
