"""Why contacts are held, in plain words: the reasons of a row with their next steps, and how many rows each reason holds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.urls import reverse

from integrations.admin.flow_numbers import MOST, bounded
from integrations.admin.summaries import headline
from integrations.engine.masking import masked_text
from integrations.models import Delivery, Flow, Hold, SyncException
from integrations.models.kinds import KINDS, ORIGIN_LABELS, Kind
from mapping.records import RecordType

CONTACT_TYPES = (RecordType.CUSTOMER, RecordType.EVENT)  # people, and what people did
UNNAMED = Kind("", "Held", next(iter(ORIGIN_LABELS)), "administrator", "It is held and no question says why.", "Try it again.")


@dataclass(frozen=True, slots=True)
class Step:
    """The button of a reason's next step: what it says and which of a row's addresses it leads to."""

    label: str
    place: str  # question, mapping


STEPS: dict[str, Step] = {
    "ambiguous_contact": Step("Choose the contact", "question"),
    "no_profile": Step("See whose profile is missing", "question"),
    "unmapped_value": Step("Translate the word", "question"),
    "missing_link": Step("See what it waits for", "question"),
    "missing_field": Step("Open the field rules", "mapping"),
    "bad_phone": Step("Open the field rules", "mapping"),
    "bad_email": Step("Open the field rules", "mapping"),
    "bad_value": Step("Open the field rules", "mapping"),
    "invalid_payload": Step("Open the field rules", "mapping"),
    "no_mapping": Step("Publish a mapping", "mapping"),
}


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason why a row is held, in words, with the way out."""

    kind: Kind
    question: SyncException | None
    since: datetime

    @property
    def origin(self) -> str:
        """Where it began."""
        return ORIGIN_LABELS[self.kind.origin]

    @property
    def title(self) -> str:
        """What exactly is asked, without anybody's address in it."""
        return masked_text(self.question.title) if self.question else ""

    @property
    def url(self) -> str:
        """The page of the question."""
        return reverse("admin:integrations_syncexception_change", args=[self.question.pk]) if self.question else ""

    def step(self, flow_id: int) -> tuple[str, str] | None:
        """Label and address of the next step, None when trying again is all there is to do here."""
        step = STEPS.get(self.kind.slug)
        if step is None:
            return None
        places = {"question": self.url, "mapping": f"{reverse('admin:mapping_mappingversion_changelist')}?flow={flow_id}"}
        return step.label, places[step.place]


def reasons(row: Delivery) -> list[Reason]:
    """Why the row is held, its oldest reason first; reads `open_holds` as the list prefetches them."""
    found = [Reason(KINDS.get(hold.exception.kind, UNNAMED), hold.exception, hold.since) for hold in row.open_holds]
    return found or [Reason(UNNAMED, None, row.updated_at)]


def contact_flows() -> list[int]:
    """Flows that carry people or what people did."""
    return list(Flow.objects.filter(record_type__in=CONTACT_TYPES).values_list("pk", flat=True))


def who(row: Delivery) -> str:
    """The person in a few words, masked."""
    return headline(row.flow.record_type, row.record) or row.record_key


def reason_counts() -> list[tuple[str, int]]:
    """Held contacts per kind of reason, the most frequent first, each counted up to MOST + 1; one with two reasons counts for both."""
    flows = contact_flows()
    rows = Hold.objects.filter(exception__flow__in=flows, exception__state=SyncException.State.OPEN)
    each = {f"of_{slug}": bounded(rows.filter(exception__kind=slug)) for slug in KINDS}
    found = Flow.objects.filter(pk__in=flows[:1]).values(**each).first() or {}
    counts = ((name.removeprefix("of_"), number) for name, number in found.items() if number)
    return sorted(counts, key=lambda count: (-count[1], count[0]))


def in_all(counts: Iterable[tuple[str, int]]) -> str:
    """The sum of bounded counts: "12", "1,640+" when one of them was not counted to its end."""
    numbers = [number for _, number in counts]
    return f"{sum(min(number, MOST) for number in numbers):,}{'+' if any(number > MOST for number in numbers) else ''}"


def about_connections(*kinds: str) -> QuerySet[SyncException]:
    """Open questions of these kinds about a whole connection of a contact flow, newest first: none of them holds single contacts."""
    flows = Flow.objects.filter(record_type__in=CONTACT_TYPES).values_list("source", "destination")
    ends = {end for pair in flows for end in pair}
    rows = SyncException.objects.filter(connection__in=ends, flow=None, state=SyncException.State.OPEN)
    return rows.filter(kind__in=kinds).select_related("connection").order_by("-pk")
