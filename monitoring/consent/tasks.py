"""Worker entries of the consent audit: no logic, positional arguments, safe to run twice."""

from __future__ import annotations

from monitoring.consent import audit, repair


def tick() -> None:
    """Every minute: the day's audit when its hour has come, what was left behind, and whether repairs helped."""
    audit.start_daily()
    audit.pump()
    repair.send_asked()
    repair.look_again()


def pump() -> int:
    """Go on with the audit that runs."""
    return audit.pump()


def send() -> int:
    """Send again what somebody asked for."""
    return repair.send_asked()
