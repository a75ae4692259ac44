"""One project: its resources, who is writing now and when, and what every write entails – version, message, notification, ledger."""

import heapq
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import UUID

from integrations.standins.clock import Clock
from integrations.standins.commercetools.collection import Collection, Stored, stored
from integrations.standins.commercetools.errors import Refusal, no_such_reference, not_found
from integrations.standins.commercetools.kinds import KINDS
from integrations.standins.commercetools.moments import iso
from integrations.standins.commercetools.settings import Settings
from integrations.standins.commercetools.specs import FRONTEND, ProjectSpec
from integrations.standins.ledger import Ledger

if TYPE_CHECKING:
    from integrations.standins.commercetools.subscriptions import Notifier

Told = tuple[str, dict[str, Any]]
SYSTEM_FIELDS = ("version", "createdAt", "lastModifiedAt", "createdBy", "lastModifiedBy")
# what happens after a write: type of resource, "created" | "updated" | "deleted", the row, what it was before, messages, more fields
Listener = Callable[["Write"], None]


class Write:
    """One committed write, for those who listen."""

    __slots__ = ("after", "before", "doc", "erased", "messages", "type_id")

    def __init__(
        self, type_id: str, doc: Mapping[str, Any], *, before: Stored | None, after: Stored | None, messages: Sequence[Told] = (),
        erased: bool = False,
    ) -> None:  # fmt: skip
        self.type_id, self.doc, self.before, self.after, self.messages, self.erased = type_id, doc, before, after, messages, erased


