"""Which statement about a channel stands. Pure; the ledger's rows come in as values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from mapping.records import Consent, ConsentState

LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement about one channel; `explicit` = an act of the person, which counts only with its time."""

    channel: str
    state: ConsentState
    stated_at: datetime | None = None
    source: str = ""
    explicit: bool = False


def statements_of(consents: Iterable[Consent], *, source: str = "") -> tuple[Statement, ...]:
    """A record's consents as statements; `source` names the reporter where the consent does not."""
    return tuple(
        Statement(channel=c.channel, state=c.state, stated_at=c.stated_at, source=c.source or source, explicit=c.explicit) for c in consents
    )


def winning(statements: Iterable[Statement], channel: str) -> Statement | None:
    """The statement that stands for a channel, None when nobody ever said anything.

    The newest dated act of the person wins; without one, the newest other statement. "Unknown" is an absence and never wins, and of
    two statements of the same moment the withdrawal stands.
    """
    said = [s for s in statements if s.channel == channel and s.state is not ConsentState.UNKNOWN]
    return max(said, key=_weight, default=None)


def _weight(statement: Statement) -> tuple[bool, datetime, bool]:
    acted = statement.explicit and statement.stated_at is not None
    return acted, statement.stated_at or LONG_AGO, statement.state is ConsentState.WITHDRAWN


def changes(before: Statement | None, after: Statement) -> bool:
    """Whether `after` is news to whoever holds `before`: another state, said as an act and not earlier."""
    if after.state is ConsentState.UNKNOWN or (before is not None and before.state is after.state):
        return False
    return before is None or _weight(after) > _weight(before)
