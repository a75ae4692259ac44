"""The control calls every stand-in has: ledger, counts and faults."""

from dataclasses import asdict

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


def _order_fault(stand_in: StandIn, request: Request) -> Response:
    try:
        stand_in.faults.add(fault_from_json(request.json()))
    except (ValueError, TypeError) as error:
        return json_response({"error": str(error)}, 400)
    return json_response([asdict(fault) for fault in stand_in.faults.pending()], 201)
