"""One person at three platforms that hear of each other only through the ledger: late, twice, in any order, and with lost answers.

The platforms are simple machines of their own; of the product only the pure rule is used. Times are whole minutes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from heapq import heappop, heappush
from random import Random

from mapping.consent import Statement, carries, forces, holding, winning
from mapping.records import ConsentState

G, W, U, S = ConsentState.GRANTED, ConsentState.WITHDRAWN, ConsentState.UNKNOWN, ConsentState.SUPPRESSED
SHOP, MAIL, STORE = 1, 2, 3  # Shopify, Ometria, commercetools
SIDES = (SHOP, MAIL, STORE)
BEGAN = datetime.fromisoformat("2026-01-10T08:00:00+00:00")
MOMENTS = [BEGAN + timedelta(minutes=minute) for minute in range(-3000, 12000)]
LONGEST = 400  # events after which a world that does not come to rest is ended


def moment(minute: int) -> datetime:
    """A minute of the story as a time."""
    return MOMENTS[minute + 3000]


@dataclass(frozen=True, slots=True)
class Act:
    """What happens at a side: a person's act, or (not `explicit`) what an import, a setting or the platform itself does there."""

    minute: int
    side: int
    state: ConsentState
    explicit: bool = True
    dated: bool = True


@dataclass(slots=True)
class Held:
    """What a side holds, and since when by its own clock; `ours` = we told it."""

    state: ConsentState = U
    minute: int | None = None
    explicit: bool = False
    ours: bool = False


@dataclass(slots=True)
class Word:
    """A statement of the ledger that can be written over, which a hundred thousand stories need; the rule reads it like its own."""

    state: ConsentState
    stated_at: datetime | None
    explicit: bool
    connection: int
    history: bool
    noted_at: datetime
    seen_at: datetime
    as_of: datetime | None = None
    told: bool = False
    confirmed: bool = False
    keeps_time: bool = False
    channel: str = "email"

    is_no, is_weak, opts_in = Statement.is_no, Statement.is_weak, Statement.opts_in


