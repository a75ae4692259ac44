"""Who may open and do what, address by address: the table below is the whole truth, for every role, strangers and people without one.

An address of the console that is not in the table fails, and so does a line of the table whose address is gone. The API's methods have a
table of their own in `test_roles`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib import admin
from django.db import transaction
from django.db.models import Model
from django.http import HttpResponse
from django.template.backends.django import Template
from django.test import Client
from django.urls import URLResolver, get_resolver

from integrations.engine import accounts, impact, watch
from integrations.models import Connection, DeskRun, Flow, SkuAnswer, SyncException
from integrations.platforms.base import Probe
from mapping.defaults import load_defaults
from mapping.models import ConsentStatement, FieldOwner, IdentityRule, MaskingRule, SkuCrosswalk, ValueCrosswalk
from mapping.versions import draft_from
from monitoring.models import Drift, Duplicate, Reconciliation, StaleConsent
from tests.monitoring.alert_rows import make_alert, make_target
from tests.rows import PASSWORD, make_delivery, make_event, make_exception, make_flow, make_person, make_privacy_request, minutes_ago
from tests.segment_rows import make_segment

pytestmark = pytest.mark.django_db
PEOPLE = ("stranger", "outsider", "newcomer", "ecommerce", "marketing", "manager", "administrator")  # an outsider is not of the staff
WORLD = frozenset(PEOPLE)
SIGNED_IN = WORLD - {"stranger"}
STAFF = SIGNED_IN - {"outsider"}
ROLES = STAFF - {"newcomer"}
MERCHANTS = ROLES - {"marketing"}
MARKETERS = ROLES - {"ecommerce"}
MANAGERS = frozenset({"manager", "administrator"})
ADMINISTRATORS = frozenset({"administrator"})
NOBODY: frozenset[str] = frozenset()

# Who, by which method, and the names of the addresses; "table: one two" stands for table_one and table_two.
TABLE: tuple[tuple[frozenset[str], str, str], ...] = (
    # signing in
    (WORLD, "get", "account_login account_signup account_inactive account_confirm_email account_reset_password_done"),
    (WORLD, "get", "account_email_verification_sent account_reset_password account_reset_password_from_key"),
    (WORLD, "get", "account_reset_password_from_key_done account_logout admin:logout"),
    (SIGNED_IN, "get", "account_confirm_login_code mfa_authenticate"),  # in the middle of a sign-in; else they lead on
    (SIGNED_IN, "get", "account_change_password account_set_password account_email account_reauthenticate"),
    (SIGNED_IN, "get", "mfa: index activate_totp deactivate_totp list_webauthn add_webauthn remove_webauthn edit_webauthn"),
    (SIGNED_IN, "get", "mfa: generate_recovery_codes view_recovery_codes download_recovery_codes reauthenticate reauthenticate_webauthn"),
    # machines that watch
    (WORLD, "get", "healthz readyz metrics"),
    # everybody of the staff
    (STAFF, "get", "admin:index admin:manual admin:manual_article admin:password_change admin:password_change_done overview_live"),
    (STAFF, "get", "admin:search admin:view_on_site admin:login admin:jsi18n"),
    (NOBODY, "get", "admin:autocomplete"),  # no page of ours asks it
    # finding and watching
    (ROLES, "get", "admin:find admin:find_trace admin:route admin:route_live admin:route_trend admin:attempts admin:attempts_export"),
    (ROLES, "post", "admin:find_live"),
    (MANAGERS, "post", "admin:find_ask admin:find_there"),  # reads from the platforms
    (ROLES, "get", "admin:monitoring_segment: changelist change history standing live read_back_live people readings export"),
    (MARKETERS, "get", "admin:monitoring_segment_edit"),
    (MARKETERS, "post", "admin:monitoring_segment: watch unwatch configure read read_back stop_read_back read_all"),
    (ROLES, "post", "admin:monitoring_segment_send_again"),  # of their own records
    (NOBODY, "get", "admin:monitoring_segment: add delete"),
    # comparing both ends
    (ROLES, "get", "admin:monitoring_reconciliation: changelist change history live days export"),
    (ROLES, "post", "admin:monitoring_reconciliation: start pause resume cancel"),
    (ROLES, "get", "admin:monitoring_drift: changelist change history live export repairs progress"),
    (MERCHANTS, "post", "admin:monitoring_drift: repair dismiss reopen"),  # of an order; marketing's are those of people
    (ROLES, "get", "admin:monitoring_duplicate: changelist change history live now export"),
    (MARKETERS, "post", "admin:monitoring_duplicate: merge withdraw different reconsider"),
    (NOBODY, "get", "admin:monitoring_reconciliation: add delete"),
    (NOBODY, "get", "admin:monitoring_drift: add delete"),
    (NOBODY, "get", "admin:monitoring_duplicate: add delete"),
    # requests of people about their own data
    (MANAGERS, "get", "admin:integrations_privacyrequest: changelist change history live export person file certificate"),
    (MANAGERS, "post", "admin:integrations_privacyrequest: ask_export ask_erasure let_back cancel again hand_over"),
    (NOBODY, "get", "admin:integrations_privacyrequest: add delete"),
    # who may be written to
    (ROLES, "get", "admin:monitoring_staleconsent: changelist change history live search person of delivery export"),
    (MARKETERS, "post", "admin:monitoring_staleconsent: send send_person send_all"),
    (MANAGERS, "post", "admin:monitoring_staleconsent_audit"),
    (NOBODY, "get", "admin:monitoring_staleconsent: add delete"),
    # alerts
    (ROLES, "get", "admin:monitoring_alertstate: changelist change history standing who export"),
    (MANAGERS, "post", "admin:monitoring_alertstate_threshold"),
    (ROLES, "get", "admin:monitoring_alertevent: changelist change history export"),
    (MANAGERS, "get", "admin:monitoring_alerttarget: changelist change history add export"),
    (MANAGERS, "post", "admin:monitoring_alerttarget: test configure pause resume again"),
    (ADMINISTRATORS, "post", "admin:monitoring_alerttarget: rotate retire remove"),
    (NOBODY, "get", "admin:monitoring_alertstate: add delete"),
    (NOBODY, "get", "admin:monitoring_alertevent: add delete"),
    (NOBODY, "get", "admin:monitoring_alerttarget_delete"),
    # looking at tables
    (ROLES, "get", "admin:app_list"),
    (ROLES, "get", "admin:integrations_connection: changelist change history export"),
    (ROLES, "get", "admin:integrations_flow: changelist change history live export"),
    (ROLES, "get", "admin:integrations_checkpoint: changelist change history live export"),
    (ROLES, "get", "admin:integrations_inboxevent: changelist change history export"),
    (ROLES, "get", "admin:integrations_delivery: changelist change history export"),
    (ROLES, "get", "admin:integrations_syncexception: changelist change history runs run export"),
    (ROLES, "get", "admin:integrations_unmappedsku: changelist change history first answers candidates search export"),
    (ROLES, "get", "admin:integrations_contactsync: changelist change history live export"),
    (ROLES, "get", "admin:integrations_engagementfigure: changelist change history export"),
    (ROLES, "get", "admin:mapping_mappingversion: changelist change history preview compare file export"),
    (ROLES, "get", "admin:integrations_impactrun: changelist change history live export"),
    (ROLES, "get", "admin:mapping_skucrosswalk: changelist change history way_back export"),
    (ROLES, "get", "admin:mapping_valuecrosswalk: changelist change history way_back export"),
    (ROLES, "get", "admin:mapping_identityrule: changelist change history way_back export"),
    (ROLES, "get", "admin:mapping_maskingrule: changelist change history way_back export"),
    (ROLES, "get", "admin:mapping_fieldowner: changelist change history way_back export"),
    (ADMINISTRATORS, "get", "admin:auth_user: changelist change history export"),
    # adding and deleting
    (ADMINISTRATORS, "get", "admin:integrations_connection_add"),
    (ADMINISTRATORS, "get", "admin:auth_user: add delete password_change"),
    (MANAGERS, "get", "admin:integrations_flow_add"),
    (MANAGERS, "get", "admin:mapping_mappingversion: add import"),
    (MERCHANTS, "get", "admin:mapping_skucrosswalk: add delete import"),
    (MANAGERS, "get", "admin:mapping_valuecrosswalk: add delete import"),
    (MANAGERS, "get", "admin:mapping_identityrule: add delete import"),
    (MANAGERS, "get", "admin:mapping_maskingrule: add delete import"),
    (MANAGERS, "get", "admin:mapping_fieldowner: add delete import"),
    (NOBODY, "get", "admin:integrations_connection_delete"),
    (NOBODY, "get", "admin:integrations_flow_delete"),
    (NOBODY, "get", "admin:mapping_mappingversion_delete"),
    (NOBODY, "get", "admin:integrations_checkpoint: add delete"),
    (NOBODY, "get", "admin:integrations_impactrun: add delete"),
    (NOBODY, "get", "admin:integrations_inboxevent: add delete"),
    (NOBODY, "get", "admin:integrations_delivery: add delete"),
    (NOBODY, "get", "admin:integrations_syncexception: add delete"),
    (NOBODY, "get", "admin:integrations_unmappedsku: add delete"),
    (NOBODY, "get", "admin:integrations_contactsync: add delete"),
    (NOBODY, "get", "admin:integrations_engagementfigure: add delete"),
    # acts
    (ADMINISTRATORS, "post", "admin:integrations_connection: test configure secrets pause resume subscriptions wake"),
    (ADMINISTRATORS, "get", "oauth_start oauth_callback"),
    (MANAGERS, "post", "admin:integrations_flow: switch configure backfill wake"),
    (MANAGERS, "post", "admin:integrations_checkpoint: pause resume cancel"),
    (MANAGERS, "post", "admin:integrations_inboxevent: again"),
    (MANAGERS, "post", "admin:integrations_impactrun: cancel again"),
    (MERCHANTS, "post", "admin:integrations_delivery: replay retry"),  # of an order; contacts have their line below
    (MERCHANTS, "post", "admin:integrations_syncexception: answer accept retry ignore resolve reopen assign snooze wake undo comment"),
    (MERCHANTS, "get", "admin:integrations_syncexception_edit"),
    (ROLES, "get", "admin:integrations_syncexception_bulk"),
    (ROLES, "post", "admin:integrations_syncexception: save_view delete_view"),  # of one's own
    (MANAGERS, "post", "admin:integrations_syncexception: run_cancel run_take_back"),  # of somebody else's run
    (MERCHANTS, "post", "admin:integrations_unmappedsku: accept quick through undo run"),
    (MERCHANTS, "get", "admin:integrations_unmappedsku_upload"),
    (ROLES, "post", "admin:integrations_contactsync_retry"),
    (ROLES, "get", "admin:integrations_contactsync: retries progress"),
    (MERCHANTS, "post", "admin:mapping_skucrosswalk: process_import undo"),
    (MANAGERS, "post", "admin:mapping_valuecrosswalk: process_import undo"),
    (MANAGERS, "post", "admin:mapping_identityrule: process_import undo"),
    (MANAGERS, "post", "admin:mapping_maskingrule: process_import undo"),
    (MANAGERS, "post", "admin:mapping_fieldowner: process_import undo"),
    (MANAGERS, "post", "admin:mapping_mappingversion: save publish discard draft rollback duplicate impact check"),
    (MANAGERS, "post", "admin:audit_record"),
)
GAP = re.compile(r"<(?:\w+:)?(?P<plain>\w+)>|\(\?P<(?P<named>\w+)>(?:[^()]|\([^()]*\))*\)")
# What stands in the gaps of addresses, by the gap's name alone or with its address before it; other gaps take the key of a row.
WORDS = {
    "form": "csv", "admin:mapping_mappingversion_file form": "json",
    "act": "ignore", "app_label": "integrations", "cause": "held", "kind": "order", "key": "1001", "uidb36": "1",
    "admin:manual_article slug": "glossary", "admin:route slug": "shopify-to-ometria", "admin:route_live slug": "shopify-to-ometria",
    "admin:route_trend slug": "shopify-to-ometria", "oauth_start slug": "shopify", "oauth_callback slug": "shopify",
}  # fmt: skip
HIDDEN = {"admin:app_list"}  # whoever may see nothing there is told that there is nothing
# Past their guard a bare request finds nothing: no key or code of one's own, no filter of one's own, no connection named, no other site.
EMPTY = {
    "mfa_deactivate_totp", "mfa_remove_webauthn", "mfa_edit_webauthn", "mfa_view_recovery_codes", "mfa_download_recovery_codes",
    "admin:integrations_syncexception_delete_view", "admin:find_ask", "admin:view_on_site",
    "admin:integrations_privacyrequest_file", "admin:integrations_privacyrequest_certificate",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class House:
    """One row of every table, by the beginning of its addresses' names, and the keys that stand in single gaps."""

    rows: dict[str, Model]
    keys: dict[str, int]


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> House:
    """No test call and no question to a platform leaves the house."""
    monkeypatch.setattr(accounts, "probe_connection", lambda connection: Probe(ok=True, summary="fine"))
    monkeypatch.setattr(watch, "check_subscriptions", lambda connection, *, asked: [])
    monkeypatch.setattr(Template, "render", lambda self, context=None, request=None: "")  # who may is decided by then; drawing is slow
    monkeypatch.setattr(admin.site, "each_context", lambda request: {})
    flow, people = make_flow("order"), make_flow("customer")
    load_defaults(flow)
    shop, ometria, now = flow.source, flow.destination, minutes_ago(0)
    Connection.objects.filter(pk=shop.pk).update(settings={"credential_mode": "authorization_code", "client_id": "id"})
    draft, question, contact = draft_from(flow.pk), make_exception(flow, waiting=1), make_exception(people, "bad_phone", "7001", waiting=1)
    held = question.holds.get().delivery
    alert = make_alert(teams=["ecommerce", "marketing"])
    return House(
        {**desk_rows(flow, question, contact), **tables(shop, ometria), **reconciled(flow), **spoken(people),
         "mapping_mappingversion": draft,
         "integrations_impactrun": impact.start(draft, None), "oauth_start": shop, "auth_user": make_person(username="somebody"),
         "integrations_privacyrequest": make_privacy_request(),
         "integrations_engagementfigure": shop.figures.create(subject="shop", day=now.date(), values={}, occurred_at=now),
         "monitoring_segment": make_segment(flow), "monitoring_alertstate": alert, "monitoring_alertevent": alert.events.get(),
         "monitoring_alerttarget": make_target()},
        {"delivery_id": held.pk, "connection": shop.pk},
    )  # fmt: skip


