"""The finite story: what happens in the demo shop, chapter by chapter, and what people at the console do about it."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError
from django.http import QueryDict
from django.utils import timezone

from integrations.admin.answers import ANSWERS
from integrations.engine.accounts import probe_connection
from integrations.engine.pull import start_backfill
from integrations.engine.watch import check_subscriptions, hook_address
from integrations.management.demo import buyer_story, storefront_story
from integrations.management.demo.cast import Cast
from integrations.management.demo.goods import Goods
from integrations.management.demo.motion import Motion
from integrations.management.demo.stage import SHOP_DOMAIN, Stage
from integrations.management.demo.visitors import Visitors
from integrations.models import Checkpoint, Delivery, InboxEvent, SyncException
from integrations.standins.commercetools.lives import Lives as ShopperLives
from integrations.standins.faults import Fault
from integrations.standins.shopify.words import phone
from integrations.standins.tiktok_shop.lives import Lives

HISTORY = {"customers": 400, "orders": 1500, "days": 60}
HISTORY_ENDS = timedelta(hours=2)
LIVE_TICKS, TICK_SECONDS = 40, 0.15
BACKFILL_SECONDS, STEP_SECONDS, REST_SECONDS = 90.0, 45.0, 60.0
POLL_LAG = 32.0  # a pull leaves the newest thirty seconds to the next one
UNKNOWN_SKU, FORGOTTEN_SKU = "OLD-CATALOGUE-77", "OLD-CATALOGUE-78"


@dataclass(slots=True)
class Story:
    """Everybody who takes part."""

    stage: Stage
    cast: Cast
    motion: Motion
    say: Callable[[str], None]
    random: Random = field(default_factory=lambda: Random(1))  # noqa: S311 - reproducible, not secret
    lost_at: float = 0.0
    # from the chapter that opens TikTok Shop and the merchant's own site on
    goods: Goods = field(init=False)
    visitors: Visitors = field(init=False)
    crowds: tuple[Lives, Lives] = field(init=False)
    heroine: buyer_story.Heroine = field(init=False)
    # from the chapter that opens the storefront on: its shoppers, one of its products and orders, and who changes her mind
    lives: ShopperLives = field(init=False)
    lamp: str = field(init=False)
    bought: str = field(init=False)
    torn: storefront_story.Person = field(init=False)

    def play(self) -> None:
        """Every chapter in turn; raises CommandError when something does not happen that should."""
        for title, chapter in CHAPTERS:
            self.say(f"── {title}")
            chapter(self)

    def act(self, do: str, **arguments: Any) -> Any:
        """Let something happen in the shop."""
        return self.stage.shopify.act(do, SHOP_DOMAIN, **arguments)

    def live(self, ticks: int) -> None:
        """Let the shop live on for a moment."""
        for _ in range(ticks):
            for line in self.stage.shopify.live():
                self.say(f"shop: {line}")
            self.motion.pause(TICK_SECONDS)

    def order(self, *, sku: str | None = None, units: int = 1, lines: int = 1, **options: Any) -> Any:
        """Somebody orders something."""
        chosen = self.random.sample(sorted(self.stage.shop.variants.live), lines)
        wishes: list[dict[str, Any]] = [{"variant_id": variant, "quantity": units} for variant in chosen]
        if sku is not None:
            wishes[0]["sku"] = sku
        return self.act("create_order", lines=wishes, customer_id=self.somebody(), shipping=4, **options)

    def somebody(self) -> int:
        """A customer of the shop."""
        return self.random.choice(self.stage.shopify.lives.customer_ids)

    def asked(self, kind: str, subject: str = "") -> bool:
        """Whether such a question is open."""
        rows = SyncException.objects.filter(kind=kind, state=SyncException.State.OPEN)
        return rows.filter(subject=subject).exists() if subject else rows.exists()

    def state(self, record_type: str, key: object) -> str:
        """The state of a record's delivery, empty when it has none."""
        row = Delivery.objects.filter(flow=self.cast.flows[record_type], record_key=str(key)).first()
        return row.state if row else ""

    def delivered(self, record_type: str, key: object) -> None:
        """Wait until a record is delivered."""
        happened = lambda: self.state(record_type, key) == Delivery.State.DELIVERED  # noqa: E731
        self.motion.until(f"{record_type} {key} is delivered", happened, seconds=STEP_SECONDS)


