"""Asking Ometria to erase a person, and looking whether it has."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from integrations.platforms.errors import Refused, SlowDown
from integrations.platforms.ometria.client import OmetriaClient
from integrations.platforms.ometria.erasure import OmetriaErasure
from integrations.standins.ometria import OmetriaStandIn

ADA = "ada@example.com"


def test_a_request_is_done_once_ometria_says_when(client: OmetriaClient, stand_in: OmetriaStandIn) -> None:
    erasure = OmetriaErasure()
    reference = erasure.ask(client, ADA)
    waiting = erasure.is_done(client, reference)

    stand_in.clock.advance(14 * 86_400)

    assert (waiting, erasure.is_done(client, reference)) == (False, True)
    assert [effect.key for effect in stand_in.ledger.effects("deletion")] == [ADA]


def test_a_request_that_ometria_no_longer_knows_is_over(client: OmetriaClient) -> None:
    assert OmetriaErasure().is_done(client, "unknown")


def test_more_than_six_a_minute_are_told_to_wait(client: OmetriaClient) -> None:
    erasure = OmetriaErasure()
    erasure.ask(client, ADA)

    with pytest.raises(SlowDown):
        erasure.ask(client, ADA)


def test_the_field_of_the_address_is_a_setting(connect: Callable[..., OmetriaClient]) -> None:
    with pytest.raises(Refused):  # the stand-in wants it as "email"
        OmetriaErasure().ask(connect(deletion_field="email_address"), ADA)
