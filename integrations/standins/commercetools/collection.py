"""All resources of one type: what reads by id see, and what queries see, which may be a little behind."""

import heapq
from collections.abc import Iterable
from itertools import count
from typing import Any, NamedTuple

import orjson

from integrations.standins.commercetools.equal_index import EqualIndex
from integrations.standins.commercetools.kinds import Kind, Path, for_queries
from integrations.standins.commercetools.moments import comparable
from integrations.standins.commercetools.sorted_pairs import SortedPairs
from integrations.standins.ledger import packed

SORTED = ("id", "createdAt", "lastModifiedAt")


class Stored(NamedTuple):
    """One version of a resource, as packed JSON; a new version is a new one of these."""

    id: str
    version: int
    createdAt: str  # noqa: N815 - the platform's names
    lastModifiedAt: str  # noqa: N815
    raw: bytes

    def doc(self) -> dict[str, Any]:
        """A copy to read or to change."""
        found: dict[str, Any] = orjson.loads(self.raw)
        return found


def stored(doc: dict[str, Any]) -> Stored:
    """A document, packed."""
    return Stored(doc["id"], doc["version"], doc["createdAt"], doc["lastModifiedAt"], packed(doc))


class Collection:
    """Resources of one type; the caller holds the project's lock."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        # what reads by id see
        self.rows: dict[str, Stored] = {}
        # what queries see
        self.shown: dict[str, Stored] = {}
        self.sorted = {name: SortedPairs() for name in SORTED}
        self._unique: dict[str, dict[str, str]] = {name: {} for name in kind.unique}
        self._equal, self._at_once = EqualIndex(kind.indexed), EqualIndex(kind.lookups)
        self._late: list[tuple[float, int, str, Stored | None]] = []
        self._turn = count()

    def __len__(self) -> int:
        return len(self.rows)

    def holder(self, name: str, value: str) -> str | None:
        """The id of the resource that has a unique value."""
        return self._unique[name].get(value)

    def put(self, row: Stored, doc: dict[str, Any], *, visible_at: float | None = None) -> None:
        """Keep a new resource or a new version, in queries from a moment on, at once without."""
        before = self.rows.get(row.id)
        self._note(before.doc() if before and (self.kind.unique or self._at_once) else None, doc)
        self.rows[row.id] = row
        self._show_later(row.id, row, visible_at)

    def keep(self, doc: dict[str, Any], *, visible_at: float | None = None) -> None:
        """The same for a document."""
        self.put(stored(doc), doc, visible_at=visible_at)

    def put_many(self, docs: Iterable[dict[str, Any]]) -> None:
        """Keep many new resources at once."""
        pairs: dict[str, list[tuple[str, str]]] = {name: [] for name in SORTED}
        for doc in docs:
            row = stored(doc)
            self._note(None, doc)
            self.rows[row.id] = self.shown[row.id] = row
            self._equal.file(row.id, for_queries(self.kind, doc))
            for name in SORTED:
                pairs[name].append((_sortable(row, name), row.id))
        for name, found in pairs.items():
            self.sorted[name].add_many(found)

    def remove(self, key: str, *, visible_at: float | None = None) -> None:
        """Drop a resource."""
        row = self.rows.pop(key)
        self._note(row.doc(), None)
        self._show_later(key, None, visible_at)

    def catch_up(self, now: float) -> None:
        """Let queries see what has become visible by now."""
        while self._late and self._late[0][0] <= now:
            _, _, key, row = heapq.heappop(self._late)
            self._show(key, row)

    def equal(self, path: Path, values: Iterable[Any]) -> list[str] | None:
        """Ids of what queries see with one of these values at a path, None where there is no index."""
        return self._equal.keys(path, values)

    def having(self, path: Path, value: Any) -> list[Stored]:
        """What has a value at a path right now; only for the paths the kind names as lookups."""
        return [self.rows[key] for key in self._at_once.keys(path, (value,)) or ()]

    def _show_later(self, key: str, row: Stored | None, visible_at: float | None) -> None:
        if visible_at is None:
            self._show(key, row)
        else:
            heapq.heappush(self._late, (visible_at, next(self._turn), key, row))

    def _show(self, key: str, row: Stored | None) -> None:
        if row is not None and key not in self.rows:
            return
        before = self.shown.pop(key, None)
        if before is not None and row is not None and before.version > row.version:
            row = before
        if before is not None:
            self._equal.unfile(key, for_queries(self.kind, before.doc()))
            for name in SORTED:
                self.sorted[name].remove(_sortable(before, name), key)
        if row is not None:
            self.shown[key] = row
            self._equal.file(key, for_queries(self.kind, row.doc()))
            for name in SORTED:
                self.sorted[name].add(_sortable(row, name), key)

    def _note(self, before: dict[str, Any] | None, after: dict[str, Any] | None) -> None:
        """Keep what must be known at once: who has which unique value, and the lookups."""
        for name, of in self.kind.unique.items():
            index = self._unique[name]
            for value in of(before) if before else ():
                index.pop(value, None)
            for value in of(after) if after else ():
                index[value] = after["id"] if after else ""
        if before:
            self._at_once.unfile(before["id"], before)
        if after:
            self._at_once.file(after["id"], after)


def _sortable(row: Stored, name: str) -> str:
    value: str = getattr(row, name)
    return value if name == "id" else comparable(value)
