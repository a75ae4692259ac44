"""Every object's page says who changed what, when, from what to what; secrets never appear."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from integrations.models import Connection, Flow
from mapping.changes import changes_of
from mapping.models import FieldOwner, IdentityRule, MaskingRule, SkuComponent, SkuCrosswalk, ValueCrosswalk
from tests.rows import make_connections, make_flow, make_person

pytestmark = pytest.mark.django_db


def told(row: Any) -> list[tuple[str, str, list[tuple[str, str, str]]]]:
    return [(each.by, each.what, [(part.label, part.before, part.after) for part in each.parts]) for each in changes_of(row)]


def test_a_connection_s_settings_are_told_before_and_after_by_whom(administrator: Client):
    site = Connection.objects.create(platform="site", name="Pages", external_id="site_0123456789abcdef", base_url="https://www.example.com")
    form = {"name": "Shop pages", "external_id": site.external_id, "base_url": site.base_url, "set_abandon_minutes": "45"}
    numbers = {"set_orphan_after_hours": "24", "set_calls_per_second": "500", "set_calls_per_visitor": "10", "set_signature_seconds": "300"}

    administrator.post(reverse("admin:integrations_connection_configure", args=[site.pk]), {**form, **numbers})

    latest = changes_of(site)[0]
    parts = {part.label: (part.before, part.after) for part in latest.parts}
    assert latest.by == "administrator"
    assert parts["Name"] == ("Pages", "Shop pages")
    assert parts["Abandon minutes"] == ("nothing", "45")
    page = administrator.get(reverse("admin:integrations_connection_change", args=[site.pk])).content.decode()
    assert 'Minutes until a checkout counts as abandoned: <span class="sy-before">nothing</span>' in page


def test_a_secret_is_told_by_its_name_only(administrator: Client):
    shop = make_connections()[0]

    administrator.post(reverse("admin:integrations_connection_secrets", args=[shop.pk]), {"secret_client_secret": "hush-hush"})

    page = administrator.get(reverse("admin:integrations_connection_change", args=[shop.pk])).content.decode()
    assert ("Secrets set: client_secret" in page, "hush-hush" in page) == (True, False)


def test_a_flow_s_switch_is_told(manager: Client):
    flow = make_flow()

    manager.post(reverse("admin:integrations_flow_switch", args=[flow.pk]))

    by, _, parts = told(Flow.objects.get())[0]
    assert (by, parts) == ("manager", [("Enabled", "yes", "no")])
    page = manager.get(reverse("admin:integrations_flow_change", args=[flow.pk])).content.decode()
    assert '<span class="sy-before">yes</span>' in page


def rows() -> list[Any]:
    shop, ometria = make_connections()
    return [
        (ValueCrosswalk.objects.create(name="status", source_value="paid", target_value="P"), {"target_value": "complete"}),
        (IdentityRule.objects.create(destination=ometria, position=1, key="email"), {"position": "4"}),
        (MaskingRule.objects.create(field="email", how="domain", pattern="old.example"), {"pattern": "relay.example"}),
        (FieldOwner.objects.create(destination=ometria, target="firstname", owner=shop), {"target": "lastname"}),
    ]


@pytest.mark.parametrize("number", range(4))
def test_the_tables_of_rules_tell_each_value_before_and_after(number: int, manager: Client):
    row, change = rows()[number]
    fields = [field.name for field in row._meta.fields if field.editable and field.name not in ("id", "updated_at")]
    form = {name: getattr(row, f"{name}_id", None) or getattr(row, name) for name in fields}
    place = f"admin:mapping_{row._meta.model_name}"

    manager.post(reverse(f"{place}_change", args=[row.pk]), {**form, **change})

    page = manager.get(reverse(f"{place}_history", args=[row.pk])).content.decode()
    (after,) = change.values()
    assert (f'<span class="sy-after">{after}</span>' in page, "manager" in page) == (True, True)


def test_the_parts_of_a_bundle_belong_to_its_history(manager: Client):
    shop, ometria = make_connections()
    row = SkuCrosswalk.objects.create(source=shop, destination=ometria, source_sku="SET")
    part = SkuComponent.objects.create(crosswalk=row, target_sku="SOAP")
    part.quantity = 3
    part.save()
    part.delete()

    page = manager.get(reverse("admin:mapping_skucrosswalk_history", args=[row.pk])).content.decode()

    assert '<span class="sy-before">1</span> → <span class="sy-after">3</span>' in page
    assert "Deleted 3 × SOAP" in page


def test_a_person_s_role_is_told_before_and_after_and_no_password(administrator: Client):
    person = make_person("ecommerce", username="ann")
    manager = Group.objects.get_or_create(name="manager")[0]

    administrator.post(
        reverse("admin:auth_user_change", args=[person.pk]),
        {"username": "ann", "first_name": "Ann", "last_name": "", "email": "", "groups": [manager.pk], "is_active": "on"},
    )

    by, what, _ = told(User.objects.get(username="ann"))[0]
    assert (by, what) == ("administrator", "First name: nothing → Ann; Roles: ecommerce → manager")
    page = administrator.get(reverse("admin:auth_user_history", args=[person.pk])).content.decode()
    assert "Roles: ecommerce → manager" in page


def test_what_the_program_notes_for_itself_is_no_act_of_anybody():
    shop = make_connections()[0]
    shop.version_served = "2026-10"
    shop.save()

    assert [what for _, what, _ in told(shop)] == ["Added"]
