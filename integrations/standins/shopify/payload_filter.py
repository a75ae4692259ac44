"""Subscription filters and trimming, both on the payload: ``filter`` in the search grammar, ``includeFields`` by path."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from integrations.standins.shopify.schema import VERSIONS
from integrations.standins.shopify.search import Filter, Search, understand


class _Paths(Mapping[str, Filter]):
    """Every path is a filter: any element of nested lists may match."""

    def __getitem__(self, path: str) -> Filter:
        return Filter("many", lambda body: [str(value) for value in _values(body, path.split("."))])

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def passes(rule: str, body: Mapping[str, Any]) -> bool:
    """Whether a payload is let through by a subscription's filter."""
    return not rule or _understood(rule).matches(body)


def trimmed(body: dict[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    """Only the named paths of a payload; all of it when none is named."""
    if not fields:
        return body
    wanted: dict[str, list[str]] = {}
    for path in fields:
        head, _, rest = path.partition(".")
        wanted.setdefault(head, []).append(rest)
    return {name: _cut(body[name], [rest for rest in rests if rest]) for name, rests in wanted.items() if name in body}


@lru_cache(maxsize=256)
def _understood(rule: str) -> Search:
    return understand(rule, _Paths(), VERSIONS[-1])


def _cut(value: Any, paths: list[str]) -> Any:
    if not paths:
        return value
    if isinstance(value, list):
        return [_cut(item, paths) for item in value]
    return trimmed(value, paths) if isinstance(value, dict) else value


def _values(value: Any, path: list[str]) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _values(item, path)
    elif not path:
        yield value
    elif isinstance(value, Mapping) and path[0] in value:
        yield from _values(value[path[0]], path[1:])
