"""The pumps: who works for a connection, a flow or a pull, for how long, and how the next one is woken."""

from __future__ import annotations

import time

import structlog
from django.utils import timezone
from django_q.tasks import async_task

from integrations.engine import accounts, circuit, consent, exceptions, leases, outbox, pull, watch
from integrations.engine.confirm import confirm_receipts
from integrations.engine.deliver import deliver_flow
from integrations.engine.process import process_inbox
from integrations.engine.wake import wake_connection, wake_flow
from integrations.models import Connection, Delivery, Flow, InboxEvent, Receipt
from integrations.platforms.errors import PlatformError, Reconnect

log = structlog.get_logger(__name__)
PUMP_SECONDS = 50
LINGER_SECONDS = 4.0  # how long a pump waits for something that is due in a moment: a receipt, a settled change
CONFIRM_EVERY = 2.5  # seconds of delivering after which receipts are asked about, however much is left to deliver
LINGER_STEP = 0.1  # a change that arrives meanwhile must not wait for the rest of the lingering


def pump_connection(connection_id: int, seconds: float = PUMP_SECONDS) -> None:
    """Process the inbox until it is empty, then deliver for this source's flows in the same task: one hop less for a live order."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        connection = Connection.objects.get(pk=connection_id)
        if connection.state == Connection.State.PAUSED or not leases.take(connection):
            return
        try:
            process_inbox(connection, until)
        finally:
            leases.give_back(connection)
        if not _inbox_waits(connection_id):
            break
    else:
        wake_connection(connection_id)
    flows = Flow.objects.filter(source=connection_id, enabled=True, woken_at__isnull=False)
    for flow_id in flows.order_by("record_type").values_list("pk", flat=True):  # customers before orders, products before variants
        pump_flow(flow_id, max(0.0, until - time.monotonic()), linger=False)


def _inbox_waits(connection_id: int) -> bool:
    rows = InboxEvent.objects.filter(connection=connection_id, state=InboxEvent.State.NEW, due_at__lte=timezone.now())
    return rows.filter(lease_until__isnull=True).exists()


def pump_flow(flow_id: int, seconds: float = PUMP_SECONDS, *, linger: bool = True) -> None:
    """Deliver and confirm until nothing is due; when something is due in a moment, wait for it instead of for the next minute."""
    until = time.monotonic() + seconds
    flow = Flow.objects.select_related("source", "destination").get(pk=flow_id)
    if not flow.enabled or not leases.take(flow):
        return
    pause = 0.0
    try:
        while time.monotonic() < until:
            done = deliver_flow(flow, min(until, time.monotonic() + CONFIRM_EVERY))
            confirmed = confirm_receipts(flow)
            pause = done.resume_in
            if done.gives_way or not circuit.may_call(flow.destination):
                break
            if (done.claimed or confirmed) and not done.stop:
                continue
            wait = _next_due(flow_id, pause)
            if wait is None or wait > LINGER_SECONDS or not linger or time.monotonic() + wait > until:
                break
            time.sleep(min(max(wait, 0.02), LINGER_STEP))
            leases.renew(flow)
            Flow.objects.filter(pk=flow_id).update(woken_at=timezone.now())
    finally:
        leases.give_back(flow)
    _again(flow, pause)


def _next_due(flow_id: int, pause: float) -> float | None:
    """Seconds until the flow's next delivery or receipt is due, None when nothing waits."""
    moments = [
        Delivery.objects.filter(flow=flow_id, state=Delivery.State.READY)
        .order_by("lane", "due_at")
        .values_list("due_at", flat=True)
        .first(),
        Receipt.objects.filter(flow=flow_id, state=Receipt.State.OPEN).order_by("check_at").values_list("check_at", flat=True).first(),
    ]
    known = [(moment - timezone.now()).total_seconds() for moment in moments if moment is not None]
    return max(min(known), pause, 0.0) if known else None


def _again(flow: Flow, pause: float) -> None:
    """Wake another pump when work is left that need not wait for the minute sweep."""
    wait = _next_due(flow.pk, pause)
    if wait is not None and wait <= LINGER_SECONDS and circuit.may_call(flow.destination):
        wake_flow(flow.pk)


def pump_pull(checkpoint_id: int) -> None:
    """Pull for one task's time."""
    pull.run_pull(checkpoint_id)


def sweep() -> None:
    """Safety net of every minute: polls, due deliveries and receipts, lost leases, news of consents, answered questions."""
    outbox.sweep_leases()
    consent.spread_left_behind(outbox.bring_consents)
    exceptions.release_answered()
    for connection in Connection.objects.filter(state=Connection.State.ACTIVE):
        if pull.readers_of(connection) and connection.flows_out.filter(enabled=True).exists():
            pull.ensure_polls(connection)
        if (
            _inbox_waits(connection.pk)
            or InboxEvent.objects.filter(connection=connection, state=InboxEvent.State.NEW, lease_until__lt=timezone.now()).exists()
        ):
            async_task("integrations.tasks.process", connection.pk)
    for checkpoint_id in pull.due_pulls():
        async_task("integrations.tasks.pull", checkpoint_id)
    for flow in Flow.objects.filter(enabled=True).select_related("destination"):
        wait = _next_due(flow.pk, 0.0)
        if wait is not None and wait < 60 and circuit.may_call(flow.destination):
            async_task("integrations.tasks.deliver", flow.pk)


def hourly() -> None:
    """Renew credentials before they end and put missing webhook subscriptions back."""
    for connection in Connection.objects.filter(state=Connection.State.ACTIVE):
        try:
            accounts.refresh_if_due(connection)
        except Reconnect as fault:
            accounts.needs_auth(connection, str(fault))
            continue
        except PlatformError as fault:
            log.warning("credentials could not be renewed", connection=connection.pk, code=fault.code)
        watch.check_subscriptions(connection)
