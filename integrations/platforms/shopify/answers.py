"""What a GraphQL answer means: data, cost and warnings, or the error family its layers name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integrations.platforms.base import JsonObject
from integrations.platforms.errors import PlatformError, Reconnect, Refused, SlowDown, TryLater

THROTTLE_FALLBACK = 2.0  # seconds, when a throttled answer carries no cost
DENIED = "ACCESS_DENIED"


class TooExpensive(Refused):
    """One operation asks for more points than Shopify allows; smaller pages pass."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Points of one call as Shopify reports them, and the bucket after it."""

    requested: float
    available: float
    maximum: float
    restore_rate: float


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry of the top-level `errors`, whatever form they came in."""

    message: str
    code: str = ""
    path: tuple[object, ...] = ()


def cost_of(answer: JsonObject) -> Cost | None:
    """The cost block of an answer, None when there is none."""
    try:
        cost = answer["extensions"]["cost"]
        status = cost["throttleStatus"]
        return Cost(
            float(cost.get("requestedQueryCost") or 0),
            float(status["currentlyAvailable"]),
            float(status["maximumAvailable"]),
            float(status["restoreRate"]),
        )
    except (KeyError, TypeError, ValueError):
        return None


def faults_of(errors: object) -> tuple[Fault, ...]:
    """The top-level errors, which Shopify sends as a string, an object of lists or an array of objects."""
    if not errors:
        return ()
    if isinstance(errors, Mapping):
        if "message" in errors:
            return (_fault(errors),)
        return tuple(Fault(f"{name}: {_joined(value)}") for name, value in errors.items())
    if isinstance(errors, list):
        return tuple(_fault(entry) for entry in errors)
    return (Fault(str(errors)),)


def judge(answer: object, *, request_id: str = "") -> tuple[JsonObject, tuple[str, ...]]:
    """Data and warnings of a sound answer; raises the error family of an unsound one.

    A denied field inside an object is a warning (the value stays unknown); a denied root or node is Reconnect.
    """
    if not isinstance(answer, dict):
        raise TryLater("the answer was not a GraphQL answer", code="not_graphql", request_id=request_id)
    data, warnings, serious = answer.get("data"), [], []
    for fault in faults_of(answer.get("errors")):
        if fault.code == DENIED and isinstance(data, dict) and _inside(fault.path):
            warnings.append(f"not granted: {'.'.join(str(part) for part in fault.path if isinstance(part, str))}")
        else:
            serious.append(fault)
    if serious:
        raise family_of(serious, cost_of(answer), request_id=request_id)
    _refuse_search_warnings(answer, request_id)
    if not isinstance(data, dict):
        raise TryLater("the answer held no data", code="no_data", request_id=request_id)
    return data, tuple(warnings)


def family_of(faults: list[Fault], cost: Cost | None, *, request_id: str) -> PlatformError:
    """The error family of top-level errors; a pause outranks the rest, then dead credentials, then passing faults."""
    codes = {fault.code for fault in faults}
    message = "; ".join(dict.fromkeys(fault.message for fault in faults))[:600]
    if "THROTTLED" in codes:
        return SlowDown(message, seconds=_pause(cost), group="graphql", status=200, code="THROTTLED", request_id=request_id)
    if "MAX_COST_EXCEEDED" in codes:
        return TooExpensive(message, status=200, code="MAX_COST_EXCEEDED", request_id=request_id)
    if DENIED in codes:
        return Reconnect(
            f"Shopify denies access: {message} Grant the scope and connect again.", status=200, code=DENIED, request_id=request_id
        )
    if "SHOP_INACTIVE" in codes:
        return Reconnect(f"The shop is inactive: {message}", status=200, code="SHOP_INACTIVE", request_id=request_id)
    if codes & {"INTERNAL_SERVER_ERROR", "TIMEOUT"}:
        return TryLater(message, status=200, code="INTERNAL_SERVER_ERROR", request_id=request_id)
    return Refused(message, status=200, code=next((fault.code for fault in faults if fault.code), ""), request_id=request_id)


def user_errors(payload: Mapping[str, Any] | None) -> tuple[Fault, ...]:
    """The third layer: userErrors of a mutation payload, all of them, with their field path."""
    errors = (payload or {}).get("userErrors") or ()
    return tuple(Fault(str(entry.get("message") or ""), str(entry.get("code") or ""), tuple(entry.get("field") or ())) for entry in errors)


def _pause(cost: Cost | None) -> float:
    if cost is None or cost.restore_rate <= 0:
        return THROTTLE_FALLBACK
    return max(0.1, (cost.requested - cost.available) / cost.restore_rate)


def _inside(path: tuple[object, ...]) -> bool:
    """Whether a path leads below an object: `customers.nodes.0.email` does, `customers` and `nodes.0` do not."""
    return sum(1 for part in path if isinstance(part, str)) > 1 and not (len(path) == 2 and path[0] == "nodes")


def _refuse_search_warnings(answer: JsonObject, request_id: str) -> None:
    extensions = answer.get("extensions")
    searches = extensions.get("search") if isinstance(extensions, dict) else None
    said = [warning for search in searches or () if isinstance(search, dict) for warning in search.get("warnings") or ()]
    if said:
        raise Refused(f"Shopify ignored part of the filter: {_joined(said)}", status=200, code="SEARCH_WARNING", request_id=request_id)


def _fault(entry: object) -> Fault:
    if not isinstance(entry, Mapping):
        return Fault(str(entry))
    extensions = entry.get("extensions")
    code = str(extensions.get("code") or "") if isinstance(extensions, Mapping) else ""
    path = entry.get("path")
    return Fault(str(entry.get("message") or "no message"), code, tuple(path) if isinstance(path, list) else ())


def _joined(value: object) -> str:
    if isinstance(value, list):
        return "; ".join(_joined(item) for item in value)
    return str(value.get("message") or value) if isinstance(value, Mapping) else str(value)
