"""What a load balancer is told."""

from __future__ import annotations

import pytest
from django.db import OperationalError, connection
from django.test import Client
from redis.exceptions import ConnectionError as RedisDown

from monitoring import health
from monitoring.models import Metric, Sample
from tests.rows import minutes_ago


def ready(client: Client) -> tuple[int, dict[str, str]]:
    answer = client.get("/readyz")
    return answer.status_code, {name: check["reason"] for name, check in answer.json()["checks"].items() if not check["ok"]}


def worker_reported(minutes: float) -> None:
    Sample.objects.create(metric=Metric.PASS, value=5, at=minutes_ago(minutes))


def test_being_alive_asks_no_database(client):
    answer = client.get("/healthz")  # pytest refuses any query here: the test has no database mark

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_all_in_order_is_ready(client):
    worker_reported(1)

    assert ready(client) == (200, {})
    assert client.get("/readyz").json()["status"] == "ok"


@pytest.mark.django_db
def test_no_worker_ever_is_not_ready(client):
    assert ready(client) == (503, {"worker": "No worker has reported yet. Start `manage.py qcluster`."})


@pytest.mark.django_db
def test_a_worker_that_stopped_is_not_ready(client):
    worker_reported(12)

    assert ready(client) == (503, {"worker": "No worker has reported for 12 minutes. Look at the worker process."})


@pytest.mark.django_db
def test_a_missing_migration_is_told_with_the_remedy(client, monkeypatch):
    worker_reported(1)
    monkeypatch.setattr(health.MigrationsApplied, "seen_applied", False)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE id = (SELECT max(id) FROM django_migrations WHERE app = 'monitoring')")

    assert ready(client) == (503, {"migrations": "1 database migrations are not applied. Run `manage.py migrate`."})


@pytest.mark.django_db
def test_a_dead_queue_is_told(client, monkeypatch):
    worker_reported(1)

    def dead() -> None:
        raise RedisDown("connection refused at 127.0.0.1:6379")

    monkeypatch.setattr(health, "get_broker", dead)

    assert ready(client) == (503, {"broker": "The task queue does not answer."})


def test_a_dead_database_is_told_without_its_address(client, monkeypatch):
    class Dead:
        def cursor(self) -> None:
            raise OperationalError("connection to server at 10.0.0.5 failed")

    monkeypatch.setattr(health, "connection", Dead())

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == {"ok": False, "reason": "The database does not answer."}
    assert "10.0.0.5" not in answer.content.decode()
    assert [check["ok"] for check in answer.json()["checks"].values()] == [False] * 4


def test_only_reading_is_allowed(client):
    assert [client.post(path).status_code for path in ("/healthz", "/readyz", "/metrics")] == [405, 405, 405]
