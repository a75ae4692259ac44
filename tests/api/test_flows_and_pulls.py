"""Flows, pulls and connections over the API."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from integrations.engine.accounts import set_credential
from integrations.models import Checkpoint, Connection, Flow
from tests.rows import make_flow, make_person, minutes_ago

pytestmark = pytest.mark.django_db
SECRET = "shpat-demo-secret-never-shown"


@pytest.fixture
def api() -> APIClient:
    client = APIClient()
    client.force_authenticate(make_person("administrator"))
    return client


def make_pull(flow: Flow, **values: object) -> Checkpoint:
    defaults = {"reader": "orders", "purpose": "backfill", "window_from": minutes_ago(600), "due_at": timezone.now()}
    return Checkpoint.objects.create(connection=flow.source, **{**defaults, **values})


class TestFlows:
    def test_a_flow_tells_its_ends_and_its_switch(self, api):
        flow = make_flow()

        body = api.get(f"/api/v1/flows/{flow.pk}/").json()

        body.pop("created_at")
        assert body == {
            "id": flow.pk, "name": "Example shop → Example Ometria: order", "record_type": "order", "enabled": True, "settings": {},
            "last_delivered_at": None,
            "source": {"id": flow.source_id, "name": "Example shop", "platform": "shopify"},
            "destination": {"id": flow.destination_id, "name": "Example Ometria", "platform": "ometria"},
        }  # fmt: skip

    def test_flows_are_filtered_by_platform_type_and_switch(self, api):
        order, customer = make_flow("order"), make_flow("customer")
        Flow.objects.filter(pk=customer.pk).update(enabled=False)

        def found(query: str) -> list[int]:
            return [row["id"] for row in api.get(f"/api/v1/flows/?{query}").json()["results"]]

        assert found("") == [customer.pk, order.pk]
        assert found("record_type=order") == [order.pk]
        assert found("enabled=false") == [customer.pk]
        assert found("source_platform=ometria") == []

    def test_switching_off_and_on_is_kept_in_the_history_with_the_person(self, api):
        flow = make_flow()

        assert api.post(f"/api/v1/flows/{flow.pk}/disable/").json()["enabled"] is False
        assert api.post(f"/api/v1/flows/{flow.pk}/enable/").json()["enabled"] is True
        flow.refresh_from_db()
        assert flow.enabled is True
        assert [row.enabled for row in flow.history.order_by("history_id")] == [True, False, True]

    def test_switching_on_wakes_the_flow(self, api):
        flow = make_flow()
        Flow.objects.filter(pk=flow.pk).update(enabled=False)

        api.post(f"/api/v1/flows/{flow.pk}/enable/")

        flow.refresh_from_db()
        assert flow.woken_at is not None


class TestPulls:
    def test_a_backfill_is_started_for_each_reader(self, api):
        flow = make_flow()
        since = timezone.now() - timedelta(days=30)

        wish = {"connection": flow.source_id, "readers": ["orders", "customers"], "since": since.isoformat()}

        answer = api.post("/api/v1/checkpoints/", wish, format="json")

        assert answer.status_code == 201
        assert [(row["reader"], row["purpose"], row["state"], row["progress"]["read"]) for row in answer.json()["started"]] == [
            ("orders", "backfill", "waiting", 0),
            ("customers", "backfill", "waiting", 0),
        ]
        assert Checkpoint.objects.values_list("requested_by__username", flat=True).distinct().get() == "administrator"

    def test_a_reader_the_source_does_not_have_is_refused_by_name(self, api):
        flow = make_flow()

        wish = {"connection": flow.source_id, "readers": ["horoscopes"], "since": "2026-01-01T00:00:00Z"}

        answer = api.post("/api/v1/checkpoints/", wish, format="json")

        assert (answer.status_code, answer.json()) == (400, {"non_field_errors": ["Example shop cannot read horoscopes."]})
        assert not Checkpoint.objects.exists()

    def test_it_pauses_goes_on_and_ends(self, api):
        pull = make_pull(make_flow())

        states = [api.post(f"/api/v1/checkpoints/{pull.pk}/{act}/").json()["state"] for act in ("pause", "resume", "cancel")]

        assert states == ["paused", "waiting", "cancelled"]

    @pytest.mark.parametrize(("state", "act"), [("done", "pause"), ("running", "resume"), ("cancelled", "resume"), ("done", "cancel")])
    def test_what_the_state_does_not_allow_is_a_conflict(self, api, state, act):
        pull = make_pull(make_flow(), state=state)

        answer = api.post(f"/api/v1/checkpoints/{pull.pk}/{act}/")

        if (state, act) == ("running", "resume"):
            assert (answer.status_code, answer.json()["state"]) == (200, "running")
        else:
            assert (answer.status_code, answer.json()) == (409, {"detail": f"This is not possible: the pull is {state}."})

    def test_a_poll_cannot_be_cancelled(self, api):
        poll = make_pull(make_flow(), purpose="poll")

        answer = api.post(f"/api/v1/checkpoints/{poll.pk}/cancel/")

        assert answer.status_code == 409
        poll.refresh_from_db()
        assert poll.state == "waiting"


class TestConnections:
    def test_a_secret_never_leaves(self, api):
        shop = make_flow().source
        set_credential(shop, "access_token", SECRET)

        detail = api.get(f"/api/v1/connections/{shop.pk}/")
        listing = api.get("/api/v1/connections/")

        assert detail.json()["credentials"] == ["access_token"]
        assert SECRET not in detail.content.decode() + listing.content.decode()

    def test_the_test_call_answers_in_sentences(self, api, monkeypatch):
        from integrations.api import connections
        from integrations.platforms.base import Probe

        shop = make_flow().source
        problems = ("Grant read_orders and connect again.",)
        probe = Probe(ok=False, summary="A permission is missing.", problems=problems, scopes=("read_products",))
        monkeypatch.setattr(connections, "probe_connection", lambda connection: probe)

        assert api.post(f"/api/v1/connections/{shop.pk}/test/").json() == {
            "ok": False, "summary": "A permission is missing.", "problems": ["Grant read_orders and connect again."],
            "scopes": ["read_products"], "version_served": "", "facts": {},
        }  # fmt: skip

    def test_the_list_takes_the_same_number_of_queries_for_one_and_for_ten(self, api, django_assert_num_queries):
        make_flow()
        for number in range(10):
            row = Connection.objects.create(platform="shopify", name=str(number), external_id=str(number), base_url="http://127.0.0.1:9")
            set_credential(row, "access_token", "demo")

        with django_assert_num_queries(4):  # permissions of the person and of the groups, connections, kinds of their secrets
            api.get("/api/v1/connections/")
