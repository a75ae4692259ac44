"""Drift is repaired in a click from its list, and all of one cause in three."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.models import Delivery
from monitoring.models import Drift
from tests.browser.conftest import Visitor
from tests.rows import make_delivery, make_flow

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def missing(number: int) -> Drift:
    """An order that was delivered and is not there any more."""
    flow = Delivery.objects.first().flow if Delivery.objects.exists() else make_flow("order")
    old = timezone.now() - timedelta(days=1)
    delivery = make_delivery(flow, str(number), state="delivered", delivered_at=old, sent_at=old, updated_at=old)
    facts = {"aspect": "order", "cause": "missing", "title": f"Order #{number}", "ours": "£10.00 · paid", "theirs": "nothing"}
    return Drift.objects.create(flow=flow, record_key=str(number), delivery=delivery, value="10", currency="GBP", **facts)


def test_a_drift_is_repaired_in_one_click_and_all_of_a_cause_in_three(visit: Callable[..., Visitor]) -> None:
    one, *others = [missing(number) for number in (1040, 1041, 1042)]
    visitor = visit("ecommerce")

    visitor.open("/admin/monitoring/drift/")
    visitor.click("Send again: Order #1040", role="button")
    visitor.reads("It is sent again")
    one.refresh_from_db()
    assert (visitor.clicks, one.state, one.delivery.state) == (1, "repairing", "ready")

    visitor.open("/admin/monitoring/drift/")
    visitor.page.get_by_role("link", name="Delivered, but not there any more 2").click()
    visitor.page.get_by_role("link", name="Repair all that these filters leave…").click()
    visitor.reads("2 drifts will be repaired")
    visitor.click("Repair 2 drifts", role="button")
    visitor.reads("The repair of 2 drifts has begun")

    assert set(Drift.objects.filter(pk__in=[row.pk for row in others]).values_list("state", flat=True)) == {"repairing"}
