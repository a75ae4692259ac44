"""All data of one Ometria account, isolated from the others."""

import threading
from collections import Counter, deque
from dataclasses import dataclass, field

from integrations.standins.clock import Clock
from integrations.standins.ledger import Ledger
from integrations.standins.ometria.lists import Segment
from integrations.standins.ometria.profiles import Directory, ListingKey
from integrations.standins.ometria.settings import Settings
from integrations.standins.ometria.shelf import Entry, ListingEntry, OrderShelf, ProductEntry, Shelf

ERRORS_KEPT = 100
UNKNOWN_KEYS_KEPT = 1_000


@dataclass(slots=True)
class Batch:
    """One accepted push that waits for its validation."""

    due: float
    request_id: str
    records: list[dict]


@dataclass(slots=True)
class Job:
    """A merge or an erasure: asked for, and done when its time has come."""

    id: str
    created: float
    due: float
    asked: dict
    completed: float | None = None


@dataclass(slots=True)
class Account:
    """State of one account; whoever reads or changes it holds ``lock``."""

    name: str
    clock: Clock
    ledger: Ledger
    settings: Settings
    # before the keys of this account's effects; empty for the first account
    ledger_prefix: str = ""
    lock: threading.RLock = field(default_factory=threading.RLock)
    contacts: Shelf[ListingKey, ListingEntry] = field(default_factory=Shelf)
    orders: OrderShelf = field(default_factory=OrderShelf)
    products: Shelf[str, ProductEntry] = field(default_factory=Shelf)
    events: Shelf[tuple[str, str], Entry] = field(default_factory=Shelf)
    directory: Directory = field(init=False)
    segments: dict[str, Segment] = field(default_factory=dict)
    unsubscribes: list[dict] = field(default_factory=list)
    errors: deque[dict] = field(default_factory=lambda: deque(maxlen=ERRORS_KEPT))
    unknown_keys: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    waiting: deque[Batch] = field(default_factory=deque)
    queued: int = 0
    merges: dict[str, Job] = field(default_factory=dict)
    deletions: dict[str, Job] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.directory = Directory(self.name)

    def note(self, kind: str, key: str, payload: dict) -> None:
        """Put one effect into the ledger."""
        self.ledger.append(kind, self.ledger_prefix + key, payload)

    def note_stored(self, kind: str, key: str, entry: Entry, digest: str) -> None:
        """Put a stored record into the ledger, with the digest of what was pushed."""
        self.ledger.append_packed(kind, self.ledger_prefix + key, entry.raw, digest)

    def note_unknown(self, record_type: str, paths: list[str]) -> None:
        """Count keys that Ometria ignores."""
        for path in paths:
            name = f"{record_type}: {path}"
            if name in self.unknown_keys or len(self.unknown_keys) < UNKNOWN_KEYS_KEPT:
                self.unknown_keys[name] += 1
