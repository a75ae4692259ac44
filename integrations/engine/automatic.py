"""Suggestions applied without a person: only in flows whose managers set a threshold, logged as automatic, and open to be taken back."""

from __future__ import annotations

import time

import structlog

from integrations.engine.sku_answers import CannotAnswer, answer_sku
from integrations.engine.suggest import suggestions_for
from integrations.models import Flow, SkuAnswer, SkuBacklog, SyncException
from mapping.suggestions import Suggestion

log = structlog.get_logger(__name__)
SETTING = "auto_map_above"  # of a flow: the lowest score (1–100) at which a suggestion is applied by itself; missing or 0 = never
CLEAR_LEAD = 5  # points that the best suggestion must be ahead of the next


def map_skus(seconds: float = 15.0) -> int:
    """Apply what is good enough in every flow that wants it, for at most so long; returns how many SKUs were mapped."""
    until, mapped = time.monotonic() + seconds, 0
    for flow in Flow.objects.filter(enabled=True, settings__has_key=SETTING):
        threshold = int(flow.settings.get(SETTING) or 0)
        for exception in _candidates(flow, threshold) if threshold else ():
            if time.monotonic() > until:
                return mapped
            mapped += _map(exception, threshold)
    return mapped


def _candidates(flow: Flow, threshold: int) -> list[SyncException]:
    """Open questions whose stored suggestion is good enough; a SKU whose answer somebody took back is left to people."""
    taken_back = SkuAnswer.objects.filter(source=flow.source_id, destination=flow.destination_id, undone_at__isnull=False)
    good = SkuBacklog.objects.filter(exception__flow=flow, exception__state=SyncException.State.OPEN, score__gte=threshold)
    rows = SyncException.objects.filter(pk__in=good.values("exception")).exclude(subject__in=taken_back.values("source_sku"))
    return list(rows.select_related("flow").order_by("pk"))


def _map(exception: SyncException, threshold: int) -> int:
    best = _clear_best(suggestions_for(exception, 2), threshold)
    if best is None:
        return 0
    try:
        answer = answer_sku(exception, best.components, None, automatic=True, note=f"Score {best.score}: {'; '.join(best.reasons)}")
    except CannotAnswer as refusal:
        log.info("SKU not mapped automatically", exception=exception.pk, why=str(refusal))
        return 0
    log.info("SKU mapped automatically", exception=exception.pk, answer=answer.pk, score=best.score, released=answer.released)
    return 1


def _clear_best(found: list[Suggestion], threshold: int) -> Suggestion | None:
    """The best suggestion, None when it is not good enough or another is nearly as good."""
    if not found or found[0].score < threshold:
        return None
    return None if len(found) > 1 and found[0].score - found[1].score < CLEAR_LEAD else found[0]
