"""Roles that must have a second factor get no further than to setting one up; recovery codes let people in once each."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from rest_framework.authtoken.models import Token

from tests.rows import PASSWORD, make_person

pytestmark = pytest.mark.django_db
SET_UP = "/accounts/2fa/"


@pytest.fixture(autouse=True)
def _bound(settings: Any):
    settings.REQUIRE_MFA_FOR = ["administrator"]
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()
    yield
    cache.clear()


def enter(username: str) -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": username, "password": PASSWORD})
    return client


def code_of(secret: str) -> str:
    return totp.format_hotp_value(totp.hotp_value(secret, next(iter(totp.yield_hotp_counters_from_time()))))


def test_an_administrator_is_led_to_the_set_up_and_the_console_opens_after_it():
    make_person("administrator", password=PASSWORD)
    client = enter("administrator")

    kept_out = [client.get(path).url for path in ("/admin/", "/admin/integrations/connection/", "/overview/live/")]
    assert kept_out == [SET_UP] * 3
    assert "Your role needs a second factor" in client.get(SET_UP).content.decode()

    page = client.get(reverse("mfa_activate_totp"))
    if page.status_code == 302:  # a sign-in that is older than some minutes is confirmed first
        page = client.post(page.url, {"password": PASSWORD}, follow=True)
    client.post(reverse("mfa_activate_totp"), {"code": code_of(page.context["form"].secret)})

    assert client.get("/admin/").status_code == 200
    kinds = set(Authenticator.objects.filter(user__username="administrator").values_list("type", flat=True))
    assert kinds == {"totp", "recovery_codes"}


@pytest.mark.parametrize("role", ["ecommerce", "marketing", "manager"])
def test_other_roles_are_asked_for_nothing(role: str):
    make_person(role, password=PASSWORD)

    assert enter(role).get("/admin/").status_code == 200


def test_a_superuser_counts_as_an_administrator():
    User.objects.create_superuser("root", password=PASSWORD)

    assert enter("root").get("/admin/").url == SET_UP


def test_every_named_role_is_bound(settings: Any):
    settings.REQUIRE_MFA_FOR = ["manager", "marketing"]
    for role in ("manager", "administrator"):
        make_person(role, password=PASSWORD)

    assert [enter(role).get("/admin/").status_code for role in ("manager", "administrator")] == [302, 200]


def test_recovery_codes_alone_are_no_second_factor():
    RecoveryCodes.activate(make_person("administrator", password=PASSWORD))

    assert enter("administrator").get("/admin/").url == SET_UP


def test_parts_of_pages_and_the_api_are_refused_in_their_own_way():
    make_person("administrator", password=PASSWORD)
    client = enter("administrator")

    part, call = client.get("/admin/", headers={"HX-Request": "true"}), client.get("/api/v1/flows/")

    assert (part.status_code, part.headers["HX-Redirect"]) == (204, SET_UP)
    assert (call.status_code, "second factor" in call.json()["detail"]) == (403, True)


def test_a_token_is_no_session_and_goes_on():
    token = Token.objects.create(user=make_person("administrator", password=PASSWORD))

    assert Client().get("/api/v1/flows/", headers={"Authorization": f"Token {token.key}"}).status_code == 200


def test_they_can_always_sign_out():
    make_person("administrator", password=PASSWORD)
    client = enter("administrator")

    client.post("/admin/logout/")

    assert "_auth_user_id" not in client.session


def test_a_recovery_code_lets_somebody_in_once():
    person = make_person("administrator", password=PASSWORD)
    totp.TOTP.activate(person, totp.generate_totp_secret())
    code = RecoveryCodes.activate(person).get_unused_codes()[0]

    first, second = enter("administrator"), enter("administrator")

    assert first.post(reverse("mfa_authenticate"), {"code": code}).url == "/admin/"
    assert first.get("/admin/").status_code == 200
    assert second.post(reverse("mfa_authenticate"), {"code": code}).status_code == 200
    assert "_auth_user_id" not in second.session
