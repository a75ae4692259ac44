"""What the worker runs. No logic, positional arguments, safe to run twice."""

from __future__ import annotations

from integrations.engine import automatic, backlog, closing, desk_runs, find_terms, pumps, snoozes, weights
from integrations.engine.impact import pump_impact, wake_lost
from integrations.engine.privacy import runs as privacy_runs


def process(connection_id: int) -> None:
    """Process a connection's inbox, and deliver what came of it."""
    pumps.pump_connection(connection_id)


def deliver(flow_id: int) -> None:
    """Bring what is due for one flow to its destination."""
    pumps.pump_flow(flow_id)


def pull(checkpoint_id: int) -> None:
    """Pull pages of one checkpoint."""
    pumps.pump_pull(checkpoint_id)


def impact(run_id: int) -> None:
    """Walk over a flow's past records under other rules, or send again what they changed."""
    pump_impact(run_id)


def sweep() -> None:
    """Every minute: start what is due and put right what was left behind."""
    pumps.sweep()
    wake_lost()


def sku_backlog() -> None:
    """Every minute: what waits for each unmapped SKU, what it may be, and where a flow wants it, the answer."""
    backlog.refresh(backlog.REFRESH_SECONDS)
    automatic.map_skus()


def desk() -> None:
    """Every minute: questions that come back or whose cause is gone, what waits for each, and runs whose worker is gone."""
    snoozes.wake_due()
    closing.close_gone()
    desk_runs.resume_lost()
    weights.refresh()


def desk_run(run_id: int) -> None:
    """Carry out one act on everything that a filter of the desk left."""
    desk_runs.pump(run_id)


def privacy(request_id: int) -> None:
    """Go on with one request of a person about their own data."""
    privacy_runs.pump(request_id)


def privacy_tick() -> None:
    """Every minute: requests that are due, files whose days are over, reminders."""
    privacy_runs.tick()


def hourly() -> None:
    """Every hour: credentials and webhook subscriptions."""
    pumps.hourly()


def search_terms() -> None:
    """Every night: what a killed worker left out of the search."""
    find_terms.catch_up()
