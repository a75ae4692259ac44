"""The form that starts a comparison, and its answer in moments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget

from integrations.admin.flow_forms import DayWindow
from integrations.models import Flow
from monitoring.models import Reconciliation


def _day() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date", "class": "sy-input"}, format="%Y-%m-%d")


class CompareForm(DayWindow):
    """Which flow, which whole days, and what makes a record count."""

    flow = forms.TypedChoiceField(label="Flow", coerce=int, widget=UnfoldAdminSelectWidget())
    since = forms.DateField(label="From", widget=_day())
    until = forms.DateField(label="Up to and including", widget=_day())
    basis = forms.ChoiceField(
        label="Compare records that were", choices=[("changed", "changed in these days"), ("placed", "ordered in these days")],
        widget=UnfoldAdminSelectWidget(), help_text="“Ordered” finds orders that only one end has. Contacts always count by their change.",
    )  # fmt: skip

    def __init__(self, flows: Sequence[Flow], data: Mapping[str, Any] | None = None, initial: Mapping[str, Any] | None = None) -> None:
        today = timezone.localdate()
        super().__init__(data, initial={"since": today - timedelta(days=1), "until": today, "basis": "changed", **(initial or {})})
        self._flows = {flow.pk: flow for flow in flows}
        self.fields["flow"].choices = [(flow.pk, str(flow)) for flow in flows]

    def chosen(self) -> tuple[Flow, datetime, datetime, str]:
        """Flow, beginning of the first day, end of the last day (at most now), and what counts."""
        until = min(_midnight(self.cleaned_data["until"] + timedelta(days=1)), timezone.now())
        basis = Reconciliation.Basis(self.cleaned_data["basis"])
        return self._flows[self.cleaned_data["flow"]], _midnight(self.cleaned_data["since"]), until, basis


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))
