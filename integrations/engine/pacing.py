"""The rate budget of a connection, kept in the database so that all workers of all machines share it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from django.db import connection as database

from integrations.platforms.base import Lane
from integrations.platforms.errors import SlowDown

PATIENCE = 2.0  # seconds a worker sleeps for its turn; a longer wait gives the worker back
FREE_SECONDS = 0.2  # for which a group without a quota is not looked at again
RESERVE = {Lane.REALTIME: 0.0, Lane.STANDARD: 0.15, Lane.BULK: 0.3}  # share of the burst that a lane leaves to those above it

TAKE = """
WITH budget AS (
  SELECT id, blocked_until, rate, burst,
         LEAST(burst, tokens + GREATEST(0, EXTRACT(EPOCH FROM clock_timestamp() - updated_at)) * rate) AS tokens
  FROM integrations_ratebudget WHERE connection_id = %(connection)s AND "group" = %(group)s FOR UPDATE
), taken AS (
  UPDATE integrations_ratebudget r
  SET tokens = b.tokens - %(cost)s, updated_at = clock_timestamp()
  FROM budget b
  WHERE r.id = b.id AND (b.blocked_until IS NULL OR b.blocked_until <= clock_timestamp())
    AND b.tokens - LEAST(%(cost)s, b.burst) >= b.burst * %(reserve)s * CASE WHEN %(cost)s >= b.burst THEN 0 ELSE 1 END
  RETURNING r.id
), relaxed AS MATERIALIZED (  -- a budget may forget its last second in a crash; what a surrounding transaction writes may not
  SELECT set_config('synchronous_commit', 'off', true) WHERE %(alone)s)
SELECT (SELECT count(*) FROM taken LEFT JOIN relaxed ON true),
       GREATEST(EXTRACT(EPOCH FROM b.blocked_until - clock_timestamp()),
                (LEAST(%(cost)s, b.burst) + b.burst * %(reserve)s - b.tokens) / NULLIF(b.rate, 0))
FROM budget b
"""
LOOK = """
SELECT rate, GREATEST(EXTRACT(EPOCH FROM blocked_until - clock_timestamp()), 0) FROM integrations_ratebudget
WHERE connection_id = %s AND "group" = %s
"""
CREATE = """
INSERT INTO integrations_ratebudget (connection_id, "group", tokens, rate, burst, updated_at)
VALUES (%(connection)s, %(group)s, %(burst)s, %(rate)s, %(burst)s, clock_timestamp()) ON CONFLICT DO NOTHING
"""
REPORT = """
UPDATE integrations_ratebudget SET rate = COALESCE(%(rate)s, rate), burst = COALESCE(%(burst)s, burst),
       tokens = LEAST(COALESCE(%(burst)s, burst), COALESCE(%(available)s, tokens)),  -- what was asked for and not used comes back
       updated_at = CASE WHEN %(available)s::float8 IS NULL THEN updated_at ELSE clock_timestamp() END
WHERE connection_id = %(connection)s AND "group" = %(group)s
  AND (rate IS DISTINCT FROM COALESCE(%(rate)s, rate) OR burst IS DISTINCT FROM COALESCE(%(burst)s, burst)
       OR %(available)s::float8 <> tokens)
"""
PAUSE = """
INSERT INTO integrations_ratebudget (connection_id, "group", tokens, rate, burst, updated_at, blocked_until)
VALUES (%(connection)s, %(group)s, %(burst)s, %(rate)s, %(burst)s, clock_timestamp(), clock_timestamp() + %(seconds)s * interval '1 second')
ON CONFLICT (connection_id, "group") DO UPDATE
SET blocked_until = GREATEST(integrations_ratebudget.blocked_until, excluded.blocked_until)
"""


class DatabasePacer:
    """The pacer that clients get: `take` waits a moment for its turn or raises SlowDown; a rate of 0 is no quota."""

    def __init__(
        self,
        connection_id: int,
        rates: Mapping[str, tuple[float, float]],
        *,
        lane: Lane = Lane.REALTIME,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self._id, self._lane, self._settings, self._rates = connection_id, lane, settings or {}, rates
        self._looked: dict[str, float] = {}  # group without a quota → until when it is not looked at again
        self._held: dict[str, float] = {}  # seconds for which somebody holds such a group

    def _rate(self, group: str) -> tuple[float, float]:
        rate, burst = self._rates.get(group, (0.0, 0.0))
        chosen = self._settings.get(f"{group}_rate")
        return (float(chosen), max(float(chosen), 1.0)) if chosen not in (None, "") else (rate, burst)

    def take(self, group: str, cost: float = 1) -> None:
        """Spend `cost`; waits at most two seconds, then raises SlowDown with the seconds still missing."""
        rate, burst = self._rate(group)
        waited = 0.0
        while True:
            missing = self._try(group, cost, rate=rate, burst=burst) if rate or self._has_quota(group) else self._held[group]
            if missing <= 0:
                return
            if waited + missing > PATIENCE:
                raise SlowDown("waiting for this connection's turn", seconds=missing, group=group, code="paced")
            time.sleep(missing)
            waited += missing

    def _try(self, group: str, cost: float, *, rate: float, burst: float) -> float:
        """Seconds still missing; 0 when the cost was taken."""
        values = {"connection": self._id, "group": group, "cost": cost, "reserve": RESERVE[self._lane], "rate": rate, "burst": burst}
        values["alone"] = not database.in_atomic_block
        with database.cursor() as cursor:
            cursor.execute(TAKE, values)
            row = cursor.fetchone()
            if row is None:
                cursor.execute(CREATE, values)
                cursor.execute(TAKE, values)
                row = cursor.fetchone()
        taken, missing = row
        return 0.0 if taken else max(float(missing or 0.0), 0.005)

    def _has_quota(self, group: str) -> bool:
        """Whether the platform told of a quota that nobody set; looked up rarely, and without a lock."""
        if time.monotonic() < self._looked.get(group, 0.0):
            return False
        with database.cursor() as cursor:
            cursor.execute(LOOK, [self._id, group])
            row = cursor.fetchone()
            if row is None:  # so that there is a place for what the platform may tell
                cursor.execute(CREATE, {"connection": self._id, "group": group, "rate": 0, "burst": 0})
        quota, held = row or (0, 0)
        self._held[group] = float(held or 0)
        if not quota and not held:
            self._looked[group] = time.monotonic() + FREE_SECONDS
        return bool(quota)

    def report(self, group: str, *, rate: float | None = None, burst: float | None = None, available: float | None = None) -> None:
        """Correct the shared budget with the platform's own figures, which give back what was asked for and not used."""
        with database.cursor() as cursor:
            cursor.execute(REPORT, {"connection": self._id, "group": group, "rate": rate, "burst": burst, "available": available})

    def pause(self, group: str, seconds: float) -> None:
        """Hold the calls of all workers in this group."""
        self._looked.pop(group, None)
        rate, burst = self._rate(group)
        with database.cursor() as cursor:
            cursor.execute(PAUSE, {"connection": self._id, "group": group, "rate": rate, "burst": burst, "seconds": seconds})
