"""One push, and the search for the records behind a count of rejections that names none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from integrations.platforms.base import JsonObject, Outcome, OutcomeState
from integrations.platforms.errors import PlatformError, Reconnect, Refused, SlowDown, TryLater
from integrations.platforms.ometria.client import OmetriaClient
from integrations.platforms.ometria.receipts import PushReceipt

MAX_SPLITS = 32  # further pushes that one batch may spend on finding its bad records
BY_RECORD = frozenset({400, 413, 422})  # a call refused with these holds a record that must not be there
REJECTED = "Ometria rejected the record as it arrived, without saying why"
LOOKING = "Another record of the batch is refused, and the search for it goes on"


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a push: our key, its key at Ometria, and what is sent."""

    key: str
    destination_key: str
    body: JsonObject


def push_rows(client: OmetriaClient, rows: Sequence[Row]) -> list[Outcome]:
    """One outcome per row. The first push raises TryLater, SlowDown or Reconnect; what fails after it is an outcome."""
    search = _Search(client)
    try:
        receipt = client.push([row.body for row in rows])
    except Refused as refusal:
        search.refused(rows, refusal)
    else:
        search.settle(rows, receipt.rejected, receipt)
    return search.outcomes


class _Search:
    """Halves a batch until each record is known; records are upserts, so pushing some of them twice changes nothing."""

    def __init__(self, client: OmetriaClient) -> None:
        self._client, self._left = client, MAX_SPLITS
        self.outcomes: list[Outcome] = []

    def settle(self, rows: Sequence[Row], rejected: int, receipt: PushReceipt) -> None:
        """Outcomes of rows that were pushed, `rejected` of them in vain."""
        if rejected == 0:
            self._note(rows, OutcomeState.ACCEPTED, receipt=receipt.request_id, request_id=receipt.request_id)
        elif rejected == len(rows):
            self._note(rows, OutcomeState.REFUSED, code="rejected", message=REJECTED, request_id=receipt.request_id)
        else:
            first, second = _halves(rows)
            known = self._again(first)
            rest = rejected - known if known is not None else -1
            if 0 <= rest <= len(second):  # what the first half does not explain lies in the second: no need to push it whole
                self.settle(second, rest, receipt)
            else:
                self._again(second)

    def refused(self, rows: Sequence[Row], refusal: Refused) -> None:
        """Outcomes of rows whose call was refused as a whole, so that none of them was taken."""
        if len(rows) == 1 or refusal.status not in BY_RECORD:
            self._note(rows, OutcomeState.REFUSED, code=refusal.code, message=str(refusal), request_id=refusal.request_id)
            return
        for half in _halves(rows):
            self._again(half)

    def _again(self, rows: Sequence[Row]) -> int | None:
        """Push rows once more; how many of them were rejected, None when the call did not say."""
        if self._left == 0:
            self._note(rows, OutcomeState.LATER, code="isolating", message=LOOKING, resume_in=1.0)
            return None
        self._left -= 1
        try:
            receipt = self._client.push([row.body for row in rows])
        except Refused as refusal:
            self.refused(rows, refusal)
        except (TryLater, Reconnect) as fault:
            self._give_up(rows, fault)
        else:
            self.settle(rows, receipt.rejected, receipt)
            return receipt.rejected
        return None

    def _give_up(self, rows: Sequence[Row], fault: PlatformError) -> None:
        self._left = 0
        wait = fault.seconds if isinstance(fault, SlowDown) else None
        self._note(rows, OutcomeState.LATER, code=fault.code, message=str(fault), resume_in=wait, request_id=fault.request_id)

    def _note(self, rows: Sequence[Row], state: OutcomeState, **facts: object) -> None:
        self.outcomes.extend(Outcome(key=row.key, state=state, destination_key=row.destination_key, **facts) for row in rows)  # type: ignore[arg-type]


def _halves(rows: Sequence[Row]) -> tuple[Sequence[Row], Sequence[Row]]:
    middle = len(rows) // 2
    return rows[:middle], rows[middle:]
