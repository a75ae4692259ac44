"""How this TikTok Shop behaves: everything its callers could meet differently, adjustable while it runs."""

from dataclasses import dataclass

from integrations.standins.settings import with_changes

RETRY_AFTER = (None, "seconds", "date", "alternate")
BUNDLE_SHAPES = ("both", "combined", "sub_items")


@dataclass(frozen=True, slots=True)
class Settings:
    """Rates are calls a second for one app and shop (None = no quota), times are seconds of the stand-in's clock."""

    read_rate: float | None = 10.0
    write_rate: float | None = 3.0
    # form of the Retry-After header on a 429: None, "seconds", "date" or "alternate"
    retry_after: str | None = "seconds"
    # how long a paid order stays ON_HOLD
    hold_seconds: float = 3600.0
    access_seconds: float = 7 * 86_400.0
    refresh_seconds: float = 365 * 86_400.0
    # the access token before a refresh dies at once
    refresh_kills_access: bool = False
    # a consent link redirects at once instead of showing a page
    auto_consent: bool = False
    # search results show the state before a change for so long
    search_lag: float = 0.0
    # how long a page token may be used; undocumented, so short
    page_token_seconds: float = 900.0
    omit_empty_lists: bool = True
    # which of combined_listing_skus and sub_item_info a bundle line shows
    bundle_shape: str = "both"
    # personal data of completed orders is masked again
    remask_completed: bool = False
    # days that analytics are behind
    analytics_delay_days: int = 1
    # the caller's address is not on the app's allow list
    ip_refused: bool = False
    # webhook addresses must be https, a domain, without a port
    strict_addresses: bool = False

    def changed(self, changes: object) -> "Settings":
        """A copy with some values replaced; raises ValueError for an unknown name or a wrong value."""
        made = with_changes(self, changes)
        if made.retry_after not in RETRY_AFTER or made.bundle_shape not in BUNDLE_SHAPES:
            raise ValueError(f"retry_after is one of {RETRY_AFTER}, bundle_shape one of {BUNDLE_SHAPES}.")
        return made
