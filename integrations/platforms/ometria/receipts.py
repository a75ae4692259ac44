"""What Ometria answers to a push, and the errors it lists afterwards, as values."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from integrations.platforms.base import JsonObject
from integrations.platforms.errors import TryLater
from integrations.platforms.ometria.moments import moment_of

ERROR_WINDOW = 100  # the most recent errors of the whole account (list errors page)
_STEP = re.compile(r"\s*>\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class PushReceipt:
    """Counts of one push; accepted is not yet stored, and `rejected` says how many, not which."""

    request_id: str
    accepted: int
    rejected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PushError:
    """One entry of the error list; identifying parts are empty when Ometria gives only the two message keys."""

    request_id: str = ""
    kind: str = ""
    record_id: str = ""
    owner: str = ""  # collection of a contact, type of a custom event, where the entry repeats the record
    at: datetime | None = None
    field: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorList:
    """The error list as asked at one moment; `asked_at` is Ometria's clock where it told the time."""

    errors: tuple[PushError, ...]
    asked_at: datetime

    def tells_all_since(self, moment: datetime) -> bool:
        """Whether the list names the record of every error since `moment`: none is anonymous, and it is not full or reaches back."""
        if not all(error.record_id for error in self.errors):
            return False
        if len(self.errors) < ERROR_WINDOW:
            return True
        times = [error.at for error in self.errors if error.at is not None]
        return len(times) == len(self.errors) and min(times) < moment


def parse_receipt(body: Any, sent: int) -> PushReceipt:
    """Judge the answer to a push of `sent` records by its status and counts; raises TryLater when it says nothing of them."""
    if not isinstance(body, dict) or "status" not in body and "accepted" not in body:
        raise TryLater("Ometria's answer to the push says nothing of the records", code="no_receipt")
    rejected, skipped = _count(body.get("rejected")), _count(body.get("skipped"))
    accepted = _count(body.get("accepted"), sent - rejected - skipped if body.get("status") == "OK" else 0)
    request_id = str(body.get("request_id") or "")
    if body.get("status") == "ERROR" and not accepted and not rejected:
        raise TryLater("Ometria answered ERROR without counts", code="push_error", request_id=request_id)
    # a record that no count speaks of was not taken
    rejected = min(sent, max(rejected, sent - accepted - skipped))
    return PushReceipt(request_id=request_id or f"unnamed-{uuid.uuid4().hex}", accepted=sent - rejected, rejected=rejected)


def parse_errors(body: Any) -> tuple[PushError, ...]:
    """Entries of the error list in either of the shapes Ometria documents; what is not an object is left out."""
    return tuple(_error(entry) for entry in body if isinstance(entry, dict)) if isinstance(body, list) else ()


def field_path(path: str) -> str:
    """"root > lineitems > 0 > sku" as "lineitems[0].sku"."""
    steps = [step for step in _STEP.split(path.strip()) if step]
    if steps and steps[0] == "root":
        steps = steps[1:]
    written = ""
    for step in steps:
        written += f"[{step}]" if step.isdigit() and written else f".{step}" if written else step
    return written


def problem_text(errors: Sequence[PushError]) -> str:
    """One plain sentence for all errors of a record."""
    parts = [f"{error.field}: {error.message}" if error.field else error.message for error in errors]
    return "; ".join(dict.fromkeys(parts))


def _error(entry: JsonObject) -> PushError:
    said = entry.get("message")
    said = said if isinstance(said, dict) else {"error_message": said or entry.get("error_message"), "error_path": entry.get("error_path")}
    record = entry.get("record") if isinstance(entry.get("record"), dict) else {}
    return PushError(
        request_id=str(entry.get("request_id") or ""),
        kind=str(entry.get("record_type") or record.get("@type") or ""),
        record_id=str(entry.get("record_id") or record.get("id") or ""),
        owner=str(record.get("@collection") or record.get("event_type") or ""),
        at=moment_of(entry.get("timestamp")),
        field=field_path(str(said.get("error_path") or "")),
        message=str(said.get("error_message") or "not a valid value")[:300],
    )


def _count(value: object, otherwise: int = 0) -> int:
    return value if type(value) is int and value >= 0 else otherwise
