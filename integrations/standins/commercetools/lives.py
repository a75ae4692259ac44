"""A seeded generator of shoppers' lives: guests who register later, carts left and taken up again, returns, refusals, consent, prices."""

import heapq
from collections.abc import Iterator
from itertools import count
from random import Random
from typing import Any

from integrations.standins.commercetools import buying, catalogue, shipping, shoppers
from integrations.standins.commercetools.collection import Stored
from integrations.standins.commercetools.errors import Refusal
from integrations.standins.commercetools.products import variants_of
from integrations.standins.commercetools.project import Project
from integrations.standins.shopify.words import STREETS, person
from integrations.standins.tiktok_shop.people import PLACES, phone

HOUR, DAY = 3_600.0, 86_400.0
# how often a life is which, of a hundred
WAYS = (
    ("guest_buys", 14), ("guest_registers_later", 10), ("customer_buys", 18), ("signs_in_with_a_cart", 8), ("abandons", 9),
    ("recovers", 9), ("returns_a_part", 8), ("is_refunded", 4), ("cancels", 5), ("changes_consent", 8), ("price_changes", 3),
    ("product_changes", 2), ("moves_house", 1), ("is_erased", 1),
)  # fmt: skip
CODE = "WELCOME10"
# a line about what happened, and how many seconds pass before the next thing does
Step = tuple[str, float]


