"""History by bulk operation: submit, wait, download, read; every step is one call and its cursor says which comes next."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

import orjson

from integrations.platforms.base import JsonObject, Page, RawObject, Window
from integrations.platforms.errors import Reconnect, Refused, TryLater
from integrations.platforms.shopify import spool
from integrations.platforms.shopify.answers import user_errors
from integrations.platforms.shopify.client import ShopifyClient
from integrations.platforms.shopify.documents import bulk_document, checked_locale, checked_markets, checked_metafields
from integrations.platforms.shopify.full import Full, full_customers, full_orders, full_products
from integrations.platforms.shopify.parse.product import CURRENCY_KEY
from integrations.platforms.shopify.read import SETTLED, between

PAGE_ROOTS = 200
MAX_REFETCH = 20  # whole orders fetched within one page, so that one page stays one short step
POLL_SECONDS = 5.0
BUSY_SECONDS = 30.0  # five bulk queries run at once per app and shop; wait for a free place
MAX_TRIES = 3
BUSY = {"LIMIT_REACHED", "OPERATION_IN_PROGRESS"}
WAITING = {"CREATED", "RUNNING", "CANCELING"}
_KIND = re.compile(r"gid://shopify/([A-Za-z]+)/")


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a backfill stands. `since` replaces the window's start once part of a failed job was used; `partial` marks such a part."""

    stage: str = "submit"  # submit | wait | read
    job: str = ""
    url: str = ""
    path: str = ""
    row: int = 0
    done: int = 0
    roots: int = -1
    lines: int = -1
    since: str = ""
    until: str = ""
    tries: int = 0
    partial: bool = False

    def text(self) -> str:
        """The cursor as the engine keeps it."""
        return orjson.dumps(asdict(self)).decode()


@dataclass(frozen=True, slots=True)
class BulkSource:
    """How one kind of object is read in bulk; `refetch` names roots whose bulk form is not whole."""

    document: str
    time_field: str  # search field of the window
    created_field: str  # where a root says that time, to go on after a failed job
    shape: str
    full_shape: str
    full: Full
    connections: tuple[tuple[str, str], ...]  # GID type of a child -> field of its parent
    refetch: Callable[[JsonObject], bool]


def _has_refunds(order: JsonObject) -> bool:
    """Bulk documents cannot hold a refund's lines: no connection may stand inside a list."""
    return bool(order.get("refunds"))


def _never(_: JsonObject) -> bool:
    return False


BULK_ORDERS = BulkSource(
    "bulk_orders", "created_at", "createdAt", "bulk:order", "graphql:order", full_orders, (("LineItem", "lineItems"),), _has_refunds
)
BULK_CUSTOMERS = BulkSource(
    "bulk_customers",
    "updated_at",
    "updatedAt",
    "bulk:customer",
    "graphql:customer",
    full_customers,
    (("MailingAddress", "addressesV2"), ("Metafield", "metafields")),
    _never,
)
BULK_PRODUCTS = BulkSource(
    "bulk_products",
    "updated_at",
    "updatedAt",
    "bulk:product",
    "graphql:product",
    full_products,
    (("ProductVariant", "variants"), ("Collection", "collections"), ("Metafield", "metafields"), ("*", "media")),
    _never,
)


def backfill_of(source: BulkSource) -> Callable[[ShopifyClient, Window, str | None], Page]:
    """The `backfill` of a reader."""

    def backfill(client: ShopifyClient, window: Window, cursor: str | None) -> Page:
        state = Cursor(**orjson.loads(cursor)) if cursor else Cursor(until=_until(window).isoformat())
        return STAGES[state.stage](source, client, window, state)

    return backfill


def cancel(client: ShopifyClient, cursor: str | None) -> bool:
    """Stop the job of a backfill and remove its spool; True when Shopify was asked to cancel a job."""
    state = Cursor(**orjson.loads(cursor)) if cursor else Cursor()
    if state.path:
        Path(state.path).unlink(missing_ok=True)
    if state.stage != "wait" or not state.job:
        return False
    payload = client.call("bulk_cancel", {"id": state.job})["bulkOperationCancel"]
    return not user_errors(payload)


