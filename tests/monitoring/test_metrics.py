"""Figures for Prometheus and who may read them."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from monitoring.sampling import sample
from tests.rows import make_delivery, make_event, make_exception, make_flow

pytestmark = pytest.mark.django_db


def figures(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (point.name, tuple(sorted(point.labels.items()))): point.value
        for family in text_string_to_metric_families(text)
        for point in family.samples
        if point.name.startswith("switchyard_")
    }


def test_gauges_tell_the_last_samples_of_flows_connections_and_questions(client):
    flow = make_flow()
    make_delivery(flow, "1")
    make_exception(flow, waiting=2)
    make_event(flow.source, "e")
    sample()

    found = figures(client.get("/metrics").content.decode())

    of_flow = (("destination", "ometria"), ("flow", str(flow.pk)), ("record_type", "order"), ("source", "shopify"))
    of_shop = (("connection", str(flow.source_id)), ("platform", "shopify"))
    assert found[("switchyard_flow_ready", of_flow)] == 1
    assert found[("switchyard_flow_held", of_flow)] == 2
    assert found[("switchyard_inbox_waiting", of_shop)] == 1
    assert found[("switchyard_open_questions", (("kind", "unmapped_sku"),))] == 1
    assert 0 <= found[("switchyard_sample_age_seconds", ())] < 180


def test_figures_of_the_web_process_are_on_the_same_page(client):
    client.get("/healthz")

    assert "django_http_requests_total_by_method" in client.get("/metrics").content.decode()


def test_nothing_on_the_page_names_a_person_or_an_account(client):
    flow = make_flow()
    make_delivery(flow)
    sample()

    text = client.get("/metrics").content.decode()

    assert "ann@example.com" not in text
    assert "Example shop" not in text


def test_before_the_first_sample_the_page_says_so(client):
    assert figures(client.get("/metrics").content.decode())[("switchyard_sample_age_seconds", ())] == -1


@pytest.mark.parametrize(
    ("headers", "address", "status"),
    [
        ({}, "127.0.0.1", 200),
        ({}, "::1", 200),
        ({}, "203.0.113.9", 403),
        ({}, "", 403),
        ({"x-forwarded-for": "203.0.113.9"}, "127.0.0.1", 403),
        ({"forwarded": "for=203.0.113.9"}, "127.0.0.1", 403),
        ({"authorization": "Bearer right-demo-token"}, "203.0.113.9", 200),
        ({"authorization": "Bearer wrong"}, "203.0.113.9", 403),
        ({"authorization": "Basic right-demo-token"}, "203.0.113.9", 403),
    ],
)
def test_only_this_machine_and_holders_of_the_token_may_read(client, settings, headers, address, status):
    settings.METRICS_TOKEN = "right-demo-token"

    assert client.get("/metrics", headers=headers, REMOTE_ADDR=address).status_code == status


def test_an_empty_token_opens_nothing(client, settings):
    settings.METRICS_TOKEN = ""

    assert client.get("/metrics", headers={"authorization": "Bearer "}, REMOTE_ADDR="203.0.113.9").status_code == 403
