"""Lines of a filler's orders in bulk results: each pattern is rendered once, then only ids, numbers and times are filled in."""

import re
from collections.abc import Callable
from typing import Any

from integrations.standins.shopify.plan import Selection

# a child line, and the lines below it
Children = list[tuple[bytes, list[bytes]]]
Stencil = tuple[bytes, tuple[bytes, ...]]
# what depends on more than the order itself
DIFFERING = {"customerJourneySummary", "metafields"}


def fits(node: Selection, filler: Any) -> bool:
    """Whether a selection asks only what is the same for all orders of a pattern, but for ids, numbers and times."""
    if not hasattr(filler, "blank") or node.fields is None:
        return False
    for one in node.fields:
        if one.name in DIFFERING or one.conditional:
            return False
        if one.name == "customer" and any(inner.name not in ("id", "__typename") for inner in one.child.fields or ()):
            return False
    return True


class Stencils:
    """The patterns of a filler rendered for one bulk query."""

    def __init__(self, filler: Any, render: Callable[[Any], tuple[bytes, Children]]) -> None:
        self._filler, self._render = filler, render
        self._token = re.compile(filler.token_pattern())
        self._cut: dict[int, tuple[Stencil, list[Stencil]]] = {}

    def fill(self, index: int) -> tuple[bytes, Children]:
        """The root line of the order at an index and its child lines."""
        pattern = index % len(self._filler.patterns)
        cut = self._cut.get(pattern)
        if cut is None:
            line, children = self._render(self._filler.blank(self._filler.patterns[pattern]))
            cut = self._cut[pattern] = self._slots(line), [self._slots(text) for child, below in children for text in (child, *below)]
        values = self._filler.tokens(index)
        (root, names), children = cut
        lines: Children = [(text % tuple([values[name] for name in found]), []) for text, found in children]
        return root % tuple([values[name] for name in names]), lines

    def _slots(self, line: bytes) -> Stencil:
        """A line with a slot for every token, and the tokens in order."""
        return self._token.sub(b"%b", line.replace(b"%", b"%%")), tuple(self._token.findall(line))
