"""Events that must not be lost on nobody: before they are pushed, the profile they name must be there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from integrations.platforms.base import Item, Outcome, OutcomeState
from integrations.platforms.ometria.client import OmetriaClient

NO_PROFILE = "no_profile"
YOUNG = timedelta(minutes=5)  # a contact or an order that was pushed beside the event makes its profile within this
LOOK_AGAIN = 60.0  # seconds; an address that was not found is remembered that long


def without_profile(client: OmetriaClient, items: Sequence[Item]) -> list[Outcome]:
    """Outcomes of the events whose profile is missing: later while the event is young, then refused. Raises SlowDown and TryLater.

    Ometria tells of profiles by e-mail address only, so an event that has just another identifier is taken as it is.
    """
    chosen = frozenset(client.options.must_reach_profile)
    named = [item for item in items if item.payload.get("event_type") in chosen and item.payload.get("identity_email")]
    known = client.profiles_by_emails(str(item.payload["identity_email"]) for item in named)
    return [_missing(item, client) for item in named if not known[str(item.payload["identity_email"])]]


def _missing(item: Item, client: OmetriaClient) -> Outcome:
    if client.now() - item.record.occurred_at < YOUNG:
        message = "Ometria has no profile of this person yet."
        return Outcome(key=item.key, state=OutcomeState.LATER, code=NO_PROFILE, message=message, resume_in=LOOK_AGAIN)
    message = f"Ometria has no profile that “{item.payload['event_type']}” could update."
    return Outcome(key=item.key, state=OutcomeState.REFUSED, code=NO_PROFILE, message=message)
