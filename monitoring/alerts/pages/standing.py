"""What stands above every list of alerts: when somebody looked, how much is wrong, whether anybody is told, and the ways on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from integrations.words import badge
from monitoring.alerts.access import EDIT, seen_by
from monitoring.bounded import PEEK
from monitoring.models import AlertRound, AlertState, AlertTarget

LATE = timedelta(minutes=4)
TONES = {"urgent": "bad", "warning": "warn", "notice": "info"}
VIEWS = (
    ("alertstate_changelist", "What is wrong", "monitoring.view_alertstate"),
    ("alertevent_changelist", "History", "monitoring.view_alertevent"),
    ("alertstate_who", "Who gets what", "monitoring.view_alertstate"),
    ("alerttarget_changelist", "Targets", "monitoring.view_alerttarget"),
)


def ways(request: HttpRequest, current: str) -> dict[str, Any]:
    """The pages of alerts that this person may open."""
    open_ones = [(f"admin:monitoring_{name}", label) for name, label, permission in VIEWS if request.user.has_perm(permission)]
    return {"ways": [(reverse(name), label, name.endswith(current)) for name, label in open_ones]}


def standing(request: HttpRequest) -> dict[str, Any]:
    """How much is wrong for this person, and when somebody looked; four queries."""
    looked = AlertRound.objects.values_list("looked_at", flat=True).first()
    wrong = list(seen_by(request.user, AlertState.objects.filter(wrong=True)).values_list("severity", flat=True)[: PEEK + 1])
    return {
        "looked_at": looked,
        "late": looked is None or timezone.now() - looked > LATE,
        "wrong": len(wrong),
        "urgent": wrong.count("urgent"),
        "nobody": not AlertTarget.objects.filter(state=AlertTarget.State.ACTIVE).exists(),
        "may_add": request.user.has_perm(EDIT),
        "standing_url": reverse("admin:monitoring_alertstate_standing"),
    }


def severity_badge(row: Any) -> Any:
    """The severity of a state or an event as a word with its tone."""
    return badge(row.get_severity_display(), TONES.get(row.severity, "quiet"))
