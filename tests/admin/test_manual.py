"""The manual inside the console: every article opens, every page's help leads to a place that is there."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from integrations.admin.manual import ARTICLES, manual_url
from integrations.admin.manual.places import PLACES
from integrations.models.kinds import KINDS
from integrations.platforms.registry import PLATFORMS
from tests.rows import make_exception, make_flow, make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def newcomer() -> Client:
    """Somebody of the staff without a role: the manual is for them too."""
    client = Client()
    client.force_login(make_person(), backend="django.contrib.auth.backends.ModelBackend")
    return client


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


@pytest.mark.parametrize("slug", ARTICLES)
def test_every_article_opens_for_everybody_of_the_staff(newcomer: Client, slug: str):
    assert ARTICLES[slug].title in page(newcomer, manual_url(slug))


def test_the_contents_lead_to_every_article(newcomer: Client):
    shown = page(newcomer, reverse("admin:manual"))

    assert [slug for slug in ARTICLES if f'href="{manual_url(slug)}"' not in shown] == []


def test_strangers_are_led_to_the_sign_in(client: Client):
    assert [client.get(address).status_code for address in (manual_url(), manual_url("glossary"))] == [302, 302]


def test_an_article_that_is_not_there_is_not_found(newcomer: Client):
    assert newcomer.get("/admin/manual/nothing-of-the-kind/").status_code == 404


@pytest.mark.parametrize("place", sorted(set(PLACES.values())), ids=lambda place: "#".join(place))
def test_help_opens_at_a_place_that_is_there(newcomer: Client, place: tuple[str, str]):
    slug, anchor = place

    assert not anchor or f'id="{anchor}"' in page(newcomer, manual_url(slug))


def test_every_kind_of_question_and_every_platform_has_a_place(newcomer: Client):
    remedies, platforms = page(newcomer, manual_url("exceptions")), page(newcomer, manual_url("connections"))

    assert [slug for slug in KINDS if f'<section id="{slug}"' not in remedies] == []
    assert [slug for slug in PLATFORMS if f'<section id="{slug}"' not in platforms] == []


def test_no_article_uses_an_anchor_twice(newcomer: Client):
    for slug in ARTICLES:
        ids = re.findall(r'\bid="([^"]+)"', page(newcomer, manual_url(slug)))
        assert sorted(ids) == sorted(set(ids)), slug


def test_the_help_of_a_question_s_page_opens_at_its_kind(administrator: Client):
    question = make_exception(make_flow("customer"), "bad_phone", "7001")

    shown = page(administrator, reverse("admin:integrations_syncexception_change", args=[question.pk]))

    assert f'href="{manual_url("exceptions", "bad_phone")}"' in shown


def test_the_help_of_a_list_opens_its_article(administrator: Client):
    shown = page(administrator, reverse("admin:integrations_connection_changelist"))

    assert f'class="sy-ask" href="{manual_url("connections")}"' in shown
