"""A merchant's own site beside a shop, as its visitors' browsers and its server call the collector."""

from __future__ import annotations

import hashlib
import hmac
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from django.utils import timezone

from integrations.engine import accounts, pumps
from integrations.models import Connection, Delivery, Flow
from mapping.defaults import load_all_defaults
from tests.conftest import RouteB

KEY, PAGE, SECRET = "site_demo_0123456789abcdef", "https://www.example.com", "demo-signing-secret"
PRODUCT = {"sku": "SHOE-42", "name": "Shoe", "price": 20, "currency": "GBP"}


@dataclass(slots=True)
class Site:
    """A merchant's site beside a shop, both bringing to one Ometria account."""

    route: RouteB
    connection: Connection

    def send(self, *events: dict[str, Any], origin: str = PAGE, **values: Any) -> int:
        """What a visitor's browser does; the status."""
        body = orjson.dumps({"key": KEY, "sent_at": datetime.now(UTC).isoformat(), "events": list(events), **values})
        headers = {"Origin": origin, "Content-Type": "text/plain;charset=UTF-8"}
        return self.route.http.post(f"{self.route.hooks}/hooks/site/", data=body, headers=headers, timeout=10).status_code

    def sign(self, *events: dict[str, Any], secret: str = SECRET) -> int:
        """What the shop's own server does."""
        body, stamp = orjson.dumps({"events": list(events)}), str(int(time.time()))
        digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        headers = {"X-Site-Key": KEY, "X-Site-Signature": f"t={stamp},v1={digest}"}
        return self.route.http.post(f"{self.route.hooks}/hooks/site/", data=body, headers=headers, timeout=10).status_code

    def work(self) -> None:
        """Process what came and deliver what is due now."""
        pumps.pump_connection(self.connection.pk, 5)
        self.deliver()

    def deliver(self, seconds: float = 15) -> None:
        """Deliver and confirm until only what waits on purpose is left."""
        until = time.monotonic() + seconds
        flows = Flow.objects.filter(source=self.connection)
        while time.monotonic() < until:
            for flow in flows:
                pumps.pump_flow(flow.pk, 5, linger=False)
            soon = timezone.now() + timedelta(seconds=3)
            busy = Delivery.objects.filter(flow__in=flows, state__in=["sending", "accepted"]).exists()
            if not busy and not Delivery.objects.filter(flow__in=flows, state="ready", due_at__lte=soon).exists():
                return
            time.sleep(0.1)
        raise AssertionError(list(Delivery.objects.filter(flow__in=flows).values_list("record_key", "state", "last_message")))

    def at_ometria(self) -> list[tuple[str, str | None]]:
        """Type and e-mail of every event that is there."""
        return sorted((event["event_type"], event.get("identity_email")) for event in self.route.state("events").values())

    def row(self, key: str, record_type: str = "event") -> Delivery:
        return Delivery.objects.get(flow__source=self.connection, flow__record_type=record_type, record_key=key)


def lay_out_site(route: RouteB, page: str = PAGE) -> Site:
    """Connection and flows of a site whose pages live at `page`."""
    route.http.trust_env = False
    settings = {"calls_per_visitor": 0, "abandon_minutes": 30}
    made = Connection.objects.create(platform="site", name="Own site", external_id=KEY, base_url=page, settings=settings)
    accounts.set_credential(made, "signing_secret", SECRET)
    ends = {"source": made, "destination": route.destination}
    load_all_defaults([Flow.objects.create(record_type=record_type, **ends) for record_type in ("event", "checkout")])
    return Site(route, made)


def event(kind: str = "product_viewed", visitor: str = "visitor-0001", seconds: float = 0, **values: Any) -> dict[str, Any]:
    at = datetime.now(UTC) + timedelta(seconds=seconds)
    data = {"product_viewed": PRODUCT, "added_to_cart": PRODUCT}.get(kind, {})
    made = {"event_id": str(uuid.uuid4()), "type": kind, "at": at.isoformat(), "consent": True, "anonymous_id": visitor, "data": data}
    return {**made, **values}


def begun(visitor: str = "visitor-0001", **values: Any) -> dict[str, Any]:
    line = {"sku": "SHOE-42", "product_id": "P1", "quantity": 2, "price": "20.00"}
    data = {"checkout_id": "c-1", "total": "40.00", "currency": "GBP", "url": f"{PAGE}/c/c-1", "lines": [line]}
    return event("checkout_started", visitor, data=data, **values)
