"""The consent ledger: who may be written to, by which channel, and why. The public functions; the rest are its rooms.

Every record that carries consents (a customer of a shop, a `ConsentChange` of Ometria) passes through `note` when it is enqueued, in the
same transaction. Nothing is overwritten: each statement is a row with its connection, channel, state, time, source, policy text and whether
it is known from a backfill alone. Which statement stands is the pure rule in `mapping.consent`. A state that a source merely shows becomes
a word where it turned round (`engine.observed`).

For a platform room that is a *source* of consents: give records with `consents` and at least one of `email` and `phone`. `explicit=True`
with `stated_at` for a dated act of the person; state SUPPRESSED for bounces, complaints and erasures; UNKNOWN for "never asked". Do not
give a time that is not the person's (no "last modified"): a consent without a time never opts anybody in.

For a platform room that is a *destination* (a flow of type consent): its writer gets `ConsentChange` records with exactly one consent,
state GRANTED or WITHDRAWN (a suppression comes as WITHDRAWN, `source` begins with "suppressed"), `email` or `phone` normalised, and
`customer_key` = the person's key at that destination where it is known. Write `stated_at` where the platform keeps a time: by it the echo
is recognised for sure. Several people of one number: all of them for a withdrawal. A person who is unknown there: OutcomeState.SKIPPED.
Whether the destination holds it already is decided here, before the writer is asked; still the writer reads right before it writes, and
answers SKIPPED when what is there was stated later, or at the same moment and is a withdrawal: the ledger hears of it by the next reading.

For pages and audits: `explain(email=, phone=)` is the whole chain with a reason for each statement, `sides` says what each connection
holds, `behind` which of them hold a stale consent, and `walk` goes through everybody in the ledger part by part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from django.db import transaction

from integrations.engine.consent_rows import CHANNELS, Handle, Person, handles, load, note_rows, walk
from integrations.engine.consent_send import speaking, standings_for
from integrations.engine.consent_spread import Bring, spread, spread_left_behind
from integrations.engine.observed import with_turns
from integrations.models import Connection
from mapping.consent import Holding, Statement, carries, holding, winning
from mapping.consent_reasons import Judged, Standing, judge
from mapping.records import CustomerRef, Record

__all__ = [
    "CHANNELS", "Holding", "Judged", "Standing", "behind", "explain", "explain_all", "note", "sides", "speaking", "spread",
    "spread_left_behind", "standing", "standings_for", "walk", "winners",
]  # fmt: skip


def note(connection: Connection, records: Sequence[Record], *, history: bool, carries: bool, bring: Bring) -> None:
    """Note what records say about being written to; call inside the transaction that stores them, with masked values taken out.

    `history` = a backfill brought them, `carries` = consent flows start at this connection. What other sides must hear of is brought to
    them by `bring` once the transaction is over, or by `spread_left_behind` when this process does not live that long.
    """
    news = note_rows(connection.pk, with_turns(connection, records), history=history, carries=carries)
    if news:
        transaction.on_commit(partial(spread, news, bring), robust=True)


def standing(person: Person) -> dict[str, Standing]:
    """What stands for every channel that a person can be written to by, with the chain of statements; channel → standing."""
    return {channel: judge(statements, channel) for (channel, _), statements in load(handles(person)).items()}


def explain(*, email: str = "", phone: str = "") -> dict[str, Standing]:
    """The same for an address and a number as somebody typed them (phone with its country code); a channel is missing when unusable."""
    return standing(CustomerRef(email=email, phone=phone))


def explain_all(people: Sequence[Person]) -> list[dict[str, Standing]]:
    """The standings of many people in one query, in the order given."""
    wanted = [handles(person) for person in people]
    known = load(handle for mine in wanted for handle in mine)
    return [{channel: judge(known[channel, value], channel) for channel, value in mine} for mine in wanted]


def sides(found: Standing) -> Mapping[int, Holding]:
    """What each connection of a chain holds, by its id; one whose holding does not agree with the winner holds a stale consent."""
    statements = [one.statement for one in found.chain]
    return {pk: holding(statements, pk, found.channel) for pk in dict.fromkeys(s.connection for s in statements)}


def behind(found: Standing) -> list[int]:
    """The connections of a chain, by id, that do not surely hold what stands although it may be brought to them: a stale consent each."""
    if not carries(found.winner):
        return []
    return [pk for pk, held in sides(found).items() if found.winner is not None and not held.agrees(found.winner)]


def winners(wanted: Iterable[Handle]) -> dict[Handle, Statement | None]:
    """The statement that stands for each channel and handle, in one query."""
    return {handle: winning(statements, handle[0]) for handle, statements in load(wanted).items()}
