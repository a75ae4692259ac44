"""Which statement about a channel stands, and what each side holds. Pure; the ledger's rows come in as values.

The rule, strongest first:

1. A suppression (the address bounces, a complaint, an erasure) beats everything and is not taken back.
2. The newest dated word stands: an explicit act of the person that grants, or any withdrawal. Of the same second, the withdrawal: not
   every side tells parts of a second, and all sides must come to the same end.
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
    are our own times: first and last heard, or first and last told; `confirmed` = the telling reached its destination, and `entry` is which
    of the person's entries there it was told by, where it is known.
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
    as_of: datetime | None = None  # the version of the record that showed it
    confirmed: bool = False
    entry: int | None = None
    keeps_time: bool = False  # of a telling: the destination keeps the time that it is told

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
    return [_as_heard(s, told, said) if s.state is ConsentState.GRANTED else s for s in said] if told else said


def newest_word(said: Iterable[Statement]) -> Statement | None:
    """The word that stands among those that were heard."""
    best = max(said, key=_weight, default=None)
    return best if best is not None and _rank(best) else None


def _rank(statement: Statement) -> int:
    """How strong a word is, by the rule at the head of this module; 0 counts for nothing."""
    if statement.state is ConsentState.WITHDRAWN:
        return 1 if statement.is_weak else 3
    if statement.opts_in:
        return 2 if statement.history else 3
    return 4 if statement.state is ConsentState.SUPPRESSED else 0


def carries(winner: Statement | None) -> bool:
    """Whether what stands may be brought to sides that hold something else."""
    if winner is None or winner.state is ConsentState.UNKNOWN:
        return False
    return not winner.history if winner.state is ConsentState.GRANTED else not winner.is_weak


def forces(winner: Statement | None, statements: Sequence[Statement], connection: int, *, entry: int | None = None) -> bool:
    """Whether a destination is to hold what stands against whatever it holds: never twice for one word, never a backfilled grant.

    Also what it said itself, where the entry that we wrote there still carries the opposite; a "no" once for each `entry` of the person
    that was written there before. A grant is not forced on a destination that since then showed a "no" without a time: nobody knows
    which is newer.
    """
    if winner is None or not carries(winner) or _may_be_older(winner, statements, connection):
        return False
    if not holding(statements, connection, winner.channel).agrees(winner):
        return True
    told = [s for s in statements if s.told and s.connection == connection and s.channel == winner.channel]
    if winner.is_no and entry is not None:
        last = max((s for s in told if s.entry == entry), key=_known_since, default=None)
        return last is None or not (last.is_no and last.confirmed)
    return any(s.is_no != winner.is_no for s in told) and not any(s.confirmed and _is_word(s, winner) for s in told)


def _may_be_older(winner: Statement, statements: Sequence[Statement], connection: int) -> bool:
    """Whether a grant was stated before its destination, by its last word, was first seen to hold a "no" of unknown age."""
    mine = [s for s in statements if s.connection == connection and s.channel == winner.channel and (s.confirmed or not s.told)]
    last = max(mine, key=_known_since, default=None)
    if winner.is_no or last is None or last.told or not last.is_no or last.stated_at is not None:
        return False
    return (last.noted_at or LONG_AGO) > (winner.stated_at or LONG_AGO)


def _is_word(telling: Statement, winner: Statement) -> bool:
    return telling.is_no == winner.is_no and telling.stated_at == winner.stated_at


def echoed(statement: Statement, told: Iterable[Statement], said: Sequence[Statement]) -> Statement | None:
    """The telling of a grant that this grant only repeats, None when it is a word of its own.

    It repeats what its connection was told when it carries the same time. A connection that dates by its own clock what it is told repeats
    it also soon after the first or the last telling, while it said or showed nothing else since the last.
    """
    if statement.state is not ConsentState.GRANTED:
        return None
    mine = [t for t in told if t.connection == statement.connection and t.state is statement.state and _before(t, statement)]
    return next((t for t in sorted(mine, key=_age) if _repeats(statement, t, said)), None)


def holding(statements: Iterable[Statement], connection: int, channel: str) -> Holding:
    """What a connection holds for a channel: the last of what it said and what reached it, by our clock and by its own.

    It is not sure when the two clocks disagree, or when it was told something else of which nobody knows whether it arrived.
    """
    words = [s for s in statements if s.connection == connection and s.channel == channel]
    firm = [s for s in words if s.confirmed or not s.told]
    if not firm:
        return Holding()
    last, newest = max(firm, key=_known_since), max(firm, key=lambda s: (_effect(s), s.told))
    since = min(_known_since(last), _effect(newest))
    doubts = (s for s in words if s.told and not s.confirmed and s.is_no != last.is_no and _known_since(s) >= since)
    return Holding(last.state, _is_same(last, newest) and next(doubts, None) is None)


def _is_same(one: Statement, other: Statement) -> bool:
    return one.state is other.state or (one.is_no and other.is_no)


def _as_heard(statement: Statement, told: list[Statement], said: Sequence[Statement]) -> Statement:
    origin = echoed(statement, told, said)
    if origin is None:
        return statement
    word = (origin.stated_at, origin.explicit, origin.history or statement.history)
    if word == (statement.stated_at, statement.explicit, statement.history):
        return statement
    return replace(statement, stated_at=word[0], explicit=word[1], history=word[2])


def _before(telling: Statement, statement: Statement) -> bool:
    """Whether the telling began before the statement was first heard."""
    return telling.noted_at is None or statement.noted_at is None or telling.noted_at <= statement.noted_at


def _repeats(statement: Statement, telling: Statement, said: Sequence[Statement]) -> bool:
    if _second(statement.stated_at) == _second(telling.stated_at) or telling.keeps_time:
        return _second(statement.stated_at) == _second(telling.stated_at)
    at, first, last = statement.stated_at, telling.noted_at, telling.seen_at or telling.noted_at
    if at is None or first is None or last is None or not first - FAST_CLOCK <= at <= last + SLOW_QUEUE:
        return False
    mine = (s for s in said if s.connection == statement.connection and s.state is not statement.state)
    return not any(last < when <= at for s in mine for when in (s.stated_at, s.as_of) if when is not None)


def _second(moment: datetime | None) -> datetime | None:
    return moment.replace(microsecond=0) if moment is not None and moment.microsecond else moment


def _age(statement: Statement) -> datetime:
    return statement.stated_at or LONG_AGO


def _weight(statement: Statement) -> tuple[int, datetime, bool, datetime]:
    at = statement.stated_at or LONG_AGO
    return _rank(statement), _second(at) or at, statement.is_no, at


def _known_since(statement: Statement) -> datetime:
    return statement.seen_at or statement.noted_at or LONG_AGO


def _effect(statement: Statement) -> datetime:
    """When a word began to hold at its connection: when the person said it there, when it was shown, or when the connection was told."""
    return _known_since(statement) if statement.told else statement.stated_at or statement.as_of or statement.noted_at or LONG_AGO
