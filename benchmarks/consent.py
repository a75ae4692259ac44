"""What somebody says about being written to: how long until the other side holds it, in both directions."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import partial

from benchmarks.figures import Figure, Goal, Run, percentile
from benchmarks.outside import ACCOUNT, DOMAIN
from benchmarks.route import Route, connect, empty, start_outside, until
from integrations.engine import accounts, watch
from integrations.models import Delivery, Flow
from integrations.platforms.ometria.webhooks import BODY
from mapping.defaults import load_defaults

PEOPLE = 20
PAUSE = (1.1, 2.1)  # seconds between two words of a person: both platforms keep their times to the second
LONGEST = 60.0
WEBHOOK_KEY = "demo-webhook-key"


def measure(run: Run) -> list[dict[str, float]]:
    """A shop with webhooks, an account with an automation, consent flowing both ways; one person speaks at a time."""
    route = connect(start_outside(run, orders=1, lines=1, bodies=1))
    _connect_back(route, run.processes.start_web())
    run.processes.start_worker()
    rows = [_once(route, run.size(PEOPLE, 2)) for _ in range(run.runs)]
    run.processes.stop("worker", "web", "outside")
    return rows


def _connect_back(route: Route, port: int) -> None:
    """The flow of consent into the shop, and the address where both platforms call us."""
    load_defaults(Flow.objects.create(source=route.destination, destination=route.source, record_type="consent"))
    for connection in (route.source, route.destination):
        connection.settings["webhook_base_url"] = f"http://127.0.0.1:{port}"
        connection.save()
    accounts.set_credential(route.destination, "webhook_key", WEBHOOK_KEY)
    watch.check_subscriptions(route.source)


def _listen(route: Route) -> None:
    headers = {"X-Switchyard-Account": ACCOUNT, "X-Switchyard-Key": WEBHOOK_KEY}
    url = f"{route.destination.settings['webhook_base_url']}/hooks/ometria/"
    route.act("ometria", "automation", {"url": url, "headers": headers, "body": BODY})


def _once(route: Route, count: int) -> dict[str, float]:
    empty(route)
    _listen(route)
    stamp = f"{time.time():.0f}"
    people = {f"person{number}.{stamp}@example.com": 0 for number in range(count)}
    for email in people:
        made = {"email": email, "first_name": "Ada", "last_name": "Byron", "accepts_email": True}
        people[email] = int(str(route.act("shopify", "act", {"do": "create_customer", "shop": DOMAIN, "args": made})["id"]))
    until(lambda: sum(_mailed(route).values()) == count, LONGEST, "the first consents")
    into_shop, into_account = [], []
    for email, key in people.items():
        into_shop.append(_spoken(partial(_leave, route, email), partial(_written, route, key)))
        into_account.append(_spoken(partial(_return, route, key), partial(_is_mailed, route, email)))
    return {
        "into_shop": percentile(into_shop, 0.95), "into_shop_p50": percentile(into_shop, 0.5),
        "into_account": percentile(into_account, 0.95), "into_account_p50": percentile(into_account, 0.5),
    }  # fmt: skip


def _spoken(say: Callable[[], object], held: Callable[[], bool]) -> float:
    """Seconds from what is said on one side until the other holds it; before it, everything has come to rest."""
    until(lambda: not Delivery.objects.exclude(state__in=("delivered", "skipped")).exists(), LONGEST, "coming to rest")
    time.sleep(random.uniform(*PAUSE))
    began = time.monotonic()
    say()
    until(held, LONGEST, "a consent")
    return time.monotonic() - began


def _leave(route: Route, email: str) -> object:
    return route.act("ometria", "preference", {"email": email, "marketing_optin": "EXPLICITLY_OPTEDOUT"})


def _return(route: Route, key: int) -> object:
    said = {"customer_id": key, "state": "SUBSCRIBED"}
    return route.act("shopify", "act", {"do": "set_email_consent", "shop": DOMAIN, "args": said})


def _written(route: Route, key: int) -> bool:
    """Whether the shop took the consent of this customer; it writes each once."""
    return any(effect["key"].endswith(f"/{key}") for effect in route.look("shopify", "ledger?kind=consent"))


def _is_mailed(route: Route, email: str) -> bool:
    return _mailed(route)[email]


def _mailed(route: Route) -> dict[str, bool]:
    """E-mail address → whether Ometria mails it."""
    return {profile["email"]: profile["marketing_optin"] is True for profile in route.look("ometria", "profiles").values()}


FIGURE = Figure(
    "consent",
    "consent change → held by the other side",
    (
        Goal(name="into_shop", unit="s, Ometria → Shopify, p95", target=5),
        Goal(name="into_shop_p50", unit="s, Ometria → Shopify, p50"),
        Goal(name="into_account", unit="s, Shopify → Ometria, p95", target=5),
        Goal(name="into_account_p50", unit="s, Shopify → Ometria, p50"),
    ),
    measure,
)
