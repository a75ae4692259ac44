"""Roles: the table is written as it stands, and every page and call is open to exactly the roles that it names."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser, Group, Permission, User
from django.core.management import CommandError, call_command
from django.db.models import Model
from django.test import Client
from rest_framework.test import APIClient

from integrations.access import answerable, may_answer, may_replay, replayable
from integrations.api.urls import router
from integrations.models import Delivery, SyncException
from tests.rows import make_delivery, make_event, make_exception, make_flow, make_person, minutes_ago

pytestmark = pytest.mark.django_db
ROLES = ("ecommerce", "marketing", "manager", "administrator")
EVERYBODY, NOBODY = frozenset(ROLES), frozenset()
MANAGERS = frozenset({"manager", "administrator"})
ADMINISTRATORS = frozenset({"administrator"})
MERCHANTS = frozenset({"ecommerce", "manager", "administrator"})

# Who may do what, said here a second time on purpose: model → roles that (view, add, change, delete).
EXPECTED: dict[str, tuple[frozenset[str], frozenset[str], frozenset[str], frozenset[str]]] = {
    "integrations.connection": (EVERYBODY, ADMINISTRATORS, ADMINISTRATORS, ADMINISTRATORS),
    "integrations.flow": (EVERYBODY, MANAGERS, MANAGERS, NOBODY),
    "integrations.checkpoint": (EVERYBODY, MANAGERS, MANAGERS, NOBODY),
    "integrations.inboxevent": (EVERYBODY, NOBODY, MANAGERS, NOBODY),
    "integrations.delivery": (EVERYBODY, NOBODY, EVERYBODY, NOBODY),
    "integrations.syncexception": (EVERYBODY, NOBODY, EVERYBODY, NOBODY),
    "integrations.unmappedsku": (EVERYBODY, NOBODY, NOBODY, NOBODY),
    "integrations.contactsync": (EVERYBODY, NOBODY, NOBODY, NOBODY),
    "integrations.engagementfigure": (EVERYBODY, NOBODY, NOBODY, NOBODY),
    "integrations.privacyrequest": (MANAGERS, MANAGERS, MANAGERS, NOBODY),
    "integrations.impactrun": (EVERYBODY, NOBODY, NOBODY, NOBODY),
    "integrations.credential": (NOBODY, ADMINISTRATORS, ADMINISTRATORS, ADMINISTRATORS),
    "mapping.mappingversion": (EVERYBODY, MANAGERS, MANAGERS, MANAGERS),
    "mapping.skucrosswalk": (EVERYBODY, MERCHANTS, MERCHANTS, MERCHANTS),
    "mapping.valuecrosswalk": (EVERYBODY, MANAGERS, MANAGERS, MANAGERS),
    "mapping.identityrule": (EVERYBODY, MANAGERS, MANAGERS, MANAGERS),
    "mapping.maskingrule": (EVERYBODY, MANAGERS, MANAGERS, MANAGERS),
    "mapping.fieldowner": (EVERYBODY, MANAGERS, MANAGERS, MANAGERS),
    "monitoring.reconciliation": (EVERYBODY, EVERYBODY, EVERYBODY, NOBODY),
    "monitoring.drift": (EVERYBODY, NOBODY, NOBODY, NOBODY),
    "monitoring.duplicate": (EVERYBODY, NOBODY, frozenset({"marketing", "manager", "administrator"}), NOBODY),
    "monitoring.staleconsent": (EVERYBODY, NOBODY, frozenset({"marketing", "manager", "administrator"}), NOBODY),
    "monitoring.segment": (EVERYBODY, NOBODY, frozenset({"marketing", "manager", "administrator"}), NOBODY),
    "monitoring.alertstate": (EVERYBODY, NOBODY, MANAGERS, NOBODY),
    "monitoring.alertevent": (EVERYBODY, NOBODY, NOBODY, NOBODY),
    "monitoring.alerttarget": (MANAGERS, MANAGERS, MANAGERS, ADMINISTRATORS),
    "auth.user": (ADMINISTRATORS, ADMINISTRATORS, ADMINISTRATORS, ADMINISTRATORS),
}
ACTS = ("view", "add", "change", "delete")


@dataclass(slots=True)
class House:
    """One person per role and one row of everything."""

    people: dict[str, User] = field(default_factory=dict)
    rows: dict[str, Model] = field(default_factory=dict)


@pytest.fixture
def house() -> House:
    people = {role: make_person(role) for role in ROLES}
    flow = make_flow("customer")
    delivery = make_delivery(flow, state="delivered")
    pull = flow.source.checkpoints.create(reader="customers", purpose="backfill", window_from=minutes_ago(9), due_at=minutes_ago(1))
    rows = [flow, flow.source, delivery, pull, make_exception(flow, "bad_phone", "x"), make_event(flow.source, "e")]
    held = make_delivery(flow, "1002", state="blocked")
    question = make_exception(make_flow("order"), waiting=1)
    views = {"integrations.contactsync": held, "integrations.unmappedsku": question}
    return House(people, {**{row._meta.label_lower: row for row in rows}, **views})


class TestTheTable:
    def test_the_roles_get_exactly_their_permissions_and_again(self):
        call_command("sync_roles", verbosity=0)
        stray = Permission.objects.get(codename="delete_delivery")
        Group.objects.get(name="marketing").permissions.add(stray)

        call_command("sync_roles", verbosity=0)

        for group in Group.objects.all():
            held = {f"{app}.{name}" for app, name in group.permissions.values_list("content_type__app_label", "codename")}
            assert held == set(settings.ROLES[group.name])
        assert set(Group.objects.values_list("name", flat=True)) == EVERYBODY

    def test_a_permission_that_does_not_exist_is_named_and_nothing_is_written(self, settings):
        settings.ROLES = {"ecommerce": ("integrations.fly",)}

        with pytest.raises(CommandError, match=r"integrations\.fly"):
            call_command("sync_roles")
        assert not Group.objects.exists()

    @pytest.mark.parametrize("model", EXPECTED)
    def test_each_role_has_the_expected_permissions(self, model):
        app, name = model.split(".")
        people = {role: make_person(role) for role in ROLES}

        found = tuple(frozenset(role for role in ROLES if people[role].has_perm(f"{app}.{act}_{name}")) for act in ACTS)

        assert found == EXPECTED[model]

    def test_personal_data_is_for_those_who_work_with_people(self):
        assert [role for role in ROLES if make_person(role).has_perm("integrations.view_personal_data")] == [
            "marketing", "manager", "administrator",
        ]  # fmt: skip


class TestEveryAdminPage:
    def test_every_list_and_page_opens_for_exactly_the_roles_that_may_view_it(self, house):
        """Every registered model: its list, its first row's page, its history; 200 for viewers, 403 for the rest, sign-in for strangers."""
        for person in [*house.people.values(), None]:
            client = Client()
            if person:
                client.force_login(person)
            for model, desk in admin.site._registry.items():
                label = model._meta.label_lower
                allowed = person is not None and person.has_perm(f"{model._meta.app_label}.view_{model._meta.model_name}")
                base = f"/admin/{label.replace('.', '/')}/"
                row = house.rows.get(label)
                for path in [base, *([f"{base}{row.pk}/change/"] if row else [])]:
                    status = client.get(path).status_code
                    assert status == (302 if person is None else 200 if allowed else 403), (path, person, desk)

    def test_adding_is_refused_to_everybody_else(self, house):
        for role, person in house.people.items():
            client = Client()
            client.force_login(person)
            for model in admin.site._registry:
                path = f"/admin/{model._meta.label_lower.replace('.', '/')}/add/"
                if not person.has_perm(f"{model._meta.app_label}.add_{model._meta.model_name}"):
                    assert client.get(path).status_code == 403, (role, path)
                    assert client.post(path, {}).status_code == 403, (role, path)

    def test_every_model_of_ours_that_has_a_page_is_in_the_expected_table(self):
        shown = {model._meta.label_lower for model in admin.site._registry if not model.__name__.startswith("Historical")}

        assert shown <= EXPECTED.keys(), shown - EXPECTED.keys()

    def test_every_act_of_a_desk_is_refused_without_its_permission(self, house):
        for role, person in house.people.items():
            client = Client()
            client.force_login(person)
            for model, desk in admin.site._registry.items():
                row = house.rows.get(model._meta.label_lower)
                for act in getattr(desk, "acts", ()) if row else ():
                    path = f"/admin/{model._meta.label_lower.replace('.', '/')}/{row.pk}/{act.name}/"
                    if not person.has_perm(act.permission):
                        assert client.post(path).status_code == 403, (role, path)
                    assert client.get(path).status_code == 405, (role, path)

    def test_the_side_bar_offers_only_what_opens(self, house):
        for person in house.people.values():
            client = Client()
            client.force_login(person)
            groups = client.get("/admin/").context["sidebar_navigation"]
            links = [str(item["link"]) for group in groups for item in group["items"]]
            assert len(links) >= 11
            assert {client.get(link).status_code for link in links} == {200}
            assert ("/admin/auth/user/" in links) == (person.username == "administrator")


