"""What a comparison makes of one record: matched, left out on purpose, under way, or a drift with its probable cause. No reading here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

import orjson

from integrations.admin.summaries import headline
from integrations.engine.masking import masked
from integrations.engine.relevance import not_yet, why_not
from integrations.flows import FlowSpec
from integrations.models import Delivery, Flow
from integrations.words import money
from mapping import codec
from mapping.records import ConsentState, Customer, Order, Record

SLACK = timedelta(seconds=2)  # by which a destination may stamp our own write later than its confirmation reached us
REFUSALS = frozenset({"refused", "exhausted", "invalid_payload"})
REFUND_FIELDS = frozenset({"quantity_refunded", "refunded", "refund_other", "cancelled_units"})
WORTH = ("grand_total", "is_valid", "currency", "refunded", "quantity_refunded", "status", "total", "subtotal", "email", "customer_id")
POSITION = re.compile(r"\[\d+\]")
CENT = Decimal("0.01")
NOTHING = "nothing"
State = Delivery.State


class Result(StrEnum):
    """What a record turned out to be."""

    MATCHED = "matched"
    LEFT_OUT = "left_out"
    UNDER_WAY = "under_way"
    DRIFT = "drifted"


@dataclass(frozen=True, slots=True, kw_only=True)
class There:
    """What the destination holds of a record, in few words; `found` is False when it has nothing."""

    found: bool = True
    differences: tuple[tuple[str, Any, Any], ...] = ()
    changed_at: datetime | None = None
    value: Decimal | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One drift to be stored; its texts are masked."""

    aspect: str
    cause: str
    record_key: str
    title: str
    destination_key: str = ""
    pull_key: str = ""
    field: str = ""
    ours: str = ""
    theirs: str = ""
    more: int = 0
    value: Decimal | None = None
    currency: str = ""
    delivery_id: int | None = None
    exception_id: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result for one record key, with its finding when it drifted."""

    key: str
    result: Result
    finding: Finding | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What judging the records of one flow needs; `questions` are (kind, exception id) by delivery."""

    flow: Flow
    spec: FlowSpec
    now: datetime
    grace: timedelta
    questions: dict[int, tuple[str, int]] = field(default_factory=dict)

    def fresh(self, moment: datetime | None) -> bool:
        """Whether something is too young to be judged."""
        return moment is not None and moment > self.now - self.grace


def at_our_door(bench: Bench, record: Record | None, delivery: Delivery | None, pull_key: str = "") -> Verdict | None:
    """What can be said before the destination is asked, None when it must be; `record` None: the source was not read."""
    if delivery is None:
        return _unknown(bench, record, pull_key) if record is not None else None
    if record is not None and _missed(record, delivery):
        if bench.fresh(record.occurred_at):
            return Verdict(delivery.record_key, Result.UNDER_WAY)
        return _missed_change(bench, record, delivery, pull_key)
    return STANDS[State(delivery.state)](bench, delivery)


def at_destination(bench: Bench, delivery: Delivery, there: There) -> Verdict:
    """What a delivered record turned out to be there."""
    if bench.fresh(delivery.delivered_at) and (not there.found or there.differences):
        return Verdict(delivery.record_key, Result.UNDER_WAY)
    if not there.found:
        return _drift(bench, delivery, "missing", theirs=NOTHING)
    differences = list(there.differences) or _worth_differs(delivery, there)
    if not differences:
        return Verdict(delivery.record_key, Result.MATCHED)
    return _differs(bench, delivery, there, sorted(differences, key=weight))


def only_there(bench: Bench, key: str, facts: There) -> Verdict:
    """Something that only the destination has."""
    kind = bench.flow.record_type
    worth = money(facts.value, facts.currency) if facts.value is not None else ""
    finding = Finding(
        aspect=kind, cause="extra", record_key=key, destination_key=key, title=f"{kind.capitalize()} {key}",
        ours=NOTHING, theirs=worth or "it is there", value=facts.value, currency=facts.currency,
    )  # fmt: skip
    return Verdict(key, Result.DRIFT, finding)


