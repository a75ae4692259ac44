"""One line of the verdict: what a flow's source holds, what we moved, and what is there, counted and compared."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from integrations.management.demo.motion import MOVING, UNNAMED
from integrations.models import Delivery, Flow
from integrations.models.kinds import KINDS
from mapping.records import RecordType

State = Delivery.State


@dataclass(frozen=True, slots=True)
class Row:
    """One flow: figures by column and what does not agree, in words."""

    flow: str
    source: int | None  # things the source itself has; None where it keeps no list
    records: int
    delivered: int
    held: Counter[str]  # by reason
    skipped: int
    refused: int
    moving: int
    there: int
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """One promise beyond the counts, kept or not."""

    text: str
    faults: tuple[str, ...]


def tally(flow: Flow, there: set[str], source: set[str] | None) -> Row:
    """Compare one flow; `there` are keys at the destination, `source` keys at the source."""
    columns = ("record_key", "state", "destination_key", "sent_hash", "last_code", "issues")
    deliveries = list(Delivery.objects.filter(flow=flow).values_list(*columns))
    states = Counter(state for _, state, *_ in deliveries)
    blocked = [[issue["kind"] for issue in issues] for _, state, *_, issues in deliveries if state == State.BLOCKED]
    held = Counter(KINDS[kind].label.lower() for kinds in blocked for kind in set(kinds) if kind != "refused")
    unnamed = sum(state in MOVING and code == UNNAMED for _, state, _, _, code, _ in deliveries)
    held |= {"unnamed visitor": unnamed} if unnamed else {}
    moving = len(deliveries) - states[State.DELIVERED] - states[State.SKIPPED] - len(blocked) - unnamed
    sent, came = {key for _, _, key, digest, _, _ in deliveries if digest}, {key for key, *_ in deliveries}
    return Row(
        _name(flow), len(source) if source is not None else None, len(deliveries), states[State.DELIVERED],
        held, states[State.SKIPPED], sum("refused" in kinds for kinds in blocked), moving, len(there),
        tuple(_faults(flow.record_type, sent, there, missing_here=set() if source is None else source - came, moving=moving)),
    )  # fmt: skip


def _name(flow: Flow) -> str:
    """Whose records of which type; of consent also where they go."""
    told = f" to {flow.destination.name}" if flow.record_type == RecordType.CONSENT else ""
    return f"{flow.source.name}: {flow.record_type}{told}"


def missing(what: str, keys: set[str]) -> list[str]:
    """A fault for each key."""
    return [f"{what}: {key}" for key in sorted(keys)]


def _faults(kind: str, sent: set[str], there: set[str], *, missing_here: set[str], moving: int) -> list[str]:
    faults = missing(f"{kind} sent but not there", sent - there)
    if kind != RecordType.CHECKOUT:  # an abandoned checkout that was recovered is two events there
        faults += missing(f"{kind} there but never sent", there - sent)
    faults += missing(f"{kind} of the shop that never came in", missing_here)
    return [*faults, *([f"{moving} {kind} deliveries are still on their way"] if moving else [])]
