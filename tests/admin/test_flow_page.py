"""The flow page: switch, settings, numbers, and backfills with progress."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.admin.flow_numbers import MOST, FlowNumbers, flow_numbers, shown
from integrations.models import Checkpoint, Delivery, Flow, SkuBacklog
from mapping.versions import published_version
from tests.rows import make_connections, make_delivery, make_exception, make_flow, minutes_ago

pytestmark = pytest.mark.django_db


def act(client: Client, row: Any, name: str, data: dict[str, Any] | None = None) -> str:
    """What the console tells after an act."""
    url = reverse(f"admin:integrations_{row._meta.model_name}_{name}", args=[row.pk])
    return client.post(url, data or {}, follow=True).content.decode()


def a_backfill(flow: Flow, **values: Any) -> Checkpoint:
    defaults = {"reader": "orders", "purpose": "backfill", "window_from": minutes_ago(9000), "due_at": timezone.now()}
    return Checkpoint.objects.create(connection=flow.source, **{**defaults, **values})


def test_switching_off_and_on_is_attributed(manager: Client):
    flow = make_flow()

    page = act(manager, flow, "switch")
    flow.refresh_from_db()
    after_once = flow.enabled
    act(manager, flow, "switch")

    flow.refresh_from_db()
    assert (after_once, flow.enabled) == (False, True)
    assert "what waits is kept" in page
    log = LogEntry.objects.filter(content_type__model="flow").order_by("pk").values_list("user__username", "change_message")
    assert list(log) == [("manager", "Switched off"), ("manager", "Switched on")]


def test_settings_of_an_order_flow_are_stored_beside_the_others(manager: Client):
    flow = make_flow()
    flow.settings = {"hold_until_released": False, "auto_map_above": 90}
    flow.save()

    act(manager, flow, "configure", {"settle_seconds": "3", "sku_gate": "crosswalk", "line_without_sku": "placeholder"})

    flow.refresh_from_db()
    told = {"settle_seconds": 3.0, "sku_gate": "crosswalk", "line_without_sku": "placeholder"}
    assert flow.settings == {"hold_until_released": False, **told}


def test_another_catalogue_means_that_suggestions_are_looked_up_anew(manager: Client):
    flow = make_flow()
    shop = make_flow("variant").source
    made = {"exception": make_exception(flow), "suggested_at": timezone.now(), "refreshed_at": timezone.now()}
    row = SkuBacklog.objects.create(**made)

    looked_up = []
    for catalogue in ("", shop.pk, shop.pk):
        SkuBacklog.objects.update(suggested_at=timezone.now())
        act(manager, flow, "configure", {"settle_seconds": "3", "sku_gate": "catalogue", "catalogue_connection": catalogue})
        row.refresh_from_db()
        looked_up.append(row.suggested_at is not None)
    assert looked_up == [True, False, True]


def test_words_around_skus_are_typed_with_commas_and_can_be_emptied(manager: Client):
    flow = make_flow()
    url = reverse("admin:integrations_flow_configure", args=[flow.pk])
    form = {"settle_seconds": "0", "sku_gate": "catalogue", "line_without_sku": "hold"}

    manager.post(url, {**form, "sku_affixes": "TT, -EU "})
    flow.refresh_from_db()
    typed = flow.settings.get("sku_affixes")
    shown = 'value="TT, -EU"' in manager.get(reverse("admin:integrations_flow_change", args=[flow.pk])).content.decode()
    manager.post(url, {**form, "sku_affixes": ""})
    flow.refresh_from_db()

    assert (typed, shown, "sku_affixes" in flow.settings) == (["TT", "-EU"], True, False)


def test_a_setting_out_of_its_range_is_told_and_not_stored(manager: Client):
    flow = make_flow()

    page = act(manager, flow, "configure", {"settle_seconds": "-1", "sku_gate": "perhaps"})

    flow.refresh_from_db()
    assert (flow.settings, page.count('class="sy-error"')) == ({}, 2)


def test_a_backfill_is_started_over_whole_days_by_the_person_who_asked(manager: Client):
    flow = make_flow()

    act(manager, flow, "backfill", {"readers": ["orders", "customers"], "since": "2026-01-05", "until": "2026-01-31"})

    rows = list(
        Checkpoint.objects.order_by("reader").values_list("reader", "purpose", "window_from", "window_to", "requested_by__username")
    )
    begin, end = datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    assert rows == [("customers", "backfill", begin, end, "manager"), ("orders", "backfill", begin, end, "manager")]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"readers": ["orders"], "since": "2026-02-01", "until": "2026-01-01"}, "The last day is before the first."),
        ({"readers": ["orders"], "since": "2999-01-01"}, "The first day lies in the future."),
        ({"readers": ["gossip"], "since": "2026-01-01"}, "gossip"),
        ({"since": "2026-01-01"}, "This field is required."),
    ],
)
def test_a_window_that_makes_no_sense_starts_nothing(data: dict[str, Any], told: str, manager: Client):
    page = act(manager, make_flow(), "backfill", data)

    assert (told in page, Checkpoint.objects.count()) == (True, 0)


def test_the_live_part_shows_progress_and_refreshes_fast_only_while_something_runs(manager: Client):
    flow = make_flow()
    url = reverse("admin:integrations_flow_live", args=[flow.pk])
    row = a_backfill(flow, state="running", read_count=250, total=1000, started_at=minutes_ago(1))

    running = manager.get(url).content.decode()
    Checkpoint.objects.filter(pk=row.pk).update(state="done", finished_at=timezone.now())
    done = manager.get(url).content.decode()

    assert ('aria-valuenow="25"' in running, "every 2s" in running, "every 2s" in done) == (True, True, False)


@pytest.mark.parametrize(
    ("state", "name", "after"),
    [
        ("running", "pause", "paused"),
        ("paused", "resume", "waiting"),
        ("running", "cancel", "cancelled"),
        ("done", "cancel", "done"),
        ("running", "resume", "running"),
    ],
)
def test_a_backfill_is_paused_resumed_and_cancelled_when_that_makes_sense(state: str, name: str, after: str, manager: Client):
    row = a_backfill(make_flow(), state=state)

    act(manager, row, name)

    row.refresh_from_db()
    assert row.state == after


def test_a_poll_can_be_paused_but_not_cancelled(manager: Client):
    row = a_backfill(make_flow(), purpose="poll", state="waiting")

    page = act(manager, row, "cancel")

    row.refresh_from_db()
    assert (row.state, "cannot be changed that way" in page) == ("waiting", True)


def test_numbers_are_those_of_each_flow_and_lag_counts_from_the_oldest_due_delivery():
    orders, customers = make_flow("order"), make_flow("customer")
    make_delivery(orders, "late", due_at=minutes_ago(10), lane=2)
    make_delivery(orders, "later", due_at=timezone.now() + timedelta(hours=1))
    make_delivery(orders, "held", state=Delivery.State.BLOCKED)
    make_delivery(orders, "old", state=Delivery.State.DELIVERED, updated_at=minutes_ago(90))
    make_delivery(customers, "new", state=Delivery.State.DELIVERED)

    numbers = flow_numbers([orders, customers])

    assert [(n.ready, n.held, n.delivered, round(n.lag / 60)) for n in (numbers[orders.pk], numbers[customers.pk])] == [
        (2, 1, 0, 10),
        (0, 0, 1, 0),
    ]


def test_counts_stop_where_counting_would_become_slow():
    assert [shown(number) for number in (0, MOST, MOST + 1)] == ["0", "1,000", "1,000+"]
    assert FlowNumbers(0, 0, 0, None).lag == 0.0


def test_new_flows_begin_switched_off_with_the_default_mapping(manager: Client):
    shop, ometria = make_connections()
    url = reverse("admin:integrations_flow_add")

    manager.post(url, {"flow": [f"{shop.pk}:{ometria.pk}:order", f"{shop.pk}:{ometria.pk}:nonsense"]})

    flow = Flow.objects.get()
    assert (flow.record_type, flow.enabled, published_version(flow.pk) is not None) == ("order", False, True)
    assert f"{shop.pk}:{ometria.pk}:order" not in manager.get(url).content.decode()
