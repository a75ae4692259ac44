"""The query predicate language: text in, tree out (page "Query Predicates")."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Union

from integrations.standins.commercetools.errors import Refusal, invalid

Value = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Variable:
    """``:name``, to be replaced by ``var.name`` of the query."""

    name: str


Given = Value | Variable


@dataclass(frozen=True, slots=True)
class And:
    """All parts hold."""

    parts: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Or:
    """Any part holds."""

    parts: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: "Node"


@dataclass(frozen=True, slots=True)
class Nested:
    """``field(part)``: the object, or one element of the list, fits."""

    field: str
    part: "Node"


@dataclass(frozen=True, slots=True)
class Compare:
    """``field op value``; ``<>`` has become ``!=``."""

    field: str
    op: str
    value: Given


@dataclass(frozen=True, slots=True)
class Among:
    """``field in (…)``."""

    field: str
    values: tuple[Given, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class Contains:
    """``field contains all|any (…)``."""

    field: str
    every: bool
    values: tuple[Given, ...]


@dataclass(frozen=True, slots=True)
class Presence:
    """``field is [not] defined|empty``."""

    field: str
    what: str
    negated: bool


Node = Union[And, Or, Not, Nested, Compare, Among, Contains, Presence]  # noqa: UP007 - the classes above name it as text

TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<number>-?\d+(?:\.\d+)?)|(?P<op><=|>=|<>|!=|=|<|>)|(?P<mark>[(),])"""
    r"""|:(?P<var>[A-Za-z0-9]+)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|`(?P<quoted>[^`]+)`)"""
)
WORDS = frozenset({"and", "or", "not", "in", "contains", "all", "any", "is", "defined", "empty", "true", "false", "within"})
ESCAPES = re.compile(r"\\(.)")
DEEPEST = 30


def parse(text: str) -> Node:
    """The tree of one predicate; raises Refusal (400 InvalidInput)."""
    return _Parser(text).whole()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


class _Parser:
    def __init__(self, text: str) -> None:
        self._text, self._at, self._depth = text, 0, 0
        self._tokens = self._split()

    def whole(self) -> Node:
        node = self._either()
        if self._peek().kind != "end":
            raise self._refused("end of input")
        return node

    def _split(self) -> list[_Token]:
        found, at = [], 0
        while self._text[at:].strip():
            match = TOKEN.match(self._text, at)
            if match is None or match.lastgroup is None:
                raise invalid(f"Malformed parameter: where: Syntax error while parsing 'where'. Unexpected input at position {at}.")
            found.append(_Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
            at = match.end()
        return [*found, _Token("end", "end of input", len(self._text))]

    def _peek(self, ahead: int = 0) -> _Token:
        return self._tokens[min(self._at + ahead, len(self._tokens) - 1)]

    def _next(self) -> _Token:
        token = self._peek()
        self._at += 1
        return token

    def _is(self, word: str) -> bool:
        token = self._peek()
        return (token.kind == "name" and token.text.lower() == word and word in WORDS) or (token.kind == "mark" and token.text == word)

    def _take(self, word: str) -> bool:
        if self._is(word):
            self._at += 1
            return True
        return False

    def _need(self, word: str) -> None:
        if not self._take(word):
            raise self._refused(f"'{word}'")

    def _refused(self, wanted: str) -> Refusal:
        token = self._peek()
        found = "Unexpected end of input" if token.kind == "end" else f"Invalid input '{token.text}' at position {token.at}"
        return invalid(f"Malformed parameter: where: Syntax error while parsing 'where'. {found}, expected {wanted}.")

    def _either(self) -> Node:
        parts = [self._both()]
        while self._take("or"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _both(self) -> Node:
        parts = [self._single()]
        while self._take("and"):
            parts.append(self._single())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _single(self) -> Node:
        if self._is("not") and self._peek(1).text == "(":
            self._next()
            return Not(self._bracketed())
        if self._is("("):
            return self._bracketed()
        return self._about(self._field())

    def _bracketed(self) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise invalid("Malformed parameter: where: The predicate is nested too deeply.")
        self._need("(")
        node = self._either()
        self._need(")")
        self._depth -= 1
        return node

    def _field(self) -> str:
        token = self._peek()
        if token.kind not in ("name", "quoted") or (token.kind == "name" and token.text.lower() in WORDS):
            raise self._refused("a field")
        return self._next().text

    def _about(self, field: str) -> Node:
        token = self._peek()
        if token.kind == "op":
            op = self._next().text
            return Compare(field, "!=" if op == "<>" else op, self._value())
        if self._is("("):
            return Nested(field, self._bracketed())
        if self._take("in"):
            return Among(field, self._values(), negated=False)
        if self._take("not"):
            self._need("in")
            return Among(field, self._values(), negated=True)
        if self._take("contains"):
            every = self._take("all")
            if not every:
                self._need("any")
            return Contains(field, every, self._values())
        if self._take("is"):
            return self._presence(field)
        raise self._refused("a comparison operator, 'in', 'not in', 'contains', 'is' or '('")

    def _presence(self, field: str) -> Node:
        negated = self._take("not")
        if self._take("defined"):
            return Presence(field, "defined", negated)
        self._need("empty")
        return Presence(field, "empty", negated)

    def _value(self) -> Given:
        token = self._peek()
        if token.kind == "text":
            return ESCAPES.sub(r"\1", self._next().text[1:-1])
        if token.kind == "number":
            text = self._next().text
            return float(text) if "." in text else int(text)
        if token.kind == "var":
            return Variable(self._next().text)
        if self._is("true") or self._is("false"):
            return self._next().text.lower() == "true"
        raise self._refused("a value")

    def _values(self) -> tuple[Given, ...]:
        if self._peek().kind == "var":
            return (Variable(self._next().text),)
        self._need("(")
        values = [self._value()]
        while self._take(","):
            values.append(self._value())
        self._need(")")
        return tuple(values)


def variables_of(query: Sequence[tuple[str, str]]) -> Mapping[str, tuple[str, ...]]:
    """``var.x`` parameters by name, repeated ones together."""
    found: dict[str, tuple[str, ...]] = {}
    for name, value in query:
        if name.startswith("var."):
            found[name[4:]] = (*found.get(name[4:], ()), value)
    return found
