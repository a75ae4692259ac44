"""What is still moving: the demo waits here for a thing to happen or for everything to come to rest."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from django.core.management.base import CommandError
from django.utils import timezone
from django_q.models import OrmQ
from django_q.tasks import async_task

from integrations.management.demo.crew import Crew
from integrations.management.demo.stage import Stage
from integrations.models import Checkpoint, Connection, Delivery, InboxEvent, Receipt

LOOK_SECONDS = 0.25
SWEEP_SECONDS = 3.0  # the demo's minute: what the worker does every minute happens this often
MINUTELY = "messages"  # the reader that asks every minute
BUSY_TASKS = 20
MOVING = (Delivery.State.READY, Delivery.State.SENDING, Delivery.State.ACCEPTED)
PULLING = (Checkpoint.State.WAITING, Checkpoint.State.RUNNING)
REST_LOOKS = 3
UNNAMED = "waits_for_visitor"  # the code of what waits until its visitor gives a name, perhaps for ever


class Overdue(CommandError):
    """Something that should have happened did not happen in time."""


@dataclass(slots=True)
class Motion:
    """The demo's clock: waits with a bound, tells the news meanwhile, and shortens the worker's minute."""

    stage: Stage
    crew: Crew
    news: Callable[[], None]
    _swept: float = field(default=0.0)

    def until(self, what: str, happened: Callable[[], bool], *, seconds: float) -> None:
        """Wait until it happened; raises Overdue with what is in the way, and CommandError when a process ended."""
        end = time.monotonic() + seconds
        while not happened():
            if time.monotonic() > end:
                raise Overdue(f"Not within {seconds:.0f} seconds: {what}. {waiting(self.stage)}")
            self.beat()
            time.sleep(LOOK_SECONDS)
        self.news()

    def pause(self, seconds: float) -> None:
        """Let the demo run on."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.beat()
            time.sleep(min(left, LOOK_SECONDS))

    def rest(self, *, seconds: float) -> None:
        """Wait until nothing moves any more, in several looks in a row."""
        looks = 0

        def at_rest() -> bool:
            nonlocal looks
            looks = looks + 1 if not is_moving(self.stage) else 0
            return looks >= REST_LOOKS

        self.until("everything comes to rest", at_rest, seconds=seconds)

    def beat(self) -> None:
        """One look: the processes live, the news is told, and now and then the sweep runs."""
        self.crew.check()
        self.news()
        if time.monotonic() - self._swept > SWEEP_SECONDS and OrmQ.objects.count() < BUSY_TASKS:
            self._swept = time.monotonic()
            Checkpoint.objects.filter(reader=MINUTELY, state=Checkpoint.State.WAITING).update(due_at=timezone.now())
            async_task("integrations.tasks.sweep")


def is_moving(stage: Stage) -> bool:
    """Whether a webhook, an inbox event, a delivery, a receipt or a pull is still under way."""
    return bool(
        stage.shopify.sender.waiting()
        or stage.tiktok_shop.sender.waiting()
        or stage.ometria.automations.waiting()
        or InboxEvent.objects.filter(state=InboxEvent.State.NEW).exists()
        or Delivery.objects.filter(state__in=MOVING).exclude(last_code=UNNAMED).exists()
        or Receipt.objects.filter(state=Receipt.State.OPEN).exists()
        or Checkpoint.objects.filter(state__in=PULLING, due_at__lte=timezone.now(), connection__state=Connection.State.ACTIVE).exists()
        or stage.ometria.look("/state")["counts"]["queued"]
    )


def waiting(stage: Stage) -> str:
    """What is under way, in words, for the message of an overdue wait."""
    moving = Delivery.objects.filter(state__in=MOVING).exclude(last_code=UNNAMED)
    rows = moving.values_list("flow__record_type", "state", "last_code", "last_message")
    events = InboxEvent.objects.filter(state=InboxEvent.State.NEW)
    webhooks = stage.shopify.sender.waiting() + stage.tiktok_shop.sender.waiting()
    parts = [f"{webhooks} webhooks", f"{events.count()} inbox events", f"{rows.count()} deliveries"]
    parts += [f"{kind} {state} {code} {message}".strip() for kind, state, code, message in rows[:5]]
    for topic, attempts, due, lease, error in events.values_list("topic", "attempts", "due_at", "lease_until", "error")[:3]:
        parts.append(f"{topic} tried {attempts} times, due {due:%H:%M:%S}, lease {lease and lease.strftime('%H:%M:%S')}: {error}")
    parts += [f"pull of {row.reader} {row.state} {row.error}".strip() for row in Checkpoint.objects.filter(state__in=PULLING)]
    parts += [f"{row} until {row.pump_until:%H:%M:%S}" for row in Connection.objects.filter(pump_until__isnull=False)]
    parts += [f"{OrmQ.objects.count()} tasks"]
    return "Still under way: " + "; ".join(parts)
