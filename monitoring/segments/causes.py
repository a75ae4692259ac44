"""Why people are, or are no longer, in a segment by our own records: each cause is a set of rows that is counted and listed alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum

from integrations.models import Delivery, Flow, Hold
from mapping.models import ValueCrosswalk
from mapping.records import RecordType
from monitoring.models import ContactFact, OrderFact, Segment
from monitoring.segments.rule import Rule

State = Delivery.State
DEAD = ("cancelled", "refunded", "removed")  # where no value table of the flow says which statuses do not count
QUESTIONS = 5  # that are named per cause
KEPT = 1000  # deliveries per cause that its list shows
Rows = QuerySet[OrderFact] | QuerySet[ContactFact]


@dataclass(frozen=True, slots=True)
class Scope:
    """A segment's rule at one moment, and the moment it is compared with."""

    rule: Rule
    orders: tuple[int, ...]  # flows of orders from the rule's sources to the segment's platform
    contacts: tuple[int, ...]  # all flows of contacts to that platform
    dead: tuple[tuple[int, tuple[str, ...]], ...]  # flow → statuses that do not count
    now: datetime
    since: datetime
    refreshed_at: datetime | None = None

    @property
    def begins(self) -> datetime:
        """The oldest order that the rule still looks at."""
        return self.now - timedelta(days=self.rule.days)

    @property
    def began(self) -> datetime:
        """The oldest order that it looked at then."""
        return self.since - timedelta(days=self.rule.days)


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason in plain words, with what to do about it; `rows` are the records that it is about."""

    label: str
    text: str
    rows: Callable[[Scope], Rows]
    away: bool = True  # whether it takes people out of the segment


@dataclass(frozen=True, slots=True)
class Tally:
    """How many people and records one cause is about."""

    people: int
    rows: int


def scope_of(segment: Segment, now: datetime, since: datetime | None = None) -> Scope | None:
    """What a segment's rule looks at; None for a segment without a rule."""
    rule = Rule.of(segment.rule)
    if rule is None:
        return None
    flows = Flow.objects.filter(destination=segment.connection_id).select_related("source")
    orders = [flow for flow in flows if flow.record_type == RecordType.ORDER and rule.covers(flow.source)]
    contacts = tuple(flow.pk for flow in flows if flow.record_type == RecordType.CUSTOMER)
    names = {flow.pk: f"{flow.source.platform}_{segment.connection.platform}_order_valid" for flow in orders}
    dead = _dead_words(set(names.values()))
    return Scope(
        rule, tuple(flow.pk for flow in orders), contacts, tuple((pk, dead.get(name, DEAD)) for pk, name in names.items()),
        now, since or now, segment.refreshed_at,
    )  # fmt: skip


def _dead_words(names: set[str]) -> dict[str, tuple[str, ...]]:
    """Value table → statuses that it says do not count in revenue, an order that was deleted among them."""
    found: dict[str, list[str]] = {}
    for name, word, target in ValueCrosswalk.objects.filter(name__in=names).values_list("name", "source_value", "target_value"):
        found.setdefault(name, ["removed"])
        if str(target).strip().lower() in ("false", "no", "0"):
            found[name].append(word)
    return {name: tuple(words) for name, words in found.items()}


# --- people of the rule ---------------------------------------------------------------------------------------------------


def placed(scope: Scope, begins: datetime | None = None, ends: datetime | None = None) -> QuerySet[OrderFact]:
    """Orders of the rule's sources and products in the window, whatever became of them."""
    span = {"placed_at__gte": begins or scope.begins, "placed_at__lt": ends or scope.now}
    rows = OrderFact.objects.filter(flow_id__in=scope.orders, **span)
    if scope.rule.skus:
        rows = rows.filter(skus__has_any_keys=list(scope.rule.skus))
    return rows.filter(currency=scope.rule.currency) if scope.rule.min_value else rows


def counting(scope: Scope, begins: datetime | None = None, ends: datetime | None = None) -> QuerySet[OrderFact]:
    """Those that count: not cancelled, not refunded in full, by the value table of their flow."""
    return placed(scope, begins, ends).exclude(_gone(scope))


def members(scope: Scope) -> QuerySet[OrderFact]:
    """One row {person, spent} per person who should be in the segment."""
    people = _consenting(scope, counting(scope)).order_by().values("person").annotate(spent=Sum("net"))
    return people.filter(spent__gte=scope.rule.min_value) if scope.rule.min_value else people


def expected_size(scope: Scope) -> int:
    """How many people should be in the segment."""
    if scope.rule.min_value:
        return members(scope).count()
    return _consenting(scope, counting(scope)).aggregate(people=Count("person", distinct=True))["people"]


def _gone(scope: Scope) -> Q:
    gone = Q(pk__in=[])
    for flow_id, words in scope.dead:
        gone |= Q(flow_id=flow_id, status__in=words)
    return gone


def _consenting(scope: Scope, rows: QuerySet[OrderFact]) -> QuerySet[OrderFact]:
    if not scope.rule.consent:
        return rows
    said = ContactFact.objects.filter(person=OuterRef("person"), flow_id__in=scope.contacts)
    return rows.filter(Exists(said.filter(consent="granted"))).exclude(Exists(said.filter(consent="withdrawn")))


def _nowhere_else(scope: Scope, rows: QuerySet[OrderFact]) -> QuerySet[OrderFact]:
    """Only orders of people none of whose other orders of the window is delivered."""
    return rows.exclude(Exists(counting(scope).filter(person=OuterRef("person"), state=State.DELIVERED)))


