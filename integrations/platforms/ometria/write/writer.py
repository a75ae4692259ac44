"""The writer that the engine talks to: check, send, confirm, find and read back for one record type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from integrations.platforms.base import Candidate, Item, JsonObject, Outcome, OutcomeState, PeoplePage, Problem, Sent
from integrations.platforms.ometria import check as checks
from integrations.platforms.ometria import keys
from integrations.platforms.ometria.client import MAX_ITEMS, OmetriaClient
from integrations.platforms.ometria.outgoing import outgoing
from integrations.platforms.ometria.schema import KINDS
from integrations.platforms.ometria.write.confirm import confirm_receipt
from integrations.platforms.ometria.write.look import read_one
from integrations.platforms.ometria.write.people import all_profiles, find_profiles
from integrations.platforms.ometria.write.profiles import without_profile
from integrations.platforms.ometria.write.push import Row, push_rows
from mapping.records import Record, RecordType

NEXT_BATCH = 1.0  # seconds until a record may follow another one with the same id


@dataclass(frozen=True, slots=True)
class OmetriaWriter:
    """Writes one record type by keyed upserts, so sending the same record again is safe."""

    record_type: RecordType
    batch_size: int = MAX_ITEMS
    exclusive: bool = False

    @property
    def kind(self) -> str:
        """Ometria's name of the record type: contact, order, product or custom_event."""
        return KINDS[self.record_type]

    def check(self, payload: JsonObject) -> Sequence[Problem]:
        """Everything wrong with a payload by Ometria's documented limits; empty when it may be sent."""
        return checks.check(self.record_type, payload)

    def destination_key(self, payload: JsonObject) -> str:
        """`collection:id` for contacts, `type:id` for custom events, the id for all else."""
        return keys.destination_key(self.kind, payload)

    def send(self, client: OmetriaClient, items: Sequence[Item]) -> Sequence[Outcome]:
        """One push of at most 100 records; items that share an id go one after the other, oldest first."""
        rows: dict[str, Row] = {}
        waiting = without_profile(client, items) if self.kind == "custom_event" else []
        nobodys = {outcome.key for outcome in waiting}
        for item in sorted((item for item in items if item.key not in nobodys), key=lambda item: item.record.occurred_at):
            key = self.destination_key(item.payload)
            if key in rows or len(rows) == self.batch_size:
                later = Outcome(key=item.key, state=OutcomeState.LATER, destination_key=key, code="next_batch", resume_in=NEXT_BATCH)
                waiting.append(later)
            else:
                rows[key] = Row(item.key, key, outgoing(self.kind, item.payload, client.options))
        return [*push_rows(client, list(rows.values())), *waiting] if rows else waiting

    def confirm(self, client: OmetriaClient, receipt: str, items: Sequence[Sent], age: float) -> Sequence[Outcome] | None:
        """Refused for records in the error list, delivered for those seen stored or past the grace without an error."""
        sent = [Sent(*item) for item in items]
        shaped = [item._replace(payload=outgoing(self.kind, item.payload, client.options) if item.payload else None) for item in sent]
        return confirm_receipt(client, self.kind, receipt, shaped, age=age) or None

    def find(self, client: OmetriaClient, records: Sequence[Record]) -> Mapping[str, Sequence[Candidate]]:
        """Profiles that own a customer's e-mail address, by record key; empty for record types that are not people."""
        return find_profiles(client, records) if self.record_type is RecordType.CUSTOMER else {}

    def people(self, client: OmetriaClient, since: datetime | None, cursor: str | None) -> PeoplePage | None:
        """Profiles that changed since then, page by page; None for record types that are not people."""
        return all_profiles(client, since, cursor) if self.record_type is RecordType.CUSTOMER else None

    def read_back(self, client: OmetriaClient, destination_key: str) -> JsonObject | None:
        """The object as Ometria holds it now, None when it has none."""
        return read_one(client, self.kind, destination_key)
