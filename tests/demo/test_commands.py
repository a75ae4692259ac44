"""Every command does what its help says."""

from __future__ import annotations

import io
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command, get_commands
from django.db import connection as database
from django.utils import timezone
from django_q.models import Schedule

from integrations.engine.accounts import set_credential
from integrations.engine.exceptions import Question, raise_questions
from integrations.management.demo import cast
from integrations.models import Checkpoint, Connection, Credential, Delivery, Flow, Hold, ImpactRun, InboxEvent, SyncException
from integrations.schedules import SCHEDULES
from mapping.models import MappingVersion

pytestmark = pytest.mark.django_db


def run(name: str, *arguments: str, **options: Any) -> str:
    out = io.StringIO()
    call_command(name, *arguments, stdout=out, **options)
    return out.getvalue().strip()


@pytest.fixture
def players() -> cast.Cast:
    return cast.seed(shop_url="http://127.0.0.1:9/shopify/demo-shop.myshopify.com", account_url="http://127.0.0.1:9/ometria")


def held(flow: Flow, key: str, sku: str = "MUG") -> Delivery:
    """An order that waits for a SKU."""
    now = timezone.now()
    row = Delivery.objects.create(
        flow=flow, record_key=key, record={"key": key}, occurred_at=now, due_at=now, ready_since=now, state=Delivery.State.BLOCKED
    )
    raise_questions(flow, [(row.pk, [Question("unmapped_sku", sku, f"Unknown SKU {sku}")])])
    return row


# --- switches ----------------------------------------------------------------------------------------------------------


def test_a_connection_is_paused_and_goes_on(players: cast.Cast) -> None:
    assert run("switch", "off", connection="Demo shop") == "Demo shop is paused."
    assert Connection.objects.get(pk=players.shop.pk).state == Connection.State.PAUSED
    assert run("switch", "on", connection=str(players.shop.pk)) == "Demo shop is active."
    assert Connection.objects.get(pk=players.shop.pk).state == Connection.State.ACTIVE


def test_a_flow_is_switched_off_and_on(players: cast.Cast) -> None:
    flow = players.flows["order"]
    assert run("switch", "off", flow=flow.pk) == f"{flow} is off."
    assert not Flow.objects.get(pk=flow.pk).enabled
    assert run("switch", "on", flow=flow.pk) == f"{flow} is on."
    assert Flow.objects.get(pk=flow.pk).enabled


def test_a_flow_that_is_not_there_is_answered_with_those_that_are(players: cast.Cast) -> None:
    with pytest.raises(CommandError, match=rf"There is no flow 0. There are: {players.flows['order'].pk} = |, "):
        run("switch", "off", flow=0)


# --- keys --------------------------------------------------------------------------------------------------------------


def test_a_new_encryption_key_is_one_that_encrypts() -> None:
    key = run("new_encryption_key")

    assert Fernet(key.encode()).decrypt(Fernet(key).encrypt(b"secret")) == b"secret"


def test_rotating_encrypts_every_secret_with_the_first_key(settings: Any, players: cast.Cast) -> None:
    old, new = settings.ENCRYPTION_KEYS[0], Fernet.generate_key().decode()
    settings.ENCRYPTION_KEYS = [new, old]

    assert run("rotate_keys") == "2 secrets are encrypted with the first key."

    settings.ENCRYPTION_KEYS = [new]
    assert set(Credential.objects.values_list("secret", flat=True)) == {"demo-shopify-secret", "demo-ometria-key"}


def test_rotating_changes_nothing_when_a_secret_fits_no_key(settings: Any, players: cast.Cast) -> None:
    before = _ciphertexts()
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

    with pytest.raises(CommandError, match="ENCRYPTION_KEYS must keep every key"):
        run("rotate_keys")

    assert _ciphertexts() == before


def _ciphertexts() -> list[tuple[int, str]]:
    with database.cursor() as cursor:
        cursor.execute("SELECT id, secret FROM integrations_credential ORDER BY id")
        return cursor.fetchall()


