"""How this commercetools behaves: everything its callers could meet differently, adjustable while it runs."""

from dataclasses import dataclass

from integrations.standins.settings import with_changes

MODELS = ("Classic", "Modular")


@dataclass(frozen=True, slots=True)
class Settings:
    """Times are seconds of the stand-in's clock, shares are between 0 and 1."""

    token_seconds: float = 172_800.0
    # a written resource is in queries only after so long; by id it is there at once
    query_lag: float = 0.0
    # a message becomes queryable up to so long after its createdAt, each after a time of its own: late and out of order
    message_lag: float = 0.0
    messages_enabled: bool = True
    message_days: int = 15
    # carts untouched for so long are deleted
    cart_days: int = 90
    product_catalog_model: str = "Classic"
    # so many resources of a collection change after each page of it that was served
    churn: int = 0
    # what orders do to stock shows up to so long after them (up to ten seconds at the platform)
    stock_lag: float = 0.0
    # subscriptions: share of notifications sent twice, held back so that others overtake, not sent at all
    duplicate: float = 0.0
    reorder: float = 0.0
    reorder_seconds: float = 0.5
    lost: float = 0.0
    # payloads above so many bytes are left out (the queues take 256 KB); 0 = all are left out
    payload_bytes: int = 262_144
    # notifications are kept until flushed
    paused: bool = False
    # wrong signatures, tokens and keys on what is pushed
    forged: float = 0.0

    def changed(self, changes: object) -> "Settings":
        """A copy with some values replaced; raises ValueError for an unknown name or a wrong value."""
        made = with_changes(self, changes)
        if made.product_catalog_model not in MODELS:
            raise ValueError(f"product_catalog_model is one of {MODELS}.")
        return made
