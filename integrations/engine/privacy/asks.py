"""What other platforms are asked when somebody is erased: those that take such requests are asked and followed up, for the others the
certificate says what a person has to do there.

An ask is a dictionary in the request's row, `{"connection", "name", "platform", "state", "number", "reference", "words", "looks", at}`:
the number is that of the address among the person's, so that no address stands there.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import structlog
from django.utils import timezone

from integrations.engine import accounts
from integrations.engine.privacy.subject import Subject, deliveries_of, loads
from integrations.models import Connection, PrivacyRequest
from integrations.platforms.base import Lane
from integrations.platforms.errors import PlatformError, Refused, SlowDown
from integrations.platforms.registry import PLATFORMS

log = structlog.get_logger(__name__)
Ask = dict[str, Any]
TO_ASK, ASKED, DONE, REFUSED, BY_HAND = "to_ask", "asked", "done", "refused", "by_hand"
RETRY = timedelta(minutes=5)  # after a platform did not answer
FIRST_LOOK, LONGEST_LOOK = timedelta(seconds=5), timedelta(hours=1)  # the wait between looks doubles
BY_ITSELF = "It asked for this erasure and carries it out itself."
NO_WORDS = "Erase the person there by hand: Switchyard cannot ask for it."
NO_ADDRESS = "It is asked by e-mail address, and none is known of the person: look for them there by hand."


def listed(request: PrivacyRequest, subject: Subject) -> list[Ask]:
    """Every connection at which the person is known, and how they are erased there."""
    known = {at for at, _ in subject.keys | subject.orders}
    for source, destination in deliveries_of(subject).values_list("flow__source", "flow__destination").distinct():
        known |= {source, destination}
    rows: list[Ask] = []
    for connection in Connection.objects.filter(pk__in=known):
        rows += _of(connection, request, len(subject.emails))
    return rows


def _of(connection: Connection, request: PrivacyRequest, addresses: int) -> list[Ask]:
    platform = PLATFORMS.get(connection.platform)
    row = {
        "connection": connection.pk, "name": connection.name, "platform": platform.label if platform else connection.platform,
        "state": BY_HAND, "words": "", "reference": "", "number": 0, "looks": 0, "asked_at": None, "ended_at": None,
    }  # fmt: skip
    if connection.pk == request.connection_id:
        return [row | {"state": DONE, "words": BY_ITSELF}]
    if platform is None or platform.erasure is None:
        return [row | {"words": (platform.erasing if platform else "") or NO_WORDS}]
    return [row | {"state": TO_ASK, "number": number} for number in range(addresses)] or [row | {"words": NO_ADDRESS}]


def are_open(request: PrivacyRequest) -> bool:
    """Whether a platform is still to be asked, or has not finished."""
    return any(ask["state"] in (TO_ASK, ASKED) for ask in request.asks)


def are_asked(request: PrivacyRequest) -> bool:
    """Whether every platform was asked, so that the person's addresses are needed no more."""
    return all(ask["state"] != TO_ASK for ask in request.asks)


def follow(request: PrivacyRequest) -> None:
    """Ask what is to be asked and look at what was; the request's `asks` and `next_at` are changed, the caller stores them.

    A worker that dies after a call asks again: a platform that is asked twice to erase somebody erases them once.
    """
    addresses = sorted(loads(request.subject).emails)
    waits: list[timedelta] = []
    for ask in request.asks:
        if ask["state"] not in (TO_ASK, ASKED):
            continue
        try:
            waits += _go_on(ask, addresses)
        except SlowDown as fault:
            waits.append(timedelta(seconds=max(fault.seconds, 1.0)))
        except Refused as fault:
            words = f"{ask['platform']} turned it down ({fault.code or 'no reason'}): erase the person there by hand."
            ask |= {"state": REFUSED, "words": words}
        except PlatformError as fault:
            log.info("erasure waits", request=request.pk, connection=ask["connection"], fault=type(fault).__name__)
            waits.append(RETRY)
    request.next_at = timezone.now() + min(waits, default=LONGEST_LOOK)


def _go_on(ask: Ask, addresses: list[str]) -> list[timedelta]:
    connection = Connection.objects.filter(pk=ask["connection"]).first()
    if connection is None or (ask["state"] == TO_ASK and ask["number"] >= len(addresses)):
        ask |= {"state": REFUSED, "words": "The connection was removed: erase the person there by hand."}
        return []
    erasure = PLATFORMS[connection.platform].erasure
    with accounts.remediable():
        client = accounts.client_for(connection, lane=Lane.STANDARD)
    if ask["state"] == TO_ASK:
        ask |= {"reference": erasure.ask(client, addresses[ask["number"]]), "state": ASKED, "asked_at": timezone.now().isoformat()}
    if erasure.is_done(client, ask["reference"]):
        ask |= {"state": DONE, "ended_at": timezone.now().isoformat(), "words": "Erased there."}
        return []
    ask["looks"] += 1
    return [min(LONGEST_LOOK, FIRST_LOOK * 2 ** min(ask["looks"], 12))]