def _submit(source: BulkSource, client: ShopifyClient, window: Window, state: Cursor) -> Page:
    since = datetime.fromisoformat(state.since) if state.since else window.since
    until = datetime.fromisoformat(state.until)
    if since >= until:
        return Page(total=state.done, note="nothing left in this window")
    text = bulk_document(
        source.document,
        client.version,
        window=between(source.time_field, since, until),
        metafields=checked_metafields(client.setting("metafields")),
        markets=checked_markets(client.setting("market_countries")),
        locale=checked_locale(client.setting("locale")),
    )
    payload = client.call("bulk_run", {"query": text})["bulkOperationRunQuery"]
    faults = user_errors(payload)
    if any(fault.code in BUSY for fault in faults):
        return Page(cursor=state.text(), resume_in=BUSY_SECONDS, note="waiting for a free place among the shop's bulk jobs")
    if faults:
        raise Refused("; ".join(fault.message for fault in faults), code=faults[0].code or "bulk")
    state = replace(state, stage="wait", job=payload["bulkOperation"]["id"], row=0, path="", url="", partial=False)
    return Page(cursor=state.text(), resume_in=POLL_SECONDS, note="Shopify is preparing the file")


def _wait(source: BulkSource, client: ShopifyClient, window: Window, state: Cursor) -> Page:
    del source, window
    job = client.call("bulk_poll", {"id": state.job})["bulkOperation"]
    if job is None or job["status"] == "EXPIRED":
        return _again(state, "Shopify no longer has the job")
    if job["status"] in WAITING:
        return Page(cursor=state.text(), resume_in=POLL_SECONDS, note=f"Shopify is preparing the file: {job['objectCount']} objects so far")
    if job.get("errorCode") == "ACCESS_DENIED":
        raise Reconnect("Shopify denies the bulk job: grant the scopes this connection misses and connect again.", code="ACCESS_DENIED")
    if job["status"] == "CANCELED":
        raise Refused("The bulk job was cancelled in Shopify: start the backfill again.", code="CANCELED")
    if job["status"] == "FAILED":
        if not job.get("partialDataUrl"):
            return _again(state, f"Shopify's job failed ({job.get('errorCode') or 'no reason given'})")
        return _load(client, replace(state, url=job["partialDataUrl"], partial=True, roots=-1, lines=-1))
    if not job.get("url"):
        return Page(total=state.done, note="nothing in this window")
    return _load(client, replace(state, url=job["url"], roots=int(job["rootObjectCount"]), lines=int(job["objectCount"])))


def _load(client: ShopifyClient, state: Cursor) -> Page:
    """Bring the file to this machine and check its counts; a file that holds less than the job counted is asked for again."""
    path = _spool_path(client, state.job)
    try:
        counts = spool.download(state.url, path, cut_short=state.partial)
    except spool.AddressGone:
        return _again(state, "the file's address has expired")
    if not state.partial and (counts.lines, counts.roots) != (state.lines, state.roots):
        path.unlink(missing_ok=True)
        said = f"{counts.roots} of {state.roots} objects and {counts.lines} of {state.lines} lines arrived"
        return _again(state, f"the file is not whole: {said}")
    state = replace(state, stage="read", path=str(path), roots=counts.roots, lines=counts.lines)
    return Page(cursor=state.text(), total=state.done + counts.roots, note=f"{counts.roots} objects downloaded")


