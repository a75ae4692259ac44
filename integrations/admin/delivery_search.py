"""Finding deliveries by what their line says: an order's number, a SKU, the words of a title, or an exact key; each by an index."""

from __future__ import annotations

from collections import defaultdict
from functools import reduce
from operator import or_

from django.db.models import Count, Q, QuerySet

from integrations.engine.find_terms import plain, words_of
from integrations.models import Delivery, Flow, SearchTerm

MOST = 1000  # deliveries of one search
NAMES = (SearchTerm.Kind.NUMBER, SearchTerm.Kind.SKU, SearchTerm.Kind.BARCODE)
HELP = "Order number, SKU, words of a product's title, or exact key. People are found by the box at the top of the page."


def found_by(text: str) -> list[int]:
    """Ids of deliveries that this finds, at most MOST."""
    flows = list(Flow.objects.values_list("pk", "source", "record_type"))
    found = _by_key(text, [pk for pk, _, _ in flows])
    things = _things(text)
    if things:
        carried: dict[tuple[int, str], list[int]] = defaultdict(list)
        for pk, source, record_type in flows:
            carried[(source, record_type)].append(pk)
        looks = [Q(flow__in=carried[place], record_key__in=keys) for place, keys in things.items() if place in carried]
        found |= set(Delivery.objects.filter(reduce(or_, looks)).values_list("pk", flat=True)[:MOST]) if looks else set()
    return sorted(found, reverse=True)[:MOST]


def _by_key(key: str, flows: list[int]) -> set[int]:
    same = Delivery.objects.filter(record_key=key).values("pk")
    far = Delivery.objects.filter(destination_key=key, flow__in=flows).values("pk")
    return {row["pk"] for row in same.union(far)[:MOST]}


def _things(text: str) -> dict[tuple[int, str], list[str]]:
    """Keys of what is called so, by source and record type."""
    rows = _named(plain(text)) or _titled(words_of(text))
    things: dict[tuple[int, str], list[str]] = defaultdict(list)
    for source, record_type, key in rows:
        things[(source, record_type)].append(key)
    return things


def _named(name: str) -> list[tuple[int, str, str]]:
    rows = SearchTerm.objects.filter(kind__in=NAMES, term=name) if name else SearchTerm.objects.none()
    return list(rows.values_list("connection", "record_type", "record_key")[:MOST])


def _titled(words: list[str]) -> list[tuple[int, str, str]]:
    if not words:
        return []
    rows: QuerySet[SearchTerm] = SearchTerm.objects.filter(kind=SearchTerm.Kind.WORD, term__in=words)
    whole = rows.values("connection", "record_type", "record_key").annotate(number=Count("pk")).filter(number=len(words))
    return list(whole.values_list("connection", "record_type", "record_key")[:MOST])
