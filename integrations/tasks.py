"""What the worker runs. No logic, positional arguments, safe to run twice."""

from __future__ import annotations

from integrations.engine import automatic, backlog, pumps


def process(connection_id: int) -> None:
    """Process a connection's inbox, and deliver what came of it."""
    pumps.pump_connection(connection_id)


def deliver(flow_id: int) -> None:
    """Bring what is due for one flow to its destination."""
    pumps.pump_flow(flow_id)


def pull(checkpoint_id: int) -> None:
    """Pull pages of one checkpoint."""
    pumps.pump_pull(checkpoint_id)


def resend(flow_id: int, what: str, after: str) -> None:
    """Look at a flow's records again after its rules changed."""
    pumps.pump_resend(flow_id, what, after)


def sweep() -> None:
    """Every minute: start what is due and put right what was left behind."""
    pumps.sweep()


def sku_backlog() -> None:
    """Every minute: what waits for each unmapped SKU, what it may be, and where a flow wants it, the answer."""
    backlog.refresh(backlog.REFRESH_SECONDS)
    automatic.map_skus()


def hourly() -> None:
    """Every hour: credentials and webhook subscriptions."""
    pumps.hourly()
