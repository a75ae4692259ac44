"""The connection page: secrets go in and never out, settings are typed, pause and resume say who."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from integrations.admin.connection import budget_facts, connect_url, version_facts
from integrations.admin.manual import manual_url
from integrations.engine.accounts import set_credential
from integrations.models import Connection, Credential, RateBudget
from integrations.platforms.registry import PLATFORMS
from tests.rows import make_connections

pytestmark = pytest.mark.django_db
FORM = {"name": "Renamed", "external_id": "example.myshopify.com", "base_url": "http://127.0.0.1:9", "api_version": "2026-10"}


@pytest.fixture
def shop() -> Connection:
    return make_connections()[0]


def act(client: Client, row: Connection, name: str, data: dict[str, Any] | None = None) -> str:
    """What the console tells after an act."""
    return client.post(reverse(f"admin:integrations_connection_{name}", args=[row.pk]), data or {}, follow=True).content.decode()


def log_of(row: Connection) -> list[tuple[str, str]]:
    entries = LogEntry.objects.filter(content_type__model="connection", object_id=row.pk).order_by("pk")
    return [(entry.user.get_username(), entry.change_message) for entry in entries]


def settings_form(**changes: Any) -> dict[str, Any]:
    shown = {f"set_{setting.name}": setting.default or "" for setting in PLATFORMS["shopify"].settings}
    shown = {name: ", ".join(value) if isinstance(value, list | tuple) else value for name, value in shown.items()}
    return {**FORM, **shown, "set_credential_mode": "admin_token", **changes}


def test_a_secret_is_stored_and_never_shown(administrator: Client, shop: Connection):
    page = act(administrator, shop, "secrets", {"secret_access_token": "demo-token-aaaa", "secret_client_secret": ""})

    assert {row.kind: row.secret for row in shop.credentials.all()} == {"access_token": "demo-token-aaaa"}
    assert "1 secret stored, encrypted" in page
    assert "demo-token-aaaa" not in page
    assert log_of(shop) == [("administrator", "Secrets set: access_token")]


def test_a_secret_field_left_empty_changes_nothing(administrator: Client, shop: Connection):
    Credential.objects.create(connection=shop, kind="access_token", secret="demo-old")

    page = act(administrator, shop, "secrets", {"secret_access_token": ""})

    assert shop.credentials.get().secret == "demo-old"
    assert "Nothing was filled in" in page


def test_the_page_says_when_a_secret_was_set_and_when_it_expires(administrator: Client, shop: Connection):
    Credential.objects.create(
        connection=shop, kind="access_token", secret="demo-old", expires_at=timezone.now() + timedelta(days=3, minutes=1)
    )

    page = administrator.get(reverse("admin:integrations_connection_change", args=[shop.pk])).content.decode()

    assert "in 3 days" in page
    assert "demo-old" not in page


def test_settings_are_stored_with_their_types_and_unknown_ones_are_kept(administrator: Client, shop: Connection):
    shop.settings = {"webhook_base_url": "https://console.example.com"}
    shop.save()

    act(administrator, shop, "configure", settings_form(set_market_countries="GB, DE", set_abandon_minutes="45"))

    shop.refresh_from_db()
    assert (shop.name, shop.api_version) == ("Renamed", "2026-10")
    kept = {name: shop.settings[name] for name in ("market_countries", "abandon_minutes", "webhook_base_url")}
    assert kept == {"market_countries": ["GB", "DE"], "abandon_minutes": 45, "webhook_base_url": "https://console.example.com"}


def test_wrong_settings_are_shown_again_and_nothing_is_stored(administrator: Client, shop: Connection):
    page = act(administrator, shop, "configure", settings_form(name="", set_abandon_minutes="soon"))

    shop.refresh_from_db()
    assert shop.name == "Example shop"
    assert page.count('class="sy-error"') == 2


def test_one_account_has_one_connection(administrator: Client, shop: Connection):
    Connection.objects.create(platform="shopify", name="Other", external_id="other.myshopify.com", base_url="http://127.0.0.1:9")

    page = act(administrator, shop, "configure", settings_form(external_id="other.myshopify.com"))

    assert "There is a connection for this account already." in page


def test_pausing_says_who_did_it_and_resuming_wakes_the_worker(administrator: Client, shop: Connection):
    act(administrator, shop, "pause")
    shop.refresh_from_db()
    paused = (shop.state, shop.state_reason.startswith("Paused by administrator"))

    act(administrator, shop, "resume")

    shop.refresh_from_db()
    assert (paused, shop.state, shop.state_reason) == (("paused", True), "active", "")
    assert OrmQ.objects.count() == 1
    assert log_of(shop) == [("administrator", "Paused"), ("administrator", "Resumed")]


def test_a_test_call_that_fails_is_told_in_one_sentence_and_kept(administrator: Client, shop: Connection):
    Credential.objects.create(connection=shop, kind="access_token", secret="demo-token")
    Connection.objects.filter(pk=shop.pk).update(api_version="2026-10", settings={"credential_mode": "admin_token"})

    page = act(administrator, shop, "test")

    shop.refresh_from_db()
    assert (shop.probe["ok"], shop.probed_at is not None, len(shop.probe["problems"]) > 0) == (False, True, True)
    assert "Does not work" in page


def test_a_new_connection_is_made_with_its_secrets(administrator: Client):
    url = f"{reverse('admin:integrations_connection_add')}?platform=ometria"
    required = {f"set_{setting.name}": setting.default for setting in PLATFORMS["ometria"].settings if setting.required}

    administrator.post(
        url, {"name": "Account", "external_id": "acc", "base_url": "https://api.example.com", "secret_api_key": "demo-key", **required}
    )

    row = Connection.objects.get()
    assert (row.platform, row.name, row.external_id) == ("ometria", "Account", "acc")
    assert {secret.kind: secret.secret for secret in row.credentials.all()} == {"api_key": "demo-key"}


def test_the_first_step_of_adding_offers_every_platform(administrator: Client):
    page = administrator.get(reverse("admin:integrations_connection_add")).content.decode()

    assert [f"?platform={slug}" in page for slug in PLATFORMS] == [True] * len(PLATFORMS)


@pytest.mark.parametrize(
    ("pinned", "served", "days_left", "warning"),
    [
        ("v2", "v2", 90, ""),
        ("v2", "v2", 20, "ends in 20 days"),
        ("v2", "v2", -3, "has ended"),
        ("v2", "v3", 90, "v3 answered although v2 is pinned"),
        ("v1", "", 90, "not one this program knows"),
    ],
)
def test_a_version_that_ends_or_differs_is_warned_of(pinned: str, served: str, days_left: int, warning: str):
    class Versions:
        api_versions = ("v3", "v2")
        version_ends = {"v2": str(timezone.localdate() + timedelta(days=days_left))}

    told = version_facts(Versions(), Connection(api_version=pinned, version_served=served))["warning"]

    assert (warning in told, bool(told)) == (True, bool(warning))


def test_the_budget_shown_is_what_has_grown_back_by_now():
    now = timezone.now()
    budget = RateBudget(
        group="graphql", tokens=10, rate=5, burst=100, updated_at=now - timedelta(seconds=4), blocked_until=now - timedelta(seconds=1)
    )

    assert budget_facts(budget, now) == {"group": "graphql", "available": 30, "burst": 100, "rate": 5, "share": 0.3, "blocked": None}


@pytest.mark.parametrize(("mode", "offered"), [("authorization_code", True), ("expiring_token", True), ("admin_token", False), ("", False)])
def test_the_hand_shake_is_offered_only_where_the_mode_has_one(mode: str, offered: bool, shop: Connection):
    shop.settings = {"credential_mode": mode}

    url = connect_url(shop, PLATFORMS["shopify"])

    assert url == (f"/oauth/shopify/start/{shop.pk}/" if offered else "")


def test_a_site_s_page_shows_the_script_to_copy_with_its_key_and_no_markup_of_its_own(administrator: Client, settings: Any):
    settings.PUBLIC_URL = "https://console.example.com"
    key = 'site_0123456789"><b>'
    site = Connection.objects.create(platform="site", name="Pages", external_id=key, base_url="https://www.example.com")

    answer = administrator.get(reverse("admin:integrations_connection_change", args=[site.pk]))

    script = "https://console.example.com/static/collector/collector.js"
    shown = answer.context["snippet"].splitlines()[1]
    assert shown == f'<script async src="{script}" data-key="site_0123456789&quot;&gt;&lt;b&gt;"></script>'
    page = answer.content.decode()
    assert ("data-copy" in page, manual_url("collector") in page, '"><b>' in page) == (True, True, False)


def test_other_platforms_have_no_script_to_copy(administrator: Client, shop: Connection):
    assert 'id="snippet"' not in administrator.get(reverse("admin:integrations_connection_change", args=[shop.pk])).content.decode()


def test_an_ometria_page_shows_what_to_enter_there_and_never_the_key(administrator: Client, settings: Any):
    settings.PUBLIC_URL = "https://console.example.com"
    ometria = Connection.objects.create(platform="ometria", name="Acme", external_id="acme", base_url="https://api.ometria.com")
    set_credential(ometria, "webhook_key", "a-long-random-word")

    answer = administrator.get(reverse("admin:integrations_connection_change", args=[ometria.pk]))

    page = answer.content.decode()
    address, headers, body = [text for _, _, text in answer.context["by_hand"]]
    assert address == "https://console.example.com/hooks/ometria/"
    assert orjson.loads(headers) == {"X-Switchyard-Account": "acme", "X-Switchyard-Key": "the webhook key of this connection"}
    assert "{{ profile.email }}" in body
    assert ("a-long-random-word" in page, "Check webhooks" in page, page.count("data-copy=")) == (False, False, 3)


def test_webhooks_that_are_made_by_hand_cannot_be_checked(administrator: Client):
    ometria = Connection.objects.create(platform="ometria", name="Acme", external_id="acme", base_url="https://api.ometria.com")

    assert "Webhooks are made by hand in Ometria, which does not list them." in act(administrator, ometria, "subscriptions")
