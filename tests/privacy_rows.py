"""Requests of people about their own data in every state, for tests of pages."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from integrations.engine.privacy import work
from integrations.models import Connection, PrivacyRequest
from tests.rows import make_privacy_request

DONE = {"state": "done", "cursor": None, "looked": 4_200, "done": {"deleted": 3}, "rows": []}


def furnish_privacy() -> list[PrivacyRequest]:
    """One that waits, one whose file is ready, one that waits for a platform, one that stopped, and one with its certificate."""
    shop, now = Connection.objects.order_by("pk").first(), timezone.now()
    steps = work.planned("erasure")
    done = [{**step, **DONE, "name": step["name"]} for step in steps]
    asked = {"connection": shop.pk, "name": shop.name, "platform": "Shopify", "number": 0, "looks": 1, "asked_at": None, "ended_at": None}
    asks = [
        {**asked, "state": "asked", "words": "", "reference": "r-1"},
        {**asked, "state": "by_hand", "words": "Erase them there.", "reference": ""},
    ]
    tables = [{"table": "Deliveries", "done": {"kept without the person": 12}}]
    report = {"tables": tables, "by": "manager", "asked_through": "This console"}
    file = {"file_bytes": 9_000, "file_until": now + timedelta(days=7)}
    of_shop = {"origin": "platform", "connection": shop, "topic": "customers/redact"}
    return [
        make_privacy_request(steps=steps, start_at=now + timedelta(hours=1), by_name="manager"),
        make_privacy_request(kind="data_request", state="ready", steps=done, report=report, **file),
        make_privacy_request(state="following", steps=done, asks=asks, due_at=now + timedelta(days=2), **of_shop),
        make_privacy_request(state="failed", steps=[*done[:9], *steps[9:]], error="KeyError at _row:91"),
        make_privacy_request(state="done", steps=done, asks=asks, report=report, digest="e1" * 32, codes=[f"e{n:030}" for n in range(14)],
                             started_at=now, ended_at=now, by_name="manager"),
    ]  # fmt: skip
