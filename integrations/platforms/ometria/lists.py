"""Lists, which Ometria's console calls segments: read as values, whatever the page revision that the account follows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from integrations.platforms.base import JsonObject
from integrations.platforms.ometria.client import MAX_PAGE, OmetriaClient
from integrations.platforms.ometria.moments import moment_of

MAX_PAGES = 20  # an account has at most 350 active dynamic lists (dynamic segment refresh page) and any number of static ones
READY = "READY"  # the one documented status


@dataclass(frozen=True, slots=True, kw_only=True)
class ListState:
    """One list as Ometria shows it; `size` None when it says none, times aware UTC."""

    id: str
    title: str
    kind: str = ""  # DYNAMIC or STATIC
    status: str = ""
    size: int | None = None
    refreshed_at: datetime | None = None

    @property
    def ready(self) -> bool:
        """Whether its members are worked out."""
        return self.status.upper() == READY


def all_lists(client: OmetriaClient) -> list[ListState]:
    """Every list of the account, archived ones too, each once; the error families as raised by the client."""
    found: dict[str, ListState] = {}
    for page in _pages(client):
        fresh = {state.id: state for row in page if (state := parse_list(row)) is not None and state.id not in found}
        found |= fresh
        if not fresh:  # an account whose lists are not paged answers with all of them again
            break
    return list(found.values())


def find_list(client: OmetriaClient, identifier: str) -> ListState | None:
    """One list asked for by its id, None when Ometria has none."""
    row = client.one_list(identifier)
    return parse_list(row) if row is not None else None


def parse_list(row: JsonObject) -> ListState | None:
    """The list of one answered object; None for one without an id."""
    identifier = str(row.get("id") or "")
    if not identifier:
        return None
    size = row.get("size")
    return ListState(
        id=identifier,
        title=str(row.get("title") or identifier),
        kind=str(row.get("type") or ""),
        status=str(row.get("status") or ""),
        size=size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None,
        refreshed_at=moment_of(row.get("timestamp_last_refreshed")),
    )


def member_of(profile: JsonObject, identifier: str) -> bool | None:
    """Whether a profile says that it is in a list; None when it names no lists at all."""
    lists = profile.get("lists")
    if not isinstance(lists, list):
        return None
    return any(isinstance(row, dict) and str(row.get("id")) == identifier for row in lists)


def _pages(client: OmetriaClient) -> Iterator[list[JsonObject]]:
    for number in range(MAX_PAGES):
        page = client.lists("all", offset=number * MAX_PAGE)
        yield page
        if len(page) < MAX_PAGE:
            return
