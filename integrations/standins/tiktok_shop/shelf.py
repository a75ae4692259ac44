"""Rows of one kind by id, in order of creation and of change."""

from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

from integrations.standins.tiktok_shop.sorted_index import SortedIndex


class Dated(Protocol):
    """A row with an id and two times."""

    id: str
    create_time: int
    update_time: int


Row = TypeVar("Row", bound=Dated)


class Missing(LookupError):
    """The shop has no such thing."""


class Shelf(Generic[Row]):
    """All rows of a kind; ``touch`` after changing one."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rows: dict[str, Row] = {}
        self.by_time = {"create_time": SortedIndex(), "update_time": SortedIndex()}

    def add(self, row: Row) -> None:
        """Keep a new row."""
        self.rows[row.id] = row
        self.by_time["create_time"].move(None, row.create_time, row.id)
        self.by_time["update_time"].move(None, row.update_time, row.id)

    def touch(self, row: Row, now: int) -> None:
        """Note that a row changed; its time of change never goes back."""
        before, row.update_time = row.update_time, max(row.update_time, now)
        self.by_time["update_time"].move(before, row.update_time, row.id)

    def get(self, key: str) -> Row:
        """A row; raises Missing."""
        row = self.rows.get(str(key))
        if row is None:
            raise Missing(f"There is no {self.name} {key}.")
        return row

    def __iter__(self) -> Iterator[Row]:
        return iter(list(self.rows.values()))

    def __len__(self) -> int:
        return len(self.rows)
