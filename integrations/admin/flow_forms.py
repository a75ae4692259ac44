"""Forms of flows: settings, new flows between two connections, and a backfill's window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from integrations.admin.connection_forms import ListField
from integrations.flows import FlowSpec
from integrations.models import Connection, Flow
from integrations.platforms.base import Reader
from mapping.crosswalk import PLACEHOLDER_SKU, LineWithoutSku
from mapping.records import RecordType

SKU_GATES = [
    ("off", "Off: send every SKU as it is"),
    ("catalogue", "Catalogue: the SKU must be in the master catalogue or lead to one that is"),
    ("crosswalk", "Crosswalk: the SKU must have a crosswalk row or be known already"),
]
LOOK_UPS = [
    ("live", "For live changes (history is not looked up)"),
    ("always", "Always, history too"),
    ("never", "Never"),
]
WITHOUT_SKU = [
    (LineWithoutSku.HOLD, "Hold the order and ask"),
    (LineWithoutSku.PLACEHOLDER, "Send them under the placeholder"),
    (LineWithoutSku.THROUGH, "Send them under their own title"),
]
FIRST_DAY = timedelta(days=90)


def _day() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date", "class": "sy-input"}, format="%Y-%m-%d")


def _sku_fields(flow: Flow, spec: FlowSpec) -> dict[str, forms.Field]:
    """What must be known of an order line before its order is sent, and who may answer when it is not."""
    kept = flow.settings
    sources = Connection.objects.filter(flows_out__record_type=RecordType.VARIANT).distinct().order_by("name")
    catalogues = [("", "The source's own products, else the first shop's"), *sources.values_list("pk", "name")]
    return {
        "sku_gate": forms.ChoiceField(
            label="SKU gate", choices=SKU_GATES, initial=kept.get("sku_gate", spec.sku_gate), widget=UnfoldAdminSelectWidget(),
            help_text="What an order line's SKU must be before the order is sent. Orders that wait form one exception per SKU.",
        ),
        "catalogue_connection": forms.TypedChoiceField(
            label="Master catalogue", choices=catalogues, coerce=int, empty_value=None, required=False,
            initial=kept.get("catalogue_connection"), widget=UnfoldAdminSelectWidget(),
            help_text="The connection whose products say which SKUs there are.",
        ),
        "line_without_sku": forms.TypedChoiceField(
            label="Lines without a SKU", choices=WITHOUT_SKU, required=False, empty_value=str(LineWithoutSku.HOLD),
            initial=kept.get("line_without_sku", LineWithoutSku.HOLD), widget=UnfoldAdminSelectWidget(),
        ),
        "placeholder_sku": forms.CharField(
            label="Placeholder", required=False, max_length=100, initial=kept.get("placeholder_sku", PLACEHOLDER_SKU),
            widget=UnfoldAdminTextInputWidget(), help_text="The SKU that lines without one are sent with, if they are sent under it.",
        ),
        "sku_affixes": ListField(
            label="Words around SKUs", required=False, max_length=500, initial=kept.get("sku_affixes") or [],
            widget=UnfoldAdminTextInputWidget(),
            help_text="Words that this shop puts before or behind the catalogue's SKU, for example TT for TT-TEE-RED. "
            "They are left away when an unknown SKU is compared with the catalogue. Separate several with commas.",
        ),
        "auto_map_above": forms.IntegerField(
            label="Apply suggestions by themselves from score", required=False, min_value=0, max_value=100,
            initial=kept.get("auto_map_above"), widget=UnfoldAdminIntegerFieldWidget(),
            help_text="Empty or 0: never. What is applied by itself is logged and can be undone on the page of unmapped products.",
        ),
    }  # fmt: skip


class FlowForm(forms.Form):
    """Settings of one flow; only those that its record type knows."""

    def __init__(self, flow: Flow, spec: FlowSpec, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data)
        kept = flow.settings
        self.flow = flow
        self.fields["settle_seconds"] = forms.FloatField(
            label="Settle time in seconds", min_value=0, max_value=3600, initial=kept.get("settle_seconds", spec.settle_seconds),
            widget=UnfoldAdminDecimalFieldWidget(), help_text="Changes of one record within this time travel as one. 0 sends each at once.",
        )  # fmt: skip
        if flow.record_type == "order":
            self.fields |= _sku_fields(flow, spec)
        if flow.record_type == "event":
            self.fields["history_events"] = forms.BooleanField(
                label="Backfills bring events too", required=False, initial=kept.get("history_events", False),
                widget=UnfoldBooleanSwitchWidget(),
                help_text="Off: history brings orders and people, but no event that could set off an automation long after it happened.",
            )  # fmt: skip
        if flow.record_type == "customer":
            self.fields["look_up"] = forms.ChoiceField(
                label="Look up before create", choices=LOOK_UPS, initial=kept.get("look_up", "live"), widget=UnfoldAdminSelectWidget(),
                help_text="Whether the destination is asked for the same person before a contact is created. "
                "When a thousand or more wait, its contacts are read page by page instead, which takes far fewer calls.",
            )  # fmt: skip

    def apply(self) -> None:
        """Write the cleaned settings into the flow and save it."""
        given = {name: value for name, value in self.cleaned_data.items() if value not in (None, "", [])}
        kept = {name: value for name, value in self.flow.settings.items() if name not in self.cleaned_data}
        self.flow.settings = {**kept, **given}
        self.flow.save(update_fields=["settings"])


class DayWindow(forms.Form):
    """Two days, `since` and `until`, that make a window which has begun."""

    def clean(self) -> dict[str, Any]:
        """The window must begin before it ends, and not in the future."""
        cleaned = super().clean()
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and since > timezone.localdate():
            self.add_error("since", "The first day lies in the future.")
        if since and until and until < since:
            self.add_error("until", "The last day is before the first.")
        return cleaned


class BackfillForm(DayWindow):
    """Which history to bring: kinds of object, first and last day (both whole days, UTC)."""

    readers = forms.MultipleChoiceField(label="What to read", widget=UnfoldAdminCheckboxSelectMultipleWidget())
    since = forms.DateField(label="From", widget=_day())
    until = forms.DateField(label="Up to and including", required=False, widget=_day())

    def __init__(self, readers: Sequence[Reader], data: Mapping[str, Any] | None = None, *, record_type: str = "") -> None:
        chosen = [reader.name for reader in readers if not record_type or record_type in reader.record_types]
        super().__init__(data, initial={"readers": chosen, "since": timezone.localdate() - FIRST_DAY})
        self.fields["readers"].choices = [(reader.name, reader.label) for reader in readers]
        self.fields["until"].help_text = "Empty: up to now."

    def window(self) -> tuple[datetime, datetime | None]:
        """The window as moments: from the first day's beginning to the last day's end."""
        until = self.cleaned_data["until"]
        return _midnight(self.cleaned_data["since"]), None if until is None else _midnight(until + timedelta(days=1))


def _midnight(day: Any) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)
