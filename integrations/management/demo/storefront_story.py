"""The story of a commercetools project, and of a person who says yes and no in three places: everybody is told, and all agree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError
from django.utils import timezone

from integrations.engine.accounts import probe_connection
from integrations.engine.pull import start_backfill
from integrations.engine.watch import hook_address
from integrations.management.demo.stage import ACCOUNT_NAME, AUTOMATION_KEY
from integrations.models import Checkpoint
from integrations.platforms.ometria.webhooks import BODY
from integrations.standins.commercetools.lives import Lives
from integrations.standins.ometria.automation import Hook

if TYPE_CHECKING:
    from integrations.management.demo.story import Story

LIVES, DAYS = 30, 30.0
PAST = timedelta(days=DAYS + 5)
STEP_SECONDS, BACKFILL_SECONDS = 45.0, 60.0
READERS = ("products", "customers", "orders", "carts")
LEFT_AGO = 50.0  # seconds; a cart counts as abandoned after sixty
SKU, POUNDS, EUROS, EUROS_LATER = "FELL-LAMP-01", "40.00", "48.00", "44.00"
WITH_ACCOUNT, GUEST, ABROAD, LEFT = (f"{name}@example.com" for name in ("nora.hale", "tilda.guest", "jonas.linde", "left.behind"))
TORN = "iris.vale@example.com"  # the one who changes her mind
IN, OUT = "EXPLICITLY_OPTEDIN", "EXPLICITLY_OPTEDOUT"


@dataclass(frozen=True, slots=True)
class Person:
    """One person's ids in the Shopify shop and in the storefront."""

    email: str
    shop_id: int
    storefront_id: str


# --- what happens, and what is held --------------------------------------------------------------------------------------


def act(story: Story, do: str, **arguments: Any) -> Any:
    """Let something happen in the storefront; what it made, as a stored resource."""
    return story.stage.commercetools.act(do, **arguments)


def held(story: Story, what: str) -> dict[str, Any]:
    """What the account holds of a kind."""
    return story.stage.ometria.look(f"/{what}")


def sides(story: Story, person: Person) -> tuple[bool | None, bool | None, bool | None]:
    """Whether this person may be mailed: by the shop, by the storefront, by the account."""
    shop = story.stage.shop.customers.live[person.shop_id].email_consent.state
    fields = story.stage.commercetools.project().get("customer", person.storefront_id).doc()["custom"]["fields"]
    found = [row["marketing_optin"] for row in held(story, "profiles").values() if row["email"] == person.email]
    return {"SUBSCRIBED": True, "UNSUBSCRIBED": False}.get(shop), fields.get("emailOptIn"), found[0] if len(found) == 1 else None


def _until(story: Story, what: str, happened: Callable[[], bool]) -> None:
    story.motion.until(what, happened, seconds=STEP_SECONDS)
    story.say(f"so it is: {what}")


def _agree(story: Story, person: Person, said: bool) -> None:
    word = "yes" if said else "no"
    _until(story, f"shop, storefront and Ometria all hold {word}", lambda: sides(story, person) == (said, said, said))


# --- chapters ------------------------------------------------------------------------------------------------------------


def connect(story: Story) -> None:
    """Give the storefront its past, test the connection, and let Ometria's automation call us."""
    project, connection = story.stage.commercetools.project(), story.cast.storefront
    story.lives = Lives(project, seed=story.stage.seed, prefix="storefront")
    lived = story.lives.history(lives=LIVES, days=DAYS)
    story.say("the storefront has a past: " + ", ".join(f"{count} {name}s" for name, count in lived.items()))
    probe = probe_connection(connection)
    if not probe.ok:
        raise CommandError(f"{connection.name}: {' '.join(probe.problems)}")
    story.say(f"test call to {connection.name}: {probe.summary}")
    headers = {"X-Switchyard-Account": ACCOUNT_NAME, "X-Switchyard-Key": AUTOMATION_KEY}
    story.stage.ometria.automations.hooks[ACCOUNT_NAME] = Hook(hook_address(story.cast.account), headers, BODY)
    story.say("Ometria: from now on an automation calls us when people say yes or no there")


def _came(story: Story) -> None:
    connect(story)
    lamp = {"sku": SKU, "prices": [_price(POUNDS, "GBP"), _price(EUROS, "EUR")]}
    story.lamp = act(story, "create_product", name="Fell lamp", variants=[lamp]).id
    start_backfill(story.cast.storefront, READERS, since=timezone.now() - PAST, by=get_user_model().objects.get(username="manager"))
    rows = Checkpoint.objects.filter(connection=story.cast.storefront, purpose=Checkpoint.Purpose.BACKFILL)
    ended = lambda: not rows.exclude(state__in=["done", "failed", "cancelled"]).exists()  # noqa: E731
    story.motion.until("the storefront's backfill ends", ended, seconds=BACKFILL_SECONDS)
    if failed := rows.exclude(state=Checkpoint.State.DONE).first():
        raise CommandError(f"The backfill of {failed.reader} ended as {failed.state}: {failed.error}")