def lived(stage: Stage) -> dict[str, int]:
    """Give the shop its past; the last two hours stay empty, so that pulls have settled data."""
    with stage.shop.past(timezone.now() - HISTORY_ENDS):
        return stage.shopify.lives.history(**HISTORY)


def connect(story: Story) -> None:
    """Test both connections and subscribe the webhooks."""
    for connection in (story.cast.shop, story.cast.account):
        probe = probe_connection(connection)
        story.say(f"test call to {connection.name}: {probe.summary}")
        if not probe.ok:
            raise CommandError(f"{connection.name}: {' '.join(probe.problems)}")
    done = check_subscriptions(story.cast.shop)
    if refused := [line for line in done if not line.startswith("Subscribed")]:
        raise CommandError(" ".join(refused))
    story.say(f"{len(done)} webhook subscriptions made")


def _backfill(story: Story) -> None:
    manager = get_user_model().objects.get(username="manager")
    since = timezone.now() - timedelta(days=HISTORY["days"] + 30)
    for readers in (["products", "customers"], ["orders"]):
        started = [row.pk for row in start_backfill(story.cast.shop, readers, since=since, by=manager)]
        rows = Checkpoint.objects.filter(pk__in=started)
        ended = lambda rows=rows: not rows.exclude(state__in=["done", "failed", "cancelled"]).exists()  # noqa: E731
        story.motion.until(f"the backfill of {' and '.join(readers)} ends", ended, seconds=BACKFILL_SECONDS)
        if failed := rows.exclude(state=Checkpoint.State.DONE).first():
            raise CommandError(f"The backfill of {failed.reader} ended as {failed.state}: {failed.error}")


def _live(story: Story) -> None:
    story.live(LIVE_TICKS)


def _lost_webhooks(story: Story) -> None:
    switches = story.stage.shop.hooks.switches
    switches.set(drop=1.0)
    orders = [story.order() for _ in range(3)]
    switches.set(drop=0.0)
    story.lost_at = time.monotonic()
    story.say(f"shop: orders {', '.join(order.name for order in orders)} placed, and no webhook told of them")


def _changes(story: Story) -> None:
    edited = story.order(lines=2, units=2, paid=False, authorized=True)
    story.act("edit_order", order_id=edited.id, quantities={edited.lines[0].id: 1})
    story.act("mark_paid", order_id=edited.id)
    story.say(f"shop: order {edited.name} edited to {edited.current_total} and paid")
    unpaid, paid = story.order(paid=False), story.order()
    story.act("cancel_order", order_id=unpaid.id)
    story.act("cancel_order", order_id=paid.id)
    story.say(f"shop: orders {unpaid.name} (unpaid) and {paid.name} (paid) cancelled")
    part, whole, shipping = story.order(lines=2, units=2), story.order(), story.order()
    for order in (part, whole, shipping):
        story.act("fulfil", order_id=order.id)
    story.act("refund", order_id=part.id, lines={part.lines[0].id: 1})
    story.act("refund_all", order_id=whole.id)
    story.act("refund", order_id=shipping.id, shipping=4)
    story.say(f"shop: orders {part.name} refunded in part, {whole.name} in full, of {shipping.name} the shipping")
    for order in (edited, unpaid, paid, part, whole, shipping):
        story.delivered("order", order.id)


def _unknown_sku(story: Story) -> None:
    order, forgotten = story.order(sku=UNKNOWN_SKU), story.order(sku=FORGOTTEN_SKU)
    for sku in (UNKNOWN_SKU, FORGOTTEN_SKU):
        story.motion.until(f"SKU {sku} is asked about", lambda sku=sku: story.asked("unmapped_sku", sku), seconds=STEP_SECONDS)
    question = SyncException.objects.get(kind="unmapped_sku", subject=UNKNOWN_SKU, state=SyncException.State.OPEN)
    person, answer = get_user_model().objects.get(username="ecommerce"), ANSWERS["unmapped_sku"]
    if not person.has_perm(answer.permission):
        raise CommandError(f"The ecommerce role lacks {answer.permission}.")
    target = next(iter(story.stage.shop.variants.live.values())).sku
    form = QueryDict(mutable=True)
    form.update({"target_sku": target, "quantity": "1", "note": "Renamed in the new catalogue"})
    released = answer.give(question, form, person)
    story.say(f"ecommerce: {UNKNOWN_SKU} is {target} now; {released} order goes out, {forgotten.name} stays held")
    story.delivered("order", order.id)


