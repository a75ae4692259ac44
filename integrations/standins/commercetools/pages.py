"""Answers that show resources: one, or a page of them, with price selection and expansion."""

from typing import Any
from urllib.parse import parse_qsl

import orjson

from integrations.standins.commercetools import carts, messages
from integrations.standins.commercetools.collection import Stored
from integrations.standins.commercetools.errors import not_found
from integrations.standins.commercetools.expand import check_paths, expand
from integrations.standins.commercetools.kinds import KINDS, Kind
from integrations.standins.commercetools.pricing import Market, market_of, variant_price
from integrations.standins.commercetools.products import variants_of
from integrations.standins.commercetools.project import Project
from integrations.standins.commercetools.query import read_query, run
from integrations.standins.wire import Request

IN_STORE = {"customer": 'stores(key="{}")', "order": 'store(key="{}")', "cart": 'store(key="{}")'}
PROJECTIONS = frozenset({"product-projection", "staged-projection"})


def answer_query(project: Project, kind: Kind, request: Request, *, store: str = "") -> tuple[int, bytes]:
    """A page of a collection; raises Refusal."""
    if kind.type_id == "product-projection" and request.query.get("staged") == "true":
        kind = KINDS["staged-projection"]
    also = [IN_STORE[kind.type_id].format(store)] if store else []
    asked = read_query(request.raw_query, kind.type_id, also=also)
    check_paths(kind.type_id, asked.expand)
    collection = project[kind.type_id]
    if kind.type_id == "message":
        messages.purge(project)
    elif kind.type_id == "cart":
        carts.purge(project)
    collection.catch_up(project.clock.now())
    page = run(collection, asked)
    if request.method == "HEAD":
        if not page.rows:
            raise not_found()
        return 200, b""
    market = market_of(request.query) if kind.type_id in PROJECTIONS else None
    raws = [_raw(project, kind, row, paths=asked.expand, market=market) for row in page.rows]
    total = b"" if page.total is None else b'"total":%d,' % page.total
    head = b'{"limit":%d,"offset":%d,"count":%d,%b"results":[' % (page.limit, page.offset, len(raws), total)
    _churn(project, kind, page.rows)
    return 200, head + b",".join(raws) + b"]}"


def shown(project: Project, kind: Kind, row: Stored, request: Request) -> bytes:
    """One resource as it is answered; raises Refusal."""
    paths = [value for name, value in parse_qsl(request.raw_query) if name == "expand"]
    check_paths(kind.type_id, paths)
    market = market_of(request.query) if kind.type_id in PROJECTIONS else None
    return _raw(project, kind, row, paths=tuple(paths), market=market)


def _raw(project: Project, kind: Kind, row: Stored, *, paths: tuple[str, ...], market: Market | None) -> bytes:
    if not paths and kind.type_id not in PROJECTIONS:
        return row.raw
    doc = row.doc()
    if kind.type_id in PROJECTIONS:
        if project.settings.product_catalog_model == "Modular":
            doc["variants"] = []
            doc.pop("masterVariant", None)
        elif market is not None:
            _select_prices(project, doc, market)
    return orjson.dumps(expand(project, doc, paths))


def _select_prices(project: Project, doc: dict[str, Any], market: Market) -> None:
    for variant in variants_of(doc):
        price = variant_price(project, doc["priceMode"], variant, market)
        if price is not None:
            variant["price"] = price


def _churn(project: Project, kind: Kind, rows: list[Stored]) -> None:
    """Resources that change while somebody pages: some already seen, some not."""
    wanted = project.settings.churn
    if not wanted or not rows or kind.type_id not in ("customer", "order", "cart", "payment", "product"):
        return
    keys = list(project[kind.type_id].rows)
    for key in project.random.sample(keys, min(wanted, len(keys))):
        project.touch(kind.type_id, project[kind.type_id].rows[key])
