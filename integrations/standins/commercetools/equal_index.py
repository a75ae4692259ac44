"""Ids by the values at some paths of their documents, so that an equality is looked up instead of searched."""

from collections.abc import Iterable, Mapping
from typing import Any

from integrations.standins.commercetools.kinds import Path, values_at


class EqualIndex:
    """The caller holds the lock."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._values: dict[Path, dict[Any, list[str]]] = {path: {} for path in paths}

    def __bool__(self) -> bool:
        return bool(self._values)

    def file(self, key: str, doc: Mapping[str, Any]) -> None:
        """Note where a document is found."""
        for path, index in self._values.items():
            for value in dict.fromkeys(values_at(doc, path)):
                index.setdefault(value, []).append(key)

    def unfile(self, key: str, doc: Mapping[str, Any]) -> None:
        """Forget where the same document was found."""
        for path, index in self._values.items():
            for value in dict.fromkeys(values_at(doc, path)):
                holders = index[value]
                holders.remove(key)
                if not holders:
                    del index[value]

    def keys(self, path: Path, values: Iterable[Any]) -> list[str] | None:
        """Ids with one of these values at a path, None where there is no index."""
        index = self._values.get(path)
        return None if index is None else list(dict.fromkeys(key for value in dict.fromkeys(values) for key in index.get(value, ())))
