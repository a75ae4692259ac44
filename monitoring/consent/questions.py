"""One question per connection for all the people whose consent it does not hold as it stands; it names nobody."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Count, Q

from integrations.engine.exceptions import close_for_connection, raise_for_connection
from integrations.models import Connection, SyncException
from integrations.words import plural
from monitoring.models import StaleConsent

KIND = "stale_consent"
SUBJECT = "consents"
State = StaleConsent.State


def ask(since: datetime) -> int:
    """Ask about every connection with open rows, counting those found since then, and close where none is left; returns how many."""
    standing = StaleConsent.objects.exclude(state=State.CLOSED).order_by()
    counts = standing.values("connection").annotate(all=Count("pk"), new=Count("pk", filter=Q(found_at__gte=since)))
    found = {row["connection"]: row for row in counts}
    for connection in Connection.objects.filter(pk__in=list(found)):
        number = found[connection.pk]["all"]
        people = plural(number, "person is", "people are")
        raise_for_connection(
            connection, KIND, SUBJECT, f"{connection.name} does not hold the consents that people stated",
            detail=f"{people} held there with another consent than the one that stands.", count=max(found[connection.pk]["new"], 1),
        )  # fmt: skip
    close_settled()
    return len(found)


def close_settled() -> int:
    """Close the questions of connections of which nothing stale is left."""
    asked = SyncException.objects.filter(kind=KIND, flow=None, state=SyncException.State.OPEN).exclude(connection=None)
    behind = set(StaleConsent.objects.exclude(state=State.CLOSED).order_by().values_list("connection", flat=True).distinct())
    gone = Connection.objects.filter(pk__in=asked.values("connection")).exclude(pk__in=behind)
    return sum(close_for_connection(connection, KIND) for connection in gone)
