"""Pulling goods: products by change and in whole, and products that something beside them changed.

Prices that stand beside their products, their validity, stock, categories and product types change what a market sees of a product
without touching the product itself; each such change leads to the products it concerns, which are read whole with its time on them.
Within a window that is fixed by the server's clock rows are read in the order of ids: what changes meanwhile lies in the next window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from integrations.platforms.base import JsonObject, Page, RawObject, Window
from integrations.platforms.commercetools.client import MAX_IN, CommercetoolsClient, Query, Rows, Where
from integrations.platforms.commercetools.lexicon import lexicon_of, may
from integrations.platforms.commercetools.markets import markets_of, problem_of
from integrations.platforms.commercetools.parse.prices import boundaries
from integrations.platforms.commercetools.parse.values import moment
from integrations.platforms.commercetools.pricing import PAGE, PATH, PRICE_SCOPES, counter_for, ready
from integrations.platforms.commercetools.read import BY_ID, WITHIN, Pull, count_of, server_time, stamp
from integrations.platforms.commercetools.resources import Source
from integrations.platforms.errors import TryLater
from integrations.platforms.values import count, text

PRODUCTS = Source(name="products", path=PATH, shape="product", limit=PAGE)
CATEGORIES = Source(name="categories", path="/categories", shape="category")
GONE = "deleted:product"
STANDALONE = "/standalone-prices"
MODULAR_WORDS = "Products are not read: the project's catalogue is of the modular kind, whose products hold no variants."
NO_MARKETS = "Products are not read: the connection has no markets. Enter one for each country and currency that goods are sold in."
BEGINS = "(validFrom >= :since and validFrom < :until) or (validUntil >= :since and validUntil < :until)"
EMBEDDED = f"masterVariant(prices({BEGINS})) or variants(prices({BEGINS}))"
OF_SKUS = "masterVariant(sku in :skus) or variants(sku in :skus)"
FAMILIES = 20  # changed categories or product types whose products are read together
NO_SCOPES = "Products are not read: the API client has neither of the scopes view_products and view_published_products."
SCOPES = ("view_products", "view_published_products", "manage_products")
DRAFT_SCOPES = ("view_products", "manage_products")  # drafts are not shown to clients that may see published goods only

State = dict[str, Any]  # where a pull is: stage, since, until, id, and what a stage keeps beside them
Step = Callable[[CommercetoolsClient, State], tuple[Sequence[RawObject], bool]]  # objects of one page, and whether the stage goes on


@dataclass(frozen=True, slots=True)
class Stage:
    """One kind of change: how a page of it is read (moving the state on), and the scopes without which it is left out."""

    step: Step
    scopes: tuple[str, ...] = ()


def unread(client: CommercetoolsClient) -> str:
    """Why this connection's goods are not read, in plain words; empty when they are.

    A market that cannot be read stops them: goods would vanish from it, while orders need no market.
    """
    if not may(client.account, *SCOPES):
        return NO_SCOPES
    if problem := problem_of(client.account.settings):
        return f"Products are not read. {problem}"
    if not markets_of(client.account.settings):
        return NO_MARKETS
    return MODULAR_WORDS if lexicon_of(client).modular else ""


def pull_through(label: str, *stages: Stage) -> Pull:
    """Changes of the window, one stage after the other."""

    def pull(client: CommercetoolsClient, window: Window, cursor: str | None) -> Page:
        if reason := unread(client):
            return Page(note=reason)
        state = orjson.loads(cursor) if cursor else _beginning(client, window)
        until = datetime.fromisoformat(state["until"])
        if state["since"] >= state["until"]:
            return Page(reached=until)
        stage, before = stages[state["stage"]], orjson.dumps(state)
        objects, goes_on = stage.step(client, state) if not stage.scopes or may(client.account, *stage.scopes) else ((), False)
        if goes_on and orjson.dumps(state) == before:
            raise TryLater(f"commercetools repeated a page of {label}: the window is read again", code="cursor_loop")
        if not goes_on:
            state = {name: state[name] for name in ("since", "until")} | {"stage": state["stage"] + 1, "id": ""}
        following = orjson.dumps(state).decode() if state["stage"] < len(stages) else None
        return Page(objects=tuple(objects), cursor=following, note=f"{len(objects)} {label}", reached=until)

    return pull


def all_products(client: CommercetoolsClient, window: Window, cursor: str | None) -> Page:
    """History: every published product that last changed in the window, in the order of ids."""
    if reason := unread(client):
        return Page(note=reason)
    span = Where(WITHIN, {"since": stamp(window.since), "until": stamp(window.until or server_time(client, CATEGORIES))})
    state = {"id": cursor or ""}
    objects, goes_on = _products(client, state, span)
    return Page(objects=tuple(objects), cursor=state["id"] if goes_on else None, total=None if cursor else count_of(client, PRODUCTS, span))


def whole_products(client: CommercetoolsClient, wanted: Mapping[str, int]) -> Iterator[tuple[str, tuple[RawObject, ...]]]:
    """Each product (id → the least version that will do) as it is now; one that is not published or is deleted comes as gone."""
    if unread(client):
        yield from ((key, ()) for key in wanted)
        return
    counter = counter_for(client, lexicon_of(client))
    shown = {text(row, "id"): row for row in client.among(Query(path=PATH, more=counter.selection(counter.markets[0])), list(wanted))}
    late = [key for key, version in wanted.items() if key not in shown or count(shown[key], "version") < version]
    alone = {key: row for key, row in client.each(PATH, late) if row is not None}
    counter = counter_for(client, counter.lexicon)
    found = {text(raw.data, "id"): raw for raw in ready(counter, [row for key, row in shown.items() if key not in late], {})}
    found |= {text(raw.data, "id"): raw for raw in ready(counter, list(alone.values()), {}, selected=False)}
    for key in wanted:
        yield key, (found.get(key) or RawObject(GONE, {"id": key, "at": counter.asked_at.isoformat()}),)


def products_of_prices(client: CommercetoolsClient, wanted: Mapping[str, int]) -> Iterator[tuple[str, tuple[RawObject, ...]]]:
    """The product whose SKU a price that stands beside it is for; none for a price that is gone, or is for no product (yet)."""
    shown = {text(row, "id"): row for row in client.among(Query(path=STANDALONE), list(wanted))}
    late = [key for key, version in wanted.items() if key not in shown or count(shown[key], "version") < version]
    shown |= {key: row for key, row in client.each(STANDALONE, late) if row is not None}
    changed = {text(row, "sku"): text(row, "lastModifiedAt") for row in shown.values() if text(row, "sku")}
    found = {sku: raw for raw in ([] if unread(client) else products_of(client, changed)) for sku in _skus(raw.data)}
    for key in wanted:
        raw = found.get(text(shown.get(key, {}), "sku"))
        yield key, (raw,) if raw is not None else ()


def products_of(client: CommercetoolsClient, skus: Mapping[str, str]) -> list[RawObject]:
    """The products that hold these SKUs, each with the newest of the times given for its SKUs; a SKU lies in one product."""
    counter, found = counter_for(client, lexicon_of(client)), []
    for start in range(0, len(skus), MAX_IN):
        names = list(skus)[start : start + MAX_IN]
        where = Where(OF_SKUS, {"skus": names})
        query = Query(path=PATH, where=(where,), more=counter.selection(counter.markets[0]), sort=BY_ID, limit=MAX_IN)
        rows = _all(client, query)
        changed = {text(row, "id"): max(skus[sku] for sku in _skus(row) if sku in skus) for row in rows}
        found += ready(counter, rows, changed)
    return found


# --- stages ------------------------------------------------------------------------------------------------------------


def _changed(client: CommercetoolsClient, state: State) -> tuple[Sequence[RawObject], bool]:
    return _products(client, state, _window(WITHIN, state))


def _began(client: CommercetoolsClient, state: State) -> tuple[Sequence[RawObject], bool]:
    """Products one of whose own prices began or ended in the window."""
    return _products(client, state, _window(EMBEDDED, state))


def _withdrawn(client: CommercetoolsClient, state: State) -> tuple[Sequence[RawObject], bool]:
    """Products that are not published (any more) and changed in the window; drafts that never were are among them."""
    query = Query(path=PATH, where=(_window(WITHIN, state), Where("published = false"), *_behind(state)), sort=BY_ID,
                  more=(("staged", "true"),), limit=PAGE)  # fmt: skip
    found = _moved(state, client.page(query))
    return [RawObject(GONE, {"id": text(row, "id"), "at": text(row, "lastModifiedAt")}) for row in found.rows], found.full


def by_sku(path: str, predicate: str) -> Step:
    """Products of whose SKUs something was changed (`lastModifiedAt`) or began or ended in the window."""

    def step(client: CommercetoolsClient, state: State) -> tuple[Sequence[RawObject], bool]:
        query = Query(path=path, where=(_window(predicate, state), *_behind(state)), sort=BY_ID, limit=MAX_IN)
        found = _moved(state, client.page(query))
        skus: dict[str, str] = {}
        for row in found.rows:
            if sku := text(row, "sku"):
                at = text(row, "lastModifiedAt") if predicate == WITHIN else _boundary(row, state)
                skus[sku] = max(at, skus.get(sku, ""))
        return products_of(client, skus), found.full

    return step


def by_family(path: str, predicate: str) -> Step:
    """Products of what changed in the window: of categories with all below them, or of product types."""

    def step(client: CommercetoolsClient, state: State) -> tuple[Sequence[RawObject], bool]:
        if not state.get("family"):
            query = Query(path=path, where=(_window(WITHIN, state), *_behind(state)), sort=BY_ID, limit=FAMILIES)
            found = _moved(state, client.page(query))
            names = [text(row, "id") for row in found.rows]
            lexicon = lexicon_of(client, anew=bool(names))
            state |= {"family": lexicon.below(names) if path == CATEGORIES.path else names, "inner": "", "more": found.full}
            state["at"] = max((text(row, "lastModifiedAt") for row in found.rows), default="")
        if not state["family"]:
            return (), False
        inner = {"id": state["inner"]}
        objects, goes_on = _products(client, inner, Where(predicate, {"ids": state["family"][:MAX_IN]}), changed=state["at"])
        state["inner"] = inner["id"] if goes_on else ""
        state["family"] = state["family"] if goes_on else state["family"][MAX_IN:]
        return objects, bool(state["family"]) or state["more"]

    return step


PRODUCT_STAGES = (Stage(_changed), Stage(_withdrawn, DRAFT_SCOPES))
PRICE_STAGES = (Stage(by_sku(STANDALONE, WITHIN), PRICE_SCOPES), Stage(by_sku(STANDALONE, BEGINS), PRICE_SCOPES), Stage(_began))
STOCK_STAGES = (Stage(by_sku("/inventory", WITHIN)),)
CATEGORY_STAGES = (
    Stage(by_family(CATEGORIES.path, "categories(id in :ids)")),
    Stage(by_family("/product-types", "productType(id in :ids)")),
)


# --- pages -------------------------------------------------------------------------------------------------------------


def _products(client: CommercetoolsClient, state: State, where: Where, *, changed: str = "") -> tuple[list[RawObject], bool]:
    """A page of products behind the state's id, made ready; whether there may be more."""
    counter = counter_for(client, lexicon_of(client))
    query = Query(path=PATH, where=(where, *_behind(state)), sort=BY_ID, more=counter.selection(counter.markets[0]), limit=PAGE)
    found = _moved(state, client.page(query))
    counter = counter_for(client, counter.lexicon)
    return list(ready(counter, found.rows, {text(row, "id"): changed for row in found.rows} if changed else {})), found.full


