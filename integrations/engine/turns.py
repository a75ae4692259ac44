"""Taking turns: work that may wait gives its worker back as soon as a pump was asked for and none is at work."""

from __future__ import annotations

import time

from django.db import connection as database

SLICE = 1.0  # seconds that such work keeps its worker at least, so that turns cost little
STEP = 0.2
ASKED = """
WITH pumps AS (
  SELECT woken_at, pump_until FROM integrations_connection WHERE state = 'active' AND woken_at IS NOT NULL
  UNION ALL SELECT woken_at, pump_until FROM integrations_flow WHERE enabled AND woken_at IS NOT NULL)
SELECT EXISTS (
  SELECT 1 FROM pumps WHERE (pump_until IS NULL OR pump_until < clock_timestamp())
  AND woken_at BETWEEN clock_timestamp() - interval '10 seconds' AND clock_timestamp() - interval '0.2 seconds')
"""


def others_wait(began: float) -> bool:
    """Whether work that began at monotonic time `began` had its slice and a pump waits for a worker; one that died is not waited for."""
    if time.monotonic() - began < SLICE:
        return False
    with database.cursor() as cursor:
        cursor.execute(ASKED)
        return bool(cursor.fetchone()[0])


def nap(seconds: float, began: float) -> bool:
    """Sleep, unless others need the worker; False when they do."""
    end = time.monotonic() + seconds
    while not others_wait(began):
        left = end - time.monotonic()
        if left <= 0:
            return True
        time.sleep(min(left, STEP))
    return False
