"""Weeks of samples: a fortnight of minutes, a fortnight of quarters and a hundred days of hours."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection as database

from integrations.models import Flow
from monitoring.hours import HIGHEST, HOURLY, KEPT, QUARTERLY, SUMMED
from monitoring.models import Metric

MINUTES, QUARTERS, HOURS = timedelta(days=7), timedelta(days=14), KEPT
OF_FLOWS = """
INSERT INTO monitoring_sample (flow_id, metric, at, value)
SELECT f, m, %(last)s - n * %(step)s::interval, 1 + (n * 7 + f) %% 50
FROM generate_series(%(first)s, %(count)s) AS n, unnest(%(flows)s::bigint[]) AS f, unnest(%(metrics)s::text[]) AS m
"""
OF_SOURCE = """
INSERT INTO monitoring_sample (connection_id, metric, at, value)
SELECT %(source)s, m, %(last)s - n * %(step)s::interval, 20 + n %% 50
FROM generate_series(%(first)s, %(count)s) AS n, unnest(%(arrivals)s::text[]) AS m
"""
OF_INSTALLATION = """
INSERT INTO monitoring_sample (metric, at, value)
SELECT m, %(last)s - n * %(step)s::interval, CASE WHEN m LIKE '%%pass' THEN %(watched)s ELSE 100 + n %% 50 END
FROM generate_series(%(first)s, %(count)s) AS n, unnest(%(own)s::text[]) AS m
"""
MOVING = ("delivered", "failed", "refused", "unchanged", "lag", "ready", "held")
TABLES = ("monitoring_sample",)


def fill(orders: Flow, _deliveries: int, _me: int) -> None:
    """Minutes end two minutes ago, so that the next pass has one to look at."""
    flows = list(Flow.objects.values_list("pk", flat=True))
    ours = [Metric.PASS, "questions.unmapped_sku", "questions.bad_phone", "waiting.unmapped_sku"]
    spans = [(timedelta(minutes=1), MINUTES, "", 2, 20, ours)]
    spans += [
        (step.length, kept, step.prefix, 1, step.length // timedelta(minutes=1), [step.passes])
        for step, kept in ((QUARTERLY, QUARTERS), (HOURLY, HOURS))
    ]
    summed = [str(metric) for metric in (*SUMMED, *HIGHEST) if metric != Metric.ARRIVED]
    with database.cursor() as cursor:
        for step, kept, prefix, first, watched, own in spans:
            cursor.execute("SELECT date_bin(%s::interval, now(), timestamptz '2000-01-01 00:00+00')", [step])
            values = {
                "last": cursor.fetchone()[0], "step": step, "first": first, "count": kept // step, "flows": flows, "watched": watched,
                "metrics": [f"{prefix}{metric}" for metric in (summed if prefix else MOVING)], "source": orders.source_id,
                "arrivals": [f"{prefix}{Metric.ARRIVED}"], "own": [str(metric) for metric in own],
            }  # fmt: skip
            for statement in (OF_FLOWS, OF_SOURCE, OF_INSTALLATION):
                cursor.execute(statement, values)