def _read(source: BulkSource, client: ShopifyClient, window: Window, state: Cursor) -> Page:
    """One page of roots with their children; without the spool (another machine, a clean-up) the file is fetched again first."""
    del window
    path = Path(state.path)
    if spool.counts_of(path) is None:
        return _load(client, state)
    rows = spool.read(path, state.row, PAGE_ROOTS)
    objects, last = _objects(source, client, rows, partial=state.partial)
    taken = [row for row, _, _ in rows if row <= last]
    state = replace(state, row=last, done=state.done + len(taken))
    total = max(state.done, state.roots) if not state.since else None
    note = f"{state.done} of {total} read" if total else f"{state.done} read"
    if rows and (len(taken) < len(rows) or len(rows) == PAGE_ROOTS):
        return Page(objects=tuple(objects), cursor=state.text(), total=total, note=note)
    path.unlink(missing_ok=True)
    if not state.partial:
        return Page(objects=tuple(objects), total=total, note=note)
    newest = rows[-1][1].get(source.created_field) if rows else None
    moved = bool(newest) and newest != state.since
    rest = _again(
        replace(state, since=newest or state.since, tries=0 if moved else state.tries), "the job had failed: going on after its last object"
    )
    return replace(rest, objects=tuple(objects), note=f"{note}; {rest.note}")


def _objects(
    source: BulkSource, client: ShopifyClient, rows: Sequence[tuple[int, JsonObject, list[JsonObject]]], *, partial: bool
) -> tuple[list[RawObject], int]:
    """Objects of a page and the last row it covers: it ends early where more whole objects would have to be fetched than fit."""
    wanted: list[str] = []
    chosen, last = [], 0
    for row, root, children in rows:
        if partial or source.refetch(root):
            if len(wanted) == MAX_REFETCH:
                break
            wanted.append(root["id"])
        chosen.append((root, children))
        last = row
    whole = dict(source.full(client, wanted)) if wanted else {}
    return list(_assembled(source, client, chosen, whole)), last


def _assembled(
    source: BulkSource, client: ShopifyClient, chosen: Sequence[tuple[JsonObject, list[JsonObject]]], whole: dict[str, JsonObject | None]
) -> Iterator[RawObject]:
    for root, children in chosen:
        if root["id"] not in whole:
            yield RawObject(source.shape, assemble(source, client, root, children))
        elif (node := whole[root["id"]]) is not None:  # deleted since the file was made: left out
            yield RawObject(source.full_shape, node)


def assemble(source: BulkSource, client: ShopifyClient, root: JsonObject, children: Sequence[JsonObject]) -> JsonObject:
    """A root with its children put back into the connections they came from, by the type in their GID."""
    fields = dict(source.connections)
    nodes: dict[str, list[JsonObject]] = {field: [] for field in fields.values()}
    for node in children:
        kind = _KIND.match(node.get("id") or "")
        field = fields.get(kind.group(1) if kind else "") or fields.get("*")
        if field:
            nodes[field].append(node)
    root.update({field: {"nodes": found} for field, found in nodes.items()})
    if source is BULK_PRODUCTS:
        root[CURRENCY_KEY] = client.shop_currency()
    return root


STAGES: dict[str, Callable[[BulkSource, ShopifyClient, Window, Cursor], Page]] = {"submit": _submit, "wait": _wait, "read": _read}


def _again(state: Cursor, reason: str) -> Page:
    """Run the job once more for what is left of the window; raises TryLater after the third time."""
    if state.tries >= MAX_TRIES:
        raise TryLater(f"The bulk job was run {MAX_TRIES + 1} times in vain: {reason}.", code="bulk_mismatch")
    fresh = Cursor(since=state.since, until=state.until, done=state.done, tries=state.tries + 1)
    return Page(cursor=fresh.text(), resume_in=BUSY_SECONDS, note=f"{reason}: the job is run again")


def _until(window: Window) -> datetime:
    settled = datetime.now(tz=window.since.tzinfo) - SETTLED
    return settled if window.until is None else min(window.until, settled)


def _spool_path(client: ShopifyClient, job: str) -> Path:
    folder = Path(str(client.setting("spool_dir") or tempfile.gettempdir()))
    return folder / f"shopify-{client.account.connection_id}-{job.rpartition('/')[2]}.sqlite3"
