"""Type 7: the platform warns from thirty days before a seller's authorisation ends, and then daily."""

from collections.abc import Callable, Iterable

from integrations.standins.clock import Clock
from integrations.standins.tiktok_shop.shops import Shop
from integrations.standins.tiktok_shop.specs import SellerSpec
from integrations.standins.tiktok_shop.timers import Timers
from integrations.standins.tiktok_shop.tokens import Tokens

UPCOMING_EXPIRATION = 7
DAY, DAYS_BEFORE = 86_400.0, 30


class ExpiryWarnings:
    """Warns for every authorisation that was issued, until it is renewed or over."""

    def __init__(self, tokens: Tokens, timers: Timers, clock: Clock, shops_of: Callable[[SellerSpec], Iterable[Shop]]) -> None:
        self._tokens, self._timers, self._clock, self._shops_of = tokens, timers, clock, shops_of
        tokens.on_issue = self.plan

    def plan(self, seller: SellerSpec, expires_at: float) -> None:
        """Warn when the time comes, as long as the authorisation still ends at that moment."""
        self._timers.at(expires_at - DAYS_BEFORE * DAY, lambda: self._warn(seller, expires_at))

    def send(self, seller: SellerSpec) -> None:
        """Warn now."""
        expires_at = self._tokens.authorised_until(seller)
        data = {"message": "The authorization is about to expire.", "expiration_time": int(expires_at or self._clock.now())}
        for shop in self._shops_of(seller):
            shop.emit(UPCOMING_EXPIRATION, data)

    def _warn(self, seller: SellerSpec, expires_at: float) -> None:
        if self._tokens.authorised_until(seller) != expires_at or self._clock.now() >= expires_at:
            return
        self.send(seller)
        self._timers.at(self._clock.now() + DAY, lambda: self._warn(seller, expires_at))
