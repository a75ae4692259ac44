"""Settings and secrets of an Ometria connection: how its form shows them, and their values as the room uses them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from integrations.platforms.base import Setting
from integrations.platforms.errors import Misconfigured

# the guide's path first, the API reference's second (list errors page, API reference)
ERROR_PATHS = ("/push/_errors", "/push-errors")
DEFAULT_RATE = 4.0  # calls a second per account, the lower of the two figures Ometria's pages give

SECRETS = (
    Setting(name="api_key", label="API key", kind="secret", required=True,
            help="In Ometria under Settings > API keys. A new key can need up to ten minutes."),
    Setting(name="api_key_next", label="Next API key", kind="secret",
            help="During a change of keys: used as soon as the first one is refused."),
    Setting(name="webhook_key", label="Key of the automation webhook", kind="secret",
            help="A long random word of your own; the same one is entered in Ometria as the header X-Switchyard-Key."),
    Setting(name="webhook_key_previous", label="Previous key of the automation webhook", kind="secret",
            help="Accepted beside the new one while Ometria is being changed over; remove it afterwards."),
)  # fmt: skip

SETTINGS = (
    Setting(name="reporting_currency", label="Reporting currency", help="The account's base currency, e.g. GBP."),
    Setting(name="default_store", label="Default store",
            help="Written on orders that name none; equal to the store of the product listings."),
    Setting(name="push_rate", label="Pushes a second", kind="number", default=DEFAULT_RATE,
            help="4, or 8 if Ometria's plan allows; 0 = no quota."),
    Setting(name="read_rate", label="Reads a second", kind="number", default=DEFAULT_RATE, help="0 = no quota."),
    Setting(name="phone_identifier", label="People are identified by phone too", kind="boolean", default=False,
            help="Only if Ometria has switched this on for the account."),
    Setting(name="discount_sign", label="Discounts are sent", kind="choice", default="negative",
            choices=(("negative", "as negative amounts"), ("positive", "as positive amounts")),
            help="Ometria adds discounts up, so negative is right unless the account was set up otherwise."),
    Setting(name="errors_path", label="Path of the push errors", default=ERROR_PATHS[0],
            help="The other documented path is tried when it is unknown."),
    Setting(name="confirm_grace_seconds", label="Seconds without an error until delivered", kind="number", default=120),
    Setting(name="read_back_share", label="Share of batches read back early", kind="number", default=1.0,
            help="From 0 (wait for the grace) to 1 (look at the stored records of every batch)."),
    Setting(name="segment_minutes", label="Minutes between readings of segments", kind="number", default=60,
            help="One read for all of them, besides what people ask for."),
    Setting(name="must_reach_profile", label="Events that must reach a profile", kind="list", default=("purchased",),
            help="Before such an event is sent its e-mail address is looked up, one read each; without a profile it is held."),
    Setting(name="deletion_field", label="Field of an erasure's address", default="email",
            help="Ometria does not document how a deletion request names the person; ask its support before you change this."),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The settings of one connection, checked; rates are calls per second with 0 meaning no quota."""

    reporting_currency: str = ""
    default_store: str = ""
    push_rate: float = DEFAULT_RATE
    read_rate: float = DEFAULT_RATE
    phone_identifier: bool = False
    discount_sign: str = "negative"
    errors_path: str = ERROR_PATHS[0]
    confirm_grace_seconds: float = 120.0
    read_back_share: float = 1.0
    segment_minutes: float = 60.0
    must_reach_profile: Sequence[str] = ("purchased",)
    deletion_field: str = "email"

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """Settings with empty ones at their defaults; raises Misconfigured with the remedy."""
        known = {setting.name: setting for setting in SETTINGS}
        given = {name: value for name, value in settings.items() if name in known and value not in (None, "")}
        for name in (name for name in given if known[name].kind == "number"):
            given[name] = _number(known[name], given[name])
        options = cls(**given)
        if options.discount_sign not in ("negative", "positive"):
            raise Misconfigured('"Discounts are sent" must be negative or positive.')
        if not options.errors_path.startswith("/"):
            raise Misconfigured('"Path of the push errors" must begin with a slash, like /push/_errors.')
        return options


def _number(setting: Setting, value: object) -> float:
    try:
        number = float(str(value))
    except ValueError:
        raise Misconfigured(f'"{setting.label}" must be a number.') from None
    if not 0 <= number < 1e9:
        raise Misconfigured(f'"{setting.label}" must be zero or more.')
    return number
