"""One request that got through the gate, and what it asks for, checked the way the platform checks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from integrations.standins.tiktok_shop.errors import BAD_REQUEST, PARAMETER, WRONG_BODY, Refusal
from integrations.standins.tiktok_shop.shops import Shop
from integrations.standins.wire import Request

# these belong into the query, where section "Pagination" has them
QUERY_ONLY = ("page_size", "page_token", "sort_field", "sort_order")
MOST_EPOCH = 100_000_000_000  # a time in milliseconds is above it


@dataclass(slots=True)
class Asked:
    """A request; ``shop`` is missing for calls that concern a seller only, ``wild`` are the path's variable parts."""

    request: Request
    version: str
    shop: Shop | None = None
    wild: tuple[str, ...] = ()
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def one_shop(self) -> Shop:
        """The shop the cipher names; shop-level calls always have one."""
        assert self.shop is not None
        return self.shop


def read_body(request: Request) -> Mapping[str, Any]:
    """The JSON object in the body, {} when there is none; raises Refusal."""
    if not request.body:
        return {}
    try:
        body = request.json()
    except ValueError as error:
        raise Refusal(WRONG_BODY, "The request body is not JSON") from error
    if not isinstance(body, Mapping):
        raise Refusal(WRONG_BODY, "The request body must be an object")
    return body


def no_paging_in_body(body: Mapping[str, Any]) -> None:
    """Raises Refusal for paging parameters that are in the body."""
    misplaced = [name for name in QUERY_ONLY if name in body]
    if misplaced:
        raise Refusal(PARAMETER, f"Invalid parameter: {misplaced[0]} must be a query parameter")


def page_size(asked: Asked, least: int, most: int) -> int:
    """The page size in the query; raises Refusal when it is missing or outside its bounds."""
    text = asked.request.query.get("page_size")
    if text is None:
        raise Refusal(BAD_REQUEST, "The param query.page_size is missing")
    if not text.isdecimal() or not least <= int(text) <= most:
        raise Refusal(PARAMETER, f"Invalid parameter: page_size must be between {least} and {most}")
    return int(text)


def ids_in(text: str, most: int, name: str) -> list[str]:
    """Comma-joined ids; raises Refusal for none, too many, or something else."""
    found = text.split(",")
    if not text or any(not key.isdecimal() for key in found):
        raise Refusal(PARAMETER, f"Invalid parameter: {name}")
    if len(found) > most:
        raise Refusal(PARAMETER, f"Invalid parameter: {name} must not have more than {most} ids")
    return found


def refuse_repeated(request: Request, name: str) -> None:
    """Raises Refusal when a list-valued parameter is repeated instead of comma-joined."""
    if sum(part.partition("=")[0] == name for part in request.raw_query.split("&")) > 1:
        raise Refusal(PARAMETER, f"Invalid parameter: {name} must be given once, comma-joined")


def whole(body: Mapping[str, Any], name: str) -> int | None:
    """A time in seconds; raises Refusal for anything but a JSON integer."""
    value = body.get(name)
    if value is not None and (type(value) is not int or not 0 <= value < MOST_EPOCH):
        raise Refusal(PARAMETER, f"Invalid parameter: body.{name} must be an integer of seconds")
    return value


def texts(body: Mapping[str, Any], name: str, most: int = 100) -> list[str] | None:
    """A list of strings, None when the filter is not used; raises Refusal."""
    value = body.get(name)
    if value is None or value == []:
        return None
    if not isinstance(value, list) or len(value) > most or any(not isinstance(item, str) for item in value):
        raise Refusal(PARAMETER, f"Invalid parameter: body.{name} must be a list of at most {most} strings")
    return value


def one_of(value: Any, allowed: tuple[str, ...] | frozenset[str], name: str) -> str | None:
    """A value of an enumeration, None when the filter is not used; raises Refusal."""
    if value in (None, ""):
        return None
    if value not in allowed:
        raise Refusal(PARAMETER, f"Invalid parameter: {name}")
    return str(value)
