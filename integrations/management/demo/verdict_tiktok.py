"""The verdict on TikTok Shop and the merchant's own site: their own books against what the Ometria stand-in holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from integrations.management.demo.cast import Cast
from integrations.management.demo.stage import Stage
from integrations.management.demo.tally import Check, Row, missing, tally
from integrations.management.demo.visitors import Event
from integrations.models import Connection, Delivery, InboxEvent
from integrations.standins.tiktok_shop.orders import CANCELLED, Order
from integrations.standins.tiktok_shop.shops import Shop

PREFIX = "tts-"
CHECKOUT_EVENTS = frozenset({"abandoned_checkout", "checkout_recovered"})
Held = dict[str, dict[str, Any]]


def rows(stage: Stage, cast: Cast, held: Held) -> Iterator[Row]:
    """A row for each flow of each TikTok shop, and for those of the site."""
    for connection in cast.tiktoks:
        shop = stage.tiktok_shop.shop(connection.external_id)
        keys = {"customer": _buyers(shop), "order": set(shop.orders.rows), "event": None}
        for kind, source in keys.items():
            yield tally(cast.flow(connection, kind), _there(stage, held, shop, kind), source)
    told = {key: row for key, row in held["events"].items() if row.get("properties", {}).get("source") == "site"}
    checkouts = {key for key, row in told.items() if row["event_type"] in CHECKOUT_EVENTS}
    yield tally(cast.flow(cast.site, "event"), set(told) - checkouts, None)
    yield tally(cast.flow(cast.site, "checkout"), checkouts, None)


def checks(stage: Stage, cast: Cast, held: Held, sent: list[Event]) -> Iterator[Check]:
    """Promises beyond the counts; `sent` are the events that visitors' browsers sent."""
    if cast.tiktoks:
        yield _money(stage, held["orders"])
        yield _people(stage)
        yield _masked(stage)
        yield _webhooks(stage)
    if sent:
        yield _visitors(cast.site, sent)


def _buyers(shop: Shop) -> set[str]:
    return {f"tts:{shop.spec.id}:{order.buyer.user_id}" for order in shop.orders}


def _there(stage: Stage, held: Held, shop: Shop, kind: str) -> set[str]:
    """What the account holds of a shop; what bears no shop's mark counts for the British one, so that it is missed nowhere."""
    if kind == "customer":
        contacts = (key.removeprefix("tiktok_shop:") for key in held["contacts"] if key.startswith("tiktok_shop:"))
        return {f"tiktok_shop:{key}" for key in contacts if key.split(":")[1:2] == [shop.spec.id]}
    if kind == "order":
        return {key for key in held["orders"] if key.startswith(PREFIX) and _shop_of(stage, key.removeprefix(PREFIX)) is shop}
    events = ((key, row["properties"]) for key, row in held["events"].items() if row.get("properties", {}).get("source") == "tiktok_shop")
    return {key for key, about in events if _shop_of(stage, str(about.get("order_id", ""))) is shop}


def _shop_of(stage: Stage, order_id: str) -> Shop:
    return stage.german if order_id in stage.german.orders.rows else stage.british


def _money(stage: Stage, held: dict[str, Any]) -> Check:
    """What every order is worth, whether it counts, and that what never became a sale does not."""
    faults, compared = [], 0
    for shop in (stage.british, stage.german):
        for order in shop.orders:
            record = held.get(PREFIX + order.id)
            if record is not None:
                compared += 1
                faults += _differences(shop, order, record)
    return Check(f"{compared} TikTok orders: value, currency and validity are equal on both sides", tuple(faults))


def _differences(shop: Shop, order: Order, record: dict[str, Any]) -> Iterator[str]:
    if order.status == CANCELLED:
        if record["is_valid"]:
            yield f"TikTok order {order.id} is cancelled and counts there"
        return
    unit = Decimal(1).scaleb(-shop.region.exponent)
    ours = (order.total - sum(line.refunded for line in order.lines) - order.shipping.refunded) * unit
    back = sum((Decimal(str(line.get("refunded", 0))) for line in record["lineitems"]), Decimal(0))
    back += Decimal(str(record.get("properties", {}).get("refund_other") or 0))
    there = Decimal(str(record["grand_total"])) - back
    if (ours, shop.region.currency) != (there, record["currency"]):
        yield f"TikTok order {order.id}: {ours} {shop.region.currency} at the shop, {there} {record['currency']} there"
    if record["is_valid"] is not (ours > 0 or not order.total):
        yield f"TikTok order {order.id}: worth {ours} at the shop, valid={record['is_valid']} there"


def _people(stage: Stage) -> Check:
    """By the account's own books: an order is one person's, and no two profiles share an address or a customer id."""
    account = stage.ometria.account()
    with account.lock:
        profiles = list(account.directory.profiles.values())
        owners = Counter(key for profile in profiles for key in profile.orders)
        addresses = Counter(profile.email for profile in profiles if profile.email)
        customers = Counter(profile.customer_id for profile in profiles if profile.customer_id)
    faults = [f"order {key} belongs to {count} profiles" for key, count in owners.items() if count > 1]
    faults += [f"{count} profiles have the same {what}" for what, found in (("address", addresses), ("customer id", customers))
               for count in found.values() if count > 1]  # fmt: skip
    return Check(f"{len(profiles)} profiles: no person twice, no order of two people", tuple(faults))


def _masked(stage: Stage) -> Check:
    """No alias address and no starred number or name ever went to the account."""
    domains = {shop.region.alias_domain for shop in (stage.british, stage.german)}
    faults, contacts = [], [effect for effect in stage.ometria.ledger.effects() if effect.kind in ("contact", "order", "custom_event")]
    for effect in contacts:
        text = str(effect.payload)
        faults += [f"a masked value in {effect.kind} {effect.key}"] if "**" in text or any(domain in text for domain in domains) else []
    return Check(f"{len(contacts)} contacts, orders and events: no alias address, nothing starred", tuple(faults))


def _webhooks(stage: Stage) -> Check:
    log = [sending for shop in stage.tiktok_shop.shops.values() if shop.hooks for sending in shop.hooks.log]
    taken = {f"id:{sending.notification_id}" for sending in log if sending.status == "acknowledged"}
    inbox = InboxEvent.objects.filter(connection__platform="tiktok_shop").exclude(topic__startswith="pull:")
    stored = set(inbox.values_list("dedup_key", flat=True))
    faults = missing("TikTok webhook acknowledged but not stored", taken - stored)
    faults += [f"{len(stored)} TikTok inbox events for {len(taken)} webhooks"] if len(stored) != len(taken & stored) else []
    failed = inbox.filter(state=InboxEvent.State.FAILED).count()
    faults += [f"{failed} TikTok inbox events could not be read"] if failed else []
    return Check(f"{len(taken)} TikTok webhooks acknowledged, each stored once", tuple(faults))


def _visitors(site: Connection, sent: list[Event]) -> Check:
    """Everything that a browser sent was stored once and has one delivery; nothing else came."""
    given = {event["event_id"] for event in sent}
    stored = InboxEvent.objects.filter(connection=site).values_list("dedup_key", flat=True)
    came = Delivery.objects.filter(flow__source=site, flow__record_type="event").values_list("record_key", flat=True)
    faults = missing("visitor's event taken but not stored", {f"event:{key}" for key in given} - set(stored))
    faults += missing("visitor's event stored but without delivery", given - set(came))
    faults += [f"{len(stored)} events of visitors are stored, {len(given)} were sent"] if len(stored) != len(given) else []
    return Check(f"{len(given)} events of visitors, each stored once, none lost", tuple(faults))
