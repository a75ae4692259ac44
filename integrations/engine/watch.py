"""The webhook watchdog: subscriptions that a platform dropped are put back, and the gap is pulled."""

from __future__ import annotations

import structlog
from django.conf import settings
from django.utils import timezone

from integrations.engine import accounts, circuit, exceptions
from integrations.engine.pull import ensure_polls
from integrations.models import Checkpoint, Connection
from integrations.platforms.errors import PlatformError, Reconnect

log = structlog.get_logger(__name__)


def hook_address(connection: Connection) -> str:
    """Where this connection's platform should send its calls."""
    base = connection.settings.get("webhook_base_url") or settings.PUBLIC_URL
    return f"{base.rstrip('/')}/hooks/{connection.platform}/"


def check_subscriptions(connection: Connection, *, asked: bool = False) -> list[str]:
    """Put back what is missing; returns in plain words what was done or refused. The gap is pulled at once, repaired or not.

    Where subscriptions use something of the customer's own, they are only made when a person `asked`.
    """
    platform = accounts.platform_of(connection)
    if platform.webhooks is None:
        return []
    address, client = hook_address(connection), None
    try:
        client = accounts.client_for(connection)
        missing = list(platform.webhooks.missing(client, address))
        mend = platform.webhooks.subscribe if asked else getattr(platform.webhooks, "report", platform.webhooks.subscribe)
        refused = list(mend(client, address, missing)) if missing else []
    except Reconnect as fault:
        return check_subscriptions(connection, asked=asked) if accounts.renewed(connection, fault, client) else [str(fault)]
    except PlatformError as fault:
        circuit.failed(connection, str(fault))
        return [str(fault)]
    if refused:
        exceptions.raise_for_connection(
            connection,
            "missing_subscription",
            "",
            f"{connection.name}: {len(refused)} webhook subscription{'s' * (len(refused) != 1)} could not be put back",
            detail="\n".join(refused),
        )
    else:
        exceptions.close_for_connection(connection, "missing_subscription")
    if not missing:
        return []
    log.info("subscriptions put back", connection=connection.pk, missing=len(missing), refused=len(refused))
    ensure_polls(connection)
    Checkpoint.objects.filter(connection=connection, purpose=Checkpoint.Purpose.POLL, state=Checkpoint.State.WAITING).update(
        due_at=timezone.now()
    )
    return [f"Subscribed to {topic}." for topic in missing if not any(topic in line for line in refused)] + refused
