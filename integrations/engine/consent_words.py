"""A statement of the ledger as other rooms take it: as a consent, as a change on its way to a destination."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from integrations.engine.consent_rows import Handle
from integrations.engine.find_terms import one_way
from mapping.consent import Statement
from mapping.records import Consent, ConsentChange, ConsentState


def consent_of(statement: Statement, *, forced: bool = False) -> Consent:
    """What stands as a destination is told it: a suppression is a withdrawal with its reason."""
    suppressed = statement.state is ConsentState.SUPPRESSED
    return Consent(
        channel=statement.channel,
        state=ConsentState.WITHDRAWN if suppressed else statement.state,
        stated_at=statement.stated_at,
        source=f"suppressed: {statement.source}".removesuffix(": ") if suppressed else statement.source,
        explicit=statement.explicit or suppressed,
        policy=statement.policy,
        forced=forced,
    )


def person_at(statements: Sequence[Statement], connection: int) -> str:
    """The key of the person at a connection, empty when it is unknown or several people share the address or number there."""
    people = {s.person for s in statements if s.connection == connection and not s.told and s.person}
    return people.pop() if len(people) == 1 else ""


def change_of(handle: Handle, winner: Statement, *, person: str) -> ConsentChange:
    """What stands as a record of the outbox, one per person and channel; its version is our clock: a later look sees more."""
    (channel, value), now = handle, timezone.now()
    return ConsentChange(
        key=f"{channel}:{one_way(value)}", occurred_at=now, decided_at=now, email=value if channel == "email" else "",
        phone=value if channel == "sms" else "", customer_key=person, consents=(consent_of(winner, forced=True),),
    )  # fmt: skip
