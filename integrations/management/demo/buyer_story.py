"""The story of a TikTok buyer who is an Ometria customer already: one person, one profile, the right value, however little is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError

from integrations.engine.accounts import probe_connection
from integrations.engine.suggest import answer_many, suggestions_for
from integrations.engine.watch import check_subscriptions
from integrations.management.demo import goods
from integrations.management.demo.grant import authorise
from integrations.management.demo.stage import SELLER
from integrations.management.demo.visitors import Visitors
from integrations.models import Delivery, SyncException
from integrations.standins.shopify.words import phone
from integrations.standins.tiktok_shop.lives import Lives
from integrations.standins.tiktok_shop.orders import AWAITING_SHIPMENT, Order

if TYPE_CHECKING:
    from integrations.management.demo.story import Story

STEP_SECONDS = 45.0
EMAIL, FIRST, LAST = "amelie.hart@example.com", "Amelie", "Hart"
FREE_NUMBER = 995  # of the numbers for fiction, beyond those that the shop's customers have
KNOWN_SHARE, NOT_THE_SHOPS = 0.25, 1000  # of TikTok's buyers; numbers from here on belong to nobody at the shop
CROWD_TICKS, VISITOR_TICKS, TICK_SECONDS = 20, 16, 0.15
GERMAN_EVERY = 4  # of so many things that happen, one happens in the German shop


@dataclass(slots=True)
class Heroine:
    """Amelie: the shop's customer, and the buyer on TikTok Shop who turns out to be her."""

    customer_id: int
    phone: str
    buyer: str = ""
    first: Order | None = None
    second: Order | None = None


# --- what people and platforms do --------------------------------------------------------------------------------------


def connect(story: Story) -> None:
    """Stock the TikTok shops, let their seller agree, test and subscribe both, and open the merchant's own site."""
    story.goods = goods.stock(story.stage)
    console = story.motion.crew.address
    shops = authorise(story.cast, SELLER, callback=f"{console}/oauth/tiktok_shop/callback/")
    story.say(f"TikTok Shop: the seller agreed once; connected are {' and '.join(shop.name for shop in shops)}")
    for shop in shops:
        probe = probe_connection(shop)
        if not probe.ok:
            raise CommandError(f"{shop.name}: {' '.join(probe.problems)}")
        done = check_subscriptions(shop)
        if refused := [line for line in done if not line.startswith("Subscribed")]:
            raise CommandError(" ".join(refused))
        story.say(f"{shop.name}: {probe.summary} {len(done)} webhook subscriptions made")
    story.visitors = Visitors(story.stage, console, story.random, lambda who, variants: _bought(story, who, variants))
    story.crowds = _crowds(story)


def _bought(story: Story, customer_id: int, variants: Any) -> str:
    lines = [{"variant_id": variant, "quantity": 1} for variant in variants]
    return str(story.act("create_order", lines=lines, customer_id=customer_id, shipping=4).id)


def _crowds(story: Story) -> tuple[Lives, Lives]:
    """Buyers of both shops; some of the British are customers of the demo shop."""
    rows = [row for row in story.stage.shop.customers.live.values() if row.phone and row.first_name and row.last_name]
    people = [{"first_name": row.first_name, "last_name": row.last_name, "phone": row.phone} for row in rows]
    seed = story.stage.seed
    british = Lives(story.stage.british, seed=seed, people=people, known_share=KNOWN_SHARE, first_number=NOT_THE_SHOPS)
    return british, Lives(story.stage.german, seed=seed + 1)


def tiktok_tick(story: Story, number: int) -> str:
    """Let one thing happen in one of the TikTok shops; a line about it."""
    british, german = story.crowds
    chosen = german if number % GERMAN_EVERY == 0 else british
    return f"{chosen.shop.spec.name}: {chosen.tick()}"


