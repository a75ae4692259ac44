"""The control calls every stand-in has: ledger, counts and faults."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from integrations.standins.faults import fault_from_json
from integrations.standins.wire import Request, Response, StandIn, json_response


def shared_control(stand_in: StandIn, request: Request) -> Response | None:
    """Answer ``/ledger``, ``/counts`` and ``/faults`` (paths after ``/_control``); None when the call is the stand-in's own."""
    match request.method, request.path.rstrip("/"):
        case "GET", "/ledger":
            found = stand_in.ledger.effects(request.query.get("kind"), request.query.get("key"))
            return json_response([asdict(effect) for effect in found])
        case "GET", "/counts":
            return json_response(stand_in.ledger.counts())
        case "GET", "/faults":
            return json_response([asdict(fault) for fault in stand_in.faults.pending()])
        case "POST", "/faults":
            return _order_fault(stand_in, request)
        case "DELETE", "/faults":
            stand_in.faults.clear()
            return json_response([])
    return None


Calls = Mapping[tuple[str, str], Callable[[Any, Mapping[str, Any]], Any]]  # method and path → what answers
WRONG = (ValueError, TypeError, KeyError)  # what a wrong value in a call leads to


def control_answer(stand_in: StandIn, request: Request, calls: Calls, *, wrong: tuple[type[Exception], ...] = WRONG) -> Response:
    """Answer a call below ``/_control`` from the stand-in's own table, too; a wrong value is 400, an unknown call 404."""
    shared = shared_control(stand_in, request)
    if shared is not None:
        return shared
    chosen = calls.get((request.method, request.path.rstrip("/")))
    if chosen is None:
        known = sorted(f"{method} {path}" for method, path in calls)
        return json_response({"error": "No such control call", "calls": known}, 404)
    try:
        body = request.json() if request.body else request.query
        if not isinstance(body, Mapping):
            raise ValueError("The body must be an object.")
        return json_response(chosen(stand_in, body))
    except wrong as error:
        return json_response({"error": f"{type(error).__name__}: {error}"}, 400)


def _order_fault(stand_in: StandIn, request: Request) -> Response:
    try:
        stand_in.faults.add(fault_from_json(request.json()))
    except (ValueError, TypeError) as error:
        return json_response({"error": str(error)}, 400)
    return json_response([asdict(fault) for fault in stand_in.faults.pending()], 201)