def consent(bench: Bench, delivery: Delivery, said: bool | None, person: str) -> Verdict:
    """The source's last word on e-mail against the destination's status; a source that never heard anything is not compared."""
    statements = {row.get("channel"): row.get("state") for row in delivery.record.get("consents") or ()}
    ours = ConsentState(statements.get("email") or ConsentState.UNKNOWN)
    wanted = {ConsentState.GRANTED: True, ConsentState.WITHDRAWN: False}.get(ours)
    if wanted is None or wanted is said:
        return Verdict(delivery.record_key, Result.MATCHED)
    if delivery.state != State.DELIVERED or bench.fresh(delivery.delivered_at):
        return Verdict(delivery.record_key, Result.UNDER_WAY)
    cause = "unsubscribed_there" if said is False else "consent"
    facts = {"field": "E-mail consent", "ours": WORDS[wanted], "theirs": WORDS[said], "destination_key": person}
    return _drift(bench, delivery, cause, aspect="consent", **facts)


WORDS = {True: "said yes", False: "said no", None: "never asked"}


def as_json(record: Record) -> dict[str, Any]:
    """A record as deliveries hold it."""
    return orjson.loads(codec.dumps(record))


# --- before the destination is asked --------------------------------------------------------------------------------------


def _unknown(bench: Bench, record: Record, pull_key: str) -> Verdict:
    if why_not(record, sent_before=False) or not_yet(bench.flow, bench.spec, record, sent_before=False):
        return Verdict(record.key, Result.LEFT_OUT)
    if bench.fresh(record.occurred_at):
        return Verdict(record.key, Result.UNDER_WAY)
    data = as_json(record)
    finding = Finding(
        aspect=bench.flow.record_type, cause="never_received", record_key=record.key, pull_key=pull_key, theirs=NOTHING,
        **_described(bench.flow.record_type, data),
    )  # fmt: skip
    return Verdict(record.key, Result.DRIFT, finding)


def _missed(record: Record, delivery: Delivery) -> bool:
    """Whether the source changed the record after the state that is held; people shown in part are joined, so they are not compared."""
    if isinstance(record, Customer) and record.partial:
        return False
    if record.occurred_at.replace(microsecond=0) <= delivery.occurred_at.replace(microsecond=0):
        return False
    return _content(as_json(record)) != _content(delivery.record)


def _content(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name != "occurred_at"}


def _missed_change(bench: Bench, record: Record, delivery: Delivery, pull_key: str) -> Verdict:
    data = as_json(record)
    facts = _described(bench.flow.record_type, data)
    aspect, value = bench.flow.record_type, facts["value"]
    if isinstance(record, Order):
        held = delivery.record.get("totals") or {}
        if Decimal(str(held.get("refunded") or 0)) != record.totals.refunded:
            aspect = "refund"
        value = abs(record.totals.net - Decimal(str(held.get("net") or 0)))
    finding = Finding(
        aspect=aspect, cause="not_updated", record_key=record.key, pull_key=pull_key, delivery_id=delivery.pk,
        destination_key=delivery.destination_key, theirs=_described(bench.flow.record_type, delivery.record)["ours"],
        **{**facts, "value": value},
    )  # fmt: skip
    return Verdict(record.key, Result.DRIFT, finding)


def _blocked(bench: Bench, delivery: Delivery) -> Verdict:
    if bench.fresh(delivery.updated_at):
        return Verdict(delivery.record_key, Result.UNDER_WAY)
    kind, question = bench.questions.get(delivery.pk, ("", None))
    cause = "refused" if kind in REFUSALS else "held"
    return _drift(bench, delivery, cause, theirs=_earlier(delivery), exception_id=question)


def _due(bench: Bench, delivery: Delivery) -> Verdict:
    if bench.fresh(delivery.ready_since):
        return Verdict(delivery.record_key, Result.UNDER_WAY)
    return _drift(bench, delivery, "waiting", theirs=_earlier(delivery))


def _accepted(bench: Bench, delivery: Delivery) -> Verdict:
    if bench.fresh(delivery.sent_at):
        return Verdict(delivery.record_key, Result.UNDER_WAY)
    return _drift(bench, delivery, "unconfirmed", theirs=_earlier(delivery))


