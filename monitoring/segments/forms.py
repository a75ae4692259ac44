"""Forms of a watched segment: its thresholds, and the rule that says who should be in it. Everything is chosen, nothing is evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models.fields.json import KT
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldBooleanSwitchWidget,
)

from integrations.models import Connection, Delivery
from mapping.records import RecordType
from monitoring.models import Segment
from monitoring.segments.rule import ANY, OF_PLATFORM, Rule

DAYS = (7, 14, 30, 60, 90, 180, 365)
CURRENCIES = ("GBP", "EUR", "USD", "AUD", "CAD", "CHF", "DKK", "JPY", "NOK", "PLN", "SEK")
MOST_SKUS = 50


class ThresholdForm(forms.Form):
    """From when on a difference is told."""

    median_percent = forms.IntegerField(
        label="Tell when its size differs from the usual by more than (%)", min_value=1, max_value=1000,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="Usual is the middle one of its sizes in the last 14 days.",
    )  # fmt: skip
    drift_percent = forms.IntegerField(
        label="Tell when it differs from our own records by more than (%)", min_value=1, max_value=1000,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="Only with a rule above.",
    )  # fmt: skip
    stale_days = forms.IntegerField(
        label="Tell when Ometria has not refreshed it for more than (days)", min_value=1, max_value=365,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="Ometria refreshes segments every few hours to once a week, so 8 days means that it stopped.",
    )  # fmt: skip

    def __init__(self, segment: Segment, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, initial={name: getattr(segment, name) for name in self.base_fields})


class RuleForm(forms.Form):
    """Who should be in it by our own records; all parts together."""

    sources = forms.MultipleChoiceField(
        label="Placed an order at", required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text="None: nothing is expected, and the segment is only compared with its own past.",
    )  # fmt: skip
    days = forms.TypedChoiceField(
        label="Within", coerce=int, choices=[(number, f"{number} days") for number in DAYS], initial=90, widget=UnfoldAdminSelectWidget()
    )
    skus = forms.CharField(
        label="With one of these products", required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="SKUs of the catalogue, one a line. Empty: any product.",
    )  # fmt: skip
    min_value = forms.DecimalField(
        label="Spent at least", required=False, min_value=Decimal("0.01"), max_digits=12, decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget(), help_text="All orders of that time together, less what was given back. Empty: any value.",
    )  # fmt: skip
    currency = forms.ChoiceField(label="In", widget=UnfoldAdminSelectWidget(), help_text="Only orders in this currency are added up.")
    consent = forms.BooleanField(
        label="Consented to e-mail", required=False, widget=UnfoldBooleanSwitchWidget(), help_text="And withdrew nowhere since."
    )

    def __init__(self, segment: Segment, data: Mapping[str, Any] | None = None) -> None:
        rule = Rule.of(segment.rule)
        own = segment.connection.settings.get("reporting_currency") or CURRENCIES[0]
        initial: dict[str, Any] = {"currency": own}
        if rule is not None:
            initial |= {"sources": list(rule.sources), "days": rule.days, "skus": "\n".join(rule.skus), "min_value": rule.min_value,
                        "currency": rule.currency or own, "consent": rule.consent}  # fmt: skip
        super().__init__(data, initial=initial)
        shops = Connection.objects.filter(flows_out__destination=segment.connection_id, flows_out__record_type=RecordType.ORDER)
        self.fields["sources"].choices = _sources(list(shops.distinct().order_by("name")))
        self.fields["currency"].choices = [(name, name) for name in dict.fromkeys((own, *CURRENCIES))]
        if rule is not None and rule.days not in DAYS:
            self.fields["days"].choices = [(rule.days, f"{rule.days} days"), *self.fields["days"].choices]

    def clean_skus(self) -> list[str]:
        """The SKUs; raises ValidationError for those that no catalogue has."""
        wanted = list(dict.fromkeys(line.strip() for line in self.cleaned_data["skus"].splitlines() if line.strip()))
        if len(wanted) > MOST_SKUS:
            raise forms.ValidationError(f"At most {MOST_SKUS} SKUs.")
        variants = Delivery.objects.filter(record__has_key="product_key").annotate(sku=KT("record__sku"))
        known = set(variants.filter(sku__in=wanted).values_list("sku", flat=True)) if wanted else set()
        if unknown := [sku for sku in wanted if sku not in known]:
            raise forms.ValidationError(f"No catalogue has {', '.join(unknown[:5])}{' and others' if len(unknown) > 5 else ''}.")
        return wanted

    def rule(self) -> dict[str, Any]:
        """What a segment keeps; empty when no source was chosen. Call it on a valid form."""
        data = self.cleaned_data
        if not data["sources"]:
            return {}
        value = data["min_value"]
        made = Rule(
            sources=tuple(data["sources"]), days=data["days"], min_value=value, currency=data["currency"] if value else "",
            skus=tuple(data["skus"]), consent=data["consent"],
        )  # fmt: skip
        return made.stored()


def _sources(shops: list[Connection]) -> list[tuple[str, str]]:
    """All of them, all of a platform, or one by one."""
    platforms = {shop.platform: shop.get_platform_display() for shop in shops}
    several = [(f"{OF_PLATFORM}{slug}", f"Any {label}, shops that are added later too") for slug, label in platforms.items()]
    return [(ANY, "Any shop, those that are added later too"), *several, *((str(shop.pk), shop.name) for shop in shops)]
