"""What is written to Shopify: what people said about being written to. Everything else there stays the shop's own."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from integrations.platforms.base import Probe, TargetField
from integrations.platforms.shopify.write.consent import CONSENT_TARGETS, ConsentWriter
from mapping.records import RecordType

WRITERS: Mapping[RecordType, ConsentWriter] = {RecordType.CONSENT: ConsentWriter()}
TARGETS: Mapping[RecordType, tuple[TargetField, ...]] = {RecordType.CONSENT: CONSENT_TARGETS}
SCOPES: Mapping[RecordType, str] = {RecordType.CONSENT: "write_customers"}  # access scopes, Admin API
USES: Mapping[RecordType, str] = {RecordType.CONSENT: "bringing consent back"}


def write_problems(probe: Probe, record_types: Collection[RecordType]) -> Sequence[str]:
    """Permissions that are missing for what is to be written, each with its remedy; nothing for what no flow brings."""
    needed = {SCOPES[record_type]: USES[record_type] for record_type in SCOPES if record_type in record_types}
    return tuple(
        f"Missing scope {scope}: {use} will not work. Grant it to the app in Shopify and install it again."
        for scope, use in needed.items()
        if scope not in probe.scopes
    )


__all__ = ["TARGETS", "WRITERS", "write_problems"]
