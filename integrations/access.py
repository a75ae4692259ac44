"""Which rows a role may act on, where that is narrower than the permission: the console and the API ask here before they act."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import QuerySet

from integrations.models import Delivery, SyncException
from integrations.models.kinds import KINDS
from mapping.records import RecordType

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

REPLAY = "integrations.change_delivery"
ANSWER = "integrations.change_syncexception"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a narrowed role acts on: deliveries of these record types, and questions that these teams own."""

    record_types: frozenset[str]
    teams: frozenset[str]


NARROWED: dict[str, Scope] = {
    "marketing": Scope(record_types=frozenset({RecordType.CUSTOMER}), teams=frozenset({"marketing"})),
}


def scope_of(user: User | AnonymousUser) -> Scope | None:
    """The scope that narrows this person, None when nothing does: one role that is not narrowed lifts the narrowing of another."""
    if user.is_superuser:
        return None
    if not hasattr(user, "_role_names"):
        user._role_names = frozenset(user.groups.values_list("name", flat=True))
    names = user._role_names
    if not names or not names <= NARROWED.keys():
        return None
    scopes = [NARROWED[name] for name in names]
    return Scope(frozenset().union(*(scope.record_types for scope in scopes)), frozenset().union(*(scope.teams for scope in scopes)))


def replayable(user: User | AnonymousUser, deliveries: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """Those of the deliveries that this person may send again."""
    if not user.has_perm(REPLAY):
        return deliveries.none()
    scope = scope_of(user)
    return deliveries if scope is None else deliveries.filter(flow__record_type__in=scope.record_types)


def answerable(user: User | AnonymousUser, exceptions: QuerySet[SyncException]) -> QuerySet[SyncException]:
    """Those of the exceptions that this person may release, ignore, assign or comment."""
    if not user.has_perm(ANSWER):
        return exceptions.none()
    scope = scope_of(user)
    return exceptions if scope is None else exceptions.filter(kind__in=_kinds_of(scope))


def may_replay(user: User | AnonymousUser, delivery: Delivery) -> bool:
    """Whether this person may send this delivery again."""
    scope = scope_of(user)
    return user.has_perm(REPLAY) and (scope is None or delivery.flow.record_type in scope.record_types)


def may_answer(user: User | AnonymousUser, exception: SyncException) -> bool:
    """Whether this person may settle this exception."""
    scope = scope_of(user)
    return user.has_perm(ANSWER) and (scope is None or exception.kind in _kinds_of(scope))


def _kinds_of(scope: Scope) -> list[str]:
    return [kind.slug for kind in KINDS.values() if kind.team in scope.teams]