def _bad_phones(story: Story) -> None:
    address = {"city": "Leeds", "country": "United Kingdom", "country_code": "GB"}
    people = [
        story.act(
            "create_customer", email=f"wrong.number.{n}@example.com", first_name="Una", last_name="Wire", phone=wrong, address=address
        )
        for n, wrong in enumerate(("+4412", "+4413"))
    ]
    for person in people:
        held = lambda person=person: story.state("customer", person.id) == Delivery.State.BLOCKED  # noqa: E731
        story.motion.until(f"customer {person.id} is held", held, seconds=STEP_SECONDS)
    story.act("update_customer", customer_id=people[0].id, phone=phone(990))
    story.say(f"shop: the number of customer {people[0].id} is put right; customer {people[1].id} stays held")
    story.delivered("customer", people[0].id)


def _storm(story: Story) -> None:
    story.stage.ometria.faults.add(Fault(kind="status", status=429, retry_after="2", path="/push", times=3))
    story.stage.shopify.service(SHOP_DOMAIN).bucket.level = 0.0
    story.say("Ometria answers 429 and wants two seconds; Shopify's points are used up")
    story.live(12)
    story.motion.rest(seconds=REST_SECONDS)


def _outage(story: Story) -> None:
    story.stage.ometria.faults.add(Fault(kind="status", status=503, path="/push", times=3))
    story.say("Ometria answers 503")
    story.live(6)
    story.motion.rest(seconds=REST_SECONDS)


def _doubles(story: Story) -> None:
    switches = story.stage.shop.hooks.switches
    switches.set(duplicate=1.0)
    order = story.order()
    story.act("fulfil", order_id=order.id)
    switches.set(duplicate=0.0)
    story.say(f"shop: order {order.name} placed and shipped, every webhook came twice")
    story.delivered("order", order.id)


def _disorder(story: Story) -> None:
    switches = story.stage.shop.hooks.switches
    switches.set(reorder=1.0, reorder_seconds=1.5, duplicate=0.5)
    order = story.order(units=3, paid=False, authorized=True)
    story.act("mark_paid", order_id=order.id)
    for note in ("gift wrap", "gift wrap, blue"):
        story.act("update_order", order_id=order.id, note=note)
    story.act("fulfil", order_id=order.id, lines={order.lines[0].id: 2})
    story.act("refund", order_id=order.id, lines={order.lines[0].id: 1}, restock_type="CANCEL")
    switches.set(reorder=0.0, duplicate=0.0)
    story.say(f"shop: order {order.name} paid, changed twice, shipped and refunded in part; its webhooks came in any order")
    story.motion.rest(seconds=REST_SECONDS)


def _checkouts(story: Story) -> None:
    basket = [{"variant_id": variant, "quantity": 1} for variant in story.random.sample(sorted(story.stage.shop.variants.live), 2)]
    left, regretted, quick = (story.act("start_checkout", lines=basket, customer_id=story.somebody()) for _ in range(3))
    story.act("complete_checkout", checkout_id=quick.id, shipping=4)
    story.delivered("checkout", left.token)
    story.delivered("checkout", regretted.token)
    order = story.act("complete_checkout", checkout_id=regretted.id, shipping=4)
    story.say(f"shop: of three checkouts one was completed at once, one recovered as order {order.name}, one stays abandoned")


def _catalogue(story: Story) -> None:
    variant = next(iter(story.stage.shop.variants.live.values()))
    story.act("update_variant", variant_id=variant.id, price=variant.price + 3, compare_at=variant.price + 9)
    story.say(f"shop: {variant.sku} is on sale at {variant.price}")


