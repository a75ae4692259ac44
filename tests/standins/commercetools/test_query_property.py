"""Whatever predicate somebody writes: the stand-in finds what a plain walk over all resources finds, in the same order, page by page."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from urllib.parse import urlencode

from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.standins.commercetools.collection import Collection
from integrations.standins.commercetools.kinds import KINDS
from integrations.standins.commercetools.query import read_query, run

Said = tuple[str, Callable[[dict[str, Any]], bool]]
NAMES = ("Ada", "Bram", "Clea", 'D"or', "Elif")
SKUS, COUNTRIES, TAGS = ("A", "B", "C"), ("GB", "DE"), ("one", "two", "three")
BEGIN = datetime(2026, 11, 1, 9, tzinfo=UTC)


def moment(number: int) -> str:
    return (BEGIN + timedelta(milliseconds=250 * number)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def order(random: Random, number: int) -> dict[str, Any]:
    changed = random.randrange(20)
    doc: dict[str, Any] = {
        "id": f"{random.getrandbits(64):016x}", "version": random.randint(1, 5), "createdAt": moment(number % 10),
        "lastModifiedAt": moment(changed), "orderState": random.choice(("Open", "Confirmed")), "returnInfo": [],
        "totalPrice": {"type": "centPrecision", "currencyCode": "GBP", "centAmount": random.randrange(5) * 100, "fractionDigits": 2},
        "lineItems": [
            {"id": f"{number}-{n}", "quantity": random.randint(1, 3), "variant": {"id": 1, "sku": random.choice(SKUS)}}
            for n in range(random.randrange(4))
        ],
    }  # fmt: skip
    if random.random() < 0.7:
        doc["customerEmail"] = f"{random.choice(NAMES)}@example.com"
    if random.random() < 0.6:
        doc["shippingAddress"] = {"country": random.choice(COUNTRIES), "city": random.choice(NAMES)}
    if random.random() < 0.5:
        doc["custom"] = {"type": {"typeId": "type", "id": "t"}, "fields": {"flag": random.random() < 0.5, "tags": random.sample(TAGS, 2)}}
    return doc


ORDERS = [order(Random(f"order {number}"), number) for number in range(80)]
ORDERS_IN = Collection(KINDS["order"])
for one in ORDERS:
    ORDERS_IN.keep(one)


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def compared(own: Any, op: str, value: Any) -> bool:
    if own is None:
        return op == "!="
    return {"=": own == value, "!=": own != value, "<": own < value, ">": own > value, "<=": own <= value, ">=": own >= value}[op]


OPS = st.sampled_from(["=", "!=", "<", ">", "<=", ">="])
EMAILS = [f"{name}@example.com" for name in NAMES]


def comparisons() -> st.SearchStrategy[Said]:
    moments = st.integers(-1, 21).map(moment)
    ids = st.sampled_from([one["id"] for one in ORDERS])
    tops = {"id": ids, "lastModifiedAt": moments, "createdAt": moments, "orderState": st.sampled_from(["Open", "Confirmed", "Odd"])}

    def top(name: str) -> st.SearchStrategy[Said]:
        return st.tuples(OPS, tops[name]).map(
            lambda pair: (f"{name} {pair[0]} {quoted(pair[1])}", lambda doc: compared(doc.get(name), pair[0], pair[1]))
        )

    version = st.tuples(OPS, st.integers(0, 6)).map(
        lambda pair: (f"version {pair[0]} {pair[1]}", lambda doc: compared(doc["version"], *pair))
    )
    cents = st.tuples(OPS, st.integers(-100, 500)).map(
        lambda pair: (
            f"totalPrice(centAmount {pair[0]} {pair[1]})",
            lambda doc: compared(doc["totalPrice"]["centAmount"], *pair),
        )
    )
    flag = st.booleans().map(
        lambda value: (
            f"custom(fields(flag = {str(value).lower()}))",
            lambda doc: "custom" in doc and doc["custom"]["fields"]["flag"] is value,
        )
    )
    return st.one_of(*(top(name) for name in tops), version, cents, flag)


def sets() -> st.SearchStrategy[Said]:
    some = st.lists(st.sampled_from(EMAILS), min_size=1, max_size=3)

    def among(values: list[str], negated: bool) -> Said:
        word = "not in" if negated else "in"
        return f"customerEmail {word} ({', '.join(map(quoted, values))})", lambda doc: (doc.get("customerEmail") in values) is not negated

    def contains(values: list[str], every: bool) -> Said:
        def holds(doc: dict[str, Any]) -> bool:
            own = doc.get("custom", {}).get("fields", {}).get("tags", [])
            return "custom" in doc and (all(value in own for value in values) if every else any(value in own for value in values))

        return f"custom(fields(tags contains {'all' if every else 'any'} ({', '.join(map(quoted, values))})))", holds

    def named(values: list[str]) -> Said:
        return f"id in ({', '.join(map(quoted, values))})", lambda doc: doc["id"] in values

    ids = st.lists(st.sampled_from([one["id"] for one in ORDERS]), min_size=1, max_size=40)
    tags = st.lists(st.sampled_from(TAGS), min_size=1, max_size=3)
    return st.one_of(st.builds(among, some, st.booleans()), st.builds(contains, tags, st.booleans()), st.builds(named, ids))


def presences() -> st.SearchStrategy[Said]:
    def defined(name: str, negated: bool) -> Said:
        return f"{name} is {'not ' if negated else ''}defined", lambda doc: (name in doc) is not negated

    def empty(name: str, negated: bool) -> Said:
        return f"{name} is {'not ' if negated else ''}empty", lambda doc: (not doc.get(name)) is not negated

    names = st.sampled_from(["customerEmail", "shippingAddress", "custom", "customerId"])
    return st.one_of(
        st.builds(defined, names, st.booleans()), st.builds(empty, st.sampled_from(["lineItems", "returnInfo"]), st.booleans())
    )


def nested() -> st.SearchStrategy[Said]:
    def line(sku: str, op: str, quantity: int) -> Said:
        def holds(doc: dict[str, Any]) -> bool:
            return any(item["variant"]["sku"] == sku and compared(item["quantity"], op, quantity) for item in doc["lineItems"])

        return f"lineItems(variant(sku = {quoted(sku)}) and quantity {op} {quantity})", holds

    def place(country: str, city: str) -> Said:
        def holds(doc: dict[str, Any]) -> bool:
            own = doc.get("shippingAddress")
            return own is not None and (own["country"] == country or own["city"] == city)

        return f"shippingAddress(country = {quoted(country)} or `city` = {quoted(city)})", holds

    lines = st.builds(line, st.sampled_from(SKUS), OPS, st.integers(0, 4))
    return st.one_of(lines, st.builds(place, st.sampled_from(COUNTRIES), st.sampled_from(NAMES)))


def joined(parts: st.SearchStrategy[Said]) -> st.SearchStrategy[Said]:
    def both(one: Said, other: Said) -> Said:
        return f"({one[0]}) and ({other[0]})", lambda doc: one[1](doc) and other[1](doc)

    def either(one: Said, other: Said) -> Said:
        return f"({one[0]}) or ({other[0]})", lambda doc: one[1](doc) or other[1](doc)

    def neither(one: Said) -> Said:
        return f"not({one[0]})", lambda doc: not one[1](doc)

    return st.one_of(st.builds(both, parts, parts), st.builds(either, parts, parts), st.builds(neither, parts))


PREDICATES = st.recursive(st.one_of(comparisons(), sets(), presences(), nested()), joined, max_leaves=6)
SORTS: list[tuple[list[str], Callable[[dict[str, Any]], Any], bool]] = [
    ([], lambda doc: doc["id"], False),
    (["id asc"], lambda doc: doc["id"], False),
    (["id desc"], lambda doc: doc["id"], True),
    (["lastModifiedAt asc", "id asc"], lambda doc: (doc["lastModifiedAt"], doc["id"]), False),
    (["lastModifiedAt desc", "id desc"], lambda doc: (doc["lastModifiedAt"], doc["id"]), True),
    (
        ["totalPrice.centAmount asc", "createdAt", "id asc"],
        lambda doc: (doc["totalPrice"]["centAmount"], doc["createdAt"], doc["id"]),
        False,
    ),
]


@settings(max_examples=120, deadline=None)
@given(
    wheres=st.lists(PREDICATES, min_size=1, max_size=3), sort=st.sampled_from(SORTS), limit=st.integers(1, 30), offset=st.integers(0, 10)
)
def test_a_query_finds_what_a_plain_walk_finds(wheres: list[Said], sort: Any, limit: int, offset: int) -> None:
    names, key, backwards = sort
    expected = sorted((doc for doc in ORDERS if all(holds(doc) for _, holds in wheres)), key=key, reverse=backwards)
    pairs = [("where", text) for text, _ in wheres] + [("sort", name) for name in names]
    page = run(ORDERS_IN, read_query(urlencode([*pairs, ("limit", limit), ("offset", offset)]), "order"))

    assert [row.doc() for row in page.rows] == expected[offset : offset + limit]
    assert page.total == len(expected)


@settings(max_examples=40, deadline=None)
@given(where=PREDICATES, limit=st.integers(1, 17))
def test_sweeping_by_id_sees_everything_once(where: Said, limit: int) -> None:
    found: list[str] = []
    while True:
        pairs = [("where", where[0]), ("sort", "id asc"), ("limit", limit), ("withTotal", "false")]
        pairs += [("where", "id > :last"), ("var.last", found[-1])] if found else []
        rows = run(ORDERS_IN, read_query(urlencode(pairs), "order")).rows
        found += [row.id for row in rows]
        if len(rows) < limit:
            break

    assert found == sorted(doc["id"] for doc in ORDERS if where[1](doc))
