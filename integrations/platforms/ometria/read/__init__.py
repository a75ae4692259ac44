"""Ometria as a source: what people said about being written to, pulled and confirmed. Nothing else is read from it."""

from __future__ import annotations

from collections.abc import Mapping

from integrations.platforms.base import Reader
from integrations.platforms.ometria.read.profiles import pull_profiles
from integrations.platforms.ometria.read.unsubscribes import pull_unsubscribes
from mapping.records import RecordType

UNSUBSCRIBES = Reader(
    name="unsubscribes",
    label="Unsubscribes (backfill: by the time they were made)",
    record_types=(RecordType.CONSENT,),
    pull=pull_unsubscribes,
    overlap_seconds=600,
    every_minutes=5,
)
PROFILES = Reader(
    name="profiles",
    label="Profiles: who is subscribed again (backfill: by time of last change)",
    record_types=(RecordType.CONSENT,),
    pull=pull_profiles,
    overlap_seconds=300,
    every_minutes=5,
)
READERS: Mapping[str, Reader] = {reader.name: reader for reader in (UNSUBSCRIBES, PROFILES)}

__all__ = ["READERS"]