def _people(story: Story) -> None:
    customers = story.stage.shop.customers
    asked = next(row for row in customers.live.values() if row.email_consent.state == "NOT_SUBSCRIBED")
    gone = next(row for row in customers.live.values() if row.email_consent.state == "SUBSCRIBED")
    story.act("set_email_consent", customer_id=asked.id, state="SUBSCRIBED")
    story.act("set_email_consent", customer_id=gone.id, state="UNSUBSCRIBED")
    kept, double = story.random.sample(story.stage.shopify.lives.customer_ids, 2)
    story.act("merge_customers", kept_id=kept, gone_id=double)
    story.stage.shopify.lives.customer_ids.remove(double)
    story.say(f"shop: customer {asked.id} opted in, {gone.id} opted out, {double} was merged into {kept}")


def _forgery(story: Story) -> None:
    before = InboxEvent.objects.count()
    headers, body = story.stage.shopify.render_webhook("orders/updated", next(iter(story.stage.shop.orders.live)))
    call = urllib.request.Request(hook_address(story.cast.shop), data=body + b" ", headers=headers, method="POST")  # noqa: S310 - loopback
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(call, timeout=10) as answer:
            status = answer.status
    except urllib.error.HTTPError as refusal:
        status = refusal.code
    if status != 401 or InboxEvent.objects.filter(pk__gt=0).count() != before:
        raise CommandError(f"A webhook with a wrong signature was answered {status} instead of 401, or stored.")
    story.say("a webhook with a wrong signature was answered 401 and not stored")


def _last_poll(story: Story) -> None:
    story.motion.pause(story.lost_at + POLL_LAG - time.monotonic())
    everybody = [story.cast.shop, story.cast.account, story.cast.storefront, *story.cast.tiktoks]
    polls = Checkpoint.objects.filter(connection__in=everybody, purpose=Checkpoint.Purpose.POLL)
    before = timezone.now()
    polls.filter(state=Checkpoint.State.WAITING).update(due_at=before)
    ran = lambda: not polls.exclude(finished_at__gt=before).exists()  # noqa: E731
    story.motion.until("every poll ran once more", ran, seconds=STEP_SECONDS)
    story.motion.rest(seconds=REST_SECONDS)


CHAPTERS: tuple[tuple[str, Callable[[Story], None]], ...] = (
    ("Connecting", connect),
    ("History: a backfill by bulk operations", _backfill),
    ("Live traffic", _live),
    ("Webhooks that never arrive", _lost_webhooks),
    ("Edits, cancellations, refunds", _changes),
    ("An unknown SKU", _unknown_sku),
    ("Phone numbers that cannot be", _bad_phones),
    ("Abandoned and recovered checkouts", _checkouts),
    ("A price, consents, a merged customer", lambda story: (_catalogue(story), _people(story), None)[-1]),
    ("A storm of rate limits", _storm),
    ("An outage", _outage),
    ("Webhooks that come twice", _doubles),
    ("Webhooks that come in any order", _disorder),
    *buyer_story.CHAPTERS,
    *storefront_story.CHAPTERS,
    ("A forged webhook", _forgery),
    ("The safety net: one more poll", _last_poll),
)


# --- what live traffic brings besides, for people to settle ------------------------------------------------------------


def _surprising_sku(story: Story, tick: int) -> str:
    order = story.order(sku=f"OLD-CATALOGUE-{tick}")
    return f"order {order.name} placed with a SKU of the old catalogue"


def _surprising_phone(story: Story, tick: int) -> str:
    address = {"city": "Leeds", "country": "United Kingdom", "country_code": "GB"}
    person = story.act(
        "create_customer", email=f"wrong.number.{tick}@example.com", first_name="Una", last_name="Wire", phone=f"+44{tick}", address=address
    )
    return f"customer {person.id} signed up with a phone number that cannot be"


def _surprising_limit(story: Story, tick: int) -> str:
    story.stage.ometria.faults.add(Fault(kind="status", status=429, retry_after="3", path="/push", times=1))
    return "Ometria answers 429 and wants three seconds"


# every so many ticks, what happens
SURPRISES: tuple[tuple[int, Callable[[Story, int], str]], ...] = ((60, _surprising_sku), (90, _surprising_phone), (150, _surprising_limit))
