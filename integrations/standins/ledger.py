"""The truth about what a platform really accepted, independent of what it answered."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from time import time

import orjson


@dataclass(frozen=True, slots=True)
class Effect:
    """One accepted change: what kind, of which thing, with which content."""

    seq: int
    at: float
    kind: str
    key: str
    digest: str
    payload: dict


def digest_of(payload: object) -> str:
    """32 hex characters that are equal for equal JSON content, whatever the order of keys."""
    return blake2b(orjson.dumps(payload, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


def packed(payload: object) -> bytes:
    """JSON in no more memory than it needs; orjson's own bytes keep their whole growth buffer."""
    return bytes(memoryview(orjson.dumps(payload)))


class Ledger:
    """Append-only, thread-safe list of effects; without payloads it keeps only their digests."""

    def __init__(self, *, keep_payloads: bool = True, now: Callable[[], float] = time) -> None:
        self.keep_payloads = keep_payloads
        self._now = now
        self._lock = threading.Lock()
        # as plain tuples with packed payloads: a fifth of the memory, and nothing for the garbage collector to walk
        self._rows: list[tuple[float, str, str, str, bytes]] = []
        self._counts: Counter[str] = Counter()

    def append(self, kind: str, key: str, payload: dict) -> Effect:
        """Note one accepted change."""
        digest = digest_of(payload)
        seq, at = self.append_packed(kind, key, packed(payload), digest)
        return Effect(seq, at, kind, key, digest, payload if self.keep_payloads else {})

    def append_packed(self, kind: str, key: str, raw: bytes, digest: str) -> tuple[int, float]:
        """The same for a payload already in JSON, with a digest of the caller's choice; returns number and time."""
        with self._lock:
            at = self._now()
            self._rows.append((at, kind, key, digest, raw if self.keep_payloads else b"{}"))
            self._counts[kind] += 1
            return len(self._rows), at

    def effects(self, kind: str | None = None, key: str | None = None) -> list[Effect]:
        """Effects in the order they happened, optionally of one kind and one key."""
        with self._lock:
            rows = list(self._rows)
        return [
            Effect(seq, at, row_kind, row_key, digest, orjson.loads(raw))
            for seq, (at, row_kind, row_key, digest, raw) in enumerate(rows, start=1)
            if kind in (None, row_kind) and key in (None, row_key)
        ]

    def counts(self) -> dict[str, int]:
        """Number of effects by kind."""
        with self._lock:
            return dict(self._counts)

    def clear(self) -> None:
        """Forget everything; numbering starts again at 1."""
        with self._lock:
            self._rows.clear()
            self._counts.clear()
