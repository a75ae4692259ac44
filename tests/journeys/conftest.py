"""What journeys share."""

from __future__ import annotations

from tests.journeys.consent_sides import sides as sides
from tests.journeys.hand_fed import fed as fed
