"""The contract between the engine and a platform room: values that cross it and the parts a room offers.

Nothing here knows Django, the database or any one platform.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from mapping.crosswalk import KnownContact
from mapping.records import Record, RecordType

if TYPE_CHECKING:
    from integrations.platforms.grants import Auth
    from integrations.platforms.privacy import Erasure, PrivacyAsk
    from integrations.platforms.survey import Merging, SourceLook, Survey

JsonObject = dict[str, Any]

GAP = "gap:"  # begins the dedup key of a hint of our own: messages of the thing it is about never came


class Lane(IntEnum):
    """Who goes first at a destination: live changes, then routine work, then history."""

    REALTIME = 0
    STANDARD = 1
    BULK = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A connection as its platform room sees it; `secrets` are in clear and live in memory only."""

    connection_id: int
    platform: str
    name: str = ""
    external_id: str  # Shopify: the myshopify domain; Ometria: the account name
    base_url: str
    api_version: str = ""
    secrets: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:  # secrets must not reach a log through a traceback
        return f"Account({self.platform}:{self.external_id})"


class Pacer(Protocol):
    """The rate budget of one connection, shared by all workers."""

    def take(self, group: str, cost: float = 1) -> None:
        """Spend `cost` from the group's budget, waiting briefly when needed; raises SlowDown when the wait would be long."""

    def report(self, group: str, *, rate: float | None = None, burst: float | None = None, available: float | None = None) -> None:
        """Correct the budget with what the platform says of itself."""

    def pause(self, group: str, seconds: float) -> None:
        """Hold every worker's calls in this group for the stated seconds."""


class Unpaced:
    """A pacer without a budget, for tests of a room alone."""

    def take(self, group: str, cost: float = 1) -> None:
        """Never waits."""

    def report(self, group: str, *, rate: float | None = None, burst: float | None = None, available: float | None = None) -> None:
        """Ignored."""

    def pause(self, group: str, seconds: float) -> None:
        """Ignored."""


