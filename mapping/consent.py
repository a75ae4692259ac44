"""Which statement about a channel stands, and what each side holds. Pure; the ledger's rows come in as values.

The rule, strongest first:

1. A suppression (the address bounces, a complaint, an erasure) beats everything and is not taken back.
2. The newest dated word stands: an explicit act of the person that grants, or any withdrawal. Of the same moment, the withdrawal.
3. A withdrawal by an act of the person without a time stands while nobody granted anything live.
4. A grant that is known from a backfill alone stands only where nobody ever withdrew; it is never forced and never carried to others.
5. A plain "no" without an act and without a time stands only where nobody granted anything; it is not carried to others either.

Silence, an order, a grant without a time or without an act of the person never opt anyone in. A destination that shows what it was told
says nothing new: the echo of a grant keeps the time of the grant.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from mapping.records import Consent, ConsentState

LONG_AGO = datetime.min.replace(tzinfo=UTC)
FAST_CLOCK = timedelta(minutes=5)  # by which a destination's clock may be behind ours when it dates what it was told
SLOW_QUEUE = timedelta(hours=1)  # within which a destination has worked off what it was told
NO = frozenset({ConsentState.WITHDRAWN, ConsentState.SUPPRESSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One word about one channel: what a connection said of a person, or (`told`) what that connection was told by us.

    `explicit` = an act of the person, which counts only with its time. `history` = known from a backfill alone. `noted_at` and `seen_at`
    are our own times: first and last heard, or first and last told; `confirmed` = the telling reached its destination.
    """

    channel: str
    state: ConsentState
    stated_at: datetime | None = None
    source: str = ""
    explicit: bool = False
    policy: str = ""
    connection: int = 0
    place: str = ""  # the connection's name, for people
    person: str = ""  # the person's key at that connection
    history: bool = False
    told: bool = False
    noted_at: datetime | None = None
    seen_at: datetime | None = None
    confirmed: bool = False

    @property
    def is_no(self) -> bool:
        """Whether nothing may be sent by this word."""
        return self.state in NO

    @property
    def is_weak(self) -> bool:
        """Whether this is a "no" that may be nothing but an untouched setting."""
        return self.state is ConsentState.WITHDRAWN and self.stated_at is None and not self.explicit

    @property
    def opts_in(self) -> bool:
        """Whether this word can make a person mailable: a grant, by a dated act of the person."""
        return self.state is ConsentState.GRANTED and self.explicit and self.stated_at is not None


@dataclass(frozen=True, slots=True)
class Holding:
    """What a connection holds as far as is known; `sure` when everything that is known of it says the same."""

    state: ConsentState = ConsentState.UNKNOWN
    sure: bool = False

    def agrees(self, statement: Statement) -> bool:
        """Whether the connection surely holds the same yes or no as this statement."""
        return self.sure and (self.state is statement.state or (self.state in NO and statement.is_no))


def statements_of(consents: Iterable[Consent], *, source: str = "") -> tuple[Statement, ...]:
    """A record's consents as statements; `source` names the reporter where the consent does not."""
    return tuple(
        Statement(
            channel=c.channel, state=c.state, stated_at=c.stated_at, source=c.source or source, explicit=c.explicit, policy=c.policy
        )
        for c in consents
    )  # fmt: skip


def winning(statements: Iterable[Statement], channel: str) -> Statement | None:
    """The statement that stands for a channel; None when nobody said anything that counts."""
    return newest_word(heard(statements, channel))


def heard(statements: Iterable[Statement], channel: str) -> list[Statement]:
    """What was said about a channel, in the order given, echoes with the time of what they echo; tellings and absences are left out."""
    about = [s for s in statements if s.channel == channel and s.state is not ConsentState.UNKNOWN]
    told = [s for s in about if s.told and s.state is ConsentState.GRANTED]
    said = [s for s in about if not s.told]
    return [_as_heard(s, told, said) for s in said] if told else said


def newest_word(said: Sequence[Statement]) -> Statement | None:
    """The word that stands among those that were heard."""
    suppressed = [s for s in said if s.state is ConsentState.SUPPRESSED]
    if suppressed:
        return min(suppressed, key=_age)
    withdrawn = [s for s in said if s.state is ConsentState.WITHDRAWN]
    granted = [s for s in said if s.opts_in]
    words = [s for s in granted if not s.history] + [s for s in withdrawn if not s.is_weak]
    return max(words or granted or withdrawn, key=_weight, default=None)


def carries(winner: Statement | None) -> bool:
    """Whether what stands may be brought to sides that hold something else."""
    if winner is None or winner.state is ConsentState.UNKNOWN:
        return False
    return not winner.history if winner.state is ConsentState.GRANTED else not winner.is_weak


def forces(winner: Statement | None, held: Holding) -> bool:
    """Whether a destination is to hold what stands against whatever it holds: never twice for the same word, never a backfilled grant."""
    return winner is not None and carries(winner) and not held.agrees(winner)


def echoed(statement: Statement, told: Iterable[Statement], said: Sequence[Statement]) -> Statement | None:
    """The telling of a grant that this grant only repeats, None when it is a word of its own.

    It repeats what its connection was told when it carries the same time, or a time soon after the telling while the connection said
    nothing else in between.
    """
    if statement.state is not ConsentState.GRANTED:
        return None
    mine = [t for t in told if t.connection == statement.connection and t.state is statement.state and _before(t, statement)]
    return next((t for t in sorted(mine, key=_age) if _repeats(statement, t, said)), None)


def holding(statements: Iterable[Statement], connection: int, channel: str) -> Holding:
    """What a connection holds for a channel: the last of what it said and what reached it, by our clock and by its own."""
    words = [s for s in statements if s.connection == connection and s.channel == channel and (s.confirmed or not s.told)]
    if not words:
        return Holding()
    last, newest = max(words, key=_known_since), max(words, key=_effect)
    return Holding(last.state, last.state is newest.state or (last.is_no and newest.is_no))


def _as_heard(statement: Statement, told: list[Statement], said: Sequence[Statement]) -> Statement:
    origin = echoed(statement, told, said)
    if origin is None:
        return statement
    return replace(statement, stated_at=origin.stated_at, explicit=origin.explicit, history=origin.history or statement.history)


def _before(telling: Statement, statement: Statement) -> bool:
    """Whether the telling began before the statement was first heard."""
    return telling.noted_at is None or statement.noted_at is None or telling.noted_at <= statement.noted_at


def _repeats(statement: Statement, telling: Statement, said: Sequence[Statement]) -> bool:
    if _second(statement.stated_at) == _second(telling.stated_at):
        return True
    at, first, last = statement.stated_at, telling.noted_at, telling.seen_at or telling.noted_at
    if at is None or first is None or last is None or not first - FAST_CLOCK <= at <= last + SLOW_QUEUE:
        return False
    return not any(
        s.connection == statement.connection and s.state is not statement.state and s.stated_at is not None and first < s.stated_at <= at
        for s in said
    )


def _second(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(microsecond=0)


def _age(statement: Statement) -> datetime:
    return statement.stated_at or LONG_AGO


def _weight(statement: Statement) -> tuple[datetime, bool]:
    return statement.stated_at or LONG_AGO, statement.is_no


def _known_since(statement: Statement) -> datetime:
    return statement.seen_at or statement.noted_at or LONG_AGO


def _effect(statement: Statement) -> datetime:
    """When a word began to hold at its connection: when the person said it there, or when the connection was told last."""
    return _known_since(statement) if statement.told else statement.stated_at or statement.noted_at or LONG_AGO
