"""Unknown SKUs: what each may be, the answer with all that it lets go, and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from integrations.models import Flow, SkuAnswer, SyncException
from mapping.suggestions import CatalogueEntry, Component, Suggestion

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class CannotAnswer(Exception):
    """The answer was not taken; the message says why, for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What an answer lets go: orders, units of the SKU in them, and the orders' net value per currency.

    `still_waiting` of these orders wait for another answer too.
    """

    orders: int = 0
    units: int = 0
    value: dict[str, Decimal] = field(default_factory=dict)
    still_waiting: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerResult:
    """What became of one pair of a bulk answer: the answer, or why there is none."""

    exception_id: int
    sku: str
    answer: SkuAnswer | None = None
    error: str = ""


def suggestions_for(exception: SyncException, limit: int = 5) -> list[Suggestion]:
    """The best candidates for an unknown SKU, best first."""
    raise NotImplementedError


def search_catalogue(flow: Flow, text: str, limit: int = 20) -> list[CatalogueEntry]:
    """Entries of the flow's master catalogue that match what somebody types: SKU, GTIN, words of the title."""
    raise NotImplementedError


def preview_answer(exception: SyncException) -> Preview:
    """What any answer to this question lets go, in every flow of the same two connections."""
    raise NotImplementedError


def answer_sku(
    exception: SyncException, components: Sequence[Component], by: User | None, *, automatic: bool = False, note: str = ""
) -> SkuAnswer:
    """Write the crosswalk row and release every delivery that waits for this SKU; raises CannotAnswer."""
    raise NotImplementedError


def ignore_sku(exception: SyncException, by: User | None, note: str = "") -> SkuAnswer:
    """Let the SKU through as it is, from now on; raises CannotAnswer."""
    raise NotImplementedError


def answer_many(pairs: Sequence[tuple[SyncException, Suggestion]], by: User | None) -> list[AnswerResult]:
    """Accept several suggestions; one that cannot be taken does not stop the others."""
    raise NotImplementedError


def undo_answer(answer: SkuAnswer, by: User | None) -> int:
    """Put the crosswalk row back as it was; what was not sent yet waits again, what was sent is looked at again. Raises CannotAnswer.

    Returns how many deliveries are touched.
    """
    raise NotImplementedError
