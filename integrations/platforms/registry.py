"""Every platform there is, written out."""

from __future__ import annotations

from integrations.platforms.base import Platform

PLATFORMS: dict[str, Platform] = {}
