"""The verdict on the commercetools project, and on consent between three platforms: their own books against each other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from integrations.management.demo.cast import Cast
from integrations.management.demo.stage import Stage
from integrations.management.demo.tally import Check, Row, missing, tally
from integrations.models import Delivery, Flow, InboxEvent
from integrations.standins.commercetools.products import variants_of
from integrations.standins.commercetools.project import Project
from integrations.standins.commercetools.specs import DEMO_CLIENT_ID

PREFIX = "commercetools:"
REFUNDS = ("Refund", "Chargeback")
SAID = {"SUBSCRIBED": True, "UNSUBSCRIBED": False}
SETTLED = 10.0  # seconds
TOLD = ("customer", "order", "payment", "product")  # whose messages are read
SETS = ("customer.setCustomField", "customer.setCustomType")
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
Held = dict[str, dict[str, Any]]


def is_storefronts(kind: str, key: str, row: dict[str, Any], skus: set[str]) -> bool:
    """Whether what the account holds came from the project: its ids, the SKUs of its variants, and its carts look like nobody else's."""
    if kind == "contacts":
        return key.startswith(PREFIX)
    if kind == "events":
        return bool(_ID.fullmatch(str(row.get("properties", {}).get("checkout_id", "")))) and "source" not in row["properties"]
    return bool(_ID.fullmatch(key)) or (kind == "products" and bool(row.get("is_variant")) and key in skus)


def split(stage: Stage, held: Held) -> tuple[Held, Held]:
    """What the account holds of everybody else, and of the project."""
    skus = set(stage.commercetools.project().skus)
    ours = {kind: {key: row for key, row in rows.items() if is_storefronts(kind, key, row, skus)} for kind, rows in held.items()}
    return {kind: {key: row for key, row in rows.items() if key not in ours[kind]} for kind, rows in held.items()}, ours


def rows(stage: Stage, cast: Cast, held: Held) -> Iterator[Row]:
    """A row for each flow of the project and for each flow of consent; `held` is what the account holds of the project."""
    if cast.storefront is None:
        return
    project, products = stage.commercetools.project(), held["products"]
    there = {
        "customer": (set(held["contacts"]), set(project["customer"].rows)),
        "order": (set(held["orders"]), set(project["order"].rows)),
        "checkout": (set(held["events"]), None),
        "product": ({key for key, row in products.items() if not row.get("is_variant")}, set(project["product-projection"].rows)),
        "variant": ({key for key, row in products.items() if row.get("is_variant")}, set(project.skus)),
    }
    for kind, (keys, source) in there.items():
        yield tally(cast.flow(cast.storefront, kind), keys, source)
    written = {"shopify": _in_shop(stage), "commercetools": _in_project(stage)}
    for flow in cast.consents:
        yield _consents(flow, written[flow.destination.platform])


def checks(stage: Stage, cast: Cast, held: Held) -> Iterator[Check]:
    """Promises beyond the counts."""
    if cast.storefront is None:
        return
    project = stage.commercetools.project()
    yield _money(project, held["orders"])
    yield _prices(project, held["products"])
    yield _agreement(stage, project)
    yield _sources(stage, cast)
    yield _messages(project, cast)


# --- consent -------------------------------------------------------------------------------------------------------------


def _in_shop(stage: Stage) -> set[str]:
    """Ids of the customers whose consent was written in the shop, by its ledger."""
    return {effect.key.rpartition("/")[2] for effect in stage.shopify.ledger.effects("consent")}


def _in_project(stage: Stage) -> set[str]:
    """Ids of the customers whom our client changed in the project, by its ledger."""
    effects = (effect for kind in SETS for effect in stage.commercetools.ledger.effects(kind))
    return {effect.key for effect in effects if effect.payload["clientId"] == DEMO_CLIENT_ID}


def _consents(flow: Flow, written: set[str]) -> Row:
    sent = Delivery.objects.filter(flow=flow).exclude(sent_hash="").values_list("destination_key", flat=True)
    return tally(flow, {key for key in sent if key.rpartition("/")[2] in written}, None)


def _sources(stage: Stage, cast: Cast) -> Check:
    """Nobody's consent was changed at a destination without a delivery that says so."""
    faults, count = [], 0
    for platform, written in (("shopify", _in_shop(stage)), ("commercetools", _in_project(stage))):
        told = Delivery.objects.filter(flow__in=cast.consents, flow__destination__platform=platform).exclude(sent_hash="")
        keys = {key.rpartition("/")[2] for key in told.values_list("destination_key", flat=True)}
        faults += missing(f"consent changed in {platform} without a delivery", written - keys)
        count += len(written)
    return Check(f"{count} people whose consent was written back, each told by a delivery", tuple(faults))


