"""A great many people and orders at once, for volume: in the past, telling nobody, without going through carts."""

from collections.abc import Iterator
from random import Random
from typing import Any

from integrations.standins.commercetools import catalogue
from integrations.standins.commercetools.furnish import CONSENT_TYPE
from integrations.standins.commercetools.lines import line_of
from integrations.standins.commercetools.moments import iso
from integrations.standins.commercetools.money import cents
from integrations.standins.commercetools.project import Project
from integrations.standins.commercetools.totals import recalculate
from integrations.standins.shopify.words import FIRST_NAMES, LAST_NAMES, STREETS

DAY = 86_400.0
DRAMA = 1000


def fill(project: Project, count: int, *, days: float = 30.0, seed: int = 1, prefix: str = "filled", store: str = "") -> list[str]:
    """So many customers over the past days, oldest first; raises ValueError."""
    if count < 1:
        raise ValueError("Fill with at least one customer.")
    with project.lock:
        docs = list(_people(project, count, Random(seed), days=days, prefix=prefix, store=store))
        project["customer"].put_many(docs)
    return [doc["id"] for doc in docs]


def _people(project: Project, count: int, random: Random, *, days: float, prefix: str, store: str) -> Iterator[dict[str, Any]]:
    begin, step = project.now() - days * DAY, days * DAY / count
    consent = {"typeId": "type", "id": project.named("type", "key", CONSENT_TYPE).id}
    start = len(project["customer"])
    for number in range(start, start + count):
        born = iso(begin + step * (number - start))
        first, last = random.choice(FIRST_NAMES), random.choice(LAST_NAMES)
        address = {
            "id": f"a{number}", "country": "GB", "firstName": first, "lastName": last, "streetName": random.choice(STREETS),
            "streetNumber": str(random.randint(1, 99)), "postalCode": "LS1 1AA", "city": "Leeds",
            "mobile": f"+442079460{number % DRAMA:03d}",
        }  # fmt: skip
        yield {
            "id": project.new_id(), "version": 1, "createdAt": born, "lastModifiedAt": born, "createdBy": project.author,
            "lastModifiedBy": project.author, "customerNumber": f"C-{number}", "email": f"{prefix}.{number}@example.com",
            "firstName": first, "lastName": last, "addresses": [address], "defaultShippingAddressId": address["id"],
            "shippingAddressIds": [address["id"]], "billingAddressIds": [], "isEmailVerified": True, "customerGroupAssignments": [],
            "stores": [{"typeId": "store", "key": store}] if store else [], "locale": "en-GB", "authenticationMode": "Password",
            "custom": {"type": consent, "fields": {"emailOptIn": bool(number % 3), "emailOptInAt": born}},
        }  # fmt: skip


def fill_orders(project: Project, count: int, *, days: float = 30.0, seed: int = 1, lines: int = 2, **_: Any) -> list[str]:
    """So many paid and sent orders over the past days, of the customers there are or of guests; raises ValueError."""
    if count < 1:
        raise ValueError("Fill with at least one order.")
    with project.lock:
        if not project.skus:
            with project.past(project.now() - (days + 1) * DAY):
                catalogue.stock(project)
        docs = list(_orders(project, count, Random(seed), days=days, lines=lines))
        project["order"].put_many(docs)
    return [doc["id"] for doc in docs]


def _orders(project: Project, count: int, random: Random, *, days: float, lines: int) -> Iterator[dict[str, Any]]:
    begin, step = project.now() - days * DAY, days * DAY / count
    skus, people = sorted(project.skus), list(project["customer"].rows.values())
    stencils = [line_of(project, {"sku": sku}, currency="GBP", country="GB") for sku in skus[:60]]
    price = cents("GBP", 500)
    for number in range(count):
        born, start = iso(begin + step * number), project.next_number("order")
        chosen = [{**random.choice(stencils), "id": project.new_id(), "quantity": random.choice((1, 1, 2))} for _ in range(lines)]
        person = people[number % len(people)].doc() if people else None
        doc: dict[str, Any] = {
            "id": project.new_id(), "version": 1, "createdAt": born, "lastModifiedAt": born, "createdBy": project.author,
            "lastModifiedBy": project.author, "orderNumber": f"W-{10_000 + start}", "lineItems": chosen, "customLineItems": [],
            "customerEmail": person["email"] if person else f"guest.{number}@example.com", "country": "GB", "locale": "en-GB",
            "totalPrice": price, "origin": "Customer", "orderState": "Confirmed", "shipmentState": "Shipped", "paymentState": "Paid",
            "shippingAddress": person["addresses"][0] if person and person["addresses"] else {"country": "GB", "city": "Leeds"},
            "shippingInfo": {
                "shippingMethodName": "Standard", "price": price, "shippingRate": {"price": price, "tiers": []}, "deliveries": [],
                "shippingMethodState": "MatchesCart",
            },
            "shippingMode": "Single", "shipping": [], "syncInfo": [], "returnInfo": [], "refusedGifts": [], "inventoryMode": "None",
        }  # fmt: skip
        if person:
            doc["customerId"] = person["id"]
        recalculate(doc)
        yield {name: value for name, value in doc.items() if value is not None}


def rewrite(project: Project, *, type_id: str = "customer", count: int, seed: int = 1) -> int:
    """So many resources (at random, again and again) get a new version now; each write lets others in between."""
    random, keys = Random(seed), list(project[type_id].rows)
    for _ in range(count):
        with project.lock:
            row = project[type_id].rows.get(random.choice(keys))
            if row is None:
                continue
            doc = row.doc()
            if type_id == "customer":
                doc["middleName"] = f"M{random.randrange(10**9)}"
            else:
                doc["purchaseOrderNumber"] = f"P{random.randrange(10**9)}"
            project.replace(type_id, row, doc)
    return count
