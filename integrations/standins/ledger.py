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


class Ledger:
    """Append-only, thread-safe list of effects; without payloads it keeps only their digests."""

    def __init__(self, *, keep_payloads: bool = True, now: Callable[[], float] = time) -> None:
        self.keep_payloads = keep_payloads
        self._now = now
        self._lock = threading.Lock()
        self._effects: list[Effect] = []
        self._counts: Counter[str] = Counter()

    def append(self, kind: str, key: str, payload: dict, *, digest: str = "") -> Effect:
        """Note one accepted change; the digest is the payload's unless the caller has that of what was sent."""
        digest = digest or digest_of(payload)
        with self._lock:
            effect = Effect(len(self._effects) + 1, self._now(), kind, key, digest, payload if self.keep_payloads else {})
            self._effects.append(effect)
            self._counts[kind] += 1
        return effect

    def effects(self, kind: str | None = None, key: str | None = None) -> list[Effect]:
        """Effects in the order they happened, optionally of one kind and one key."""
        with self._lock:
            found = list(self._effects)
        if kind is not None:
            found = [effect for effect in found if effect.kind == kind]
        return found if key is None else [effect for effect in found if effect.key == key]

    def counts(self) -> dict[str, int]:
        """Number of effects by kind."""
        with self._lock:
            return dict(self._counts)

    def clear(self) -> None:
        """Forget everything; numbering starts again at 1."""
        with self._lock:
            self._effects.clear()
            self._counts.clear()