class Lives:
    """Lives in one project; the same seed lives the same lives."""

    def __init__(self, project: Project, *, seed: int = 1, prefix: str = "life", products: int = 20) -> None:
        self.project, self.random, self.seed, self.prefix, self.products = project, Random(seed), seed, prefix, products
        self._people: list[str] = []
        self._planned: list[tuple[float, int, Iterator[Step]]] = []
        self._order, self._numbers = count(), count(1)

    def history(self, *, lives: int = 80, days: float = 30.0) -> dict[str, int]:
        """Fill the past days, telling nobody; lives that reach into the future go on in ``tick``."""
        project = self.project
        with project.lock:
            now = project.clock.now()
            begin = now - days * DAY
            with project.past(begin - DAY):
                self._furnish()
            for _ in range(lives):
                self._plan(begin + (now - begin) * self.random.random(), self._life())
            while self._planned and self._planned[0][0] < now:
                moment, _, life = heapq.heappop(self._planned)
                with project.past(moment):
                    self._go_on(life, moment)
            return {type_id: len(project[type_id]) for type_id in ("customer", "order", "cart", "payment", "product")}

    def tick(self) -> str:
        """Let one plausible thing happen now and say what in a line."""
        with self.project.lock:
            self._furnish()
            while True:
                old = bool(self._planned) and self.random.random() < 0.6
                life = heapq.heappop(self._planned)[2] if old else self._life()
                said = self._go_on(life, self.project.clock.now())
                if said:
                    return said

    def _furnish(self) -> None:
        if not self.project.skus:
            catalogue.stock(self.project, count=self.products, seed=self.seed)
        if self.project.find("discount-code", "code", CODE) is None:
            buying.discount_code(self.project, code=CODE)

    def _go_on(self, life: Iterator[Step], moment: float) -> str:
        """Take the next step of a life; one that has become impossible ends it without a word."""
        try:
            said, seconds = next(life)
        except (StopIteration, Refusal):
            return ""
        self._plan(moment + seconds, life)
        return said

    def _plan(self, moment: float, life: Iterator[Step]) -> None:
        heapq.heappush(self._planned, (moment, next(self._order), life))

    def _life(self) -> Iterator[Step]:
        way = self.random.choices([name for name, _ in WAYS], [weight for _, weight in WAYS])[0]
        life: Iterator[Step] = getattr(self, f"_{way}")()
        return life

    def _between(self, low: float, high: float) -> float:
        return self.random.uniform(low, high)

    # ---- who, what, where

    def _new_person(self) -> dict[str, Any]:
        number = next(self._numbers)
        made, country = person(self.random, number), self.random.choice(("GB", "GB", "GB", "DE"))
        city, code = self.random.choice(PLACES[country])
        address = {
            "country": country, "firstName": made["first_name"], "lastName": made["last_name"],
            "streetName": self.random.choice(STREETS), "streetNumber": str(self.random.randint(1, 99)), "city": city, "postalCode": code,
            "mobile": phone(country, number),
        }  # fmt: skip
        return {**made, "email": f"{self.prefix}.{made['email']}", "address": address, "country": country}

    def _register(self, who: dict[str, Any], *, anonymous: str = "") -> Stored:
        yes = self.random.random()
        consent = None if yes < 0.2 else {"email": yes < 0.75, "sms": True if yes > 0.9 else None}
        names = {name: who[name] for name in ("email", "first_name", "last_name", "address")}
        locale = buying.LOCALES[who["country"]]
        store = {"GB": "uk", "DE": "de"}[who["country"]] if self.random.random() < 0.3 else ""
        made = shoppers.register(
            self.project, **names, consent=consent, anonymous_id=anonymous, locale=locale, store=store,
            customerNumber=f"{self.prefix.upper()}-{next(self._numbers)}",
        )  # fmt: skip
        self._people.append(made.id)
        return made

    def _somebody(self) -> tuple[Stored, str]:
        """A customer, known more often than not, and the country of the address."""
        known = [key for key in self._people if key in self.project["customer"].rows]
        made = self.project.get("customer", self.random.choice(known)) if known and self.random.random() < 0.6 else None
        made = made or self._register(self._new_person())
        return made, made.doc()["addresses"][0]["country"]

    def _goods(self) -> list[dict[str, Any]]:
        skus = sorted(sku for sku, (key, _) in self.project.skus.items() if key in self.project["product-projection"].rows)
        chosen = self.random.sample(skus, min(len(skus), self.random.randint(1, 3)))
        return [{"sku": sku, "quantity": self.random.choice((1, 1, 1, 2, 3))} for sku in chosen]

    def _extras(self) -> dict[str, Any]:
        """A code, a gift, a fee, a tenth off: now and then."""
        drawn = self.random.random()
        if drawn < 0.15:
            return {"code": CODE}
        if drawn < 0.22:
            return {"gift": self._goods()[0]["sku"]}
        return {"off_total": 500} if drawn < 0.3 else {}

    def _bought(self, **fields: Any) -> tuple[Stored, str]:
        who, country = self._somebody()
        address = who.doc()["addresses"][0]
        made = buying.order(
            self.project, customer=who.id, lines=self._goods(), country=country, address=address, **self._extras(), **fields
        )
        return made, made.doc()["orderNumber"]

    # ---- ways: each step says what happened and how long it takes until the next

    def _arrives(self, key: str, number: str) -> Iterator[Step]:
        if self.project.get("order", key).doc()["paymentState"] != "Paid":
            shipping.pay(self.project, order=key)
            yield f"order {number} paid", self._between(1 * HOUR, 1 * DAY)
        shipping.ship(self.project, order=key)
        yield f"order {number} sent", self._between(1 * DAY, 3 * DAY)
        shipping.deliver(self.project, order=key)
        yield f"order {number} delivered", self._between(1 * DAY, 6 * DAY)

    def _guest_buys(self) -> Iterator[Step]:
        who = self._new_person()
        order = buying.guest_order(
            self.project,
            email=who["email"],
            lines=self._goods(),
            country=who["country"],
            address=who["address"],
            paid=True,
            **self._extras(),
        )
        number = order.doc()["orderNumber"]
        yield f"guest order {number} placed", self._between(1 * HOUR, 1 * DAY)
        yield from self._arrives(order.id, number)

    def _guest_registers_later(self) -> Iterator[Step]:
        who, anonymous = self._new_person(), f"anon-{next(self._numbers)}"
        order = buying.guest_order(
            self.project, email=who["email"], lines=self._goods(), country=who["country"], address=who["address"], anonymous_id=anonymous
        )
        number = order.doc()["orderNumber"]
        yield f"guest order {number} placed", self._between(1 * HOUR, 3 * DAY)
        self._register(who, anonymous=anonymous)
        yield f"the guest of order {number} registered", self._between(1 * HOUR, 1 * DAY)
        yield from self._arrives(order.id, number)

    def _customer_buys(self) -> Iterator[Step]:
        order, number = self._bought(paid=self.random.random() < 0.6)
        yield f"order {number} placed", self._between(1 * HOUR, 1 * DAY)
        yield from self._arrives(order.id, number)
        shipping.complete(self.project, order=order.id)
        yield f"order {number} complete", DAY

    def _signs_in_with_a_cart(self) -> Iterator[Step]:
        who, country = self._somebody()
        anonymous = f"anon-{next(self._numbers)}"
        for wish in self._goods():
            buying.add_to_cart(self.project, customer=who.id, country=country, **wish)
        for wish in self._goods():
            buying.add_to_cart(self.project, anonymous_id=anonymous, country=country, **wish)
        yield "two carts of one person", self._between(60, 1 * HOUR)
        cart = shoppers.login(self.project, who.id, anonymous_id=anonymous)["cart"]
        yield "signed in, and the carts became one", self._between(60, 1 * HOUR)
        buying.start_checkout(self.project, cart=cart["id"], address=who.doc()["addresses"][0])
        number = buying.place_order(self.project, cart=cart["id"], paid=True).doc()["orderNumber"]
        yield f"order {number} placed from the merged cart", DAY

    def _left(self) -> Stored:
        """A checkout that somebody left, a guest or a customer."""
        who, country = self._somebody()
        guest = self.random.random() < 0.5
        owner = {"anonymous_id": f"anon-{next(self._numbers)}"} if guest else {"customer": who.id}
        for wish in self._goods():
            cart = buying.add_to_cart(self.project, country=country, **owner, **wish)
        doc = who.doc()
        return buying.start_checkout(self.project, cart=cart.id, email=doc["email"] if guest else "", address=doc["addresses"][0])

    def _abandons(self) -> Iterator[Step]:
        self._left()
        yield f"checkout {next(self._numbers)} abandoned", DAY

    def _recovers(self) -> Iterator[Step]:
        cart, name = self._left(), next(self._numbers)
        yield f"checkout {name} abandoned", self._between(2 * HOUR, 2 * DAY)
        order = buying.place_order(self.project, cart=cart.id, paid=True)
        number = order.doc()["orderNumber"]
        yield f"checkout {name} recovered as order {number}", self._between(1 * HOUR, 1 * DAY)
        yield from self._arrives(order.id, number)

    def _returns_a_part(self) -> Iterator[Step]:
        order, number = self._bought(paid=True)
        yield f"order {number} placed", self._between(1 * HOUR, 1 * DAY)
        yield from self._arrives(order.id, number)
        line = order.doc()["lineItems"][0]
        advised = self.random.random() < 0.5
        state = "Advised" if advised else "Returned"
        shipping.return_items(self.project, order=order.id, items=[{"id": line["id"], "quantity": 1}], state=state)
        yield f"part of order {number} is on its way back", self._between(1 * DAY, 4 * DAY)
        if advised:
            shipping.receive_return(self.project, order=order.id)
            yield f"part of order {number} is back", self._between(2 * HOUR, 1 * DAY)
        shipping.refund(self.project, order=order.id, amount=max(1, line["totalPrice"]["centAmount"] // line["quantity"]))
        yield f"part of order {number} refunded", DAY

    def _is_refunded(self) -> Iterator[Step]:
        order, number = self._bought(paid=True)
        yield f"order {number} placed", self._between(1 * HOUR, 1 * DAY)
        yield from self._arrives(order.id, number)
        shipping.return_items(self.project, order=order.id)
        shipping.refund(self.project, order=order.id)
        yield f"order {number} returned and refunded", DAY

    def _cancels(self) -> Iterator[Step]:
        order, number = self._bought(paid=self.random.random() < 0.5)
        yield f"order {number} placed", self._between(600, 6 * HOUR)
        shipping.cancel(self.project, order=order.id)
        yield f"order {number} cancelled", DAY

    def _changes_consent(self) -> Iterator[Step]:
        who, _ = self._somebody()
        yes = self.random.random() < 0.4
        shoppers.change_consent(self.project, who.id, email=yes, dated=self.random.random() < 0.9)
        yield f"a customer said {'yes' if yes else 'no'} to e-mail", self._between(1 * DAY, 9 * DAY)
        shoppers.change_consent(self.project, who.id, sms=self.random.random() < 0.5)
        yield "a customer changed their mind about text messages", DAY

    def _price_changes(self) -> Iterator[Step]:
        sku = self._goods()[0]["sku"]
        row = catalogue.product_of(self.project, sku)
        variant = next(item for item in variants_of(row.doc()["masterData"]["current"]) if item.get("sku") == sku)
        pounds = variant["prices"][0]["value"]["centAmount"] / 100
        catalogue.discount_price(self.project, sku=sku, price=f"{pounds * 0.8:.2f}")
        yield f"{sku} is on offer", self._between(1 * DAY, 5 * DAY)
        catalogue.discount_price(self.project, sku=sku, price=None)
        catalogue.change_price(self.project, sku=sku, price=f"{pounds + 1:.2f}")
        yield f"{sku} costs more", DAY

    def _product_changes(self) -> Iterator[Step]:
        sku = self._goods()[0]["sku"]
        row = catalogue.product_of(self.project, sku)
        name = row.doc()["masterData"]["current"]["name"]["en-GB"].removesuffix(" (new)")
        catalogue.edit_product(self.project, product=row.id, name=f"{name} (new)", publish=False)
        yield f"{name} is being edited", self._between(1 * HOUR, 1 * DAY)
        catalogue.publish(self.project, product=row.id)
        yield f"{name} published", DAY

    def _moves_house(self) -> Iterator[Step]:
        who, _ = self._somebody()
        shoppers.add_address(self.project, who.id, address=self._new_person()["address"])
        yield "a customer moved house", self._between(1 * HOUR, 1 * DAY)
        shoppers.change_email(self.project, who.id, email=f"moved.{next(self._numbers)}.{self.prefix}@example.com")
        yield "a customer has another e-mail address", DAY

    def _is_erased(self) -> Iterator[Step]:
        who = self._register(self._new_person())
        yield "somebody registered", self._between(1 * DAY, 5 * DAY)
        shoppers.delete_customer(self.project, who.id, erase=True)
        yield "and asked to be forgotten", DAY