def buy(story: Story, sku: str, *, quantity: int = 1, buyer: Any, **options: Any) -> Order:
    """Somebody orders in the British shop."""
    options.setdefault("status", AWAITING_SHIPMENT)
    wish = [{"seller_sku": sku, "quantity": quantity}]
    return story.stage.tiktok_shop.act("place_order", story.stage.british.spec.id, lines=wish, buyer=buyer, **options)


# --- what can be seen at Ometria ---------------------------------------------------------------------------------------


def profiles(story: Story) -> dict[str, dict[str, Any]]:
    """Every profile of the account by id, with the ids of its orders as `orders`."""
    account = story.stage.ometria.account()
    with account.lock:
        owned = {key: sorted(profile.orders) for key, profile in account.directory.profiles.items()}
    return {key: {**row, "orders": owned.get(key, [])} for key, row in story.stage.ometria.look("/profiles").items()}


def hers(story: Story) -> dict[str, Any]:
    """The one profile with her address; raises CommandError when there is none or more than one."""
    found = [row for row in profiles(story).values() if row["email"] == EMAIL]
    if len(found) != 1:
        raise CommandError(f"{len(found)} profiles have her address, not one.")
    return found[0]


def value(story: Story) -> Decimal:
    """What her valid orders are worth, refunds taken off."""
    held = story.stage.ometria.look("/orders")
    rows = [held[key] for key in hers(story)["orders"] if held[key]["is_valid"]]
    return sum((Decimal(str(row["grand_total"])) - Decimal(str(row["total_refunded"])) for row in rows), Decimal(0))


def must(story: Story, words: str, kept: bool) -> None:
    """Say what is so; raises CommandError when it is not."""
    if not kept:
        raise CommandError(f"Not so: {words}.")
    story.say(f"Ometria: {words}")


def _key(order: Order | None) -> str:
    return f"tts-{order.id}" if order else ""


# --- chapters ----------------------------------------------------------------------------------------------------------


def _before(story: Story) -> None:
    address = {"city": "Leeds", "country": "United Kingdom", "country_code": "GB"}
    number = phone(FREE_NUMBER)
    made = story.act("create_customer", email=EMAIL, first_name=FIRST, last_name=LAST, phone=number, address=address, accepts_email=True)
    order = story.act("create_order", lines=[{"variant_id": _variant(story), "quantity": 1}], customer_id=made.id, shipping=4)
    story.heroine = Heroine(made.id, number)
    story.say(f"shop: customer {made.id} signed up with address and phone, and bought order {order.name}")
    story.delivered("customer", made.id)
    story.delivered("order", order.id)
    story.motion.rest(seconds=60)
    must(story, "she is one profile with one order", hers(story)["orders"] == [f"shp-{order.id}"])


def _masked(story: Story) -> None:
    who, foreign = story.heroine, next(iter(story.goods.renamed))
    buyer = {"first_name": FIRST, "last_name": LAST, "phone": who.phone}
    who.first = buy(story, foreign, buyer=buyer, shipping_type="TIKTOK")
    who.buyer = who.first.buyer.user_id
    story.say(f"Demo UK: order {who.first.id} placed; TikTok ships it, so name, phone and address are masked")
    story.motion.until(f"SKU {foreign} is asked about", lambda: story.asked("unmapped_sku", foreign), seconds=STEP_SECONDS)
    _customer_delivered(story)
    scoped = [row for row in profiles(story).values() if row["customer_id"] == _buyer_key(story)]
    alone = [(row["email"], row["orders"]) for row in scoped] == [(None, [])]
    must(story, "a contact of the shop without address, beside her profile", alone)
    must(story, "her order waits for its SKU", _key(who.first) not in story.stage.ometria.look("/orders"))


