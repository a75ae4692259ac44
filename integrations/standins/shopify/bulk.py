"""Bulk operations: a query without paging, run in the background, its result a file of one JSON object per line."""

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from integrations.standins.shopify.bulk_lines import understand_bulk, write_lines
from integrations.standins.shopify.ids import gid
from integrations.standins.shopify.resolvers import Absent, Call, Refusal
from integrations.standins.shopify.shops import Shop

# per app and shop since 2026-01
MAX_RUNNING = 5
ENDED = ("COMPLETED", "FAILED", "CANCELED", "EXPIRED")

# writes a result and reports lines and root lines so far
Writing = Callable[[BinaryIO], Iterator[tuple[int, int]]]


@dataclass(slots=True)
class BulkSettings:
    """How jobs of a shop go: how long they take at least, where files lie, how long links live, when the next ones fail."""

    folder: Path
    seconds: float = 0.2
    url_seconds: float = 7 * 86_400
    # the next jobs that fail, and after how many lines
    fail_next: int = 0
    fail_after: int = 10


@dataclass(slots=True)
class BulkOperation:
    """One job; ``objects`` counts all lines, ``roots`` those of the root connection."""

    id: int
    query: str
    created_at: datetime
    file: Path
    type: str = "QUERY"
    status: str = "CREATED"
    error_code: str | None = None
    completed_at: datetime | None = None
    objects: int = 0
    roots: int = 0
    size: int = 0
    # stop after that many lines with a failure
    fail_after: int | None = None
    stopped: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    def cancel(self) -> bool:
        """Ask the job to stop; False when it has ended."""
        if self.status in ENDED:
            return False
        self.status = "CANCELING"
        self.stopped.set()
        return True


def start(shop: Shop, text: str, version: str) -> tuple[BulkOperation | None, list[dict[str, Any]]]:
    """Begin a query job, or say why not as user errors."""
    query, fault = understand_bulk(text, version)
    if query is None:
        return None, [{"field": ["query"], "message": fault, "code": "INVALID"}]
    call = Call(shop, version, bulk=True)
    return launch(shop, text, lambda file: write_lines(query, call, file), kind="QUERY", call=call)


def launch(shop: Shop, text: str, write: Writing, *, kind: str, call: Call) -> tuple[BulkOperation | None, list[dict[str, Any]]]:
    """Run a job of a kind (QUERY, MUTATION) in the background, unless five of it are running."""
    running = sum(1 for operation in shop.bulk_operations.values() if operation.type == kind and operation.status not in ENDED)
    if running >= MAX_RUNNING:
        message = f"A bulk {kind.lower()} operation for this app and shop is already in progress: the limit is {MAX_RUNNING}."
        return None, [{"field": None, "message": message, "code": "LIMIT_REACHED"}]
    number = shop.new_id("BulkOperation")
    operation = BulkOperation(number, text, shop.now(), shop.bulk.folder / f"{number}.jsonl", type=kind)
    if shop.bulk.fail_next:
        shop.bulk.fail_next -= 1
        operation.fail_after = shop.bulk.fail_after
    shop.bulk_operations[number] = operation
    shop.ledger.append("bulk", gid("BulkOperation", number), {"shop": shop.spec.domain, "type": kind, "query": text})
    operation.thread = threading.Thread(target=_run, args=(shop, operation, call, write), name=f"bulk-{number}", daemon=True)
    operation.thread.start()
    return operation, []


def stop(operation: BulkOperation) -> None:
    """Cancel a job and wait for its thread."""
    operation.cancel()
    if operation.thread is not None:
        operation.thread.join()


def url_of(operation: BulkOperation, shop: Shop, base_url: str, *, partial: bool = False) -> str | None:
    """The signed link to a result, None when there is nothing to fetch."""
    ready = operation.status in ("FAILED", "CANCELED") if partial else operation.status == "COMPLETED"
    if not ready or not operation.objects:
        return None
    return f"{base_url}/bulk/{operation.id}.jsonl?sig={signature_of(operation, shop)}"


def signature_of(operation: BulkOperation, shop: Shop) -> str:
    """What a link must carry."""
    return hashlib.sha256(f"{shop.spec.client_secret}:{operation.id}".encode()).hexdigest()[:32]


def expired(operation: BulkOperation, shop: Shop) -> bool:
    """Whether the link is dead."""
    return operation.completed_at is not None and shop.now() > operation.completed_at + timedelta(seconds=shop.bulk.url_seconds)


def _run(shop: Shop, operation: BulkOperation, call: Call, write: Writing) -> None:
    began = time.monotonic()
    operation.stopped.wait(shop.bulk.seconds / 4)
    if operation.status == "CREATED":
        operation.status = "RUNNING"
    with operation.file.open("wb") as file:
        _write(operation, call, write(file))
        operation.size = file.tell()
    operation.stopped.wait(max(0.0, shop.bulk.seconds - (time.monotonic() - began)))
    operation.completed_at = shop.now()
    if operation.stopped.is_set():
        operation.status = "CANCELED"
    elif operation.error_code is not None:
        operation.status = "FAILED"
    else:
        operation.status = "COMPLETED"
    shop.bulk_finished(operation.id)


def _write(operation: BulkOperation, call: Call, progress: Iterator[tuple[int, int]]) -> None:
    """Write until the end, a cancellation or a failure, which leaves its code on the job."""
    try:
        for objects, roots in progress:
            operation.objects, operation.roots = objects, roots
            if operation.stopped.is_set():
                return
            if operation.fail_after is not None and objects >= operation.fail_after:
                break
    except (Refusal, Absent) as refusal:
        call.errors.append({"message": str(refusal), "extensions": {"code": getattr(refusal, "code", "ACCESS_DENIED")}})
    if call.errors:
        denied = any(error["extensions"]["code"] == "ACCESS_DENIED" for error in call.errors)
        operation.error_code = "ACCESS_DENIED" if denied else "INTERNAL_SERVER_ERROR"
    elif operation.fail_after is not None:
        operation.error_code = "INTERNAL_SERVER_ERROR"
