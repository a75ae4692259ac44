"""A worker that is killed after the shop took a consent and before we stored that it did."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from integrations.standins.faults import Fault
from tests.journeys.consent_sides import OUT, Sides
from tests.journeys.workers import Processes, database_url, minutes_later, wait_until_settled

pytestmark = [pytest.mark.journey, pytest.mark.slow]


def test_a_consent_that_was_written_but_not_stored_is_written_once(sides: Sides, tmp_path: Path) -> None:
    ada = sides.customer(accepts_email=True)
    sides.run()
    sides.pass_time(5)
    sides.listen()
    sides.route.shopify.faults.add(Fault("latency", path="graphql.json", body="customerEmailMarketingConsentUpdate", seconds=5))
    with Processes(database_url(), tmp_path / "workers.log") as processes:
        worker = processes.start_worker()
        sides.say(OUT)
        until = time.monotonic() + 30
        while not sides.effects()[0]:
            assert time.monotonic() < until, processes.said()
            time.sleep(0.02)
        processes.kill(worker)
        assert sides.delivery().state == "sending"
        minutes_later()
        processes.start_worker()
        wait_until_settled(processes)

    assert (sides.in_shop(ada), sides.in_ometria()[0], sides.effects()[0]) == ("UNSUBSCRIBED", False, 1)
    assert (sides.delivery().state, sides.delivery().last_code) in (("delivered", "held_there"), ("skipped", "consent_rests"))
