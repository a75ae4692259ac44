"""From accepted to delivered or refused: the error list joined to a receipt, and a look at what is stored."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from integrations.platforms.base import JsonObject, Outcome, OutcomeState, Sent
from integrations.platforms.errors import TryLater
from integrations.platforms.ometria.client import OmetriaClient
from integrations.platforms.ometria.compare import compare
from integrations.platforms.ometria.keys import split
from integrations.platforms.ometria.receipts import ErrorList, PushError, problem_text
from integrations.platforms.ometria.write.look import look

SKEW = timedelta(seconds=5)  # by which clocks and receipts may disagree about when the push was
UNCONFIRMED_GRACES = 5  # graces after which a record that neither failed nor shows up is sent again


def confirm_receipt(client: OmetriaClient, kind: str, receipt: str, sent: Sequence[Sent], *, age: float) -> list[Outcome]:
    """Outcomes of the records of a push that are known `age` seconds after it; asks for the error list once."""
    listed = client.push_errors()
    failed = {item.key: errors for item in sent if (errors := _errors_of(listed, kind, receipt, item))}
    outcomes = [_refused(item, receipt, failed[item.key]) for item in sent if item.key in failed]
    waiting = [item for item in sent if item.key not in failed]
    if not waiting:
        return outcomes
    pushed_at = client.now() - timedelta(seconds=age)
    grace = client.options.confirm_grace_seconds
    if age < grace:
        if _sampled(receipt, client.options.read_back_share):
            with suppress(TryLater):  # this look is a courtesy: without it the grace decides
                outcomes += _seen(receipt, waiting, look(client, kind, waiting, pushed_at), strict=True)
        return outcomes
    if listed.tells_all_since(pushed_at - SKEW):
        return outcomes + [_delivered(item, receipt) for item in waiting]
    # errors may have scrolled away: only what can be seen is delivered
    outcomes += _seen(receipt, waiting, look(client, kind, waiting, pushed_at), strict=False)
    if age >= grace * UNCONFIRMED_GRACES:
        known = {outcome.key for outcome in outcomes}
        outcomes += [_lost(item, receipt) for item in waiting if item.key not in known]
    return outcomes


def _errors_of(listed: ErrorList, kind: str, receipt: str, item: Sent) -> list[PushError]:
    owner, identifier = split(item.destination_key) if kind in ("contact", "custom_event") else ("", item.destination_key)
    return [
        error
        for error in listed.errors
        if error.request_id == receipt and error.record_id == identifier and error.kind == kind and error.owner in ("", owner)
    ]


def _seen(receipt: str, waiting: Sequence[Sent], stored: dict[str, JsonObject], *, strict: bool) -> list[Outcome]:
    """Delivered for what is stored with our values; without `strict` an unknown payload needs only to be there."""
    seen = []
    for item in waiting:
        shown = stored.get(item.destination_key)
        if shown is None or (item.payload is None and strict) or (item.payload is not None and compare(item.payload, shown)):
            continue
        seen.append(_delivered(item, receipt))
    return seen


def _sampled(receipt: str, share: float) -> bool:
    """The same answer for a receipt each time it is asked about, yes for `share` of all receipts."""
    return int.from_bytes(hashlib.sha256(receipt.encode()).digest()[:4], "big") < share * 2**32


def _delivered(item: Sent, receipt: str) -> Outcome:
    return Outcome(key=item.key, state=OutcomeState.DELIVERED, destination_key=item.destination_key, request_id=receipt)


def _refused(item: Sent, receipt: str, errors: Sequence[PushError]) -> Outcome:
    return Outcome(
        key=item.key,
        state=OutcomeState.REFUSED,
        destination_key=item.destination_key,
        code="push_error",
        message=f"Ometria refused the record: {problem_text(errors)}",
        field=errors[0].field,
        request_id=receipt,
    )


def _lost(item: Sent, receipt: str) -> Outcome:
    return Outcome(
        key=item.key,
        state=OutcomeState.LATER,
        destination_key=item.destination_key,
        code="unconfirmed",
        message="Ometria lists no error and shows no such record; it is sent again",
        request_id=receipt,
    )
