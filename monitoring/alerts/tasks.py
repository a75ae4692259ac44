"""Worker entries of alerts: no logic, positional arguments, safe to run twice and beside one another."""

from __future__ import annotations

from monitoring.alerts import messages, rounds, sending


def tick() -> None:
    """Every minute: look, sum up what quiet hours held, make the day's digests, and send; what waits is sent even when looking fails."""
    try:
        rounds.look()
        messages.sum_up()
        messages.digests()
    finally:
        sending.send_due()
