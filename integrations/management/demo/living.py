"""A shop that lives on: the Shopify stand-in with its generator attached, for this process and for others by a control call."""

from __future__ import annotations

import threading
from typing import Any

from integrations.standins.shopify import ShopifyStandIn
from integrations.standins.shopify.lives import Lives
from integrations.standins.wire import Request, Response, json_response

MOST_TICKS = 1000


class LivingShop(ShopifyStandIn):
    """Adds `POST /_control/live {"ticks": 3}`: so many things happen in the first shop; the answer says what, in `lines`."""

    def __init__(self, *args: Any, seed: int = 1, **options: Any) -> None:
        super().__init__(*args, seed=seed, **options)
        self.lives = Lives(self, seed=seed)
        self._living = threading.Lock()

    def live(self, ticks: int = 1) -> list[str]:
        """Let so many plausible things happen now; a line about each."""
        with self._living:
            return [self.lives.tick() for _ in range(ticks)]

    def control(self, request: Request) -> Response:
        """Answer a control call."""
        if (request.method, request.path.rstrip("/")) != ("POST", "/live"):
            return super().control(request)
        try:
            asked = request.json() if request.body else {}
            ticks = min(MOST_TICKS, max(1, int(asked.get("ticks", 1))))
        except (ValueError, TypeError, AttributeError) as error:
            return json_response({"error": str(error)}, 400)
        return json_response({"lines": self.live(ticks)})
