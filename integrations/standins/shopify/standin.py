"""The Shopify stand-in: several shops behind one slug, each below its domain."""

import shutil
import tempfile
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from integrations.standins.clock import Clock
from integrations.standins.faults import Faults
from integrations.standins.ledger import Ledger
from integrations.standins.shopify import control
from integrations.standins.shopify.acts import act
from integrations.standins.shopify.bulk import BulkSettings, stop
from integrations.standins.shopify.cost import Bucket
from integrations.standins.shopify.oauth import Tokens
from integrations.standins.shopify.payloads import payload_of
from integrations.standins.shopify.sender import Sender
from integrations.standins.shopify.service import Limits, ShopService
from integrations.standins.shopify.shops import Shop, ShopSpec
from integrations.standins.shopify.webhooks import Hooks
from integrations.standins.wire import Request, Response, json_response


class ShopifyStandIn:
    """Shops that behave like Shopify's; a connection's base address is ``<server>/shopify/<shop domain>``."""

    slug = "shopify"

    def __init__(
        self,
        shops: Sequence[ShopSpec],
        *,
        seed: int = 1,
        search_lag: float = 0.0,
        restore_rate: float = 100.0,
        bucket: int | None = 2000,
        max_cost: int | None = 1000,
        bulk_seconds: float = 0.2,
        retry_seconds: float | None = None,
        threads: int = 4,
        keep_payloads: bool = True,
    ) -> None:
        self.clock = Clock()
        self.ledger = Ledger(keep_payloads=keep_payloads, now=self.clock.now)
        self.faults = Faults()
        self.sender = Sender(retry_seconds=retry_seconds, threads=threads)
        self._folder = Path(tempfile.mkdtemp(prefix="shopify-standin-"))
        self.services: dict[str, ShopService] = {}
        for spec in shops:
            shop = Shop(spec, clock=self.clock, ledger=self.ledger, seed=seed)
            shop.search_lag = search_lag
            shop.hooks = Hooks(shop, self.sender.send)
            shop.bulk = BulkSettings(self._folder, seconds=bulk_seconds)
            self.services[spec.domain] = self._service(shop, bucket, restore_rate, max_cost)

    def shop(self, domain: str | None = None) -> Shop:
        """The shop with that domain, or the first one; raises KeyError."""
        return self.service(domain).shop

    def service(self, domain: str | None = None) -> ShopService:
        """The addresses of a shop, for its tokens, limits and bucket; raises KeyError."""
        return self.services[domain] if domain else next(iter(self.services.values()))

    def act(self, do: str, domain: str | None = None, **arguments: Any) -> Any:
        """Let something happen in a shop: ``act("mark_paid", order_id=…)``; raises ValueError or Missing when it cannot."""
        return act(self.shop(domain), do, arguments)

    def render_webhook(self, topic: str, object_id: int, domain: str | None = None) -> tuple[dict[str, str], bytes]:
        """Headers and signed body of a topic (as headers spell it) for an object, as they would be sent now."""
        shop = self.shop(domain)
        with shop.lock:
            return shop.hooks.render(topic, object_id)

    def resign_webhook(self, topic: str, body: bytes, domain: str | None = None) -> dict[str, str]:
        """Fresh headers, with new ids, for a body that is at hand: for load that must not wait for rendering."""
        return self.shop(domain).hooks.headers(topic, body, event=str(uuid.uuid4()))

    def uninstall(self, domain: str | None = None) -> None:
        """The owner removes the app: one last webhook, then every token is dead and every subscription gone."""
        service = self.service(domain)
        shop = service.shop
        with shop.lock:
            shop.emit("app/uninstalled", 548_380_009)
            shop.installed = False
            service.tokens.revoke_all()
            for subscription in shop.hooks.subscriptions():
                shop.hooks.remove(subscription.id)

    def rotate_secret(self, secret: str, domain: str | None = None, *, sign_with_old: bool = False) -> None:
        """A new API secret; webhooks may go on with the old one for a while."""
        service = self.service(domain)
        service.tokens.rotate_secret(secret)
        if not sign_with_old:
            service.shop.hooks.signing_secret = secret

    def send_privacy(self, topic: str, customer_id: int | None = None, domain: str | None = None) -> None:
        """One of the privacy topics, to the address in the app's configuration; raises Missing for an unknown customer."""
        shop = self.shop(domain)
        body: dict[str, Any] = {"shop_id": 548_380_009, "shop_domain": shop.spec.domain}
        if customer_id is not None:
            known = payload_of(shop, "customers/update", customer_id)
            body["customer"] = {name: known[name] for name in ("id", "email", "phone")}
            orders = list(shop.customer_orders.get(customer_id, ()))
            body["orders_requested" if topic.endswith("data_request") else "orders_to_redact"] = orders
            if topic.endswith("data_request"):
                body["data_request"] = {"id": shop.new_id("DataRequest")}
        shop.hooks.send_to_app(topic, body)

    def wait_sent(self, timeout: float = 10.0) -> bool:
        """Wait until every queued webhook was taken or given up; False when time is up."""
        return self.sender.wait(timeout)

    def handle(self, request: Request) -> Response:
        """Answer platform traffic: the first path segment is the shop's domain."""
        domain, _, rest = request.path.lstrip("/").partition("/")
        service = self.services.get(domain)
        if service is None:
            return json_response({"errors": "Not Found"}, 404)
        host = request.headers.get("host", "127.0.0.1")
        return service.handle(request, "/" + rest, f"http://{host}/{self.slug}/{domain}")

    def control(self, request: Request) -> Response:
        """Answer a test's or the demo's call."""
        return control.answer(self, request)

    def close(self) -> None:
        """Stop sending and remove the files."""
        self.sender.close()
        for service in self.services.values():
            for operation in list(service.shop.bulk_operations.values()):
                stop(operation)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _service(self, shop: Shop, bucket: int | None, restore_rate: float, max_cost: int | None) -> ShopService:
        spec = shop.spec
        tokens = Tokens(
            client_id=spec.client_id,
            client_secret=spec.client_secret,
            static=spec.access_token,
            scopes=lambda: ",".join(sorted(shop.scopes)),
            now=self.clock.now,
        )
        points = Bucket(bucket, restore_rate, self.clock.now)
        return ShopService(shop, tokens, self.faults, points, Limits(max_cost=max_cost))