def _agreement(stage: Stage, project: Project) -> Check:
    """Whoever said yes or no with a date: shop, project and account hold the same."""
    shop = {row.email: SAID.get(row.email_consent.state) for row in stage.shop.customers.live.values() if row.email}
    profiles = {row["email"]: row["marketing_optin"] for row in stage.ometria.look("/profiles").values() if row["email"]}
    faults, people, everywhere = [], 0, 0
    for row in project["customer"].rows.values():
        doc = row.doc()
        fields, email = doc.get("custom", {}).get("fields", {}), doc["email"].lower()
        if "emailOptIn" not in fields or "emailOptInAt" not in fields:
            continue
        people, everywhere = people + 1, everywhere + (email in shop)
        said = {fields["emailOptIn"], profiles.get(email), *([shop[email]] if email in shop else [])}
        if len(said) != 1:
            faults.append(
                f"customer {row.id}: {fields['emailOptIn']} there, {profiles.get(email)} at Ometria, {shop.get(email)} in the shop"
            )
    return Check(f"{people} consents of the storefront are the same at Ometria, {everywhere} of them in the shop too", tuple(faults))


# --- money, prices, messages ---------------------------------------------------------------------------------------------


def _money(project: Project, held: dict[str, Any]) -> Check:
    """What each order came to, what was paid back of it, whether it counts."""
    faults, compared = [], 0
    for key, row in project["order"].rows.items():
        if key in held:
            compared += 1
            faults += _differences(project, row.doc(), held[key])
    return Check(f"{compared} orders of the storefront: value, refunds and validity are equal on both sides", tuple(faults))


def _differences(project: Project, doc: dict[str, Any], record: dict[str, Any]) -> Iterator[str]:
    name, cancelled = f"order {doc['orderNumber']}", doc["orderState"] == "Cancelled"
    gross = (doc.get("taxedPrice") or {}).get("totalGross") or doc["totalPrice"]
    digits = gross["fractionDigits"]
    total, there = Decimal(gross["centAmount"]).scaleb(-digits), Decimal(str(record["grand_total"]))
    if (total, gross["currencyCode"]) != (there, record["currency"]):
        yield f"{name}: {total} {gross['currencyCode']} in the project, {there} {record['currency']} there"
    back, said = Decimal(_repaid(project, doc)).scaleb(-digits), _refunded(record)
    if not cancelled and back != said:
        yield f"{name}: {back} repaid in the project, {said} there"
    if cancelled and (record["is_valid"] or record["status"] != "cancelled"):
        yield f"{name} is cancelled, but {record['status']} and valid={record['is_valid']} there"
    if not cancelled and 0 < total == back and record["is_valid"]:
        yield f"{name} is repaid in full, but counts there"


def _repaid(project: Project, doc: dict[str, Any]) -> int:
    """Minor units that payments gave back."""
    paid = (project.get("payment", one["id"]).doc() for one in (doc.get("paymentInfo") or {}).get("payments", ()))
    entries = (entry for payment in paid for entry in payment["transactions"])
    return sum(entry["amount"]["centAmount"] for entry in entries if entry["type"] in REFUNDS and entry["state"] == "Success")


def _refunded(record: dict[str, Any]) -> Decimal:
    return Decimal(str(record["total_refunded"])) + Decimal(str(record.get("properties", {}).get("refund_other") or 0))


def _prices(project: Project, held: dict[str, Any]) -> Check:
    """What a buyer pays for every variant in pounds, and that every product's listings ask what the project asks in that currency."""
    faults, compared = [], 0
    for row in project["product"].rows.values():
        variants = variants_of(row.doc()["masterData"]["current"])
        for variant in variants:
            if (record := held.get(variant["sku"])) is not None:
                compared += 1
                faults += [] if _paid(record) in _asked(variant, "GBP") else [f"{variant['sku']}: another price there, {_paid(record)}"]
        for listing in held.get(row.id, {}).get("listings", ()):
            asked = {price for variant in variants for price in _asked(variant, listing["currency"])}
            faults += [] if _paid(listing) in asked else [f"product {row.id}: {_paid(listing)} {listing['currency']} there"]
    return Check(f"{compared} variants of the storefront: prices are equal on both sides, in every market", tuple(faults))


def _paid(row: dict[str, Any]) -> Decimal:
    return Decimal(str(row["price"] if row.get("special_price") is None else row["special_price"]))


def _asked(variant: dict[str, Any], currency: str) -> set[Decimal]:
    """What a variant costs in a currency, an offer first."""
    rows = [row for row in variant["prices"] if row["value"]["currencyCode"] == currency]
    values = [(row.get("discounted") or row)["value"] for row in rows]
    return {Decimal(value["centAmount"]).scaleb(-value["fractionDigits"]) for value in values}


def _messages(project: Project, cast: Cast) -> Check:
    """Every message but the newest, which readers leave to their next reading, is stored, and could be used."""
    rows = InboxEvent.objects.filter(connection=cast.storefront).exclude(topic__startswith="pull:")
    stored = list(rows.values_list("dedup_key", "state"))
    faults = [f"{key} could not be read" for key, state in stored if state == InboxEvent.State.FAILED]
    until = project.clock.now() - SETTLED
    docs = ((row.id, row.doc()) for row in project["message"].rows.values())
    told = {key for key, doc in docs if doc["resource"]["typeId"] in TOLD and _seconds(doc["createdAt"]) < until}
    known = {key.rpartition(":")[2] for key, _ in stored}
    faults += missing("message that was never read", told - known)
    return Check(f"{len(told)} messages of the storefront, each stored once", tuple(faults))


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
