"""What every writer of consent asks before it writes: was it said, by whom, and does the platform hold a newer word already.

The ledger has decided before; this is the last look at the platform's own state, right before the call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from integrations.platforms.base import Candidate, Item, Outcome, OutcomeState, PeoplePage, Sent
from integrations.platforms.errors import PlatformError, Reconnect, SlowDown, TryLater
from mapping.records import Consent, ConsentChange, ConsentState, Record, RecordType


class Verdict(StrEnum):
    """What is to be done with one channel of one person."""

    WRITE = "write"
    SAME = "same"
    NEWER_THERE = "newer_there"
    UNPROVEN = "unproven"


@dataclass(frozen=True, slots=True)
class Held:
    """What a platform holds of one channel; `state` unknown where nobody was ever asked, `at` None where it keeps no time."""

    state: ConsentState = ConsentState.UNKNOWN
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one channel, in words that are shown to people."""

    state: OutcomeState
    message: str
    code: str = ""
    field: str = ""
    resume_in: float | None = None


SUPPRESSED = "suppressed"  # how the source of a withdrawal begins that the ledger makes of a suppression
NOTHING_SAID = "Nobody said anything that could be written there."
UNPROVEN = "Not written: only a dated act of the person makes anybody subscribed."
SAME = "{channel}: it says so there already."
NEWER = "{channel}: {platform} holds a newer word of {at:%Y-%m-%d %H:%M:%S} UTC, which stands."
WRITTEN = "{channel}: written."
NAMES = {"email": "E-mail", "sms": "Text messages"}
# which outcome stands for a person of several channels: what asks somebody first, then what was done
RANKS = (OutcomeState.REFUSED, OutcomeState.LATER, OutcomeState.DELIVERED, OutcomeState.SKIPPED)


@dataclass(frozen=True, slots=True)
class ConsentWriting:
    """What every writer of `ConsentChange` records has in common: it writes one person after the other, and looks for nobody beforehand."""

    record_type: RecordType = RecordType.CONSENT
    batch_size: int = 20
    exclusive: bool = False

    def confirm(self, client: Any, receipt: str, items: Sequence[Sent], age: float) -> Sequence[Outcome] | None:
        """Nothing is ever merely accepted."""
        return ()

    def find(self, client: Any, records: Sequence[Record]) -> Mapping[str, Sequence[Candidate]]:
        """Empty: people are looked for while writing."""
        return {}

    def people(self, client: Any, since: datetime | None, cursor: str | None) -> PeoplePage | None:
        """None: consents are no people."""
        return None


def one_by_one(items: Sequence[Item], write: Callable[[Item], Outcome]) -> list[Outcome]:
    """One outcome per item; after a fault the rest waits, and raises it while nothing was written yet (TryLater, SlowDown, Reconnect)."""
    done: list[Outcome] = []
    for position, item in enumerate(items):
        try:
            done.append(write(item))
        except (TryLater, Reconnect) as fault:
            if not done:
                raise
            return [*done, *(_later(rest, fault) for rest in items[position:])]
    return done


def _later(item: Item, fault: PlatformError) -> Outcome:
    wait = fault.seconds if isinstance(fault, SlowDown) else None
    return Outcome(key=item.key, state=OutcomeState.LATER, code=fault.code, message=str(fault), resume_in=wait, request_id=fault.request_id)


def said(record: Record, channel: str) -> Consent | None:
    """What the record says of a channel, None when that is nothing."""
    consents = record.consents if isinstance(record, ConsentChange) else ()
    return next((one for one in consents if one.channel == channel and one.state is not ConsentState.UNKNOWN), None)


def verdict(consent: Consent | None, held: Held, *, grants: bool) -> Verdict:
    """What to do with a payload that `grants` (or withdraws) a channel, after what the record says and what is held there.

    Platforms tell the time by the second; within one second the withdrawal stands. A suppression stands against everything.
    """
    if grants and not (consent is not None and consent.state is ConsentState.GRANTED and consent.explicit and consent.stated_at):
        return Verdict.UNPROVEN
    if held.state is (ConsentState.GRANTED if grants else ConsentState.WITHDRAWN):
        return Verdict.SAME
    if (
        consent is None
        or consent.stated_at is None
        or consent.source.startswith(SUPPRESSED)
        or held.at is None
        or held.state is ConsentState.UNKNOWN
    ):
        return Verdict.WRITE
    ours, theirs = consent.stated_at.replace(microsecond=0), held.at.replace(microsecond=0)
    return Verdict.NEWER_THERE if theirs > ours or (theirs == ours and grants) else Verdict.WRITE


def settled(found: Verdict, channel: str, held: Held, *, platform: str) -> Done | None:
    """What to say of a channel that needs no call, None when it is to be written."""
    name = NAMES.get(channel, channel)
    if found is Verdict.UNPROVEN:
        return Done(OutcomeState.REFUSED, UNPROVEN, code="unproven_consent", field=channel)
    if found is Verdict.SAME:
        return Done(OutcomeState.DELIVERED, SAME.format(channel=name), code="held_there")
    if found is Verdict.NEWER_THERE:
        return Done(OutcomeState.SKIPPED, NEWER.format(channel=name, platform=platform, at=held.at), code="newer_there")
    return None


def outcome_of(key: str, done: list[Done], *, destination_key: str) -> Outcome:
    """One outcome for all channels of a person: the one that needs somebody first, else the best that happened."""
    if not done:
        return Outcome(key=key, state=OutcomeState.SKIPPED, code="nothing_said", message=NOTHING_SAID, destination_key=destination_key)
    first = min(done, key=lambda one: RANKS.index(one.state))
    said_of = done if first.state is not OutcomeState.REFUSED else [one for one in done if one.state is OutcomeState.REFUSED]
    return Outcome(
        key=key,
        state=first.state,
        code=first.code,
        message=" ".join(one.message for one in said_of),
        field=first.field,
        resume_in=first.resume_in,
        destination_key=destination_key,
    )
