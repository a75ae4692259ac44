"""The least a WSGI server can do: read the body, say 200. What the same server reaches with it is the ceiling of the door."""

from __future__ import annotations

from collections.abc import Callable


def application(environ: dict, start_response: Callable[..., object]) -> list[bytes]:
    """Read everything and answer 200 with nothing."""
    environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Length", "0")])
    return []