def _bought(story: Story) -> None:
    account = act(story, "register", email=WITH_ACCOUNT, first_name="Nora", last_name="Hale", consent={"email": True})
    bought = act(story, "order", customer=account.id, lines=[{"sku": SKU, "quantity": 2}], paid=True)
    guest = act(story, "guest_order", email=GUEST, lines=[SKU], paid=True)
    abroad = act(story, "guest_order", email=ABROAD, lines=[SKU], country="DE", paid=True)
    story.bought = bought.id
    project = story.stage.commercetools.project()
    with project.lock, project.past(project.clock.now() - LEFT_AGO):
        cart = act(story, "add_to_cart", sku=SKU, anonymous_id="somebody")
        act(story, "start_checkout", cart=cart.id, email=LEFT)
    story.say("storefront: a customer, a guest and a German guest buy the new lamp, and somebody leaves a cart behind")
    _ask(story, "carts")
    _until(story, "the lamp has a price for each market", lambda: _asked_for(story) == {POUNDS, EUROS})
    act(story, "change_price", sku=SKU, price=EUROS_LATER, currency="EUR")
    story.say(f"storefront: in Germany the lamp costs {EUROS_LATER} now")
    keys = {row.id for row in (bought, guest, abroad)}
    _until(story, "the three orders are at Ometria", lambda: keys <= held(story, "orders").keys())
    _until(story, "the cart is told as abandoned", lambda: any(_cart_of(row) == cart.id for row in held(story, "events").values()))


def _returned(story: Story) -> None:
    line = act(story, "ship", order=story.bought).doc()["lineItems"][0]["id"]
    act(story, "return_items", order=story.bought, items=[{"id": line, "quantity": 1}])
    act(story, "refund", order=story.bought, amount=4000)
    story.say("storefront: one of the customer's two lamps came back and was repaid")
    _ask(story, "products")
    back = lambda: Decimal(str(held(story, "orders")[story.bought]["total_refunded"])) == Decimal(POUNDS)  # noqa: E731
    _until(story, f"of her order {POUNDS} are refunded", back)
    _until(story, "the German listing has the new price", lambda: _asked_for(story) == {POUNDS, EUROS_LATER})


def _known(story: Story) -> None:
    made = story.act("create_customer", email=TORN, first_name="Iris", last_name="Vale", accepts_email=True)
    account = act(story, "register", email=TORN, first_name="Iris", last_name="Vale", consent={"email": True})
    story.torn = Person(TORN, made.id, account.id)
    story.say("the same woman signs up in the shop and in the storefront, and wants mail")
    _agree(story, story.torn, True)


def _out_at_ometria(story: Story) -> None:
    story.stage.ometria.act("/preference", email=TORN, marketing_optin=OUT)
    story.say("Ometria: she uses the preference centre and wants no more mail")
    _agree(story, story.torn, False)


def _some_time_later(story: Story) -> None:
    """Of what is said in one second the "no" stands: not every platform tells parts of one."""
    clock = story.stage.commercetools.project().clock
    after = clock.now() + 1.0
    story.motion.until("a second passes", lambda: clock.now() >= after, seconds=STEP_SECONDS)


def _in_at_the_storefront(story: Story) -> None:
    _some_time_later(story)
    act(story, "change_consent", customer=story.torn.storefront_id, email=True)
    story.say("storefront: some time later she ticks the box again")
    _agree(story, story.torn, True)


def _out_at_the_shop(story: Story) -> None:
    _some_time_later(story)
    story.act("set_email_consent", customer_id=story.torn.shop_id, state="UNSUBSCRIBED")
    story.say("shop: she unsubscribes")
    _agree(story, story.torn, False)
    story.motion.rest(seconds=60)


CHAPTERS: tuple[tuple[str, Callable[[Story], None]], ...] = (
    ("A commercetools project joins", _came),
    ("Two markets, three orders, a cart left behind", _bought),
    ("A lamp comes back", _returned),
    ("One person, known in three places", _known),
    ("She opts out at Ometria", _out_at_ometria),
    ("She opts in again at the storefront", _in_at_the_storefront),
    ("She opts out at the shop", _out_at_the_shop),
)


# --- looking things up ---------------------------------------------------------------------------------------------------


def _price(amount: str, currency: str) -> dict[str, str]:
    return {"price": amount, "currency": currency}


def _ask(story: Story, *readers: str) -> None:
    """Let these polls come round now: what is backdated told nobody, and messages about goods are gathered for half a minute."""
    rows = Checkpoint.objects.filter(connection=story.cast.storefront, purpose=Checkpoint.Purpose.POLL, reader__in=readers)
    rows.filter(state=Checkpoint.State.WAITING).update(due_at=timezone.now())


def _asked_for(story: Story) -> set[str]:
    """What the lamp costs at Ometria, market by market."""
    lamp = held(story, "products").get(story.lamp, {})
    return {f"{Decimal(str(row['price'])):.2f}" for row in lamp.get("listings", ())}


def _cart_of(event: dict[str, Any]) -> str:
    return str(event.get("properties", {}).get("checkout_id", ""))
