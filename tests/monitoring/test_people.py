"""Administrators look after people and cannot be lifted above their role."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from rest_framework.authtoken.models import Token

from tests.rows import make_person

pytestmark = pytest.mark.django_db
LIST = "/admin/auth/user/"


@pytest.fixture
def administrator(client: Client) -> Client:
    client.force_login(make_person("administrator"))
    return client


def act(client: Client, name: str, *people: User) -> str:
    answer = client.post(LIST, {"action": name, "_selected_action": [person.pk for person in people]}, follow=True)
    return " ".join(str(message) for message in answer.context["messages"])


def page(person: User) -> str:
    return reverse("admin:auth_user_change", args=[person.pk])


def test_a_new_person_may_open_the_console_with_their_role_only(administrator):
    role = Group.objects.get(name="ecommerce")
    form = {"username": "ben", "password1": "a long demo password", "password2": "a long demo password", "groups": [role.pk]}

    answer = administrator.post(reverse("admin:auth_user_add"), {**form, "is_superuser": "on", "usable_password": "true"})

    assert answer.status_code == 302
    person = User.objects.get(username="ben")
    assert (person.is_staff, person.is_superuser, list(person.groups.all())) == (True, False, [role])


def test_no_form_makes_a_superuser_or_gives_single_rights(administrator):
    person = make_person("ecommerce")

    administrator.post(page(person), {"username": "ecommerce", "is_active": "on", "is_superuser": "on", "user_permissions": [1]})

    person.refresh_from_db()
    assert (person.is_superuser, person.user_permissions.count()) == (False, 0)


def test_a_superuser_is_out_of_an_administrators_reach(administrator):
    boss = User.objects.create_superuser("boss")

    assert administrator.post(page(boss), {"username": "gone"}).status_code == 403
    assert administrator.post(reverse("admin:auth_user_password_change", args=[boss.pk]), {}).status_code == 403
    assert "Superusers are changed by superusers only." in act(administrator, "new_api_token", boss)
    assert not Token.objects.exists()


def test_nobody_deletes_themselves(administrator):
    me = User.objects.get(username="administrator")

    assert administrator.post(reverse("admin:auth_user_delete", args=[me.pk]), {"post": "yes"}).status_code == 403


def test_a_new_token_ends_the_old_one_and_is_logged_without_its_value(administrator):
    person = make_person("manager")
    old = Token.objects.create(user=person)

    told = act(administrator, "new_api_token", person)

    token = Token.objects.get(user=person)
    assert token.key != old.key
    assert token.key in told
    entry = LogEntry.objects.get()
    assert (entry.user.username, entry.get_change_message()) == ("administrator", "New API token")
    assert token.key not in administrator.get(LIST).content.decode()


def test_a_lost_device_is_taken_off(administrator):
    person = make_person("manager")
    Authenticator.objects.create(user=person, type=Authenticator.Type.TOTP, data={})

    assert "password alone" in act(administrator, "end_second_factor", person)
    assert not Authenticator.objects.exists()


def test_an_act_takes_exactly_one_person(administrator):
    assert "Choose exactly one person." in act(administrator, "new_api_token", make_person("manager"), make_person("ecommerce"))


def test_the_list_takes_the_same_number_of_queries_for_one_person_and_for_forty(administrator, django_assert_num_queries):
    administrator.get(LIST)
    for number in range(40):
        make_person("manager", username=f"m{number}")

    with django_assert_num_queries(10):
        administrator.get(LIST)
