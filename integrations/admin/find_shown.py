"""What was found, as lines of the search: a title, what it is, how far it is, and the page that tells its story."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from integrations import words
from integrations.admin.summaries import headline, person
from integrations.engine.find import CONTACT, PERSON, SKU, Found, Hit, Thing
from integrations.models import Delivery, InboxEvent, SyncException
from mapping.records import RecordType

ICONS = {
    PERSON: "person", CONTACT: "person", RecordType.CUSTOMER: "person", RecordType.ORDER: "receipt_long", SKU: "barcode",
    RecordType.VARIANT: "barcode", RecordType.PRODUCT: "sell", "delivery": "outbox", "inbox": "inbox", "question": "help",
    RecordType.CHECKOUT: "shopping_cart", RecordType.EVENT: "bolt", RecordType.CONSENT: "how_to_reg",
}  # fmt: skip
NAMES = {
    PERSON: "Person", CONTACT: "Person", RecordType.CUSTOMER: "Person", SKU: "SKU", RecordType.VARIANT: "Variant",
    RecordType.ORDER: "Order", RecordType.PRODUCT: "Product", RecordType.CHECKOUT: "Checkout", RecordType.EVENT: "Event",
    RecordType.FIGURES: "Figures", RecordType.CONSENT: "Consent",
}  # fmt: skip
STORIES = ("People", "Orders", "SKUs", "Products")  # groups whose hits have a page of their own here
Badge = tuple[str, str]  # words and tone


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One hit: where it leads, what it says, and badges of its places."""

    url: str
    icon: str
    title: str
    under: str = ""
    badges: tuple[Badge, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Hits of one kind under their heading."""

    title: str
    lines: tuple[Line, ...]


def trace_url(thing: Thing) -> str:
    """The page of a thing's story."""
    return reverse("admin:find_trace", args=[thing.kind, thing.connection_id, thing.key or "-"])


def groups(found: Found, *, personal: bool) -> list[Group]:
    """What was found, people first, each group with its lines; empty groups are left out."""
    made = [
        Group("People", tuple(thing_line(hit, personal=personal) for hit in found.people)),
        Group("Orders", tuple(thing_line(hit, personal=personal) for hit in found.orders)),
        Group("SKUs", tuple(thing_line(hit, personal=personal) for hit in found.skus)),
        Group("Products", tuple(thing_line(hit, personal=personal) for hit in found.products)),
        Group("Questions", tuple(question_line(row) for row in found.questions)),
        Group("Deliveries", tuple(delivery_line(row, personal=personal) for row in found.deliveries)),
        Group("Messages", tuple(event_line(row) for row in found.events)),
    ]
    return [group for group in made if group.lines]


def thing_line(hit: Hit, *, personal: bool) -> Line:
    """A thing with a story: masked unless the reader may see personal data."""
    return Line(
        url=trace_url(hit.thing), icon=ICONS[hit.thing.kind], title=thing_title(hit.thing, hit.record_type, hit.record, personal=personal),
        under=", ".join((hit.source, *hit.also_at)) if hit.source else "", badges=_badges(hit),
    )  # fmt: skip


def thing_title(thing: Thing, record_type: str, record: Mapping[str, Any] | None, *, personal: bool) -> str:
    """What a thing is called: its record in one line, or its kind and key when no flow carries it."""
    if not record:
        return f"{NAMES.get(thing.kind, thing.kind.capitalize())} {thing.key}"
    if thing.kind == CONTACT:
        return person(record, personal)
    if thing.kind == SKU:
        title = " · ".join(str(part) for part in (record.get("product_title"), record.get("title")) if part)
        return f"{thing.key} · {title}" if title else f"SKU {thing.key}"
    return headline(record_type, record, personal=personal) or f"{NAMES.get(thing.kind, thing.kind)} {thing.key}"


def _badges(hit: Hit) -> tuple[Badge, ...]:
    """How far it is: one badge when all places agree, else one per destination."""
    if hit.thing.kind == CONTACT:
        return (("Known there only", "info"),)
    if not hit.places:
        return (("No flow carries it", "quiet"),)
    labels = {place.state: place.label for place in hit.places}
    return tuple((label, words.TONES.get(state, "quiet")) for state, label in labels.items())[:3]


def delivery_line(row: Delivery, *, personal: bool) -> Line:
    """A delivery: of a passing thing, or one whose try had that request id."""
    return Line(
        url=reverse("admin:integrations_delivery_change", args=[row.pk]), icon=ICONS.get(row.flow.record_type, "outbox"),
        title=headline(row.flow.record_type, row.record, personal=personal) or row.record_key,
        under=f"{row.flow.source} → {row.flow.destination} · {row.record_key}",
        badges=((row.get_state_display(), words.TONES.get(row.state, "quiet")),),
    )  # fmt: skip


def event_line(row: InboxEvent) -> Line:
    """A message as it came."""
    return Line(
        url=reverse("admin:integrations_inboxevent_change", args=[row.pk]), icon="inbox", title=f"{row.topic} {row.object_key}".strip(),
        under=f"{row.connection} · {words.age(row.received_at)}",
        badges=((row.get_state_display(), words.TONES.get(row.state, "quiet")),),
    )  # fmt: skip


def question_line(row: SyncException) -> Line:
    """A question about exactly this."""
    return Line(
        url=reverse("admin:integrations_syncexception_change", args=[row.pk]), icon="help", title=row.title,
        under=f"{row.get_kind_display()} · {row.flow or row.connection}",
        badges=((row.get_state_display(), words.TONES.get(row.state, "quiet")),),
    )  # fmt: skip


def only_line(shown: Sequence[Group]) -> Line | None:
    """Where a search leads at once: the only hit, or the only one that has a story; its messages and questions are told there, too."""
    stories = [line for group in shown if group.title in STORIES for line in group.lines]
    lines = stories or [line for group in shown for line in group.lines]
    return lines[0] if len(lines) == 1 else None


def count(shown: Sequence[Group]) -> int:
    """How many lines there are."""
    return sum(len(group.lines) for group in shown)


LINKS: Mapping[str, Callable[[object], str]] = {
    "integrations_inboxevent_changelist": lambda pk: f"{reverse('admin:integrations_inboxevent_changelist')}?connection={pk}&state=failed",
}


def link_url(link: tuple[str, object] | None) -> str:
    """The address of a link that the engine names; empty for none."""
    if link is None:
        return ""
    name, argument = link
    return LINKS[name](argument) if name in LINKS else reverse(f"admin:{name}", args=[argument])
