"""The front door of a push: what is refused at once, and what is queued for validation."""

from uuid import uuid4

import orjson

from integrations.standins.ometria.account import Account, Batch
from integrations.standins.ometria.ingest import process_due
from integrations.standins.ometria.replies import error
from integrations.standins.ometria.schema import TYPES
from integrations.standins.wire import Request, Response, json_response

MAX_RECORDS = 100  # Ometria Data API v2, push
MAX_RECORD_BYTES = 60_000  # "60 KB"; the stricter reading


def receive(account: Account, request: Request) -> Response:
    """Queue the records of a push and answer 202, or refuse the call as a whole."""
    try:
        records = request.json()
    except ValueError:
        return error(400, "Payload invalid: not JSON")
    refusal = _refusal(records, account, len(request.body))
    if refusal is not None or not isinstance(records, list):
        return refusal or error(400, "Payload invalid: an array is expected")
    accepted = [record for record in records if _acceptable(record)]
    settings = account.settings
    if account.queued + len(accepted) > settings.queue_limit:
        return error(429, "The queue of this account is full", queue_headers(account))
    request_id = str(uuid4())
    account.waiting.append(Batch(account.clock.now() + settings.delay, request_id, accepted))
    account.queued += len(accepted)
    headers = queue_headers(account)
    process_due(account)
    rejected = len(records) - len(accepted)
    receipt = {"status": "OK", "request_id": request_id, "accepted": len(accepted), "rejected": rejected, "skipped": 0}
    return json_response(receipt, 202, headers)


def queue_headers(account: Account) -> dict[str, str]:
    """How much of the account's push queue is left."""
    if not account.settings.queue_headers:
        return {}
    limit = account.settings.queue_limit
    return {"X-QueueSize-Limit": str(limit), "X-QueueSize-Remaining": str(max(limit - account.queued, 0))}


def _acceptable(record: object) -> bool:
    return isinstance(record, dict) and record.get("@type") in TYPES and record.get("id") not in (None, "")


def _refusal(records: object, account: Account, size: int) -> Response | None:
    """What is wrong with the call as a whole, if anything."""
    if not isinstance(records, list):
        return error(400, "Payload invalid: an array is expected")
    if not records:
        return error(400, "Payload invalid: no records")
    if len(records) > MAX_RECORDS:
        return error(400, f"Payload invalid: more than {MAX_RECORDS} records")
    if size > MAX_RECORD_BYTES and any(len(orjson.dumps(record)) > MAX_RECORD_BYTES for record in records):
        return error(400, "Payload invalid: Record is too large")
    types = {record.get("@type") for record in records if _acceptable(record)}
    if account.settings.strict_types and len(types) > 1:
        return error(400, "Payload invalid: records of different types in one call")
    return None
