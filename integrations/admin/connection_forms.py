"""Forms of a connection, made from what its platform declares: settings to read and change, secrets to write only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from integrations.models import Connection
from integrations.platforms.base import Platform, Setting


class ListField(forms.CharField):
    """Words separated by commas, as a list."""

    def prepare_value(self, value: object) -> object:
        """A stored list as people type it."""
        return ", ".join(str(part) for part in value) if isinstance(value, list | tuple) else value

    def clean(self, value: str | None) -> list[str]:
        """The words, without blanks."""
        text = super().clean(value) or ""
        return [part.strip() for part in text.split(",") if part.strip()]


class NumberField(forms.DecimalField):
    """A number that JSON can hold: whole numbers as int, others as float."""

    def clean(self, value: object) -> int | float | None:
        """The number, None when empty."""
        number = super().clean(value)
        if number is None:
            return None
        return int(number) if number == number.to_integral_value() else float(number)


def _text(setting: Setting, **shared: Any) -> forms.Field:
    return forms.CharField(widget=UnfoldAdminTextInputWidget(), **shared)


def _secret(setting: Setting, **shared: Any) -> forms.Field:
    return forms.CharField(widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}), strip=True, **shared)


def _number(setting: Setting, **shared: Any) -> forms.Field:
    return NumberField(widget=UnfoldAdminDecimalFieldWidget(), **shared)


def _boolean(setting: Setting, **shared: Any) -> forms.Field:
    return forms.BooleanField(widget=UnfoldBooleanSwitchWidget(), **{**shared, "required": False})


def _choice(setting: Setting, **shared: Any) -> forms.Field:
    empty = [] if setting.required else [("", "–")]
    return forms.ChoiceField(choices=[*empty, *setting.choices], widget=UnfoldAdminSelectWidget(), **shared)


def _list(setting: Setting, **shared: Any) -> forms.Field:
    shared["help_text"] = f"{shared['help_text']} Separate several with commas.".strip()
    return ListField(widget=UnfoldAdminTextInputWidget(), **shared)


FIELDS: dict[str, Callable[..., forms.Field]] = {
    "text": _text, "secret": _secret, "number": _number, "boolean": _boolean, "choice": _choice, "list": _list,
}  # fmt: skip


def form_field(setting: Setting) -> forms.Field:
    """The typed field of one setting."""
    return FIELDS[setting.kind](setting, label=setting.label, help_text=setting.help, required=setting.required, initial=setting.default)


class ConnectionForm(forms.Form):
    """Name, account, address, version and the platform's own settings (prefix "set_")."""

    name = forms.CharField(max_length=100, widget=UnfoldAdminTextInputWidget(), help_text="How people here call this connection.")
    external_id = forms.CharField(label="Account", max_length=200, widget=UnfoldAdminTextInputWidget())
    base_url = forms.URLField(label="Address", max_length=300, widget=UnfoldAdminTextInputWidget(), assume_scheme="https")

    def __init__(self, platform: Platform, data: Mapping[str, Any] | None = None, connection: Connection | None = None) -> None:
        initial: dict[str, Any] = {"base_url": platform.default_base_url}
        if connection is not None:
            initial = {name: getattr(connection, name) for name in ("name", "external_id", "base_url", "api_version")}
            initial |= {f"set_{name}": value for name, value in connection.settings.items()}
        super().__init__(data, initial=initial)
        self.platform, self.connection = platform, connection
        self.fields["external_id"].help_text = Connection._meta.get_field("external_id").help_text
        self.fields["base_url"].help_text = Connection._meta.get_field("base_url").help_text
        if platform.api_versions:
            self.fields["api_version"] = forms.ChoiceField(
                label="API version",
                choices=self._versions(),
                widget=UnfoldAdminSelectWidget(),
                help_text="Every call is pinned to this version.",
            )
        self.fields |= {f"set_{setting.name}": form_field(setting) for setting in platform.settings}

    def _versions(self) -> list[tuple[str, str]]:
        known = list(self.platform.api_versions)
        if self.connection is not None and self.connection.api_version and self.connection.api_version not in known:
            known.append(self.connection.api_version)
        return [(version, self._version_label(version)) for version in known]

    def _version_label(self, version: str) -> str:
        ends = self.platform.version_ends.get(version)
        return f"{version} (supported until {ends})" if ends else version

    def clean_external_id(self) -> str:
        """One connection per account."""
        account = self.cleaned_data["external_id"].strip()
        others = Connection.objects.filter(platform=self.platform.slug, external_id=account)
        if self.connection is not None:
            others = others.exclude(pk=self.connection.pk)
        if others.exists():
            raise forms.ValidationError("There is a connection for this account already.")
        return account

    def apply(self, connection: Connection) -> Connection:
        """Write the cleaned values into the row and save it; settings the form does not know are kept."""
        for name in ("name", "external_id", "base_url", "api_version"):
            if name in self.cleaned_data:
                setattr(connection, name, self.cleaned_data[name])
        chosen = {name.removeprefix("set_"): value for name, value in self.cleaned_data.items() if name.startswith("set_")}
        connection.settings = {**connection.settings, **{name: value for name, value in chosen.items() if value is not None}}
        connection.save()
        return connection


class SecretsForm(forms.Form):
    """One write-only field per secret of the platform; a field left empty changes nothing."""

    def __init__(self, platform: Platform, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data)
        for setting in platform.secrets:
            field = form_field(Setting(name=setting.name, label=setting.label, kind="secret", help=setting.help))
            field.required = False
            self.fields[f"secret_{setting.name}"] = field

    def filled(self) -> dict[str, str]:
        """Secret kind → new value, for the fields that were filled in."""
        return {name.removeprefix("secret_"): value for name, value in self.cleaned_data.items() if value}