# --- schedules, defaults, seed -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("now", "then"), [("2026-07-01T01:59", "2026-07-01T02:00"), ("2026-07-01T02:00", "2026-07-02T02:00")])
def test_what_is_done_once_a_day_begins_at_night(now: str, then: str, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.TIME_ZONE = "Europe/London"
    monkeypatch.setattr(timezone, "now", lambda: datetime.fromisoformat(f"{now}+00:00"))
    run("sync_schedules")
    begun = Schedule.objects.filter(schedule_type=Schedule.DAILY)
    assert set(begun.values_list("next_run", flat=True)) == {datetime.fromisoformat(f"{then}+00:00")}
    assert begun.count() == 2


def test_schedules_are_written_once() -> None:
    run("sync_schedules")
    assert run("sync_schedules") == f"{len(SCHEDULES)} schedules are up to date."

    assert sorted(Schedule.objects.values_list("name", flat=True)) == sorted(row[0] for row in SCHEDULES)


def test_defaults_are_published_once_and_never_over_what_staff_published(players: cast.Cast) -> None:
    flow = players.flows["order"]
    flow.delete()
    flow = Flow.objects.create(source=players.shop, destination=players.account, record_type="order")

    first, second = run("load_defaults", flow=flow.pk), run("load_defaults", flow=flow.pk)

    assert f"{flow}: version 1 published" in first
    assert f"{flow}: keeps its mapping" in second


def test_seeding_again_brings_addresses_up_to_date_and_doubles_nothing(settings: Any) -> None:
    settings.DEMO = True
    run("seed_demo", standins="http://127.0.0.1:1")
    run("seed_demo", standins="http://127.0.0.1:2/")

    assert sorted(Connection.objects.values_list("base_url", flat=True)) == [
        "http://127.0.0.1:2/commercetools/api",
        "http://127.0.0.1:2/ometria",
        "http://127.0.0.1:2/shopify/demo-shop.myshopify.com",
        "http://127.0.0.1:2/tiktok_shop",
        "https://www.example.com",
    ]
    assert Flow.objects.count() == 19
    assert sorted(get_user_model().objects.values_list("username", flat=True)) == sorted(cast.ROLES)


def test_seeding_is_refused_outside_the_demo(settings: Any) -> None:
    settings.DEMO = False

    with pytest.raises(CommandError, match="only works with DEMO=1"):
        run("seed_demo")


def test_each_demo_person_has_exactly_the_role_and_the_printed_password(players: cast.Cast) -> None:
    for role in cast.ROLES:
        user = get_user_model().objects.get(username=role)
        assert user.check_password(cast.password(role))
        assert (user.is_staff, user.is_superuser, [group.name for group in user.groups.all()]) == (True, False, [role])


# --- connections -------------------------------------------------------------------------------------------------------


def test_a_probe_that_fails_says_why_and_fails_the_command(players: cast.Cast) -> None:
    with pytest.raises(CommandError, match="1 of 1 connections need attention"):
        run("probe", "Demo account")

    players.account.refresh_from_db()
    assert players.account.probe["ok"] is False


def test_an_unknown_connection_is_answered_with_the_known_ones(players: cast.Cast) -> None:
    with pytest.raises(CommandError, match=f"There are: {players.shop.pk} = Demo shop, {players.account.pk} = Demo account"):
        run("probe", "Shopfiy")


# --- backfill ----------------------------------------------------------------------------------------------------------


def test_a_backfill_is_queued_for_every_reader_that_keeps_history(players: cast.Cast) -> None:
    run("backfill", "demo-shop.myshopify.com", since="2026-01-31", until="2026-02-01T08:00", by="manager")

    rows = Checkpoint.objects.order_by("reader").values_list("reader", "purpose", "window_from", "window_to", "requested_by__username")
    begin, end = (
        timezone.datetime(2026, 1, 31, tzinfo=timezone.get_current_timezone()),
        timezone.datetime(2026, 2, 1, 8, tzinfo=timezone.get_current_timezone()),
    )
    assert list(rows) == [(reader, "backfill", begin, end, "manager") for reader in ("customers", "orders", "products")]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "Name a connection and --since"),
        ({"since": "31.1.2026"}, "is no date"),
        ({"since": "2026-02-31"}, "is no date"),
        ({"since": "2026-01-31", "readers": "orders,weather"}, "cannot read weather"),
        ({"since": "2026-01-31", "until": "2026-01-30"}, "must lie before its end"),
        ({"since": "2026-01-31", "by": "nobody"}, "no active user called 'nobody'"),
    ],
)
def test_a_backfill_that_makes_no_sense_is_refused_in_words(players: cast.Cast, options: dict[str, str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        run("backfill", "Demo shop", **options)

    assert not Checkpoint.objects.exists()


def test_a_backfill_is_paused_resumed_and_cancelled_by_its_number(players: cast.Cast) -> None:
    run("backfill", "Demo shop", readers="orders", since="2026-01-31")
    number = Checkpoint.objects.get().pk

    said = [run("backfill", **{name: number}) for name in ("pause", "resume", "cancel")]

    assert said == [f"Backfill {number} of orders: {word}." for word in ("paused", "waiting", "cancelled")]


def test_waiting_for_a_backfill_that_failed_fails(players: cast.Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    from integrations.engine import pull

    def failed(*args: Any, **options: Any) -> list[Checkpoint]:
        now = timezone.now()
        row = Checkpoint(connection=players.shop, reader="orders", purpose="backfill", state="failed", error="no such scope")
        row.window_from = row.due_at = row.started_at = row.finished_at = now
        row.save()
        return [row]

    monkeypatch.setattr(pull, "start_backfill", failed)

    with pytest.raises(CommandError, match="Not finished: orders"):
        run("backfill", "Demo shop", readers="orders", since="2026-01-31", wait=True)


# --- deliveries and exceptions -----------------------------------------------------------------------------------------


def test_replaying_a_choice_sets_only_that_choice_to_ready(players: cast.Cast) -> None:
    flow = players.flows["order"]
    one, two = held(flow, "1001"), held(flow, "1002", "CUP")

    assert run("replay", flow=flow.pk, key=["1001"]) == "1 deliveries will be sent again."

    one.refresh_from_db()
    two.refresh_from_db()
    assert (one.state, two.state) == (Delivery.State.READY, Delivery.State.BLOCKED)


def test_replaying_nothing_in_particular_is_refused(players: cast.Cast) -> None:
    with pytest.raises(CommandError, match="Name --flow, and --state or --key"):
        run("replay", flow=players.flows["order"].pk)


def test_failed_inbox_events_are_processed_again(players: cast.Cast) -> None:
    row = InboxEvent.objects.create(connection=players.shop, topic="orders/create", dedup_key="1", body="{}", state="failed", error="bad")

    assert run("replay", inbox="failed") == "1 inbox events will be processed again."

    row.refresh_from_db()
    assert (row.state, row.error) == (InboxEvent.State.NEW, "")


def test_releasing_by_kind_lets_everything_of_that_kind_go(players: cast.Cast) -> None:
    rows = [held(players.flows["order"], "1001"), held(players.flows["order"], "1002", "CUP")]

    assert run("release", kind="unmapped_sku") == "2 deliveries of 2 exceptions go out."

    assert set(Delivery.objects.filter(pk__in=[row.pk for row in rows]).values_list("state", flat=True)) == {"ready"}
    assert not Hold.objects.exists()


def test_ignoring_skips_what_waits_and_keeps_the_note(players: cast.Cast) -> None:
    row = held(players.flows["order"], "1001")
    question = SyncException.objects.get()

    said = run("release", str(question.pk), ignore="a test order", by="ecommerce")

    row.refresh_from_db()
    question.refresh_from_db()
    assert said == "1 deliveries are skipped, 1 exceptions ignored."
    assert (row.state, question.state, question.note) == (Delivery.State.SKIPPED, "ignored", "a test order")
    assert question.resolved_by.username == "ecommerce"


def test_releasing_nothing_in_particular_is_refused() -> None:
    with pytest.raises(CommandError, match="Name exceptions by number"):
        run("release")


def test_status_names_what_waits(players: cast.Cast) -> None:
    held(players.flows["order"], "1001")

    said = run("status")

    assert "Demo shop → Demo account: order: 1 blocked" in said
    assert "! Unknown SKU MUG: 1 wait" in said


# --- rules -------------------------------------------------------------------------------------------------------------


def test_exported_rules_are_the_shipped_ones_and_import_as_a_draft(players: cast.Cast, tmp_path: Path) -> None:
    flow, file = players.flows["order"], tmp_path / "order.json"
    file.write_text(run("rules", "export", str(flow.pk)))

    said = run("rules", "import", str(flow.pk), str(file), note="from the other house")

    shipped = json.loads(Path("fixtures/defaults/shopify_ometria_order.json").read_text())["rules"]
    one, two = MappingVersion.objects.filter(flow=flow).order_by("number")
    assert json.loads(file.read_text())["rules"] == [_plain(rule) for rule in shipped]
    assert (two.values(), two.state, two.note) == (one.values(), "draft", "from the other house")
    assert said == f"Draft 2 with {len(shipped)} rules; publish it in the console or with --publish."


def _plain(rule: dict[str, Any]) -> dict[str, Any]:
    """A shipped rule without what is at its default anyway."""
    return {name: value for name, value in rule.items() if value != ""}


def test_imported_rules_are_published_and_rolled_back(players: cast.Cast, tmp_path: Path) -> None:
    flow, file = players.flows["order"], tmp_path / "order.json"
    file.write_text(run("rules", "export", str(flow.pk)))

    assert run("rules", "import", str(flow.pk), str(file), publish=True, by="manager") == "Version 2 is published."
    said = run("rules", "rollback", str(flow.pk), number=1, resend=True)
    again = ImpactRun.objects.get(flow=flow)
    assert said == f"Version 3 is published; what changed by it goes out again in the background (run {again.pk})."
    assert (again.purpose, again.scope, again.version.number, again.before.number) == ("resend", "changed", 3, 2)

    states = MappingVersion.objects.filter(flow=flow).order_by("number").values_list("number", "state")
    assert list(states) == [(1, "retired"), (2, "retired"), (3, "published")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "cannot be read"),
        ('{"rules": [{"target": "id", "colour": "blue"}]}', "cannot be read"),
        ('{"rules": [{"target": "id", "source": "no.such.field"}]}', "cannot be used"),
    ],
)
def test_rules_that_cannot_be_used_are_refused_in_words(players: cast.Cast, tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "order.json"
    file.write_text(text)

    with pytest.raises(CommandError, match=words):
        run("rules", "import", str(players.flows["order"].pk), str(file), publish=True)

    assert MappingVersion.objects.filter(flow=players.flows["order"], state="published").get().number == 1


# --- all ---------------------------------------------------------------------------------------------------------------


def test_every_command_says_what_it_is_for() -> None:
    from django.core.management import load_command_class

    ours = [name for name, app in get_commands().items() if app == "integrations"]

    assert len(ours) >= 15
    assert [name for name in ours if len(load_command_class("integrations", name).help) < 20] == []


def test_the_pump_command_says_what_is_left(players: cast.Cast) -> None:
    Connection.objects.update(state=Connection.State.PAUSED)
    now = timezone.now() + timedelta(hours=1)
    Delivery.objects.create(flow=players.flows["order"], record_key="1", record={}, occurred_at=now, due_at=now, ready_since=now)
    set_credential(players.account, "api_key", "demo-ometria-key")

    assert run("pump", seconds=1) == "0 inbox events and 1 deliveries are still on their way."
