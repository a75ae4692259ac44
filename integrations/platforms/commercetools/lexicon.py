"""What the products of a project refer to – languages, product types, categories, channels – kept per client and renewed by change.

A product names these by id only; bringing each along with each product would make a page several times as large.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from integrations.platforms.base import Account, JsonObject
from integrations.platforms.commercetools.answers import NO_SCOPE
from integrations.platforms.commercetools.client import CommercetoolsClient, Query, Where
from integrations.platforms.commercetools.parse.category import lineage
from integrations.platforms.errors import Misconfigured
from integrations.platforms.values import rows, text

KEPT = "lexicon"
LOOK_EVERY = 60.0  # seconds until changes are asked for again
READ_ANEW = 3600.0  # seconds until everything is read again, for what was deleted
OVERLAP = timedelta(minutes=2)  # a query may show a change some seconds late
CLASSIC, MODULAR = "Classic", "Modular"
COLLECTIONS = {"categories": "/categories", "types": "/product-types", "channels": "/channels"}
CATEGORY_FIELDS = ("id", "key", "name", "orderHint", "ancestors")
DEFINITION_FIELDS = ("name", "label", "attributeConstraint")


@dataclass(slots=True)
class Lexicon:
    """Categories and product types by id, channels' ids by key, as of `read_at` (the server's clock)."""

    project: JsonObject
    categories: dict[str, JsonObject] = field(default_factory=dict)
    types: dict[str, JsonObject] = field(default_factory=dict)
    channels: dict[str, str] = field(default_factory=dict)
    read_at: datetime | None = None
    looked: float = 0.0
    read: float = 0.0

    @property
    def language(self) -> str:
        """The project's first language, empty where the project may not be read."""
        return str(next(iter(self.project.get("languages") or ()), ""))

    @property
    def modular(self) -> bool:
        """Whether the catalogue is of the kind whose products hold no variants."""
        return self.project.get("productCatalogModel", CLASSIC) == MODULAR

    def above(self, references: Iterable[JsonObject]) -> dict[str, JsonObject]:
        """The named categories and all above them, as far as they are known."""
        wanted = {step for entry in references for step in lineage(self.categories.get(text(entry, "id")) or entry)}
        return {identifier: self.categories[identifier] for identifier in sorted(wanted & self.categories.keys())}

    def below(self, identifiers: Iterable[str]) -> list[str]:
        """These categories and all below them."""
        wanted = set(identifiers)
        inner = {key for key, category in self.categories.items() if wanted & set(lineage(category))}
        return sorted(wanted | inner)


def lexicon_of(client: CommercetoolsClient, *, anew: bool = False) -> Lexicon:
    """The client's lexicon, at most a minute old, or with all that changed up to now; raises the error families."""
    held, now = client.kept.get(KEPT), time.monotonic()
    if held is None or now - held.read > READ_ANEW:
        held = Lexicon(client.settings() if may(client.account, "view_project_settings", "manage_project_settings") else {})
        _take(client, held, None)
        held.read = held.looked = time.monotonic()
        client.kept[KEPT] = held
    elif anew or now - held.looked > LOOK_EVERY:
        _take(client, held, held.read_at)
        held.looked = time.monotonic()
    return held


def may(account: Account, *scopes: str) -> bool:
    """Whether one of these scopes was granted for the whole project, or it is not known what was."""
    granted = account.settings.get("granted_scopes")
    held = {str(scope).partition(":")[0] for scope in granted} if isinstance(granted, (list, tuple)) else set()
    return not held or bool(held & {"manage_project", *scopes})


def _take(client: CommercetoolsClient, lexicon: Lexicon, since: datetime | None) -> None:
    """Read everything, or what changed since then; a collection that the scopes do not show stays empty, and its ids stand for names."""
    asked = client.server_time
    for name, path in COLLECTIONS.items():
        try:
            for row in _changed(client, path, since):
                TAKE[name](lexicon, row)
        except Misconfigured as fault:
            if fault.code != NO_SCOPE:
                raise
        asked = asked or client.server_time
    lexicon.read_at = asked


def _changed(client: CommercetoolsClient, path: str, since: datetime | None) -> Iterable[JsonObject]:
    moved = (Where("lastModifiedAt >= :since", {"since": (since - OVERLAP).isoformat(timespec="milliseconds")}),) if since else ()
    last = ""
    while True:
        behind = (Where("id > :id", {"id": last}),) if last else ()
        found = client.page(Query(path=path, where=(*moved, *behind), sort=("id asc",)))
        yield from found.rows
        if not found.full or not found.rows or text(found.rows[-1], "id") == last:
            return
        last = text(found.rows[-1], "id")


def _category(lexicon: Lexicon, row: Mapping[str, object]) -> None:
    lexicon.categories[text(row, "id")] = {name: row[name] for name in CATEGORY_FIELDS if name in row}


def _type(lexicon: Lexicon, row: Mapping[str, object]) -> None:
    attributes = [{name: entry[name] for name in DEFINITION_FIELDS if name in entry} for entry in rows(row, "attributes")]
    lexicon.types[text(row, "id")] = {"id": text(row, "id"), "key": text(row, "key"), "name": text(row, "name"), "attributes": attributes}


def _channel(lexicon: Lexicon, row: Mapping[str, object]) -> None:
    lexicon.channels[text(row, "key")] = text(row, "id")


TAKE = {"categories": _category, "types": _type, "channels": _channel}