def _skipped(bench: Bench, delivery: Delivery) -> Verdict:
    return Verdict(delivery.record_key, Result.LEFT_OUT)


def _delivered(bench: Bench, delivery: Delivery) -> None:
    return None


STANDS = {
    State.BLOCKED: _blocked, State.READY: _due, State.SENDING: _due, State.ACCEPTED: _accepted, State.SKIPPED: _skipped,
    State.DELIVERED: _delivered,
}  # fmt: skip


def _earlier(delivery: Delivery) -> str:
    return "an earlier state" if delivery.delivered_at else NOTHING


# --- at the destination ---------------------------------------------------------------------------------------------------


def _worth_differs(delivery: Delivery, there: There) -> list[tuple[str, Any, Any]]:
    """When the sent payload is no longer kept: the net value alone."""
    if delivery.sent_payload is not None or there.value is None:
        return []
    net = _net(delivery.record)
    return [] if net is None or abs(net - there.value) < CENT else [("net value", str(net), str(there.value))]


def _differs(bench: Bench, delivery: Delivery, there: There, differences: Sequence[tuple[str, Any, Any]]) -> Verdict:
    name, sent, stored = differences[0]
    after_us = delivery.delivered_at or delivery.sent_at
    as_we_left_it = there.changed_at is not None and after_us is not None and there.changed_at <= after_us + SLACK
    cause = "differs" if as_we_left_it else "changed_there"  # it was looked at when it was confirmed: without a time, it changed since
    aspect, net, value = bench.flow.record_type, _net(delivery.record), None
    if aspect == "order":
        leaves = {_leaf(field) for field, _, _ in differences}
        aspect = "refund" if leaves & REFUND_FIELDS and "grand_total" not in leaves else "order"
        value = abs(net - there.value) if net is not None and there.value is not None else net
    facts = {"field": name, "ours": _text(name, sent), "theirs": _text(name, stored), "more": len(differences) - 1}
    return _drift(bench, delivery, cause, aspect=aspect, **facts, **({"value": value} if value is not None else {}))


def weight(difference: tuple[str, Any, Any]) -> tuple[int, str]:
    """How much a differing field says: money and validity first."""
    leaf = _leaf(difference[0])
    return WORTH.index(leaf) if leaf in WORTH else len(WORTH), difference[0]


def _leaf(path: str) -> str:
    return POSITION.sub("", path).rpartition(".")[2]


def _text(path: str, value: Any) -> str:
    """A value as people may read it in a list: masked where it is personal."""
    if value in (None, ""):
        return "empty"
    shown = masked({_leaf(path): value})[_leaf(path)]
    if isinstance(shown, bool):
        return "yes" if shown else "no"
    return (shown if isinstance(shown, str) else orjson.dumps(shown).decode())[:300]


def _drift(bench: Bench, delivery: Delivery, cause: str, **facts: Any) -> Verdict:
    described = _described(bench.flow.record_type, delivery.record)
    known = {
        "aspect": bench.flow.record_type, "record_key": delivery.record_key, "destination_key": delivery.destination_key,
        "delivery_id": delivery.pk, **described,
    }  # fmt: skip
    return Verdict(delivery.record_key, Result.DRIFT, Finding(cause=cause, **{**known, **facts}))


def _described(record_type: str, data: dict[str, Any]) -> dict[str, Any]:
    """Title, worth and state of a record in JSON."""
    net, currency = _net(data), str(data.get("currency") or "") if record_type == "order" else ""
    status = str(data.get("status") or "").replace("_", " ")
    ours = " · ".join(part for part in (money(net, currency) if net is not None else "", status) if part) if record_type == "order" else ""
    title = headline(record_type, data)[:300] or str(data.get("key", ""))
    return {"title": title, "ours": ours or "as at the source", "value": net if record_type == "order" else None, "currency": currency}


def _net(data: dict[str, Any]) -> Decimal | None:
    """What an order is worth after refunds and cancellations, None for what has no totals."""
    totals = data.get("totals")
    return Decimal(str(totals.get("net") or 0)).quantize(CENT) if isinstance(totals, dict) else None