def _mapped(story: Story) -> None:
    foreign, ours = next(iter(story.goods.renamed.items()))
    question = SyncException.objects.get(kind="unmapped_sku", subject=foreign, state=SyncException.State.OPEN)
    best = suggestions_for(question)[0]
    if [(sku, quantity) for sku, quantity, _ in best.components] != [(ours, 1)]:
        raise CommandError(f"{foreign} should be suggested to be {ours}, not {best.components}.")
    (answered,) = answer_many([(question, best)], get_user_model().objects.get(username="ecommerce"))
    if answered.error:
        raise CommandError(answered.error)
    story.say(f"ecommerce: {foreign} is {ours}, as suggested ({best.score} of 100: {', '.join(best.reasons)})")
    _there(story, story.heroine.first)


def _recognised(story: Story) -> None:
    who = story.heroine
    lines = story.goods.known[0]
    who.second = buy(story, lines, quantity=2, buyer=who.buyer, status="ON_HOLD")
    story.say(f"Demo UK: she orders again ({who.second.id}), on hold; the seller will ship it himself")
    held = lambda: _state(story, who.second) == Delivery.State.SKIPPED  # noqa: E731
    story.motion.until("the order on hold is held back", held, seconds=STEP_SECONDS)
    story.stage.tiktok_shop.act("release_hold", story.stage.british.spec.id, order_id=who.second.id)
    story.say("Demo UK: the hold is over; now her name and phone are shown")
    both = {_key(who.first), _key(who.second)}
    story.motion.until("both TikTok orders are hers", lambda: both <= set(hers(story)["orders"]), seconds=STEP_SECONDS)
    must(story, "her one profile has all three orders, nobody else has any of them", _owners(story, both) == {hers(story)["id"]})


def _refund(story: Story) -> None:
    who, shop = story.heroine, story.stage.british.spec.id
    before, line = value(story), who.second.lines[0]
    story.stage.tiktok_shop.act("advance_order", shop, order_id=who.second.id, to="DELIVERED")
    request = story.stage.tiktok_shop.act("open_return", shop, order_id=who.second.id, line_ids=[line.id], return_type="RETURN_AND_REFUND")
    story.stage.tiktok_shop.act("complete_return", shop, return_id=request.id)
    back = Decimal(line.refunded).scaleb(-2)
    story.say(f"Demo UK: one of two units of order {who.second.id} came back, {back} was repaid")
    story.motion.until("her value is lower", lambda: value(story) == before - back, seconds=STEP_SECONDS)
    must(story, f"her orders were worth {before:.2f} and are worth {before - back:.2f} now", True)


def _cancelled(story: Story) -> None:
    who, before = story.heroine, value(story)
    order = buy(story, story.goods.known[1], buyer=who.buyer, status="ON_HOLD")
    story.stage.tiktok_shop.act("request_cancellation", story.stage.british.spec.id, order_id=order.id)
    story.say(f"Demo UK: order {order.id} cancelled by her within the hold")
    story.motion.until("the cancelled order is settled", lambda: _state(story, order) != "", seconds=STEP_SECONDS)
    story.motion.rest(seconds=60)
    there = story.stage.ometria.look("/orders").get(_key(order))
    must(story, "the cancelled order counts nowhere", (there is None or not there["is_valid"]) and value(story) == before)


def _bundle(story: Story) -> None:
    order = buy(story, story.goods.bundle, buyer={"first_name": "Theo", "last_name": "Example"}, shipping_type="TIKTOK")
    story.say(f"Demo UK: order {order.id} for the set that only TikTok lists")
    _there(story, order)
    sent = story.stage.ometria.look("/orders")[_key(order)]
    parts = sorted((line["sku"], line["quantity"]) for line in sent["lineitems"])
    total = sum(Decimal(str(line["total"])) for line in sent["lineitems"])
    whole = Decimal(sum(line.sale for line in order.lines)).scaleb(-2)
    named = " and ".join(f"{count} × {sku}" for sku, count in parts)
    must(story, f"the set is {named}, to the penny", parts == sorted(story.goods.parts) and total == whole)


