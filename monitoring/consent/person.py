"""One person's consents for the page: the answer per channel, the chain of statements, and what each platform holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from integrations.engine.consent import CHANNELS, Judged, Standing, sides
from integrations.engine.consent_rows import Handle, handles
from integrations.engine.find_terms import one_way, plain
from integrations.engine.masking import mask_email, mask_phone, masked_text
from integrations.models import Connection, Delivery, Flow, SearchTerm
from mapping import codec
from mapping.consent import Holding, carries
from mapping.models import ConsentStatement
from mapping.records import ConsentChange, ConsentState, Customer, RecordType
from monitoring.consent.judge import CARRYING, is_under_way, receivers, standings_of
from monitoring.models import StaleConsent

MOST = 6  # addresses and numbers on one page
RECORDS = 20  # of one address that are followed to the person's others
ANSWERS = {
    ConsentState.GRANTED: ("Mailable", "good"), ConsentState.WITHDRAWN: ("Not mailable", "warn"),
    ConsentState.SUPPRESSED: ("Not mailable: suppressed", "bad"), ConsentState.UNKNOWN: ("Not mailable: nobody ever said", "quiet"),
}  # fmt: skip
STATES = {
    ConsentState.GRANTED: ("Consent", "good"), ConsentState.WITHDRAWN: ("Withdrawal", "warn"),
    ConsentState.SUPPRESSED: ("Suppression", "bad"), ConsentState.UNKNOWN: ("Never asked", "quiet"),
}  # fmt: skip
HELD = {
    ConsentState.GRANTED: "may write", ConsentState.WITHDRAWN: "may not write", ConsentState.SUPPRESSED: "suppressed",
    ConsentState.UNKNOWN: "nothing known",
}  # fmt: skip
WEAK = (
    "What stands has no date of its own or is known from history alone, so it is not brought to others. "
    "A dated act of the person settles it."
)
SILENT = "It never said anything of this person and was told nothing. When it does, it is told what stands."


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A platform: what it holds as last known, whether that agrees with what stands, and the next step in words."""

    name: str
    holds: str
    verdict: str
    tone: str
    since: datetime | None
    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One statement of the chain."""

    said: str
    tone: str
    judged: Judged
    source: str
    policy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One address or number: the answer, the chain newest first, and the platforms."""

    who: str
    channel: str
    answer: str
    tone: str
    why: str
    lines: tuple[Line, ...]
    sides: tuple[Side, ...]
    can_send: bool  # a side that can be told does not agree
    statement_id: int  # of any statement of this handle, 0 without one


def named(handle: Handle, *, personal: bool) -> str:
    """An address or number, masked unless `personal`."""
    channel, value = handle
    return value if personal else mask_phone(value) if channel == "sms" else mask_email(value)


def handles_of_statement(statement: ConsentStatement) -> list[Handle]:
    """The handle of a statement first, then the person's others: of a number only when one person alone uses it."""
    first = (statement.channel, statement.contact_key)
    said = ConsentStatement.objects.filter(contact_key=first[1], channel=first[0], told=False).exclude(record_key="")
    people = list(said.order_by().values_list("connection", "record_key").distinct()[:RECORDS])
    others = handles_of_people(people)
    if first[0] == "sms" and (len({value for channel, value in others if channel == "email"}) > 1 or _is_shared(first[1])):
        return [first]
    return list(dict.fromkeys([first, *others]))[:MOST]


def _is_shared(number: str) -> bool:
    """Whether several customers of one source show this number."""
    known = SearchTerm.objects.filter(kind=SearchTerm.Kind.PHONE, term=one_way(plain(number)), record_type=RecordType.CUSTOMER)
    places = [place for place, _ in known.order_by().values_list("connection", "record_key").distinct()[:RECORDS]]
    return len(set(places)) < len(places)


def handles_of_people(people: Sequence[tuple[int, str]]) -> list[Handle]:
    """Everything these people were heard of by, e-mail first; a person is a connection's id and the key there."""
    if not people:
        return []
    theirs = Q()
    for connection, key in people:
        theirs |= Q(connection=connection, record_key=key)
    found = ConsentStatement.objects.filter(theirs, told=False).order_by().values_list("channel", "contact_key").distinct()
    return sorted(found[: MOST * 2])[:MOST]


def handles_of_record(connection: int, key: str) -> list[Handle]:
    """A customer's handles as its deliveries carry them, for somebody who never said anything."""
    rows = Delivery.objects.filter(flow__source=connection, flow__record_type=RecordType.CUSTOMER, record_key=key)
    row = rows.select_related("flow").defer("sent_payload").first()
    return handles_of_delivery(row) if row else []


