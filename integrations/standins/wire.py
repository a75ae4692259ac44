"""What travels between the stand-in server and a stand-in: one request in, one response out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote

import orjson

if TYPE_CHECKING:
    from integrations.standins.faults import Faults
    from integrations.standins.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Request:
    """One call below a stand-in's prefix (for control calls below ``/_control`` too); header names are lower case."""

    method: str
    # percent-decoded, starts with "/"
    path: str
    # the last of repeated parameters wins
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    # the same path before percent-decoding; empty means "same as path"
    raw_path: str = ""
    # everything after "?" as it came, for platforms that care about repeated parameters
    raw_query: str = ""

    def json(self) -> object:
        """The body as JSON; raises ValueError when it is none."""
        return orjson.loads(self.body)

    def segments(self) -> list[str]:
        """Path segments, each decoded by itself, so that an encoded slash stays inside its segment."""
        return [unquote(part) for part in (self.raw_path or self.path).split("/") if part]


@dataclass(frozen=True, slots=True)
class Response:
    """What the stand-in answers; the server adds Content-Length, and Date unless the stand-in keeps its own time."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    # sent in chunks instead of the body, so that its size does not matter
    file: Path | None = None

    def length(self) -> int:
        """How many bytes will be sent."""
        return len(self.body) if self.file is None else self.file.stat().st_size

    def chunks(self, length: int, size: int = 1 << 18) -> Iterator[bytes]:
        """The first so many bytes, piece by piece."""
        if self.file is None:
            yield self.body[:length]
            return
        with self.file.open("rb") as stream:
            while length > 0 and (piece := stream.read(min(size, length))):
                length -= len(piece)
                yield piece


def json_response(payload: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer; raises TypeError for a payload that is not JSON."""
    return Response(status, orjson.dumps(payload), {"Content-Type": "application/json", **(headers or {})})


class StandIn(Protocol):
    """One platform inside the server, served below ``/<slug>``."""

    slug: str
    ledger: "Ledger"
    faults: "Faults"

    def handle(self, request: Request) -> Response:
        """Answer platform traffic."""

    def control(self, request: Request) -> Response:
        """Answer a test's or the demo's call; the path is what follows ``/_control``, for example ``/ledger``."""

    def close(self) -> None:
        """End what the stand-in started in the background."""