def desk_rows(flow: Flow, question: SyncException, contact: SyncException) -> dict[str, Model]:
    """What the engine writes, and what people did on the desk of exceptions."""
    shop, sent = flow.source, make_delivery(flow, state="delivered", destination_key="there-1001")
    pull = shop.checkpoints.create(reader="customers", purpose="backfill", window_from=minutes_ago(9), due_at=minutes_ago(1))
    both = {"source": shop, "destination": flow.destination, "source_sku": "TEE-RED", "exception": question}
    return {
        "integrations_connection": shop, "integrations_flow": flow, "integrations_checkpoint": pull,
        "integrations_inboxevent": make_event(shop, "e"), "integrations_delivery": sent, "find_there": sent,
        "integrations_syncexception": question, "integrations_unmappedsku": question,
        "integrations_unmappedsku_undo": SkuAnswer.objects.create(**both, after={"action": "map", "note": "", "components": []}),
        "integrations_contactsync": contact.holds.get().delivery, "integrations_syncexception_run": DeskRun.objects.create(act="ignore"),
    }  # fmt: skip


def tables(shop: Connection, ometria: Connection) -> dict[str, Model]:
    """A row of each table of the mapping, and the change that made it."""
    rows = {
        "mapping_skucrosswalk": SkuCrosswalk.objects.create(source=shop, destination=ometria, source_sku="A"),
        "mapping_valuecrosswalk": ValueCrosswalk.objects.create(name="status", source_value="paid", target_value="P"),
        "mapping_identityrule": IdentityRule.objects.create(destination=ometria, position=1, key="email"),
        "mapping_maskingrule": MaskingRule.objects.create(field="email", how="domain", pattern="old.example"),
        "mapping_fieldowner": FieldOwner.objects.create(destination=ometria, target="firstname", owner=shop),
    }
    return {**rows, **{f"{start}_undo": row.history.latest() for start, row in rows.items()}}


