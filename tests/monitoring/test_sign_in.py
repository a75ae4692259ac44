"""One way in: password, throttled, and a second factor for those who set it up."""

from __future__ import annotations

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from tests.rows import PASSWORD, make_person

pytestmark = pytest.mark.django_db
LOGIN = "/accounts/login/"


@pytest.fixture(autouse=True)
def _nobody_was_throttled():
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def person():
    return make_person("manager", password=PASSWORD)


def sign_in(client: Client, password: str = PASSWORD, **data: str) -> object:
    return client.post(LOGIN, {"login": "manager", "password": password, **data})


@pytest.mark.parametrize("path", ["/", "/admin/", "/admin/login/", "/admin/integrations/delivery/"])
def test_every_page_leads_strangers_to_the_one_sign_in(client, path):
    chain = client.get(path, follow=True).redirect_chain

    assert chain[-1][0].startswith(LOGIN)


def test_the_sign_in_page_has_the_consoles_look_and_no_way_to_sign_up(client):
    page = client.get(LOGIN).content.decode()

    assert "switchyard/account.css" in page
    assert "Switchyard" in page
    assert "signup" not in page.lower()
    client.post("/accounts/signup/", {"username": "x", "password1": PASSWORD, "password2": PASSWORD})
    assert not User.objects.exists()


def test_the_right_password_leads_to_the_overview(client, person):
    answer = sign_in(client)

    assert (answer.status_code, answer.url) == (302, "/admin/")
    assert "Overview" in client.get("/admin/").content.decode()


def test_the_way_back_leads_to_the_page_that_was_asked_for_but_never_elsewhere(client, person):
    assert sign_in(client, next="/admin/integrations/flow/").url == "/admin/integrations/flow/"
    client.logout()
    assert sign_in(client, next="https://evil.example.com/").url == "/admin/"


def test_a_wrong_password_tells_neither_what_was_wrong_nor_who_exists(client, person):
    known = sign_in(client, "wrong").content.decode()
    unknown = client.post(LOGIN, {"login": "nobody", "password": "wrong"}).content.decode()

    assert "The username and/or password you specified are not correct." in known
    assert "The username and/or password you specified are not correct." in unknown


def test_guessing_is_stopped_even_for_the_right_password(client, person):
    for _ in range(5):
        sign_in(client, "wrong")

    answer = sign_in(client)

    assert "Too many failed login attempts" in answer.content.decode()
    assert "_auth_user_id" not in client.session


def test_the_second_factor_is_asked_for_and_checked(client, person):
    secret = totp.generate_totp_secret()
    totp.TOTP.activate(person, secret)

    asked = sign_in(client)
    assert asked.url.startswith(reverse("mfa_authenticate"))
    assert client.get("/admin/").status_code == 302

    wrong = client.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert wrong.status_code == 200
    assert "_auth_user_id" not in client.session

    code = totp.format_hotp_value(totp.hotp_value(secret, next(iter(totp.yield_hotp_counters_from_time()))))
    right = client.post(reverse("mfa_authenticate"), {"code": code})
    assert right.url == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_a_second_factor_is_set_up_from_the_persons_menu_after_the_password_again(client, person):
    sign_in(client)
    assert reverse("mfa_index") in client.get("/admin/").content.decode()
    asked = client.get(reverse("mfa_activate_totp"))
    assert asked.url.startswith(reverse("account_reauthenticate"))
    page = client.post(asked.url, {"password": PASSWORD}, follow=True)
    assert "switchyard/account.css" in page.content.decode()
    secret = page.context["form"].secret

    code = totp.format_hotp_value(totp.hotp_value(secret, next(iter(totp.yield_hotp_counters_from_time()))))
    client.post(reverse("mfa_activate_totp"), {"code": code})

    assert get_adapter().is_mfa_enabled(person, types=[Authenticator.Type.TOTP])


def test_signing_out_takes_a_post_and_ends_the_session(client, person):
    sign_in(client)

    client.get("/admin/logout/")
    assert "_auth_user_id" in client.session
    answer = client.post("/admin/logout/")
    assert (answer.status_code, "_auth_user_id" in client.session) == (302, False)


def test_people_outside_the_staff_are_refused(client):
    person = make_person("manager", password=PASSWORD)
    person.is_staff = False
    person.save()
    sign_in(client)

    assert client.get("/admin/", follow=True).status_code == 403


@pytest.mark.parametrize("name", ["mfa_index", "account_change_password", "mfa_list_webauthn"])
def test_account_pages_stand_in_the_consoles_frame(client, person, name):
    sign_in(client)

    page = client.get(reverse(name), follow=True).content.decode()

    assert "nav-sidebar" in page
    assert "Deliveries" in page
