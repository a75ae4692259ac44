"""Writers of every record type that Ometria takes; all of them push, confirm and read back in the same way."""

from collections.abc import Mapping

from integrations.platforms.ometria.schema import KINDS
from integrations.platforms.ometria.write.writer import OmetriaWriter
from mapping.records import RecordType

WRITERS: Mapping[RecordType, OmetriaWriter] = {record_type: OmetriaWriter(record_type) for record_type in KINDS}

__all__ = ["WRITERS", "OmetriaWriter"]
