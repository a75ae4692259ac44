"""A commercetools connection's page: the addresses a cloud must call, and the one press that makes a subscription."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from integrations.engine import watch
from integrations.engine.accounts import set_credential
from integrations.models import Connection

pytestmark = pytest.mark.django_db
DOOR_KEY = "demo-door-key-0123456789"


@pytest.fixture
def project() -> Connection:
    row = Connection.objects.create(
        platform="commercetools", name="Acme", external_id="acme-demo", base_url="https://api.europe-west1.gcp.commercetools.com",
        settings={"client_id": "demo", "subscription_destination": "EventGrid"},
    )  # fmt: skip
    set_credential(row, "door_key", DOOR_KEY)
    return row


def test_the_page_shows_the_address_that_the_cloud_must_call_and_never_the_key(
    administrator: Client, project: Connection, settings: Any
) -> None:
    settings.PUBLIC_URL = "https://console.example.com"
    answer = administrator.get(reverse("admin:integrations_connection_change", args=[project.pk]))

    (shown,) = [text for _, _, text in answer.context["by_hand"]]
    page = answer.content.decode()
    assert shown == "https://console.example.com/hooks/commercetools/acme-demo/eventgrid/?key=<key of the door>"
    assert ("Enter this at your cloud" in page, "Check webhooks" in page, DOOR_KEY in page) == (True, True, False)


def test_a_press_makes_the_subscription_and_the_hourly_look_does_not(
    administrator: Client, project: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    pressed: list[bool] = []
    monkeypatch.setattr(watch, "check_subscriptions", lambda connection, *, asked=False: pressed.append(asked) or [])
    administrator.post(reverse("admin:integrations_connection_subscriptions", args=[project.pk]), follow=True)
    assert pressed == [True]


def test_every_way_in_is_explained_in_the_form(administrator: Client, project: Connection) -> None:
    page = administrator.get(reverse("admin:integrations_connection_change", args=[project.pk])).content.decode()
    labels = ("Audience of Pub/Sub", "ARN of the SNS topic", "AWS account of EventBridge", "Endpoint of the Event Grid topic")
    assert [label for label in (*labels, "Key of the door") if label not in page] == []