# Calls of the API: (method, address, body) → roles that may. The rows are a customer's and a marketing question, open to everybody's scope.
CALLS: dict[tuple[str, str], frozenset[str]] = {
    ("get", "flows/"): EVERYBODY,
    ("get", "flows/{flow}/"): EVERYBODY,
    ("post", "flows/{flow}/enable/"): MANAGERS,
    ("post", "flows/{flow}/disable/"): MANAGERS,
    ("get", "deliveries/"): EVERYBODY,
    ("get", "deliveries/{delivery}/"): EVERYBODY,
    ("post", "deliveries/{delivery}/replay/"): EVERYBODY,
    ("post", "deliveries/replay/"): EVERYBODY,
    ("get", "exceptions/"): EVERYBODY,
    ("get", "exceptions/{syncexception}/"): EVERYBODY,
    ("post", "exceptions/{syncexception}/assign/"): EVERYBODY,
    ("post", "exceptions/{syncexception}/comment/"): EVERYBODY,
    ("post", "exceptions/{syncexception}/ignore/"): EVERYBODY,
    ("post", "exceptions/{syncexception}/release/"): EVERYBODY,
    ("post", "exceptions/{syncexception}/snooze/"): EVERYBODY,
    ("post", "exceptions/{syncexception}/undo/"): EVERYBODY,
    ("post", "exceptions/{syncexception}/wake/"): EVERYBODY,
    ("get", "checkpoints/"): EVERYBODY,
    ("post", "checkpoints/"): MANAGERS,
    ("get", "checkpoints/{checkpoint}/"): EVERYBODY,
    ("post", "checkpoints/{checkpoint}/pause/"): MANAGERS,
    ("post", "checkpoints/{checkpoint}/resume/"): MANAGERS,
    ("post", "checkpoints/{checkpoint}/cancel/"): MANAGERS,
    ("get", "connections/"): EVERYBODY,
    ("get", "connections/{connection}/"): EVERYBODY,
    ("post", "connections/{connection}/test/"): ADMINISTRATORS,
}
RESOURCES = {
    "flows": "flow", "deliveries": "delivery", "exceptions": "syncexception", "checkpoints": "checkpoint", "connections": "connection",
}  # fmt: skip


