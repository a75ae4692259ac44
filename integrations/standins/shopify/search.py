"""The search grammar of ``query:`` arguments: terms, AND, OR, NOT, comparators, quoted values; unknown filters only warn."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from integrations.standins.shopify.ids import number_of, parse_time

Test = Callable[[Any], bool]
TOKEN = re.compile(
    r"""\s*(?:(?P<open>\()|(?P<close>\))|(?P<not>-(?=\S)|NOT\b)|(?P<and>AND\b)|(?P<or>OR\b)
    |(?:(?P<field>[A-Za-z_][\w.]*)\s*:(?P<op><=|>=|<|>|)\s*)?
     (?P<value>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\s()]+))""",
    re.VERBOSE,
)
WORDS = re.compile(r"[A-Za-z0-9]+")
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
# from this version on ">" leaves out the whole second that is named
EXCLUSIVE_SINCE = "2026-10"


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter name: kind is time, number, id, bool, text (whole, any case), words (tokenised) or many (any of a list)."""

    kind: str
    value: Callable[[Any], Any]


@dataclass(slots=True)
class Search:
    """A query understood: a test for rows, time windows per filter, and warnings about what was ignored."""

    matches: Test = field(default=lambda row: True)
    low: dict[str, datetime] = field(default_factory=dict)
    high: dict[str, datetime] = field(default_factory=dict)
    # nothing but time windows joined by AND
    only_windows: bool = True
    warnings: list[dict[str, str]] = field(default_factory=list)


def understand(query: str | None, filters: Mapping[str, Filter], version: str) -> Search:
    """Compile a query; raises ValueError when its brackets do not fit."""
    if not query or not query.strip():
        return Search()
    parser = _Parser(query, filters, version)
    return parser.parse()


class _Parser:
    def __init__(self, query: str, filters: Mapping[str, Filter], version: str) -> None:
        self._tokens = list(TOKEN.finditer(query.strip()))
        self._at = 0
        self._filters, self._version = filters, version
        self._found = Search()

    def parse(self) -> Search:
        test = self._either(top=True)
        if self._at < len(self._tokens):
            raise ValueError("Unbalanced brackets in the search query.")
        self._found.matches = test
        return self._found

    def _peek(self) -> str | None:
        return self._tokens[self._at].lastgroup if self._at < len(self._tokens) else None

    def _either(self, *, top: bool = False) -> Test:
        before = dict(self._found.low), dict(self._found.high)
        tests = [self._all(top=top)]
        while self._peek() == "or":
            self._at += 1
            tests.append(self._all(top=False))
        if len(tests) == 1:
            return tests[0]
        self._found.low, self._found.high = before
        self._found.only_windows = False
        return lambda row: any(test(row) for test in tests)

    def _all(self, *, top: bool) -> Test:
        tests = []
        while self._peek() not in (None, "or", "close"):
            if self._peek() == "and":
                self._at += 1
                continue
            tests.append(self._one(top=top))
        if not tests:
            return lambda row: True
        return tests[0] if len(tests) == 1 else lambda row: all(test(row) for test in tests)

    def _one(self, *, top: bool) -> Test:
        token = self._tokens[self._at]
        self._at += 1
        match token.lastgroup:
            case "not":
                self._found.only_windows = False
                test = self._one(top=False)
                return lambda row: not test(row)
            case "open":
                test = self._either(top=top)
                if self._peek() != "close":
                    raise ValueError("Unbalanced brackets in the search query.")
                self._at += 1
                return test
            case "close":
                raise ValueError("Unbalanced brackets in the search query.")
        return self._term(token, top=top)

    def _term(self, token: re.Match[str], *, top: bool) -> Test:
        name, op, raw = token["field"], token["op"] or "", token["value"]
        value = re.sub(r"\\(.)", r"\1", raw[1:-1]) if raw[0] in "'\"" else raw
        chosen = self._filters.get(name or "default")
        if chosen is None:
            return self._ignored(name or value, "Invalid search field for this query.", "invalid_field")
        if chosen.kind != "time":
            self._found.only_windows = False
        if raw[0] not in "'\"" and ":" in value and chosen.kind == "time":
            return self._ignored(name, f"Input `{value}` is not an accepted value: quote times.", "invalid_value")
        try:
            if chosen.kind == "time":
                return self._time(name, op, value, chosen, top=top)
            return _TESTS[chosen.kind](chosen.value, op, value)
        except (ValueError, InvalidOperation):
            return self._ignored(name, f"Input `{value}` is not an accepted value.", "invalid_value")

    def _time(self, name: str, op: str, value: str, chosen: Filter, *, top: bool) -> Test:
        moment = parse_time(value)
        if moment is None:
            raise ValueError(value)
        whole = DAY if "T" not in value and " " not in value else SECOND
        inside = not op or (op == ">" and self._version < EXCLUSIVE_SINCE)
        low = {">": moment if inside else moment + whole, ">=": moment, "": moment}.get(op)
        high = {"<": moment, "<=": moment + whole, "": moment + whole}.get(op)
        if top:
            if low is not None:
                self._found.low[name] = max(low, self._found.low.get(name, low))
            if high is not None:
                self._found.high[name] = min(high, self._found.high.get(name, high))
        read = chosen.value

        def test(row: Any) -> bool:
            at = read(row)
            return at is not None and (low is None or at >= low) and (high is None or at < high)

        return test

    def _ignored(self, name: str, message: str, code: str) -> Test:
        self._found.warnings.append({"field": name, "message": message, "code": code})
        self._found.only_windows = False
        return lambda row: True


def _number(read: Callable[[Any], Any], op: str, value: str) -> Test:
    wanted = Decimal(value)
    compare = {"": lambda a: a == wanted, ">": lambda a: a > wanted, ">=": lambda a: a >= wanted, "<": lambda a: a < wanted,
               "<=": lambda a: a <= wanted}[op]  # fmt: skip
    return lambda row: compare(Decimal(read(row) or 0))


def _id(read: Callable[[Any], Any], op: str, value: str) -> Test:
    number = number_of(value)
    if number is None:
        raise ValueError(value)
    return _number(read, op, str(number))


def _bool(read: Callable[[Any], Any], op: str, value: str) -> Test:
    if value.lower() not in ("true", "false"):
        raise ValueError(value)
    return lambda row: bool(read(row)) is (value.lower() == "true")


def _text(read: Callable[[Any], Any], op: str, value: str) -> Test:
    wanted = value.lower()
    if wanted == "*":
        return lambda row: bool(read(row))
    if wanted.endswith("*"):
        return lambda row: (read(row) or "").lower().startswith(wanted[:-1])
    return lambda row: (read(row) or "").lower() == wanted


def _words(read: Callable[[Any], Any], op: str, value: str) -> Test:
    wanted = {word.lower() for word in WORDS.findall(value)}
    return lambda row: wanted <= {word.lower() for text in _listed(read(row)) for word in WORDS.findall(text)}


def _many(read: Callable[[Any], Any], op: str, value: str) -> Test:
    wanted = value.lower()
    return lambda row: any(item.lower() == wanted for item in _listed(read(row)))


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


_TESTS: dict[str, Callable[[Callable[[Any], Any], str, str], Test]] = {
    "number": _number,
    "id": _id,
    "bool": _bool,
    "text": _text,
    "words": _words,
    "many": _many,
}
