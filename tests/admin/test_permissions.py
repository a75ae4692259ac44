"""Who may do what: every act of every page, for every role, by POST with a CSRF token and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.engine import impact
from integrations.models import Checkpoint, Connection, Delivery, Flow, ImpactRun, SyncException
from mapping.defaults import load_defaults
from mapping.models import MappingVersion
from mapping.versions import draft_from
from tests.rows import make_connections, make_delivery, make_event, make_exception, make_flow, make_person

pytestmark = pytest.mark.django_db
EVERYBODY = {"ecommerce", "marketing", "manager", "administrator"}
SHOP_TEAMS = {"ecommerce", "manager", "administrator"}
RULERS = {"manager", "administrator"}
ONLY_ADMINISTRATORS = {"administrator"}
DESK = ("retry", "ignore", "resolve", "reopen", "assign", "snooze", "wake", "undo", "comment")


def connection() -> Connection:
    return make_connections()[0]


def order_delivery() -> Delivery:
    return make_delivery(make_flow("order"))


def customer_delivery() -> Delivery:
    return make_delivery(make_flow("customer"))


def sku_question() -> SyncException:
    return make_exception(make_flow(), waiting=1)


def contact_question() -> SyncException:
    return make_exception(make_flow("customer"), "ambiguous_contact", "7001", waiting=1, detail="om-1: one\nom-2: two")


def held_contact() -> Delivery:
    make_exception(make_flow("customer"), "bad_phone", "7001", waiting=1)
    return Delivery.objects.get()


def backfill() -> Checkpoint:
    return Checkpoint.objects.create(
        connection=connection(), reader="orders", purpose="backfill", window_from=timezone.now(), due_at=timezone.now()
    )


def draft() -> MappingVersion:
    flow = make_flow()
    load_defaults(flow)
    return draft_from(flow.pk)


def impact_run() -> ImpactRun:
    return impact.start(draft(), None)


ACTS: list[tuple[str, Callable[[], Any], str, set[str]]] = [
    *(("integrations_connection", connection, act, ONLY_ADMINISTRATORS) for act in ("configure", "secrets", "pause", "resume", "wake")),
    *(("integrations_flow", make_flow, act, RULERS) for act in ("switch", "configure", "backfill", "wake")),
    *(("integrations_checkpoint", backfill, act, RULERS) for act in ("pause", "resume", "cancel")),
    *(("integrations_delivery", order_delivery, act, SHOP_TEAMS) for act in ("replay", "retry")),
    *(("integrations_delivery", customer_delivery, act, EVERYBODY) for act in ("replay", "retry")),
    *(("integrations_syncexception", sku_question, act, SHOP_TEAMS) for act in (*DESK, "answer", "accept")),
    *(("integrations_syncexception", contact_question, act, EVERYBODY) for act in (*DESK, "answer")),
    *(("integrations_unmappedsku", sku_question, act, SHOP_TEAMS) for act in ("accept", "quick", "through")),
    ("integrations_contactsync", held_contact, "retry", EVERYBODY),
    ("integrations_inboxevent", lambda: make_event(connection(), "one"), "again", RULERS),
    *(("mapping_mappingversion", draft, act, RULERS) for act in ("save", "publish", "discard", "draft", "rollback", "duplicate", "impact")),
    *(("integrations_impactrun", impact_run, act, RULERS) for act in ("cancel", "again")),
]


@pytest.mark.parametrize(("name", "make", "act", "allowed"), ACTS, ids=[f"{name}-{act}-{make.__name__}" for name, make, act, _ in ACTS])
def test_only_permitted_roles_run_an_act(name: str, make: Callable[[], Any], act: str, allowed: set[str], sign_in: Callable[[str], Client]):
    row = make()
    url = reverse(f"admin:{name}_{act}", args=[row.pk])

    refused = {role for role in EVERYBODY - allowed if sign_in(role).post(url).status_code == 403}

    assert refused == EVERYBODY - allowed
    assert sign_in(sorted(allowed)[0]).post(url).status_code in (200, 302)


@pytest.mark.parametrize(("name", "make", "act", "allowed"), ACTS, ids=[f"{name}-{act}-{make.__name__}" for name, make, act, _ in ACTS])
def test_people_who_may_not_run_an_act_see_no_button_for_it(
    name: str, make: Callable[[], Any], act: str, allowed: set[str], sign_in: Callable[[str], Client]
):
    row = make()
    url, page = reverse(f"admin:{name}_{act}", args=[row.pk]), reverse(f"admin:{name}_change", args=[row.pk])

    for role in EVERYBODY - allowed:
        answer = sign_in(role).get(page)
        assert (answer.status_code, f'action="{url}' in answer.content.decode()) == (200, False), role


def test_an_act_is_not_done_by_following_a_link(administrator: Client):
    flow = make_flow()

    answer = administrator.get(reverse("admin:integrations_flow_switch", args=[flow.pk]))

    flow.refresh_from_db()
    assert (answer.status_code, flow.enabled) == (405, True)


def test_an_act_without_the_page_s_token_is_refused(db: None):
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_person("administrator"), backend="django.contrib.auth.backends.ModelBackend")
    flow = make_flow()

    answer = client.post(reverse("admin:integrations_flow_switch", args=[flow.pk]))

    flow.refresh_from_db()
    assert (answer.status_code, flow.enabled) == (403, True)


def test_an_act_on_a_row_that_is_not_there_is_not_found(administrator: Client):
    assert administrator.post(reverse("admin:integrations_flow_switch", args=[404])).status_code == 404


def test_after_an_act_people_return_only_to_our_own_pages(administrator: Client):
    flow = make_flow()
    url = reverse("admin:integrations_flow_switch", args=[flow.pk])

    answers = [
        administrator.post(url, {"next": address}).url for address in ("/admin/integrations/flow/", "https://elsewhere.example.com/")
    ]

    assert answers == ["/admin/integrations/flow/", reverse("admin:integrations_flow_change", args=[flow.pk])]


@pytest.mark.parametrize(
    ("name", "allowed"),
    [("integrations_connection", ONLY_ADMINISTRATORS), ("integrations_flow", RULERS), ("mapping_mappingversion", RULERS)],
)
def test_only_permitted_roles_add(name: str, allowed: set[str], sign_in: Callable[[str], Client]):
    answers = {role: sign_in(role).get(reverse(f"admin:{name}_add")).status_code for role in EVERYBODY}

    assert answers == {role: 200 if role in allowed else 403 for role in EVERYBODY}


@pytest.mark.parametrize("model", [Delivery, SyncException, Flow, Connection])
def test_nobody_deletes_rows_in_the_console(model: type[Model], administrator: Client):
    make_exception(make_flow(), waiting=1)
    row = model.objects.first()

    answer = administrator.post(reverse(f"admin:integrations_{model._meta.model_name}_delete", args=[row.pk]), {"post": "yes"})

    assert (answer.status_code, model.objects.filter(pk=row.pk).exists()) == (403, True)


def test_only_people_with_the_permission_see_personal_data(sign_in: Callable[[str], Client]):
    delivery = make_delivery(make_flow("customer"), record={"key": "1", "email": "ann@example.com", "first_name": "Annabel"})
    url = reverse("admin:integrations_delivery_change", args=[delivery.pk])

    seen = {role: "ann@example.com" in sign_in(role).get(url).content.decode() for role in EVERYBODY}

    assert seen == {"ecommerce": False, "marketing": True, "manager": True, "administrator": True}
