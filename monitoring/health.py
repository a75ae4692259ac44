"""Is this process alive, and can it do its work: what a load balancer and an orchestrator ask."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_q.brokers import get_broker
from health_check.base import HealthCheck
from health_check.exceptions import HealthCheckException, ServiceUnavailable
from redis.exceptions import RedisError

from monitoring.latest import STALE
from monitoring.sampling import last_pass


@dataclasses.dataclass
class DatabaseAnswers(HealthCheck):
    """PostgreSQL takes a query."""

    name = "database"

    def run(self) -> None:
        """Raises ServiceUnavailable when it does not."""
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except DatabaseError as fault:
            raise ServiceUnavailable("The database does not answer.") from fault


@dataclasses.dataclass
class MigrationsApplied(HealthCheck):
    """The tables are those that this program expects; looked at until it is so, then remembered by the process."""

    name = "migrations"
    seen_applied = False

    def run(self) -> None:
        """Raises ServiceUnavailable when a migration is missing."""
        if MigrationsApplied.seen_applied:
            return
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if missing:
            raise ServiceUnavailable(f"{len(missing)} database migrations are not applied. Run `manage.py migrate`.")
        MigrationsApplied.seen_applied = True


@dataclasses.dataclass
class WorkerAlive(HealthCheck):
    """Some worker runs the schedules: it has written samples lately."""

    name = "worker"

    def run(self) -> None:
        """Raises ServiceUnavailable when no worker has reported for minutes."""
        at = last_pass()
        if at is None:
            raise ServiceUnavailable("No worker has reported yet. Start `manage.py qcluster`.")
        age = timezone.now() - at
        if age > STALE:
            raise ServiceUnavailable(f"No worker has reported for {int(age.total_seconds() // 60)} minutes. Look at the worker process.")


@dataclasses.dataclass
class BrokerAnswers(HealthCheck):
    """The queue that carries tasks to the workers takes and gives."""

    name = "broker"

    def run(self) -> None:
        """Raises ServiceUnavailable when it does not."""
        try:
            get_broker().queue_size()
        except (DatabaseError, RedisError, OSError) as fault:
            raise ServiceUnavailable("The task queue does not answer.") from fault


CHECKS: tuple[type[HealthCheck], ...] = (DatabaseAnswers, MigrationsApplied, WorkerAlive, BrokerAnswers)


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers; nothing else is asked."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when the process can do its work, else 503; each check with its reason."""
    results = run_checks(CHECKS)
    ready = all(reason == "" for reason in results.values())
    checks = {name: {"ok": reason == "", "reason": reason} for name, reason in results.items()}
    return JsonResponse({"status": "ok" if ready else "unavailable", "checks": checks}, status=200 if ready else 503)


def run_checks(checks: Sequence[type[HealthCheck]]) -> dict[str, str]:
    """Name of each check → why it failed, empty when it did not. Without a database the others are not asked."""
    results: dict[str, str] = {}
    for check in checks:
        if results.get(DatabaseAnswers.name):
            results[check.name] = "Not looked at: the database does not answer."
            continue
        try:
            check().run()
        except HealthCheckException as fault:
            results[check.name] = str(fault.message)
        else:
            results[check.name] = ""
    return results
