"""How this Ometria behaves: everything its customers could meet differently, adjustable while it runs."""

from dataclasses import dataclass

from integrations.standins.settings import with_changes


@dataclass(frozen=True, slots=True)
class Settings:
    """Rates are calls per second (None = no quota), delays are seconds."""

    # between accepting a push and validating it
    delay: float = 0.0
    push_rate: float | None = 8.0
    read_rate: float | None = 4.0
    merge_rate: float | None = 1 / 60
    deletion_rate: float | None = 6 / 60
    # value of the Retry-After header on a 429; undocumented, so absent by default
    retry_after: str | None = None
    queue_limit: int = 50_000
    queue_headers: bool = True
    # one record type per push
    strict_types: bool = True
    phone_identifier: bool = False
    sms_double_optin: bool = False
    # /profiles?email= answers an object instead of an array
    profile_as_object: bool = False
    # whether /unsubscribes answers pages like the other reads; undocumented
    unsubscribes_paged: bool = False
    push_errors_path: bool = True
    push_dash_errors_path: bool = True
    merge_delay: float = 0.0
    deletion_delay: float = 14 * 86_400.0

    def changed(self, changes: object) -> "Settings":
        """A copy with some values replaced; raises ValueError for an unknown name or a value of the wrong type."""
        return with_changes(self, changes)
