"""The least an ASGI server can do: read the body, say 200. What the same server reaches with it is the ceiling of the door."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any


async def application(scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
    """Read everything and answer 200 with nothing."""
    while (await receive()).get("more_body"):
        continue
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})
