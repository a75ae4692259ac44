"""Working like the workers do, in the test's own process, until nothing is due or nothing is left to read."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def run_until_quiet(sent: Callable[[], bool], seconds: float) -> None:
    """Process, deliver and confirm; settling times and retries are waited for when short. `sent` waits for webhooks under way."""
    from integrations.engine import pumps
    from integrations.models import Connection, Flow

    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert sent()
        for connection in Connection.objects.filter(flows_out__enabled=True).distinct():
            pumps.pump_connection(connection.pk, max(0.0, until - time.monotonic()))
        for flow in Flow.objects.filter(enabled=True).order_by("record_type"):
            pumps.pump_flow(flow.pk, max(0.0, until - time.monotonic()))
        if settled():
            return
        time.sleep(0.05)
    raise AssertionError(f"not quiet after {seconds} s: {_left()}")


def pull_through(checkpoint_id: int, seconds: float = 20.0) -> None:
    """One pull to the end of its window, however often it lets waiting deliveries go first; a source that asks for a pause ends it."""
    from integrations.engine import pull
    from integrations.models import Checkpoint

    running = Checkpoint.objects.filter(pk=checkpoint_id, state=Checkpoint.State.RUNNING)
    until = time.monotonic() + seconds
    while not pull.run_pull(checkpoint_id, max(0.0, until - time.monotonic())).resume_in and running.exists():
        assert time.monotonic() < until, f"still reading after {seconds} s"


def settled() -> bool:
    """Whether nothing is left to process, deliver or confirm; asked in the order in which things travel, so that none slips by."""
    from integrations.models import Delivery, InboxEvent, Receipt

    moving = Delivery.objects.filter(state__in=["ready", "sending", "accepted"])
    return not (InboxEvent.objects.filter(state="new").exists() or moving.exists() or Receipt.objects.filter(state="open").exists())


def _left() -> dict[str, list[Any]]:
    from integrations.models import Delivery, InboxEvent

    waiting = Delivery.objects.exclude(state__in=["delivered", "skipped", "blocked"])
    return {
        "deliveries": list(waiting.values_list("flow__record_type", "record_key", "state", "last_message")[:10]),
        "events": list(InboxEvent.objects.filter(state="new").values_list("topic", "error")[:5]),
    }
