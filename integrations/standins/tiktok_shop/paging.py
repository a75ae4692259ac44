"""Pages over rows in order of a time, with opaque tokens that fit only the filter they were given for."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Generic, TypeVar

import orjson

from integrations.standins.tiktok_shop.asked import Asked, one_of
from integrations.standins.tiktok_shop.errors import PARAMETER, Refusal
from integrations.standins.tiktok_shop.shelf import Dated, Shelf

Row = TypeVar("Row", bound=Dated)


@dataclass(frozen=True, slots=True)
class Window:
    """Times in [ge, lt) of both kinds; None is open."""

    create_time: tuple[int | None, int | None] = (None, None)
    update_time: tuple[int | None, int | None] = (None, None)

    def other_than(self, name: str) -> tuple[str, tuple[int | None, int | None]]:
        """The time that the rows are not sorted by, and its limits."""
        return ("update_time", self.update_time) if name == "create_time" else ("create_time", self.create_time)


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Rows of one page; an empty token ends the pages."""

    rows: list[Row]
    total: int
    token: str


def page_of(
    shelf: Shelf[Row],
    asked: Asked,
    *,
    size: int,
    window: Window,
    keep: Callable[[Row], bool] | None = None,
    most: int | None = None,
    among: list[str] | None = None,
) -> Page[Row]:
    """The page that a search asks for; ``among`` limits it to ids, ``most`` to so many results. Raises Refusal for a wrong token."""
    query = asked.request.query
    name = one_of(query.get("sort_field"), ("create_time", "update_time"), "sort_field") or "create_time"
    backwards = one_of(query.get("sort_order"), ("ASC", "DESC"), "sort_order") != "ASC"
    pairs = _pairs(shelf, name, window, keep=keep, among=among)
    bound = _filter_digest(asked, name, backwards=backwards)
    total, start = len(pairs), 0
    if backwards:
        pairs = pairs[::-1]
    if query.get("page_token"):
        last, served = _opened(asked, query["page_token"], bound)
        start = _behind(pairs, last, backwards=backwards)
        if most is not None and served >= most:
            raise Refusal(PARAMETER, f"Invalid parameter: at most {most} results can be paged through")
    else:
        served = 0
    chosen = pairs[start : start + size]
    more = start + size < total and (most is None or served + len(chosen) < most)
    token = _sealed(asked, bound, chosen[-1], served + len(chosen)) if more else ""
    return Page([shelf.rows[key] for _, key in chosen], total, token)


def listed(asked: Asked, name: str, rows: list[Any], page: Page[Any]) -> dict[str, Any]:
    """The data of a search; an empty list is left out, as the platform does."""
    data: dict[str, Any] = {"total_count": page.total, "next_page_token": page.token}
    if rows or not asked.one_shop.settings.omit_empty_lists:
        data[name] = rows
    return data


def _pairs(
    shelf: Shelf[Row], name: str, window: Window, *, keep: Callable[[Row], bool] | None, among: list[str] | None
) -> list[tuple[int, str]]:
    if among is not None:
        own: tuple[int | None, int | None] = getattr(window, name)
        rows = [shelf.rows[key] for key in dict.fromkeys(among) if key in shelf.rows]
        pairs = sorted((getattr(row, name), row.id) for row in rows if _inside(getattr(row, name), own))
    else:
        pairs = shelf.by_time[name].slice(*getattr(window, name))
    other, limits = window.other_than(name)
    if limits != (None, None):
        pairs = [pair for pair in pairs if _inside(getattr(shelf.rows[pair[1]], other), limits)]
    return pairs if keep is None else [pair for pair in pairs if keep(shelf.rows[pair[1]])]


def _inside(value: int, limits: tuple[int | None, int | None]) -> bool:
    ge, lt = limits
    return (ge is None or value >= ge) and (lt is None or value < lt)


def _behind(pairs: list[tuple[int, str]], last: tuple[int, str], *, backwards: bool) -> int:
    """The position of the first pair behind the last one served, which may have moved away since."""
    low, high = 0, len(pairs)
    while low < high:
        middle = (low + high) // 2
        if (pairs[middle] >= last) if backwards else (pairs[middle] <= last):
            low = middle + 1
        else:
            high = middle
    return low


def _filter_digest(asked: Asked, name: str, *, backwards: bool) -> str:
    body: Mapping[str, Any] = asked.body
    content = [asked.request.path, asked.one_shop.spec.id, name, backwards, dict(body)]
    return blake2b(orjson.dumps(content, option=orjson.OPT_SORT_KEYS), digest_size=8).hexdigest()


def _sealed(asked: Asked, bound: str, last: tuple[int, str], served: int) -> str:
    text = f"{bound}:{int(asked.one_shop.clock.now())}:{last[0]}:{last[1]}:{served}"
    return urlsafe_b64encode(text.encode()).decode()


def _opened(asked: Asked, token: str, bound: str) -> tuple[tuple[int, str], int]:
    try:
        digest, born, time, key, served = urlsafe_b64decode(token).decode().split(":")
        last, age = (int(time), key), asked.one_shop.clock.now() - int(born)
    except (NotBase64, ValueError) as error:
        raise Refusal(PARAMETER, "Invalid parameter: page_token") from error
    if digest != bound or age > asked.one_shop.settings.page_token_seconds:
        raise Refusal(PARAMETER, "Invalid parameter: page_token does not belong to this search or is too old")
    return last, int(served)
