"""Flows of consent in the console: added and switched like any other, their deliveries readable, people masked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from django.test import Client
from django.urls import reverse

from integrations.models import Delivery, Flow
from mapping import codec
from mapping.defaults import load_defaults
from mapping.models import MappingVersion
from mapping.records import Consent, ConsentChange, ConsentState
from tests.rows import make_connections, make_delivery

pytestmark = pytest.mark.django_db
AT = datetime(2026, 1, 10, 8, 0, tzinfo=UTC)


@pytest.fixture
def flow() -> Flow:
    """Ometria → Shopify, consent."""
    shop, ometria = make_connections()
    made = Flow.objects.create(source=ometria, destination=shop, record_type="consent")
    load_defaults(made)
    return made


@pytest.fixture
def withdrawal(flow: Flow) -> Delivery:
    consent = Consent(channel="email", state=ConsentState.WITHDRAWN, stated_at=AT, source="link_unsubscribe", explicit=True)
    record = ConsentChange(key="email:one-way-code", occurred_at=AT, email="ada@example.com", consents=(consent,))
    values = {"record": orjson.loads(codec.dumps(record)), "state": "skipped", "last_code": "unknown_person"}
    return make_delivery(flow, record.key, **values, last_message="Shopify has no customer with this address or number.")


def page(client: Client, name: str, *args: Any, **query: str) -> str:
    answer = client.get(reverse(f"admin:{name}", args=args), query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_manager_adds_it_between_the_two_connections(manager: Client):
    shop, ometria = make_connections()
    key = f"{ometria.pk}:{shop.pk}:consent"
    offered = page(manager, "integrations_flow_add")
    manager.post(reverse("admin:integrations_flow_add"), {"flow": [key]})

    assert f'value="{key}"' in offered
    (made,) = Flow.objects.all()
    assert (made.record_type, made.enabled, MappingVersion.objects.get(flow=made).state) == ("consent", False, "published")


def test_the_lists_and_the_pages_of_flow_mapping_and_delivery_show_it(manager: Client, flow: Flow, withdrawal: Delivery):
    assert "Consents" in page(manager, "integrations_flow_changelist")
    assert "Switch off" in page(manager, "integrations_flow_change", flow.pk)
    version = MappingVersion.objects.get(flow=flow)
    assert "emailMarketingConsent.marketingState" in page(manager, "mapping_mappingversion_change", version.pk)
    assert "Shopify has no customer" in page(manager, "integrations_delivery_change", withdrawal.pk)


def test_a_delivery_says_in_one_line_what_was_said_by_whom(sign_in: Callable[[str], Client], withdrawal: Delivery):
    shown = {role: page(sign_in(role), "integrations_delivery_changelist") for role in ("marketing", "ecommerce")}

    assert all("Consent · e-mail: withdrawn" in text for text in shown.values())
    assert "ada@example.com" not in shown["ecommerce"]


def test_the_flow_can_be_switched_off(manager: Client, flow: Flow):
    manager.post(reverse("admin:integrations_flow_switch", args=[flow.pk]))
    flow.refresh_from_db()
    assert flow.enabled is False
