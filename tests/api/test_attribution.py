"""What is done with a token stands in the log of the row, under the name of the token's person."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from tests.rows import make_delivery, make_exception, make_flow, make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def caller() -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {Token.objects.create(user=make_person('manager')).key}")
    return client


def logged() -> list[tuple[str, str, str]]:
    rows = LogEntry.objects.order_by("pk").values_list("user__username", "object_id", "change_message")
    return [(name, key, words) for name, key, words in rows]


def test_every_act_of_a_token_is_logged_on_its_row_under_its_person(caller: APIClient):
    flow = make_flow()
    question, delivery = make_exception(flow, waiting=1), make_delivery(flow, "7", state="delivered")

    caller.post(f"/api/v1/flows/{flow.pk}/disable/")
    caller.post(f"/api/v1/exceptions/{question.pk}/comment/", {"text": "Asked the supplier."})
    caller.post(f"/api/v1/exceptions/{question.pk}/ignore/", {"note": "A sample."})
    caller.post(f"/api/v1/deliveries/{delivery.pk}/replay/")

    assert logged() == [
        ("manager", str(flow.pk), "Switched off, through the API"),
        ("manager", str(question.pk), "Commented, through the API"),
        ("manager", str(question.pk), "Ignored, through the API"),
        ("manager", str(delivery.pk), "Replayed"),
    ]
    assert flow.history.first().history_user.username == "manager"


def test_what_was_refused_or_only_read_is_not_logged(caller: APIClient):
    flow = make_flow()
    question = make_exception(flow, waiting=1)

    caller.get(f"/api/v1/exceptions/{question.pk}/")
    caller.post(f"/api/v1/exceptions/{question.pk}/comment/", {"text": ""})
    caller.post(f"/api/v1/connections/{flow.source_id}/test/")
    caller.post("/api/v1/flows/404/disable/")

    assert logged() == []
