"""Settings and secrets of a site: how its form shows them, and their values as the room uses them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from integrations.platforms.base import Account, Setting
from integrations.platforms.errors import Misconfigured

SIGNATURE_SECONDS = 300.0

SECRETS = (
    Setting(name="signing_secret", label="Signing secret", kind="secret",
            help="Signs the calls of the shop's own server. A site that only uses the script needs none."),
    Setting(name="signing_secret_previous", label="Previous signing secret", kind="secret",
            help="Accepted beside the new one while a rotation is under way; remove it afterwards."),
)  # fmt: skip
SETTINGS = (
    Setting(name="allowed_origins", label="Origins that may send", kind="list", default=(),
            help="Such as https://www.example.com, with every host name the shop has. Empty: only the address above."),
    Setting(name="abandon_minutes", label="Minutes until a checkout counts as abandoned", kind="number", default=30),
    Setting(name="orphan_after_hours", label="Hours an event waits for its visitor's name", kind="number", default=24,
            help="Then it is an orphan: skipped, and counted in one exception a day."),
    Setting(name="calls_per_second", label="Calls a second from the whole site", kind="number", default=500,
            help="For each web process; what is above is answered 429. 0 = no limit."),
    Setting(name="calls_per_visitor", label="Calls a second from one address", kind="number", default=10,
            help="Of browsers; ten times as many at once. 0 = no limit."),
    Setting(name="signature_seconds", label="Seconds a signed call stays valid", kind="number", default=SIGNATURE_SECONDS),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The settings that the door needs, checked; rates are calls a second with 0 meaning no limit."""

    allowed_origins: frozenset[str] = frozenset()
    abandon_minutes: float = 30.0
    calls_per_second: float = 500.0
    calls_per_visitor: float = 10.0
    signature_seconds: float = SIGNATURE_SECONDS

    @classmethod
    def of(cls, account: Account) -> Self:
        """Settings with empty ones at their defaults; raises Misconfigured with the remedy."""
        known = {setting.name: setting for setting in SETTINGS if setting.kind == "number" and setting.name in cls.__dataclass_fields__}
        numbers = {name: _number(setting, account.settings.get(name)) for name, setting in known.items()}
        return cls(allowed_origins=origins(account.settings, account.base_url), **numbers)


def origins(settings: Mapping[str, Any], base_url: str) -> frozenset[str]:
    """The origins that may send: those of the setting, else the site's own address; lower case, without path."""
    return frozenset(_origin(str(entry)) for entry in settings.get("allowed_origins") or (base_url,) if entry)


def _origin(address: str) -> str:
    return "/".join(address.strip().lower().split("/")[:3])


def _number(setting: Setting, value: object) -> float:
    if value in (None, ""):
        value = setting.default
    try:
        number = float(str(value))
    except ValueError:
        raise Misconfigured(f'"{setting.label}" must be a number.') from None
    if not 0 <= number < 1e12:
        raise Misconfigured(f'"{setting.label}" must be zero or more.')
    return number