class TestEveryCall:
    def test_every_method_of_the_router_is_in_the_table(self):
        found = set()
        for pattern in router.urls:
            path = str(pattern.pattern).strip("^$")
            resource = path.split("/")[0]
            address = path.replace("(?P<pk>[^/.]+)", f"{{{RESOURCES[resource]}}}")
            found |= {(method, address) for method in pattern.callback.actions if method != "head"}

        assert found == CALLS.keys()

    @pytest.mark.parametrize("role", ["", *ROLES])
    def test_each_role_may_do_exactly_what_the_table_says(self, house, role, monkeypatch):
        from integrations.api import connections
        from integrations.platforms.base import Probe

        monkeypatch.setattr(connections, "probe_connection", lambda connection: Probe(ok=True, summary="fine"))
        client = APIClient()
        client.force_authenticate(house.people[role] if role else make_person())
        ids = {label.rpartition(".")[2]: row.pk for label, row in house.rows.items()}
        for (method, address), roles in CALLS.items():
            path = f"/api/v1/{address.format(**ids)}"
            status = getattr(client, method)(path, {}, format="json").status_code
            assert (status != 403) == (role in roles), (method, path, status)
            assert status in {200, 201, 400, 403, 409}, (method, path, status)

    def test_methods_that_no_resource_has_are_refused_to_everybody(self, house):
        client = APIClient()
        client.force_authenticate(house.people["administrator"])
        for resource, row in RESOURCES.items():
            pk = house.rows[f"integrations.{row}"].pk
            for method in ("put", "patch", "delete"):
                assert getattr(client, method)(f"/api/v1/{resource}/{pk}/", {}, format="json").status_code in {403, 405}

    def test_strangers_are_asked_to_sign_in(self, house):
        ids = {label.rpartition(".")[2]: row.pk for label, row in house.rows.items()}
        for method, address in CALLS:
            assert getattr(APIClient(), method)(f"/api/v1/{address.format(**ids)}", {}, format="json").status_code == 401


class TestRowsOfARole:
    @pytest.fixture
    def rows(self) -> tuple[Delivery, Delivery]:
        return make_delivery(make_flow("customer"), "c"), make_delivery(make_flow("order"), "o")

    def test_marketing_is_narrowed_to_customers_and_its_own_questions(self, rows):
        customer, order = rows
        person = make_person("marketing")
        contact, sku = make_exception(customer.flow, "ambiguous_contact", "c"), make_exception(order.flow, "unmapped_sku", "s")

        assert list(replayable(person, Delivery.objects.all())) == [customer]
        assert [may_replay(person, row) for row in rows] == [True, False]
        assert list(answerable(person, SyncException.objects.all())) == [contact]
        assert [may_answer(person, row) for row in (contact, sku)] == [True, False]

    def test_a_second_role_widens(self, rows):
        person = make_person("marketing")
        person.groups.add(Group.objects.get(name="ecommerce"))

        assert [may_replay(User.objects.get(pk=person.pk), row) for row in rows] == [True, True]

    def test_everybody_else_is_not_narrowed(self, rows):
        sku = make_exception(rows[1].flow, "unmapped_sku", "s")
        for role in ("ecommerce", "manager", "administrator"):
            person = make_person(role)
            assert replayable(person, Delivery.objects.all()).count() == 2
            assert may_answer(person, sku)

    def test_nobody_without_the_permission_acts_on_any_row(self, rows):
        for person in (make_person(), AnonymousUser()):
            assert not replayable(person, Delivery.objects.all()).exists()
            assert not answerable(person, SyncException.objects.all()).exists()
            assert not may_replay(person, rows[0])

    def test_a_superuser_may_everything(self, rows):
        boss = User.objects.create_superuser("boss")
        boss.groups.add(make_person("marketing").groups.get())

        assert replayable(boss, Delivery.objects.all()).count() == 2