def _all(client: CommercetoolsClient, query: Query) -> list[JsonObject]:
    """Every row of a question, however small its pages became."""
    state: State = {"id": ""}
    rows: list[JsonObject] = []
    while True:
        part = Query(path=query.path, where=(*query.where, *_behind(state)), sort=query.sort, more=query.more, limit=query.limit)
        before, found = state["id"], _moved(state, client.page(part))
        rows += found.rows
        if not found.full or state["id"] == before:
            return rows


def _beginning(client: CommercetoolsClient, window: Window) -> State:
    now = server_time(client, CATEGORIES)
    return {"stage": 0, "since": stamp(window.since), "until": stamp(min(window.until or now, now)), "id": ""}


def _window(predicate: str, state: State) -> Where:
    return Where(predicate, {"since": state["since"], "until": state["until"]})


def _behind(state: State) -> tuple[Where, ...]:
    return (Where("id > :id", {"id": state["id"]}),) if state["id"] else ()


def _moved(state: State, found: Rows) -> Rows:
    """The page, with the state moved behind its last row."""
    if found.rows:
        state["id"] = text(found.rows[-1], "id")
    return found


def _boundary(row: JsonObject, state: State) -> str:
    """The last moment within the window at which this price began or ended."""
    until = moment(state, "until")
    return stamp(max(at for at in boundaries([row]) if until is None or at < until))


def _skus(row: JsonObject) -> Iterator[str]:
    variants = [row.get("masterVariant") or {}, *(row.get("variants") or ())]
    return (text(variant, "sku") for variant in variants)
