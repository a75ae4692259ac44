"""Why a person may or may not be written to, in words: the statement that stands, and what is with each of the others. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mapping.consent import Statement, echoed, heard, newest_word
from mapping.records import ConsentState

HEADLINES = {
    ConsentState.GRANTED: "May be written to",
    ConsentState.WITHDRAWN: "May not be written to",
    ConsentState.SUPPRESSED: "Must not be written to, whatever is said later",
    ConsentState.UNKNOWN: "May not be written to: nobody stated a consent",
}


@dataclass(frozen=True, slots=True)
class Judged:
    """One statement of the chain: whether it stands, and why or why not, as a sentence for people."""

    statement: Statement
    stands: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What stands for one channel of one person, and the whole chain, oldest first; `winner` None when nothing that counts was said."""

    channel: str
    state: ConsentState
    winner: Statement | None
    why: str
    chain: tuple[Judged, ...] = ()

    @property
    def mailable(self) -> bool:
        """Whether the person may be written to."""
        return self.state is ConsentState.GRANTED


def judge(statements: Iterable[Statement], channel: str) -> Standing:
    """The standing of a channel with a reason for every statement about it."""
    about = sorted((s for s in statements if s.channel == channel), key=_when)
    words = heard(about, channel)
    best = newest_word(words)
    said = [s for s in about if not s.told and s.state is not ConsentState.UNKNOWN]
    winner = next((s for s, word in zip(said, words, strict=True) if word is best), None)
    chain = tuple(Judged(s, s is winner, _why(s, winner, best, about)) for s in about)
    state = best.state if best is not None else ConsentState.UNKNOWN
    return Standing(channel=channel, state=state, winner=winner, why=_headline(state, best), chain=chain)


def _headline(state: ConsentState, best: Statement | None) -> str:
    if best is None:
        return f"{HEADLINES[state]}."
    place = f" at {best.place}" if best.place else ""
    words = {ConsentState.GRANTED: "the newest statement is a consent", ConsentState.WITHDRAWN: "the newest statement is a withdrawal"}
    reason = words.get(state, "a suppression was reported")
    only = ", known from history alone" if state is ConsentState.GRANTED and best.history else ""
    return f"{HEADLINES[state]}: {reason}{place}{only}."


def _why(statement: Statement, winner: Statement | None, best: Statement | None, about: Sequence[Statement]) -> str:
    if statement.told:
        return "We told it so." if statement.confirmed else "We told it so, and do not know yet that it arrived."
    if statement is winner:
        return FROM_HISTORY if statement.opts_in and statement.history else STANDS[statement.state]
    if statement.state is ConsentState.UNKNOWN:
        return "Never asked there. That is neither yes nor no."
    if echoed(statement, [s for s in about if s.told], [s for s in about if not s.told]) is not None:
        return "An echo of what we told it. It says nothing new."
    return _lost(statement, best)


FROM_HISTORY = "It stands: nobody ever withdrew. It is known from history alone, so it is not brought to other sides."
STANDS = {
    ConsentState.GRANTED: "It stands: the newest dated act of the person.",
    ConsentState.WITHDRAWN: "It stands: no later consent by a dated act of the person.",
    ConsentState.SUPPRESSED: "It stands: a suppression beats every other statement.",
}


def _lost(statement: Statement, best: Statement | None) -> str:
    """Why a statement that is no echo does not stand."""
    if statement.state is ConsentState.GRANTED and not statement.opts_in:
        return "Does not count: a consent counts only as a dated act of the person."
    if best is None:
        return "Does not count."
    if best.state is ConsentState.SUPPRESSED:
        return "Overruled by a suppression." if statement.state is not best.state else "The same was reported before."
    if statement.state is ConsentState.GRANTED and statement.history and best.is_no:
        return "Overruled: what is known from history alone never takes back a withdrawal."
    if statement.state is best.state:
        return "Says the same as the statement that stands."
    if statement.is_weak:
        return "Overruled: it has no time and is no act of the person."
    if statement.stated_at is None:
        return "Overruled: it has no time, and the statement that stands has one."
    if best.stated_at is not None and statement.stated_at.replace(microsecond=0) == best.stated_at.replace(microsecond=0):
        return "Overruled: of two statements of the same second the withdrawal stands."
    return "Overruled by a newer statement."


def _when(statement: Statement) -> tuple[bool, float, float]:
    at, noted = statement.stated_at or statement.noted_at, statement.noted_at
    return statement.told, at.timestamp() if at else 0.0, noted.timestamp() if noted else 0.0
