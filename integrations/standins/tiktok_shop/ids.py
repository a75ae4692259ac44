"""Ids as the platform gives them: decimal strings of nineteen digits, which no float can hold."""

from itertools import count

FIRST_IDS = {
    "order": 5764614130387857520,
    "line": 5770865121237551230,
    "sub_item": 5778865121237551230,
    "package": 1153132168123859123,
    "product": 1729582718312380123,
    "sku": 1729382476852921560,
    "buyer": 7021436810468230477,
    "cancel": 4035310290428072345,
    "return": 4041827037794371092,
    "aftersale_line": 4051827037794371093,
    "refund": 4061827037794371097,
    "notification": 7380066284010030890,
    "category": 6012260000000000101,
}


class Ids:
    """Fresh ids by kind of thing."""

    def __init__(self) -> None:
        self._next = {kind: count(first) for kind, first in FIRST_IDS.items()}

    def new(self, kind: str) -> str:
        """The next id of a kind; raises KeyError for a kind that does not exist."""
        return str(next(self._next[kind]))
