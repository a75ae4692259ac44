"""What articles show beside their words whoever reads them: the kinds of exceptions, the platforms and their settings, the steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from integrations.admin.manual.remedies import REMEDIES
from integrations.models.kinds import KINDS, ORIGIN_LABELS, Origin
from integrations.platforms.base import Platform
from integrations.platforms.registry import PLATFORMS
from mapping.transforms import TRANSFORMS


def remedies() -> dict[str, Any]:
    """Every kind of exception under the place where it begins."""
    return {
        "origins": [
            (ORIGIN_LABELS[origin], [(kind, REMEDIES[kind.slug]) for kind in KINDS.values() if kind.origin is origin]) for origin in Origin
        ]
    }


def platforms() -> dict[str, Any]:
    """Every platform with its settings and secrets as its form shows them."""
    return {"platforms": [(platform, f"manual/platforms/{platform.slug}.html", _paces(platform)) for platform in PLATFORMS.values()]}


def _paces(platform: Platform) -> list[tuple[str, str]]:
    """What is read from the platform by itself, and how often."""
    return [(reader.label.partition(" (")[0], _every(reader.every_minutes)) for reader in platform.readers.values()]


def _every(minutes: int) -> str:
    return "once a day" if minutes >= 1440 else f"every {minutes} minutes"


def transforms() -> dict[str, Any]:
    """The steps a rule may take, with what their argument means."""
    return {"transforms": list(TRANSFORMS.values())}


STANDING: dict[str, Callable[[], dict[str, Any]]] = {"exceptions": remedies, "connections": platforms, "mappings": transforms}


def standing(slug: str) -> dict[str, Any]:
    """What the article shows to everybody; nothing for most."""
    return STANDING[slug]() if slug in STANDING else {}