def reconciled(flow: Flow) -> dict[str, Model]:
    """A comparison, one of its drifts and a suspected pair."""
    run = Reconciliation.objects.create(flow=flow, window_from=minutes_ago(99), window_to=minutes_ago(9))
    drift = Drift.objects.create(flow=flow, run=run, aspect="order", cause="missing", record_key="1001", title="Order #1001")
    pair = Duplicate.objects.create(connection=flow.destination, first="0001-a", second="0002-b", reasons=["same_phone"], title="A / B")
    return {"monitoring_reconciliation": run, "monitoring_drift": drift, "monitoring_duplicate": pair}


def spoken(people: Flow) -> dict[str, Model]:
    """A word of somebody, and a side that holds another."""
    who = {"contact_key": "ada@example.com", "channel": "email"}
    said = ConsentStatement.objects.create(connection=people.source, state="withdrawn", explicit=True, **who)
    stale = StaleConsent.objects.create(connection=people.destination, wanted="withdrawn", held="granted", **who)
    return {"monitoring_staleconsent": stale, "monitoring_staleconsent_person": said, "monitoring_staleconsent_send_person": said}


def lines() -> Iterator[tuple[frozenset[str], str, str]]:
    """The table spelt out: who, method, name."""
    for who, method, names in TABLE:
        table, found, pages = names.partition(": ")
        yield from ((who, method, f"{table}_{page}" if found else page) for page in (pages if found else names).split())