# --- incoming ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingCall:
    """An HTTP call from a platform before anything of it is trusted; header names are lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    address: str = ""  # of the caller, where its platform limits callers
    query: str = ""  # of the address that was called, as it came; may hold a secret


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingEvent:
    """One verified message; `hint` means: only the id is to be trusted, fetch the object. Text that is not JSON is kept as `{"raw": …}`."""

    topic: str
    dedup_key: str
    body: bytes  # valid UTF-8 JSON without NUL, as stored in the inbox
    occurred_at: datetime | None = None
    hint: bool = False
    object_key: str = ""  # the source's id of the thing it is about, where the message says it
    wait_seconds: float = 0.0  # enrichment that may wait: read together with others of its kind, in a lower lane


@dataclass(frozen=True, slots=True)
class RawObject:
    """A source object as fetched or received, with the name of the shape that `parse` should expect."""

    shape: str  # e.g. "webhook:orders/updated", "graphql:order", "bulk:order"
    data: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Expansion:
    """What one incoming event turned out to be about: objects to parse, or nothing (gone), or why it could not be read."""

    event: IncomingEvent
    objects: tuple[RawObject, ...] = ()
    note: str = ""  # plain words when there is nothing to parse ("order deleted since")
    disconnected: bool = False  # the account ended the connection; `note` says how to restore it
    ends_soon: bool = False  # the account's consent is about to end; `note` says how to prolong it


class Webhooks(Protocol):
    """The door for a platform's own calls.

    A room may say more: `max_body` (bytes, above it 413), `answer_headers` (a browser calls), `signs_by_app` (one app signs for
    many accounts; a call for one of them that is not connected is answered 200), `open_to_all` (the key is public), `named_in_path`
    (the address goes on below the platform's name), `calls_out(account, call)` (whether another host must be called first, so in a
    thread), `handshake(account, call)` (headers for a sender that asks by OPTIONS whether it may send), `report(client, address,
    topics)` (in plain words what is wrong with subscriptions that only a person may have mended).
    """

    def external_id(self, call: IncomingCall) -> str:
        """Which account the call claims to be for, empty for an address that leads nowhere; raises Unverified when it does not say."""

    def verify(self, account: Account, call: IncomingCall) -> None:
        """Check the signature over the raw bytes against every valid secret; raises Unverified."""

    def cut(self, account: Account, call: IncomingCall) -> Sequence[IncomingEvent]:
        """The events in a verified call; a body that cannot be read becomes one event with topic and `{"raw": …}` body."""

    def missing(self, client: Any, address: str) -> Sequence[str]:
        """Topics that should be subscribed at `address` and are not."""

    def subscribe(self, client: Any, address: str, topics: Sequence[str]) -> Sequence[str]:
        """Create the subscriptions; the answer lists what was refused, in plain words."""


# --- pulling -----------------------------------------------------------------------------------------------------------


class Purpose(StrEnum):
    """Why a pull runs."""

    POLL = "poll"
    BACKFILL = "backfill"
    REPAIR = "repair"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The span of source time a pull covers; `until` None means up to now."""

    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a pull. `cursor` is None when the window is exhausted, else an opaque JSON-able string for the next call."""

    objects: tuple[RawObject, ...] = ()
    cursor: str | None = None
    total: int | None = None  # how many root objects the whole pull will have, once known
    resume_in: float = 0.0  # the source is still preparing: call again after this many seconds
    note: str = ""  # progress in plain words, shown to people
    failed: tuple[tuple[JsonObject, str], ...] = ()  # objects that could not even be cut out, with the reason
    events: tuple[IncomingEvent, ...] = ()  # what the source tells in a list instead of calling: to the inbox, like webhooks
    reached: datetime | None = None  # up to where a poll has read by the source's own clock, where that is not the window's end


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """How to pull one kind of object. `pull(client, window, cursor, purpose)`; the overlap re-reads late changes."""

    name: str
    label: str
    record_types: tuple[RecordType, ...]
    pull: Callable[[Any, Window, str | None], Page]
    backfill: Callable[[Any, Window, str | None], Page] | None = None
    cancel: Callable[[Any, str | None], bool] | None = None  # end what a backfill started at the source
    overlap_seconds: int = 300
    every_minutes: int = 5
    unhurried: bool = False  # read in the lowest lane even when it is polled: it must never delay a record


class SoughtBy(StrEnum):
    """What somebody has of a thing that its source is to be asked for."""

    ORDER_NUMBER = "order_number"
    ORDER_ID = "order_id"
    CUSTOMER_ID = "customer_id"
    EMAIL = "email"
    PHONE = "phone"
    PRODUCT_ID = "product_id"
    SKU = "sku"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """Asking a source for one thing. `find(client, by, value)` gives it whole, nothing when there is none; raises PlatformError."""

    by: frozenset[SoughtBy]
    find: Callable[[Any, SoughtBy, str], Sequence[RawObject]]
    reach: str = ""  # what the source does not show, in plain words


# --- sending -----------------------------------------------------------------------------------------------------------


class OutcomeState(StrEnum):
    """What a destination said of one item."""

    DELIVERED = "delivered"
    ACCEPTED = "accepted"
    LATER = "later"
    REFUSED = "refused"
    SKIPPED = "skipped"  # there is nothing to do for it there; `message` says why


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing to send; `previous` is what was last sent for this key, None on the first time."""

    key: str
    record: Record
    payload: JsonObject
    destination_key: str = ""
    previous: JsonObject | None = None
    idempotency_key: str = ""
    note: str = ""  # what people should read beside its delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The destination's answer for the item with the same `key`; nothing is delivered because it was merely asked."""

    key: str
    state: OutcomeState
    destination_key: str = ""
    code: str = ""
    message: str = ""
    field: str = ""  # target field the message is about, where the platform says it
    receipt: str = ""
    resume_in: float | None = None
    request_id: str = ""