# --- causes of what is missing now ------------------------------------------------------------------------------------------


def _standing(*states: str) -> Callable[[Scope], Rows]:
    return lambda scope: _nowhere_else(scope, _consenting(scope, counting(scope)).filter(state__in=states))


def _unsaid(scope: Scope) -> Rows:
    said = ContactFact.objects.filter(person=OuterRef("person"), flow_id__in=scope.contacts)
    never = ~Exists(said.filter(consent="granted")) | Q(Exists(said.filter(consent="withdrawn")))
    return counting(scope).filter(never) if scope.rule.consent else OrderFact.objects.none()


def _contact_failed(scope: Scope) -> Rows:
    theirs = ContactFact.objects.filter(person=OuterRef("person"), flow_id__in=scope.contacts)
    return counting(scope).filter(Exists(theirs.filter(state=State.BLOCKED))).exclude(Exists(theirs.filter(state=State.DELIVERED)))


def _too_new(scope: Scope) -> Rows:
    if scope.refreshed_at is None:
        return OrderFact.objects.none()
    rows = _consenting(scope, counting(scope)).filter(state=State.DELIVERED)
    before = counting(scope).filter(person=OuterRef("person"), delivered_at__lte=scope.refreshed_at)
    return rows.filter(delivered_at__gt=scope.refreshed_at).exclude(Exists(before))


MISSING: dict[str, Cause] = {
    "held": Cause("Orders are held", "They wait for an answer; once it is given they go out by themselves.", _standing(State.BLOCKED)),
    "on_the_way": Cause("Orders are on their way", "They go out by themselves.", _standing(State.READY, State.SENDING)),
    "unconfirmed": Cause("Sent and not confirmed yet", "Ometria took them and has not said that they are good.", _standing(State.ACCEPTED)),
    "skipped": Cause("Not sent on purpose", "A rule or a person decided that these orders are not sent.", _standing(State.SKIPPED)),
    "contact_failed": Cause("Contacts are held", "Their orders are there, the people are not: answer what their contacts wait for.",
                            _contact_failed),
    "too_new": Cause("Ordered since Ometria's last refresh", "Ometria counts them when it refreshes the segment the next time.", _too_new),
    "cancelled": Cause("Cancelled or refunded", "These orders of the window do not count any more.",
                       lambda scope: placed(scope).filter(_gone(scope)), away=False),
    "no_consent": Cause("Consent is lacking", "They ordered, and said no or were never asked; the rule leaves them out.",
                        _unsaid, away=False),
}  # fmt: skip


# --- causes of what changed since then --------------------------------------------------------------------------------------


def _left_the_window(scope: Scope) -> Rows:
    later = counting(scope).filter(person=OuterRef("person"))
    return counting(scope, scope.began, scope.begins).exclude(Exists(later))


def _newly_cancelled(scope: Scope) -> Rows:
    return placed(scope).filter(_gone(scope), status_since__gt=scope.since, placed_at__lt=scope.since)


def _newly_held(scope: Scope) -> Rows:
    return _nowhere_else(scope, counting(scope).filter(state=State.BLOCKED, state_since__gt=scope.since))


def _of_buyers(scope: Scope, rows: QuerySet[ContactFact]) -> QuerySet[ContactFact]:
    return rows.filter(Exists(counting(scope).filter(person=OuterRef("person"))))


def _unsubscribed(scope: Scope) -> Rows:
    rows = ContactFact.objects.filter(flow_id__in=scope.contacts, consent="withdrawn", consent_since__gt=scope.since)
    return _of_buyers(scope, rows)


def _newly_failed(scope: Scope) -> Rows:
    rows = ContactFact.objects.filter(flow_id__in=scope.contacts, state=State.BLOCKED, state_since__gt=scope.since)
    return _of_buyers(scope, rows)


def _joined(scope: Scope) -> Rows:
    before = counting(scope, scope.began, scope.since).filter(person=OuterRef("person"))
    return _consenting(scope, counting(scope, scope.since)).exclude(Exists(before))


CHANGED: dict[str, Cause] = {
    "left_window": Cause("Their order is too old now", "The last order left the time that the rule looks at.", _left_the_window),
    "newly_cancelled": Cause("Cancelled or refunded since", "Their orders do not count any more.", _newly_cancelled),
    "newly_held": Cause("Held since", "Orders that were held since wait for an answer and are not at Ometria.", _newly_held),
    "unsubscribed": Cause("Withdrew consent since", "They said no to e-mail.", _unsubscribed),
    "newly_failed": Cause("Contact sync failed since", "Their contact is held, so Ometria does not know them as the shop does.",
                          _newly_failed),
    "joined": Cause("Came in", "They ordered for the first time in this window.", _joined, away=False),
}  # fmt: skip
CAUSES = MISSING | CHANGED


def tally(rows: Rows) -> Tally:
    """How many people and records a cause is about."""
    found = rows.order_by().aggregate(people=Count("person", distinct=True), rows=Count("pk"))
    return Tally(found["people"], found["rows"])


def newest(rows: Rows) -> list[int]:
    """The newest deliveries that a cause is about, at most as many as its list shows."""
    return list(rows.order_by("-pk").values_list("delivery", flat=True)[:KEPT])


def questions(rows: Rows) -> list[tuple[int, str, int]]:
    """The exceptions that most of these deliveries wait for: id, title, how many."""
    held = Hold.objects.filter(delivery__in=rows.order_by().values("delivery")).values_list("exception", "exception__title")
    return list(held.annotate(number=Count("pk")).order_by("-number", F("exception").asc())[:QUESTIONS])