def addresses(patterns: Any = None, prefix: str = "/", room: str = "") -> Iterator[tuple[str, str]]:
    """Name and route of every named address outside the API."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(pattern.pattern)
        if route.startswith("/api/"):
            continue
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, route, f"{room}{pattern.namespace}:" if pattern.namespace else room)
        elif pattern.name:
            yield room + pattern.name, route


def path_of(name: str, route: str, house: House) -> str:
    """The route with words and keys in its gaps."""
    start = max((start for start in house.rows if name.removeprefix("admin:").startswith(start)), key=len, default="")
    row = house.rows.get(start)

    def fill(gap: re.Match[str]) -> str:
        what = gap["plain"] or gap["named"]
        if what == "object_id" and start.endswith(("_undo", "_run")):
            row_of = house.rows[start.rpartition("_")[0]]
            return str(row_of.pk)
        return str(WORDS.get(f"{name} {what}") or WORDS.get(what) or house.keys.get(what) or (row.pk if row else 1))

    return GAP.sub(fill, route).replace("^", "").replace("$", "")


def ask(client: Client, method: str, path: str) -> HttpResponse:
    """The answer; whatever it did is undone."""
    with transaction.atomic():
        answer = getattr(client, method)(path)
        transaction.set_rollback(True)
    return answer


def lets_in(answer: HttpResponse, name: str) -> bool:
    """Whether this person got past the guard: not refused and not led to the sign-in."""
    led_away = answer.headers.get("Location", "").startswith(("/accounts/login/", "/admin/login/")) or "HX-Refresh" in answer.headers
    refused = (401, 403, 404) if name in HIDDEN else (401, 403)
    return answer.status_code not in refused and not led_away


def enter(person: str) -> Client:
    client = Client()
    if person != "stranger":
        user = make_person("" if person in ("outsider", "newcomer") else person, username=person, password=PASSWORD)
        if person == "outsider":
            type(user).objects.filter(pk=user.pk).update(is_staff=False)
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_every_address_is_in_the_table_once():
    known = [name for _, _, name in lines()]
    there = {name for name, _ in addresses()}

    assert {"not in the table": sorted(there - set(known)), "gone": sorted(set(known) - there)} == {"not in the table": [], "gone": []}
    assert sorted(name for name in set(known) if known.count(name) > 1) == []


@pytest.mark.parametrize("person", PEOPLE)
def test_each_address_lets_in_exactly_those_whom_the_table_names(person: str, house: House):
    routes = dict(addresses())
    client = enter(person)

    wrong = []
    for who, method, name in lines():
        answer = ask(client, method, path_of(name, routes[name], house))
        if lets_in(answer, name) != (person in who) or (person in who and answer.status_code in (404, 405) and name not in EMPTY):
            wrong.append(f"{method} {name}: {answer.status_code} {answer.headers.get('Location', '')}".strip())
    assert not wrong, "\n".join(wrong)