@dataclass(slots=True)
class World:
    """The three sides and the ledger; `run` plays a story until nothing is under way."""

    dice: Random
    sides: dict[int, Held] = field(default_factory=lambda: {side: Held() for side in SIDES})
    ledger: dict[tuple, Word] = field(default_factory=dict)
    queue: list[tuple] = field(default_factory=list)
    asked: set[int] = field(default_factory=set)  # sides with a change on its way
    opted_in: list[tuple[int, Word]] = field(default_factory=list)  # sides that we turned to yes, and by which word
    done: list[Act] = field(default_factory=list)  # acts that changed something where they happened
    steps: int = 0
    count: int = 0

    def put(self, minute: int, what: str, *facts: object) -> None:
        """Let something happen at a minute; of the same minute in the order of putting."""
        self.count += 1
        heappush(self.queue, (minute, self.count, what, facts))

    def run(self, acts: list[Act], backfills: list[tuple[int, int]]) -> World:
        """Play a story to its end."""
        for act in acts:
            self.put(act.minute, "act", act)
        for minute, side in backfills:
            self.put(minute, "backfill", side)
        while self.queue and self.steps < LONGEST:
            minute, _, what, facts = heappop(self.queue)
            self.steps += 1
            getattr(self, what)(minute, *facts)
        return self

    def act(self, minute: int, act: Act) -> None:
        """Somebody does something at a side, which tells of it later, perhaps twice; saying again what it holds changes nothing there."""
        held = self.sides[act.side]
        if held.state in (S, act.state):
            return
        self.done.append(act)
        held.state, held.minute, held.explicit, held.ours = act.state, act.minute if act.dated else None, act.explicit, False
        self._report(minute, act.side)

    def backfill(self, minute: int, side: int) -> None:
        """All that a side holds is read as history."""
        self.note(minute, side, self._word(side), minute, True)

    def note(self, minute: int, side: int, word: tuple, shown: int, history: bool) -> None:
        """The ledger hears of a side, and looks whether the others hold what stands."""
        state, at, explicit = word
        key, now = (side, False, state, at), moment(minute)
        known = self.ledger.get(key)
        if known is None:
            self.ledger[key] = Word(state, None if at is None else moment(at), explicit, side, history, now, now, moment(shown))
        else:
            known.seen_at, known.as_of = now, moment(shown)
            known.history, known.explicit = known.history and history, known.explicit or explicit
        self._look(minute)

    def send(self, minute: int, side: int) -> None:
        """A change is prepared from what the ledger says now, told and written; its answer may be lost, then it is done again."""
        self.asked.discard(side)
        statements = list(self.ledger.values())
        winner = winning(statements, "email")
        held = holding(statements, side, "email")
        if winner is None or held.agrees(winner) or not (carries(winner) or side == MAIL):
            return
        state = W if winner.is_no else G
        at = None if winner.stated_at is None else int((winner.stated_at - BEGAN).total_seconds() // 60)
        key, now = (side, True, state, at), moment(minute)
        told = self.ledger.get(key)
        telling = replace(winner, state=state, connection=side, told=True, noted_at=now, seen_at=now, keeps_time=side != MAIL)
        if told is not None:
            telling.noted_at, telling.history = told.noted_at, told.history and winner.history
        self.ledger[key] = telling
        answer = self._write(minute, side, winner, state, at, forced=forces(winner, statements, side))
        if answer == "changed" and not (side == MAIL and state is W):  # Ometria does not list what was withdrawn through its interface
            self._report(minute, side)
        if self.dice.random() < 0.1:
            self._ask(minute, side)  # the worker was killed before it could store the answer
        elif answer != "left":
            telling.confirmed = True
        elif told is None:
            del self.ledger[key]  # it is known that it was not taken
        else:
            self.ledger[key] = told

    def _write(self, minute: int, side: int, winner: Word, state: ConsentState, at: int | None, *, forced: bool) -> str:
        """What a side makes of a change: changed, same, or left alone. A shop's writer looks first and leaves what is newer there."""
        held = self.sides[side]
        if held.state is state or (held.state is S and state is W):
            return "same"
        if held.state is S or (side == MAIL and not forced and state is G and held.state is not U):
            return "left"  # a plain opt-in never takes back an opt-out
        if side != MAIL and winner.state is not S and held.explicit and _is_newer(held, at):
            return "left"
        if state is G:
            self.opted_in.append((side, replace(winner)))
        held.state, held.explicit, held.ours = state, True, True
        held.minute = minute if side == MAIL or at is None else at
        return "changed"

    def _word(self, side: int) -> tuple:
        held = self.sides[side]
        return held.state, held.minute, held.explicit

    def _report(self, minute: int, side: int) -> None:
        """A side tells of its change later: as it was (Ometria's list of unsubscribes), or as it is then (a shop that is asked)."""
        dice, word = self.dice, self._word(side)
        for _ in range(2 if dice.random() < 0.2 else 1):
            later = minute + dice.choice((0, 1, 3, 30, 200))
            if side == MAIL or dice.random() < 0.5:
                self.put(later, "note", side, word, minute, False)
            else:
                self.put(later, "reread", side)

    def reread(self, minute: int, side: int) -> None:
        """A hint: what the side holds is read now."""
        self.note(minute, side, self._word(side), minute, False)

    def _look(self, minute: int) -> None:
        statements = list(self.ledger.values())
        winner = winning(statements, "email")
        if winner is None:
            return
        for side in SIDES:
            if side not in self.asked and (carries(winner) or side == MAIL) and not holding(statements, side, "email").agrees(winner):
                self._ask(minute, side)

    def _ask(self, minute: int, side: int) -> None:
        self.asked.add(side)
        self.put(minute + self.dice.choice((0, 1, 20, 150)), "send", side)

    def standing(self) -> Word | None:
        """What stands at the end."""
        return winning(self.ledger.values(), "email")


def _is_newer(held: Held, at: int | None) -> bool:
    return held.minute is not None and at is not None and (held.minute, held.state is W) > (at, held.state is G)


def story(dice: Random) -> tuple[list[Act], list[tuple[int, int]]]:
    """What happens to one person: a few acts at random sides, some of them no act of the person at all, and now and then a backfill."""
    acts, minute = [], 0
    for _ in range(dice.choice((1, 1, 1, 2, 2, 3, 4))):
        minute += dice.choice((0, 1, 5, 60, 300, 1000))
        roll, side = dice.random(), dice.choice(SIDES)
        if any(act.side == side and act.minute == minute for act in acts):
            minute += 1
        if roll < 0.45:
            acts.append(Act(minute, side, G))
        elif roll < 0.8:
            acts.append(Act(minute, side, W))
        elif roll < 0.87:
            acts.append(Act(minute, side, G, explicit=False, dated=dice.random() < 0.5))  # an import, a pre-ticked box, an order
        elif roll < 0.92:
            acts.append(Act(minute, side, W, explicit=False, dated=False))  # a setting nobody touched
        elif roll < 0.95:
            acts.append(Act(minute, side, S, explicit=False))
        else:
            acts.append(Act(minute, side, U, explicit=False, dated=False))
    backfills = [(dice.randrange(0, minute + 500), dice.choice(SIDES))] if dice.random() < 0.3 else []
    return acts, backfills
