"""What a destination says of one record, and the question it raises about all that are refused so."""

from __future__ import annotations

import pytest

from integrations.engine.outcomes import refused
from integrations.platforms.base import Outcome, OutcomeState


def asked(message: str, **more: str) -> tuple[str, str, str, str]:
    """Subject, title and detail of the question, and what the delivery keeps."""
    result, (question,) = refused(7, Outcome(key="k", state=OutcomeState.REFUSED, message=message, **more), number=1)
    return question.subject, question.title, question.detail, result.message


def test_a_question_names_nobody_whom_the_destination_named():
    said = "ada@example.com or +44 7700 900123 is taken since 2026-01-08 14:03:11"
    shown = "a•••@example.com or •••23 is taken since 2026-01-08 14:03:11"

    assert asked(said) == (shown, f"Refused: {shown}", shown, said)
    assert asked(said, field="email") == ("email", f"Refused: email: {shown}", shown, said)


@pytest.mark.parametrize("code", ["", "too_long"])
def test_a_plain_reason_is_shown_as_it_was_said(code):
    said = "The title is too long"
    assert asked(said, code=code)[1:] == (f"Refused: {said}", said, said)
