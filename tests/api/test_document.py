"""The OpenAPI document, its page for people, sign-in and errors of the API."""

from __future__ import annotations

import re

import pytest
import yaml
from django.core.management import call_command
from drf_spectacular.validation import validate_schema
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from integrations.api.urls import router
from tests.rows import PASSWORD, make_delivery, make_flow, make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def document() -> dict:
    client = APIClient()
    client.force_authenticate(make_person("ecommerce"))
    return yaml.safe_load(client.get("/api/schema/").content)


def test_the_document_is_valid_and_made_without_a_warning(tmp_path):
    target = tmp_path / "openapi.yaml"

    call_command("spectacular", validate=True, fail_on_warn=True, file=str(target))

    validate_schema(yaml.safe_load(target.read_text()))


def test_every_address_of_the_router_is_in_the_document(document):
    actual = {
        re.sub(r"\(\?P<(\w+)>[^)]*\)", r"{\1}", str(pattern.pattern)).strip("^$").replace("{pk}", "{id}")
        for pattern in router.urls
        if "format" not in str(pattern.pattern)
    }

    assert {f"/api/v1/{path}" for path in actual} == set(document["paths"])


def test_every_operation_says_what_it_does(document):
    operations = [(path, method, row) for path, methods in document["paths"].items() for method, row in methods.items()]
    silent = [(path, method) for path, method, row in operations if not row.get("description")]

    assert silent == []


def test_the_page_for_people_lists_every_operation_and_loads_nothing_from_elsewhere(client, document):
    client.force_login(make_person("manager"))

    page = client.get("/api/docs/").content.decode()

    assert [path for path in document["paths"] if path not in page] == []
    assert re.findall(r'(?:src|href)="(?:https?:)?//[^"]*"', page) == []


class TestSigningIn:
    def test_nobody_reads_without_signing_in(self):
        answer = APIClient().get("/api/v1/flows/")

        assert (answer.status_code, answer.json()) == (401, {"detail": "Authentication credentials were not provided."})
        assert answer.headers["WWW-Authenticate"] == "Token"

    def test_a_token_opens_the_api(self):
        token = Token.objects.create(user=make_person("manager"))

        assert APIClient().get("/api/v1/flows/", headers={"authorization": f"Token {token.key}"}).status_code == 200

    def test_the_token_of_somebody_who_left_opens_nothing(self):
        person = make_person("manager")
        token = Token.objects.create(user=person)
        person.is_active = False
        person.save()

        assert APIClient().get("/api/v1/flows/", headers={"authorization": f"Token {token.key}"}).status_code == 401

    def test_a_session_may_read_and_needs_a_csrf_token_to_write(self):
        delivery = make_delivery(make_flow(), state="delivered")
        make_person("manager", password=PASSWORD)
        client = APIClient(enforce_csrf_checks=True)
        client.login(username="manager", password=PASSWORD)

        assert client.get("/api/v1/deliveries/").status_code == 200
        assert client.post(f"/api/v1/deliveries/{delivery.pk}/replay/").status_code == 403
        delivery.refresh_from_db()
        assert delivery.state == "delivered"

    def test_callers_are_slowed_down_by_name(self, monkeypatch):
        from rest_framework.throttling import UserRateThrottle

        monkeypatch.setattr(UserRateThrottle, "get_rate", lambda self: "2/min")
        client = APIClient()
        client.force_authenticate(make_person("manager", username="throttled"))

        assert [client.get("/api/v1/flows/").status_code for _ in range(3)] == [200, 200, 429]


class TestErrors:
    @pytest.fixture
    def api(self) -> APIClient:
        client = APIClient()
        client.force_authenticate(make_person("manager"))
        return client

    @pytest.mark.parametrize("path", ["/api/v1/horoscopes/", "/api/v2/flows/", "/api/nothing", "/api/v1/flows/1/dance/"])
    def test_an_address_that_does_not_exist_answers_in_json(self, api, path):
        answer = api.get(path)

        assert (answer.status_code, list(answer.json())) == (404, ["detail"])

    @pytest.mark.parametrize("path", ["/api/v1/flows/999/", "/api/v1/deliveries/abc/", "/api/v1/exceptions/9223372036854775808/"])
    def test_a_row_that_does_not_exist_answers_in_json(self, api, path):
        answer = api.get(path)

        assert (answer.status_code, list(answer.json())) == (404, ["detail"])

    @pytest.mark.parametrize("body", ["{", "[]", "nonsense", '{"ids": {}}'])
    def test_a_body_that_cannot_be_read_is_a_plain_refusal(self, api, body):
        assert api.post("/api/v1/deliveries/replay/", body, content_type="application/json").status_code == 400

    def test_a_broken_cursor_is_a_plain_refusal(self, api):
        assert api.get("/api/v1/deliveries/?cursor=nonsense").status_code == 404

    def test_text_with_a_nul_is_a_plain_refusal(self, api):
        assert api.get("/api/v1/deliveries/?record_key=a%00b").status_code == 400