def handles_of_delivery(row: Delivery) -> list[Handle]:
    """Whom a delivery of a customer or of a consent is about; empty when its record shows nobody."""
    try:
        record = codec.from_json(row.flow.record_type, row.record)
    except (KeyError, ValueError, TypeError):
        return []
    return handles(record) if isinstance(record, Customer | ConsentChange) else []


def cards(wanted: Iterable[Handle], *, personal: bool) -> list[Card]:
    """What the page shows of these addresses and numbers, in a fixed number of queries."""
    order = list(dict.fromkeys(wanted))[:MOST]
    found = standings_of(order)
    keys = [value for _, value in order]
    rows = ConsentStatement.objects.filter(contact_key__in=keys).values_list("channel", "contact_key", "pk")
    ids = {(channel, key): pk for channel, key, pk in rows}
    asked = StaleConsent.objects.filter(contact_key__in=keys, state=StaleConsent.State.ASKED)
    moving = set(asked.values_list("channel", "contact_key", "connection"))
    places, into, now = _places(), receivers(), timezone.now()
    made = []
    for handle in order:
        standing = found.get(handle)
        if standing is None:
            continue
        moves = {pk for channel, key, pk in moving if (channel, key) == handle}
        shown = [_side(pk, name, standing, into=into, moving=moves, now=now) for pk, name in places.items()]
        made.append(_card(handle, standing, shown, personal=personal, statement_id=ids.get(handle, 0)))
    return made


def _card(handle: Handle, standing: Standing, shown: Sequence[tuple[Side, bool]], *, personal: bool, statement_id: int) -> Card:
    answer, tone = ANSWERS[standing.state]
    return Card(
        who=named(handle, personal=personal), channel=CHANNELS[handle[0]], answer=answer, tone=tone, why=standing.why,
        lines=tuple(_line(one, personal=personal) for one in _newest_first(standing.chain)), sides=tuple(side for side, _ in shown),
        can_send=any(can for _, can in shown), statement_id=statement_id,
    )  # fmt: skip


def _newest_first(chain: Sequence[Judged]) -> list[Judged]:
    def when(one: Judged) -> float:
        moment = one.statement.stated_at or one.statement.noted_at
        return moment.timestamp() if moment else 0.0

    return sorted(chain, key=when, reverse=True)


def _line(one: Judged, *, personal: bool) -> Line:
    said, tone = STATES[one.statement.state]
    spoken = (one.statement.source, one.statement.policy)
    source, policy = spoken if personal else (masked_text(spoken[0]), masked_text(spoken[1]))
    return Line(said=f"Told: {said.lower()}" if one.statement.told else said, tone=tone, judged=one, source=source, policy=policy)


def _places() -> dict[int, str]:
    """Every connection that tells or takes consents, by name."""
    taking = Flow.objects.filter(record_type__in=CARRYING, enabled=True).values_list("source", "destination")
    ids = {pk for pair in taking for pk in pair}
    spoke = Connection.objects.filter(Q(pk__in=ids)).order_by("name")
    return dict(spoke.values_list("pk", "name"))


def _side(pk: int, name: str, standing: Standing, *, into: frozenset[int], moving: set[int], now: datetime) -> tuple[Side, bool]:
    """A platform as the page shows it, and whether sending again can help there."""
    held = sides(standing).get(pk, Holding())
    since = max((one.statement.seen_at for one in standing.chain if one.statement.connection == pk and one.statement.seen_at), default=None)
    verdict, tone, step, can = _verdict(pk, name, standing, held=held, known=since is not None, into=into, moving=moving, now=now)
    return Side(name=name, holds=HELD[held.state], verdict=verdict, tone=tone, since=since, step=step), can


def _verdict(
    pk: int, name: str, standing: Standing, *, held: Holding, known: bool, into: frozenset[int], moving: set[int], now: datetime
) -> tuple[str, str, str, bool]:
    """Verdict, tone, next step, and whether sending again can help."""
    winner = standing.winner
    if winner is None:
        return "Nothing to hold", "quiet", "", False
    if held.agrees(winner):
        return "Agrees", "good", "", False
    if not known:
        return "Not told", "quiet", SILENT, False
    if not carries(winner):
        return "Differs", "quiet", WEAK, False
    if pk in moving:
        return "Being sent again", "info", "It was sent again; this is looked at every minute.", False
    if pk not in into:
        return "Does not agree", "bad", f"No flow that is on brings consents to {name}. Switch one on, or set it there by hand.", False
    if is_under_way(standing, now):
        return "On its way", "info", "The statement is only some minutes old. Look again shortly.", True
    doubt = held.state is winner.state or not held.sure
    step = "It was told, and nobody knows whether it arrived. Send it again." if doubt else "Send again what stands."
    return "Does not agree", "bad", step, True