class Project:
    """All resources of one project; everything happens under ``lock``."""

    def __init__(self, spec: ProjectSpec, clock: Clock, ledger: Ledger) -> None:
        self.spec, self.clock, self.ledger = spec, clock, ledger
        self.lock = threading.RLock()
        self.settings = Settings()
        # tells subscriptions; set by the stand-in
        self.notifier: Notifier = None  # type: ignore[assignment]
        # called after each write, unless it happens in the past
        self.listeners: list[Listener] = []
        # called after each write, in the past too: (type of resource, row or None, its id, moment from which queries see it)
        self.derived: dict[str, Callable[[str, dict[str, Any] | None, float | None], None]] = {}
        self.clear()

    def clear(self) -> None:
        """Forget every resource."""
        self.collections = {type_id: Collection(kind) for type_id, kind in KINDS.items()}
        self.random = Random(f"commercetools:{self.spec.key}")
        # what shoppers sign in with, by customer id; never shown
        self.passwords: dict[str, str] = {}
        self.version = 12
        self.author: dict[str, Any] = {"clientId": FRONTEND, "isPlatformClient": False}
        self.numbers: dict[str, int] = {}
        # products and numbers of variants by SKU
        self.skus: dict[str, tuple[str, int]] = {}
        self.skus_of: dict[str, tuple[str, ...]] = {}
        # what discount codes are worth, in hundredths of a percent of the total, by their id
        self.code_worth: dict[str, int] = {}
        self._moment: float | None = None
        self._due: list[tuple[float, int, Callable[[], None]]] = []

    # ---- time and authors

    def now(self) -> float:
        """Seconds since 1970, the past one while ``past`` lasts."""
        return self.clock.now() if self._moment is None else self._moment

    def iso(self) -> str:
        """The same as resources write it."""
        return iso(self.now())

    @property
    def in_past(self) -> bool:
        """Whether what happens now is told to nobody."""
        return self._moment is not None

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something so many seconds from now: at the first call after that moment."""
        heapq.heappush(self._due, (self.now() + seconds, self.next_number("later"), act))

    def catch_up(self) -> None:
        """Do what has become due."""
        while self._due and self._due[0][0] <= self.clock.now():
            heapq.heappop(self._due)[2]()

    @contextmanager
    def past(self, moment: float) -> Iterator[None]:
        """Let what happens inside have happened then, told to nobody."""
        before, self._moment = self._moment, moment
        try:
            yield
        finally:
            self._moment = before

    @contextmanager
    def acting(self, client_id: str, **more: Any) -> Iterator[None]:
        """Let what happens inside be done by an API client."""
        before, self.author = self.author, {"clientId": client_id, "isPlatformClient": False, **more}
        try:
            yield
        finally:
            self.author = before

    def new_id(self) -> str:
        """A UUID that the seed decides."""
        return str(UUID(int=self.random.getrandbits(128), version=4))

    def short_id(self) -> str:
        """An id like those of addresses."""
        return "".join(self.random.choices("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=8))

    def next_number(self, name: str) -> int:
        """1, 2, 3 … for each name."""
        self.numbers[name] = self.numbers.get(name, 0) + 1
        return self.numbers[name]

    # ---- reading

    def __getitem__(self, type_id: str) -> Collection:
        return self.collections[type_id]

    def get(self, type_id: str, key: str) -> Stored:
        """A resource by id; raises Refusal (404)."""
        row = self.collections[type_id].rows.get(key)
        if row is None:
            raise not_found(f"ID '{key}'")
        return row

    def find(self, type_id: str, name: str, value: str) -> Stored | None:
        """A resource by a unique field."""
        collection = self.collections[type_id]
        key = collection.holder(name, value)
        return None if key is None else collection.rows.get(key)

    def named(self, type_id: str, name: str, value: str) -> Stored:
        """The same; raises Refusal (404)."""
        row = self.find(type_id, name, value)
        if row is None:
            raise not_found(f"{name} '{value}'")
        return row

    def identified(self, type_id: str, identifier: Any) -> Stored:
        """What a resource identifier ({"id"} or {"key"}) means; raises Refusal (400)."""
        if not isinstance(identifier, Mapping):
            raise Refusal("InvalidJsonInput", f"A resource identifier of type '{type_id}' is expected.")
        row = (
            self.find(type_id, "key", str(identifier["key"]))
            if "key" in identifier
            else self.collections[type_id].rows.get(str(identifier.get("id", "")))
        )
        if row is None:
            raise no_such_reference(type_id, identifier)
        return row

    def reference(self, type_id: str, identifier: Any) -> dict[str, str]:
        """The reference to what a resource identifier means; raises Refusal (400)."""
        return {"typeId": type_id, "id": self.identified(type_id, identifier).id}

    def key_reference(self, type_id: str, identifier: Any) -> dict[str, str]:
        """The same with the key, as stores are referred to; raises Refusal (400)."""
        return {"typeId": type_id, "key": self.identified(type_id, identifier).doc()["key"]}

    # ---- writing

    def create(self, type_id: str, fields: Mapping[str, Any], messages: Sequence[Told] = ()) -> Stored:
        """Keep a new resource; a message without fields named like the resource gets the resource itself."""
        now = self.iso()
        doc = {
            "id": fields.get("id") or self.new_id(), "version": self.random.randint(1, 3) if messages else 1, "createdAt": now,
            "lastModifiedAt": now, "createdBy": self.author, "lastModifiedBy": self.author,
            **without_nulls(fields),
        }  # fmt: skip
        row = stored(doc)
        self._put(type_id, row, doc)
        self._tell(Write(type_id, doc, before=None, after=row, messages=messages))
        return row

    def replace(self, type_id: str, before: Stored, doc: dict[str, Any], messages: Sequence[Told] = ()) -> Stored:
        """Keep a changed resource; one that did not change keeps its version."""
        if same_content(before.doc(), doc):
            return before
        doc = without_nulls(doc)
        doc |= {
            "version": before.version + self.random.randint(1, 3), "lastModifiedAt": max(self.iso(), before.lastModifiedAt),
            "lastModifiedBy": self.author,
        }  # fmt: skip
        row = stored(doc)
        self._put(type_id, row, doc)
        self._tell(Write(type_id, doc, before=before, after=row, messages=messages))
        return row

    def touch(self, type_id: str, row: Stored) -> Stored:
        """A new version with nothing new in it, as background work makes them; people hear of it only as a change."""
        doc = row.doc() | {"version": row.version + 1, "lastModifiedAt": max(self.iso(), row.lastModifiedAt)}
        after = stored(doc)
        self._put(type_id, after, doc)
        self._tell(Write(type_id, doc, before=row, after=after))
        return after

    def delete(self, type_id: str, row: Stored, messages: Sequence[Told] = (), *, erased: bool = False) -> None:
        """Drop a resource."""
        self.collections[type_id].remove(row.id, visible_at=self._visible_at())
        derive = self.derived.get(type_id)
        if derive is not None:
            derive(row.id, None, self._visible_at())
        self._tell(Write(type_id, row.doc(), before=row, after=None, messages=messages, erased=erased))

    def _put(self, type_id: str, row: Stored, doc: dict[str, Any]) -> None:
        self.collections[type_id].put(row, doc, visible_at=self._visible_at())
        derive = self.derived.get(type_id)
        if derive is not None:
            derive(row.id, doc, self._visible_at())

    def _visible_at(self) -> float | None:
        lag = self.settings.query_lag
        return self.now() + lag if lag and not self.in_past else None

    def _tell(self, write: Write) -> None:
        if not self.in_past:
            for listener in self.listeners:
                listener(write)


def without_nulls(value: Any) -> Any:
    """The same without fields that have no value: the platform leaves them out, however deep they are."""
    if isinstance(value, Mapping):
        return {name: without_nulls(item) for name, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, (list, tuple)) else value


def same_content(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two versions of a resource say the same, apart from who wrote them when."""
    return _content(one) == _content(other)


def _content(doc: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = without_nulls({name: value for name, value in doc.items() if name not in SYSTEM_FIELDS})
    return kept
