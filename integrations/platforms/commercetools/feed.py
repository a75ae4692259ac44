"""Messages read in a list: what changed, a minute later, for projects without a queue in anybody's cloud.

A message's time is set before queries show it, and writers commit out of order: so each reading goes back some minutes, ends some seconds
before the server's own now, and leaves it to the inbox to know a message again by its id. Messages are kept 1 to 90 days; a reading that
begins before that takes changes by their time first.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import orjson

from integrations.platforms.base import GAP, IncomingEvent, JsonObject, Page, Reader, Window
from integrations.platforms.commercetools.client import CommercetoolsClient, Query, Where
from integrations.platforms.commercetools.options import number
from integrations.platforms.commercetools.payload import event_of
from integrations.platforms.commercetools.read import UP_TO_NOW, pull_of, pull_payments, stamp
from integrations.platforms.commercetools.resources import CARTS, CUSTOMERS, ORDERS
from integrations.platforms.commercetools.sequences import Gap, Sequences
from integrations.platforms.commercetools.topics import CATEGORY, CUSTOMER, MISSING, ORDER, PAYMENT, PRICE, PRODUCT
from integrations.platforms.errors import Misconfigured, TryLater
from mapping.records import RecordType

PATH = "/messages"
TYPES = (CUSTOMER, ORDER, PAYMENT, PRODUCT, CATEGORY, PRICE)  # all messages of these, so that numbers can be judged
WITHIN = "createdAt >= :since and createdAt < :until and resource(typeId in :types)"
BEHIND = "createdAt > :since or (createdAt = :since and id > :id)"
BY_TIME = ("createdAt asc", "id asc")
SETTLED = timedelta(seconds=5)  # messages younger than this may still be overtaken
MARGIN = timedelta(hours=1)  # messages this close to their end are not relied on
KEPT_DAYS = 15  # unless the project says otherwise
CHANGES = {**{source.name: pull_of(source) for source in (CUSTOMERS, ORDERS, CARTS)}, "payments": pull_payments}


def pull_messages(client: CommercetoolsClient, window: Window, cursor: str | None) -> Page:
    """One page of messages as events for the inbox; where the messages of its beginning are gone, changes come first."""
    if cursor is None:
        return _begin(client, window)
    state = orjson.loads(cursor)
    return _changes(client, state) if state.get("changes") else _messages(client, state)


def _begin(client: CommercetoolsClient, window: Window) -> Page:
    enabled, days = _kept(client)
    ours = datetime.now(UTC)
    now = client.server_time or ours
    until = now - SETTLED
    if window.until is not None and window.until < ours - UP_TO_NOW:
        until = min(until, window.until)
    overlap = timedelta(seconds=number(client.account, "message_overlap_seconds", least=120.0, most=3600.0))
    since = window.since - overlap
    if not enabled:
        return Page(reached=until, note="The project keeps no messages: changes are found by their time only, every few minutes.")
    if since >= until:
        return Page(reached=until)
    oldest = now - timedelta(days=days) + MARGIN
    state = {"since": stamp(max(since, oldest)), "until": stamp(until), "id": ""}
    if window.since < oldest:
        names = list(CHANGES)
        state |= {"changes": names, "from": stamp(window.since), "inner": "", "days": days}
        return _changes(client, state)
    gaps = _sequences(client).begin(since, until)
    return _messages(client, state, gaps)


def _kept(client: CommercetoolsClient) -> tuple[bool, int]:
    """Whether the project keeps messages, and for how many days; the usual where the scope to ask is missing."""
    try:
        messages = client.settings().get("messages")
    except Misconfigured:
        client.page(Query(path=PATH, limit=1))  # for the server's clock; without the scope for messages this says so
        return True, KEPT_DAYS
    messages = messages if isinstance(messages, dict) else {}
    days = messages.get("deleteDaysAfterCreation")
    return bool(messages.get("enabled")), days if isinstance(days, int) and 1 <= days <= 90 else KEPT_DAYS


def _messages(client: CommercetoolsClient, state: JsonObject, gaps: tuple[Gap, ...] = ()) -> Page:
    within = Where(WITHIN, {"since": state["since"], "until": state["until"], "types": TYPES})
    behind = (Where(BEHIND, {"since": state["since"], "id": state["id"]}),) if state["id"] else ()
    found = client.page(Query(path=PATH, where=(within, *behind), sort=BY_TIME))
    last = (str(found.rows[-1].get("createdAt")), str(found.rows[-1].get("id"))) if found.rows else ("", "")
    if found.full and last == (state["since"], state["id"]):
        raise TryLater("commercetools repeated a page of messages: the window is read again", code="cursor_loop")
    for row in found.rows:
        _count(client, row)
    events = (*(_gap_event(gap) for gap in gaps), *(event_of(client.account, orjson.dumps(row)) for row in found.rows))
    following = orjson.dumps({**state, "since": last[0], "id": last[1]}).decode() if found.full else None
    note = f"{len(found.rows)} messages until {(last[0] or state['until'])[:16].replace('T', ' ')} UTC"
    if gaps:
        note += f"; {len(gaps)} gap{'s' * (len(gaps) != 1)} before, made up for by reading again"
    return Page(events=events, cursor=following, note=note, reached=datetime.fromisoformat(state["until"]))


def _changes(client: CommercetoolsClient, state: JsonObject) -> Page:
    """What changed while no message was kept: one collection after the other, then the messages that are left."""
    name = state["changes"][0]
    window = Window(since=datetime.fromisoformat(state["from"]), until=datetime.fromisoformat(state["until"]))
    page = CHANGES[name](client, window, state["inner"] or None)
    left = state["changes"] if page.cursor else state["changes"][1:]
    following = orjson.dumps({**state, "changes": left, "inner": page.cursor or ""}).decode()
    kept = f"{state['days']} day{'s' * (state['days'] != 1)}"
    note = f"Messages are kept {kept}: what changed before is read by its time ({page.note or name})."
    return Page(objects=page.objects, failed=page.failed, cursor=following, note=note, reached=datetime.fromisoformat(state["until"]))


def _sequences(client: CommercetoolsClient) -> Sequences:
    return client.kept.setdefault("sequences", Sequences())


def _count(client: CommercetoolsClient, row: JsonObject) -> None:
    about, told = row.get("resource"), row.get("sequenceNumber")
    if not isinstance(about, dict) or isinstance(told, bool) or not isinstance(told, int):
        return
    try:
        at = datetime.fromisoformat(str(row.get("createdAt")))
    except ValueError:
        return
    if at.tzinfo is not None:
        _sequences(client).saw(f"{about.get('typeId')}:{about.get('id')}", told, at)


def _gap_event(gap: Gap) -> IncomingEvent:
    """A hint of our own: the resource whose messages are missing is read again."""
    type_id, _, about = gap.resource.partition(":")
    body = {"resource": {"typeId": type_id, "id": about}, "missing": {"first": gap.first, "last": gap.last}}
    return IncomingEvent(
        topic=f"{type_id}/{MISSING}", dedup_key=f"{GAP}{gap.resource}:{gap.first}-{gap.last}", body=orjson.dumps(body), hint=True,
        object_key=about,
    )  # fmt: skip


MESSAGES = Reader(
    name="messages",
    label="Messages: what changed, every minute",
    record_types=(RecordType.CUSTOMER, RecordType.ORDER, RecordType.PRODUCT, RecordType.VARIANT),
    pull=pull_messages,
    overlap_seconds=0,  # the connection says how far it goes back
    every_minutes=1,
)