def _basket(story: Story) -> None:
    who, site, variant = story.heroine, story.visitors, _variant(story)
    stranger, she = site.arrive(), site.arrive()
    site.look(stranger, variant)
    site.look(she, variant)
    site.look(she, variant, "added_to_cart")
    checkout = site.begin(she, [variant])
    story.say("own site: two visitors, one of them leaves a checkout behind; nobody knows their names")
    waits = lambda: _events(story, "waits_for_visitor") >= 5  # noqa: E731 - four events and the checkout
    story.motion.until("what the visitors did waits for their names", waits, seconds=STEP_SECONDS)
    site.do(she, "identified", email=EMAIL)
    story.say("own site: one of them signs in; it is her")
    hers = {"product_viewed", "added_to_cart", "abandoned_checkout"}  # in any order: events and checkouts travel side by side
    story.motion.until("what she did before is told under her name", lambda: hers <= _told(story), seconds=STEP_SECONDS)
    must(story, "what she looked at before is under her name, her checkout as abandoned", hers <= _told(story))
    order = _bought(story, who.customer_id, [variant])
    site.do(she, "purchased", order_id=order, checkout_id=checkout)
    story.say("own site: she comes back and buys")
    story.motion.until("her checkout is told as recovered", lambda: "checkout_recovered" in _told(story), seconds=STEP_SECONDS)
    must(story, "the checkout is over, ended by her purchase; the other visitor stays unknown", _events(story, "waits_for_visitor") == 1)


def _crowd(story: Story) -> None:
    for number in range(max(CROWD_TICKS, VISITOR_TICKS)):
        if number < CROWD_TICKS:
            story.say(tiktok_tick(story, number))
        if number < VISITOR_TICKS:
            story.say(f"own site: {story.visitors.tick()}")
        story.motion.pause(TICK_SECONDS)
    story.motion.rest(seconds=60)


CHAPTERS: tuple[tuple[str, Callable[[Story], None]], ...] = (
    ("TikTok Shop: one consent, two shops", connect),
    ("A customer whom Ometria knows", _before),
    ("She buys on TikTok Shop and is masked", _masked),
    ("Her SKU is mapped as suggested", _mapped),
    ("Her second order shows who she is", _recognised),
    ("A set that only TikTok lists", _bundle),
    ("One unit comes back", _refund),
    ("An order cancelled in the hold", _cancelled),
    ("A checkout left behind on the merchant's own site", _basket),
    ("Many more buyers and visitors", _crowd),
)


# --- looking things up -------------------------------------------------------------------------------------------------


def _variant(story: Story) -> int:
    return next(key for key, row in story.stage.shop.variants.live.items() if row.sku)


def _buyer_key(story: Story) -> str:
    return f"tts:{story.stage.british.spec.id}:{story.heroine.buyer}"


def _state(story: Story, order: Order) -> str:
    rows = Delivery.objects.filter(flow=story.cast.flow(story.cast.tiktok, "order"), record_key=order.id)
    return rows.values_list("state", flat=True).first() or ""


def _there(story: Story, order: Order) -> None:
    there = lambda: _key(order) in story.stage.ometria.look("/orders") and _state(story, order) == Delivery.State.DELIVERED  # noqa: E731
    story.motion.until(f"order {order.id} is delivered", there, seconds=STEP_SECONDS)


def _customer_delivered(story: Story) -> None:
    rows = Delivery.objects.filter(flow=story.cast.flow(story.cast.tiktok, "customer"), record_key=_buyer_key(story), state="delivered")
    story.motion.until("the buyer is delivered", rows.exists, seconds=STEP_SECONDS)


def _owners(story: Story, orders: set[str]) -> set[str]:
    return {key for key, row in profiles(story).items() if orders & set(row["orders"])}


def _events(story: Story, code: str) -> int:
    return Delivery.objects.filter(flow__source=story.cast.site, state=Delivery.State.READY, last_code=code).count()


def _told(story: Story) -> set[str]:
    """Types of the events that Ometria holds under her address, of those that the site told."""
    rows = story.stage.ometria.look("/events").values()
    return {row["event_type"] for row in rows if row.get("identity_email") == EMAIL and row.get("properties", {}).get("source") == "site"}
