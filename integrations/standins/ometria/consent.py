"""Whether a person may be mailed: computed over all listings of a profile, never written directly."""

from collections.abc import Iterable
from dataclasses import dataclass

from integrations.standins.ometria.schema import OPTIN, OPTOUT, UNSPECIFIED

VERDICTS = {OPTIN: True, OPTOUT: False, UNSPECIFIED: None}


@dataclass(slots=True)
class Voice:
    """What one listing (or the preference centre) ever said about e-mail consent."""

    plain: str | None = None
    # an unforced opt-out is never taken back by an unforced opt-in
    opted_out: bool = False
    forced: str | None = None
    forced_at: float = 0.0

    def hear(self, statement: str, *, forced: bool, at: float) -> None:
        """Take in one statement."""
        if forced:
            self.forced, self.forced_at, self.opted_out = statement, at, False
        self.plain = statement
        self.opted_out = self.opted_out or (not forced and statement == OPTOUT)


def verdict(voices: Iterable[Voice]) -> bool | None:
    """True or False when somebody stated it, None when nobody did.

    The newest forced statement decides; without one an opt-out anywhere wins over every opt-in.
    """
    heard = list(voices)
    forced = max((voice for voice in heard if voice.forced is not None), key=lambda voice: voice.forced_at, default=None)
    if forced is not None and forced.forced is not None:
        return VERDICTS[forced.forced]
    if any(voice.opted_out for voice in heard):
        return False
    return True if any(voice.plain == OPTIN for voice in heard) else None
