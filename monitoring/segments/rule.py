"""Who should be in a segment by our own records: a small rule of choices that are combined with and."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

from integrations.models import Connection
from integrations.platforms.registry import PLATFORMS
from integrations.words import money, plural

ANY = "any"  # every connection whose orders go there, those that are added later too
OF_PLATFORM = "platform:"  # before a platform's slug: every connection of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """People who ordered at any of `sources` within `days`; empty parts ask for nothing. Value and currency belong together."""

    sources: tuple[str, ...]  # ids of connections, or "platform:<slug>", or "any"
    days: int
    min_value: Decimal | None = None  # net, all orders of the window together
    currency: str = ""
    skus: tuple[str, ...] = ()  # any of them
    consent: bool = False  # consented to e-mail, and withdrew nowhere

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self | None:
        """The rule as a segment keeps it, None when it has none."""
        if not stored:
            return None
        value = stored.get("min_value")
        return cls(
            sources=tuple(stored["sources"]), days=stored["days"], min_value=Decimal(value) if value else None,
            currency=stored.get("currency", ""), skus=tuple(stored.get("skus", ())), consent=bool(stored.get("consent")),
        )  # fmt: skip

    def stored(self) -> dict[str, Any]:
        """The rule as JSON."""
        return {
            "sources": list(self.sources), "days": self.days, "min_value": str(self.min_value) if self.min_value else None,
            "currency": self.currency, "skus": list(self.skus), "consent": self.consent,
        }  # fmt: skip

    def covers(self, source: Connection) -> bool:
        """Whether orders of this connection are looked at."""
        return not {ANY, f"{OF_PLATFORM}{source.platform}", str(source.pk)}.isdisjoint(self.sources)

    def words(self) -> str:
        """The rule as a sentence; one query for the names of its connections."""
        names = source_names(self.sources)
        parts = [f"placed an order at {_listed([names.get(name, 'a connection that is gone') for name in self.sources], 'or')}"]
        if self.skus:
            parts[0] += f" with {_listed(self.skus, 'or')}"
        parts[0] += f" within {plural(self.days, 'day')}"
        if self.min_value:
            parts.append(f"spent at least {money(self.min_value, self.currency)} there in that time")
        if self.consent:
            parts.append("consented to e-mail and did not withdraw")
        return f"Everybody who {' and '.join(parts)}."


def source_names(sources: Sequence[str]) -> dict[str, str]:
    """What the sources of a rule are called."""
    names = {ANY: "any shop"} | {f"{OF_PLATFORM}{slug}": f"any {platform.label}" for slug, platform in PLATFORMS.items()}
    rows = Connection.objects.filter(pk__in=[name for name in sources if name.isdecimal()]).values_list("pk", "name")
    return names | {str(pk): name for pk, name in rows}


def _listed(names: Sequence[str], word: str) -> str:
    """ "A, B or C"; long lists end with how many more there are."""
    shown = [*names[:4], *([f"{len(names) - 4} more"] if len(names) > 4 else [])]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} {word} {shown[-1]}"
