"""The form of a target: where messages go, what it wants to hear, and when not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.core.validators import validate_email
from django.utils import timezone
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from monitoring.alerts import guard, signing
from monitoring.alerts.watches import TEAMS, WATCHES, told_kinds
from monitoring.alerts.wording import local
from monitoring.models import AlertTarget

MOST_ADDRESSES = 20
LEAST = {"urgent": "Only urgent ones", "warning": "Urgent ones and warnings", "notice": "Everything, notices too"}
GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Where it goes", ("name", "addresses", "url", "secret")),
    ("What it hears", ("least", "teams", "watches", "kinds")),
    ("When it is left in peace", ("zone", "quiet_from", "quiet_until", "urgent_passes")),
    ("Daily digest", ("digest_hour", "digest_teams")),
)


def zones() -> list[tuple[str, str]]:
    """Time zones by region and city, the console's own and UTC first."""
    first = list(dict.fromkeys((settings.TIME_ZONE, "UTC")))
    regions = ("Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
    rest = sorted(name for name in available_timezones() if name.partition("/")[0] in regions and "/" in name)
    return [(name, name.replace("_", " ")) for name in (*first, *(name for name in rest if name not in first))]


def _boxes(label: str, choices: list[tuple[str, str]], help_text: str) -> forms.MultipleChoiceField:
    widget = UnfoldAdminCheckboxSelectMultipleWidget()
    return forms.MultipleChoiceField(label=label, choices=choices, required=False, widget=widget, help_text=help_text)


def _clock() -> forms.TimeInput:
    return forms.TimeInput(attrs={"type": "time", "class": "sy-input"}, format="%H:%M")


def _hour(value: str) -> int | None:
    return int(value) if value else None


class TargetForm(forms.ModelForm):
    """A target of one kind; the fields of the other kind are not on it."""

    addresses = forms.CharField(
        label="Addresses", widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}), help_text="One a line, of people or of a list."
    )
    url = forms.CharField(
        label="Address", max_length=500, widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "url"}),
        help_text="Begins with https:// and is reachable from the internet. Every call is signed as Standard Webhooks describes.",
    )  # fmt: skip
    secret = forms.CharField(
        label="Secret", required=False, widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="Leave it empty: one is made, and shown once. Or put in one that the receiver knows already (whsec_…).",
    )  # fmt: skip
    least = forms.ChoiceField(
        label="How grave",
        choices=LEAST.items(),
        widget=UnfoldAdminSelectWidget(),
        help_text="“Who gets what” shows how grave each condition is.",
    )
    teams = _boxes("Of which teams", list(TEAMS.items()), "None ticked: of every team.")
    watches = _boxes("Which conditions", [(slug, watch.label) for slug, watch in WATCHES.items()], "None ticked: all of them.")
    kinds = _boxes("Which kinds of exceptions", told_kinds(), "Kinds that are ticked are told however grave the others must be.")
    zone = forms.ChoiceField(label="Time zone", choices=zones, widget=UnfoldAdminSelectWidget())
    quiet_from = forms.TimeField(label="Quiet from", required=False, widget=_clock())
    quiet_until = forms.TimeField(
        label="Quiet until",
        required=False,
        widget=_clock(),
        help_text="What comes in between is told then, as one message. Empty: never quiet.",
    )
    urgent_passes = forms.BooleanField(
        label="Urgent ones are told at once all the same", required=False, initial=True, widget=UnfoldBooleanSwitchWidget()
    )
    digest_hour = forms.TypedChoiceField(
        label="Every day at", required=False, coerce=_hour, empty_value=None, widget=UnfoldAdminSelectWidget(),
        choices=[("", "No digest"), *((str(hour), f"{hour:02}:00") for hour in range(24))],
        help_text="What went wrong and what is over, what waits and what it is worth, freshness, and what was compared.",
    )  # fmt: skip
    digest_teams = _boxes("A digest of", list(TEAMS.items()), "None ticked: of every team.")

    class Meta:
        model = AlertTarget
        fields = [name for _, names in GROUPS for name in names]

    def __init__(self, kind: str, data: Mapping[str, Any] | None = None, target: AlertTarget | None = None) -> None:
        initial = {"zone": settings.TIME_ZONE, "least": "warning"}
        if target is not None:
            hour = "" if target.digest_hour is None else str(target.digest_hour)
            initial = {"addresses": "\n".join(target.addresses), "digest_hour": hour}
        super().__init__(data, instance=target or AlertTarget(kind=kind), initial=initial)
        self.fields["name"].widget = UnfoldAdminTextInputWidget()
        for name in ("url", "secret") if kind == AlertTarget.Kind.EMAIL else ("addresses",):
            del self.fields[name]
        if target is not None:
            self.fields.pop("secret", None)

    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The fields under their headings."""
        return [(heading, [self[name] for name in names if name in self.fields]) for heading, names in GROUPS]

    def clean_addresses(self) -> list[str]:
        """The addresses; raises ValidationError for what is none."""
        found = list(dict.fromkeys(self.cleaned_data["addresses"].replace(",", "\n").split()))
        if not 1 <= len(found) <= MOST_ADDRESSES:
            raise forms.ValidationError(f"Between 1 and {MOST_ADDRESSES} addresses.")
        for address in found:
            validate_email(address)
        return found

    def clean_url(self) -> str:
        """An address that may be called; raises ValidationError with the reason."""
        url = self.cleaned_data["url"].strip()
        try:
            guard.place_of(url)
        except guard.Forbidden as fault:
            raise forms.ValidationError(str(fault)) from fault
        return url

    def clean_secret(self) -> str:
        """A secret in the right shape, a fresh one when none was given."""
        given = self.cleaned_data["secret"].strip()
        try:
            return given if given and signing.key_of(given) else signing.new_secret()
        except signing.BadSecret as fault:
            raise forms.ValidationError(str(fault)) from fault

    def clean(self) -> dict[str, Any]:
        """Quiet hours need both ends."""
        data = super().clean()
        ends: list[time | None] = [data.get("quiet_from"), data.get("quiet_until")]
        if (ends[0] is None) != (ends[1] is None):
            raise forms.ValidationError("Quiet hours need a beginning and an end.")
        return data

    def store(self, by: Any = None) -> AlertTarget:
        """Save a valid form. A digest whose hour is past begins tomorrow."""
        row: AlertTarget = self.save(commit=False)
        now = timezone.now()
        if row.pk is None:
            row.created_by, row.secret_set_at = by, now if row.secret else None
        if "digest_hour" in self.changed_data and row.digest_hour is not None:
            here = local(now, row.zone)
            row.digested_on = here.date() if here.hour >= row.digest_hour else row.digested_on
        row.save()
        return row


def words_of(target: AlertTarget) -> list[str]:
    """What a target hears and when, in sentences."""
    teams = ", ".join(TEAMS.get(team, team) for team in target.teams)
    watches = [WATCHES[slug].label for slug in target.watches if slug in WATCHES]
    heard = f"{LEAST[target.least]}{f' of {teams}' if teams else ''}"
    only = f"only: {'; '.join(watches)}" if watches else "every condition"
    said = [f"{heard}; {only}."]
    if target.quiet_from and target.quiet_until:
        passes = "urgent ones pass" if target.urgent_passes else "urgent ones wait too"
        said.append(f"Quiet from {target.quiet_from:%H:%M} to {target.quiet_until:%H:%M} ({target.zone}); {passes}.")
    if target.digest_hour is not None:
        whose = ", ".join(TEAMS.get(team, team) for team in target.digest_teams) or "all teams"
        said.append(f"A digest of {whose} every day at {target.digest_hour:02}:00 ({target.zone}).")
    return said
