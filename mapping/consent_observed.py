"""From a state that a connection merely shows to what a person did there: a word only where it turned round, and not by us. Pure.

Ometria's profiles show whether somebody is subscribed, without a time. A state seen for the first time, or seen again, is nobody's act.
A turn is: somebody subscribed again, or left on a way that Ometria does not list. What others said meanwhile may have reached it through
us, so then nothing is concluded. A grant gets the earliest time it can have, a withdrawal the latest: in doubt nobody is written to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from mapping.consent import LONG_AGO, SLOW_QUEUE, Statement
from mapping.records import Consent, ConsentState

OBSERVED = "profile"  # source of a consent that is shown without a time, as a room writes it
TURNED = {ConsentState.GRANTED: "subscribed_again", ConsentState.WITHDRAWN: "unsubscribed_unlisted"}
SOURCES = frozenset({OBSERVED, *TURNED.values()})
STEP = timedelta(seconds=1)  # by which a grant follows the withdrawal that it takes back


def is_observed(consent: Consent) -> bool:
    """Whether this is a state that is shown, and may be one that turned round."""
    return consent.source == OBSERVED and consent.stated_at is None and consent.state in TURNED


def turned(consent: Consent, seen_at: datetime, statements: Iterable[Statement], *, connection: int) -> Consent:
    """The consent as a dated act of the person where the state turned round since it was last seen, else as it is.

    `statements` are all about this address and channel; `seen_at` is when the connection showed the state.
    """
    about = list(statements)
    own = [s for s in about if s.connection == connection and not s.told]
    last = max((s for s in own if s.source in SOURCES), key=_heard, default=None)
    if last is None or last.state is consent.state or last.state not in TURNED:
        return consent
    if _said_since(about, consent.state, connection, since=_heard(last)) or _is_being_told(about, connection, seen_at):
        return consent
    if consent.state is ConsentState.WITHDRAWN:
        return replace(consent, stated_at=seen_at, explicit=True, source=TURNED[consent.state])
    at = _earliest(own, last)
    return consent if at is None else replace(consent, stated_at=at, explicit=True, source=TURNED[consent.state])


def _said_since(about: Sequence[Statement], state: ConsentState, connection: int, *, since: datetime) -> bool:
    """Whether the same was said (there or elsewhere) or told to this connection since then, which is all that it may show."""
    words = [s for s in about if (s.connection == connection or not s.told) and not (s.connection == connection and s.source in SOURCES)]
    return any(s.state is state and _last(s) >= since for s in words)


def _is_being_told(about: Sequence[Statement], connection: int, seen_at: datetime) -> bool:
    """Whether something is on its way to this connection: what it shows meanwhile may be any of the states it is passing through."""
    return any(s.told and s.connection == connection and not s.confirmed and _heard(s) > seen_at - SLOW_QUEUE for s in about)


def _earliest(own: Sequence[Statement], last: Statement) -> datetime | None:
    """The earliest time at which the person can have subscribed again: after "no" was seen and after what they withdrew there.

    None while a withdrawal is known that was heard after "no" was seen: the connection may just not show it yet.
    """
    sight = _heard(last)
    withdrawn = [s for s in own if s.state is ConsentState.WITHDRAWN and s.stated_at is not None and s.source not in SOURCES]
    if any((s.stated_at or LONG_AGO) > sight and (s.noted_at or LONG_AGO) > sight for s in withdrawn):
        return None
    newest = max((s.stated_at for s in withdrawn if s.stated_at is not None), default=LONG_AGO)
    return max(sight, newest + STEP)


def _heard(statement: Statement) -> datetime:
    return statement.seen_at or statement.noted_at or LONG_AGO


def _last(statement: Statement) -> datetime:
    """When a word was told last; when it was first heard, where it is a source's own."""
    return _heard(statement) if statement.told else statement.noted_at or LONG_AGO