class Sent(NamedTuple):
    """One thing of a receipt; with its `payload` (as sent) a writer can confirm it early by looking at the destination's own object."""

    key: str
    destination_key: str
    payload: JsonObject | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a payload must not be sent: the field, and what is wrong in plain words."""

    field: str
    message: str


Candidate = KnownContact  # a contact that the destination already knows and that may be the same person


@dataclass(frozen=True, slots=True, kw_only=True)
class PeoplePage:
    """One page of all contacts of a destination; `cursor` is None after the last."""

    people: tuple[Candidate, ...] = ()
    cursor: str | None = None


class Writer(Protocol):
    """How to write one record type to a platform."""

    record_type: RecordType
    batch_size: int
    exclusive: bool  # one open receipt at a time

    def check(self, payload: JsonObject) -> Sequence[Problem]:
        """Limits and required fields, checked before anything is sent; empty when the payload may go."""

    def destination_key(self, payload: JsonObject) -> str:
        """The id the destination will know this payload by."""

    def send(self, client: Any, items: Sequence[Item]) -> Sequence[Outcome]:
        """One outcome per item, in any order; raises TryLater, SlowDown or Reconnect when none was even considered."""

    def confirm(self, client: Any, receipt: str, items: Sequence[Sent], age: float) -> Sequence[Outcome] | None:
        """Outcomes for those of a receipt that are known after `age` seconds; the rest stays accepted. None = nothing known, ask again."""

    def find(self, client: Any, records: Sequence[Record]) -> Mapping[str, Sequence[Candidate]]:
        """Contacts that may be the same person, by record key; empty for record types that are not people."""

    def people(self, client: Any, since: datetime | None, cursor: str | None) -> PeoplePage | None:
        """Contacts that changed since then (None = all of them), least recently changed first; None where they cannot be listed."""

    def read_back(self, client: Any, destination_key: str) -> JsonObject | None:
        """The object as the destination holds it now, None when it has none."""


# --- the room ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetField:
    """One field a destination accepts, for the rule editor and for checks; paths like "lineitems[].sku"."""

    path: str
    label: str
    type: str  # string | number | integer | boolean | datetime | date | list | object
    required: bool = False
    max_length: int | None = None
    choices: tuple[str, ...] = ()
    help: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting or secret of a connection, as its form shows it."""

    name: str
    label: str
    kind: str = "text"  # text | secret | number | boolean | choice | list
    required: bool = False
    default: Any = None
    choices: tuple[tuple[str, str], ...] = ()
    help: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """The answer of a connection's test call, in plain words; `problems` name the remedy, `facts` are label → value."""

    ok: bool
    summary: str
    problems: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    version_served: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """Everything the engine may ask of one platform."""

    slug: str
    label: str
    secrets: tuple[Setting, ...]
    settings: tuple[Setting, ...]
    connect: Callable[[Account, Pacer], Any]  # -> client
    probe: Callable[[Any], Probe]
    default_base_url: str = ""
    api_versions: tuple[str, ...] = ()  # newest first; empty = unversioned
    version_ends: Mapping[str, str] = field(default_factory=dict)  # version -> ISO date of its end of support
    auth: Auth | None = None
    webhooks: Webhooks | None = None
    expand: Callable[[Any, Sequence[IncomingEvent]], Sequence[Expansion]] | None = None
    parse: Callable[[Account, RawObject], Sequence[Record]] | None = None
    readers: Mapping[str, Reader] = field(default_factory=dict)
    lookup: Lookup | None = None
    look: SourceLook | None = None  # of a source whose records can be compared
    survey: Survey | None = None  # of a destination that can be compared
    merging: Merging | None = None  # of a destination that can make two people one
    privacy: Callable[[IncomingEvent], PrivacyAsk | None] | None = None  # whether a message asks for somebody's data, or its end
    erasure: Erasure | None = None  # of a destination that erases people when asked
    erasing: str = ""  # what a person does there to erase somebody, where the platform cannot be asked
    writers: Mapping[RecordType, Writer] = field(default_factory=dict)
    targets: Mapping[RecordType, tuple[TargetField, ...]] = field(default_factory=dict)
    write_problems: Callable[[Probe, Collection[RecordType]], Sequence[str]] | None = None  # what a probe lacks for what flows write
    renew_before_seconds: float = 300.0  # how long before its end an access token is renewed
    rates: Mapping[str, tuple[float, float]] = field(default_factory=dict)  # group -> (per second, burst); 0 = no quota
