"""A person planted everywhere, another one beside them, and a search through every column of every table of the database."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection as database
from django.test import TestCase
from django.utils import timezone
from django_q.models import Task

from integrations.engine import people
from integrations.engine.outbox import Cause, enqueue
from integrations.engine.visitors import learn
from integrations.models import (
    Attempt,
    Connection,
    Correction,
    Delivery,
    DeskRun,
    ExceptionComment,
    Flow,
    Hold,
    InboxEvent,
    SavedView,
    SyncException,
)
from mapping.crosswalk import KnownContact
from mapping.models import SkuCrosswalk
from mapping.records import Address, Checkout, Consent, ConsentState, CustomerRef, Event
from monitoring.models import Audit, Drift, Duplicate, ReadBack, ReadBackRow, Reconciliation, Segment
from tests.factories import BEGAN, CustomerFactory, OrderFactory
from tests.rows import make_flow, make_person

NOT_DATA = ("django_session",)  # of the staff
CANARY = {
    "email": "wilhelmina.kanarienvogel@example.com", "phone": "+442079460123", "first": "Wilhelmina", "last": "Kanarienvogel",
    "street": "77 Canary Perch", "customer": "7700000000077", "visitor": "visitor-canary-0077", "contact": "om-profile-canary-0077",
    "ip": "203.0.113.77",
}  # fmt: skip
BESIDE = {**CANARY, "email": "mina.wilhelmina.kanarienvogel@example.com", "phone": "+442079460124", "last": "Kanarienvogel-Fink",
          "street": "78 Canary Perch", "customer": "7700000000078", "visitor": "visitor-canary-0078", "contact": "om-profile-canary-0078",
          "ip": "203.0.113.78"}  # fmt: skip
WORDS = (CANARY["email"], CANARY["phone"], "020 7946 0123", CANARY["street"], CANARY["customer"], CANARY["visitor"],
         CANARY["contact"], CANARY["ip"], "wilhelmina.kanarienvogel%40example.com")  # fmt: skip


def tables_with(texts: Iterable[str], *, but: Iterable[str] = ()) -> dict[str, list[str]]:
    """Table → which of these texts stand in it, in any column cast to text; every table of the database but the staff's sessions."""
    found: dict[str, list[str]] = {}
    with database.cursor() as cursor:
        for table in database.introspection.table_names(cursor):
            if table in NOT_DATA:
                continue
            for text in texts:
                cursor.execute(
                    f"SELECT count(*) FROM {database.ops.quote_name(table)} t WHERE lower(t::text) ~ %s",  # noqa: S608 - names of tables, quoted
                    [rf"(^|[^\w.+-]){_quoted(text.lower())}($|[^\w-])"],
                )
                if cursor.fetchone()[0]:
                    found.setdefault(table, []).append(text)
    for task in Task.objects.all():
        packed = f"{task.args!r} {task.result!r}"
        if any(re.search(rf"(?<![\w.+-]){re.escape(text)}(?![\w-])", packed, re.IGNORECASE) for text in texts):
            found.setdefault("django_q_task", []).append("packed")
    return {table: hits for table, hits in found.items() if table not in but}


def _quoted(text: str) -> str:
    return "".join(f"\\{letter}" if not letter.isalnum() and letter != " " else letter for letter in text)


def lay_out() -> dict[str, Flow]:
    """Flows of every type of record about people, from a shop and from a site."""
    flows = {kind: make_flow(kind) for kind in ("customer", "order", "checkout")}
    site = Connection.objects.create(
        platform="site", name="Own site", external_id="site_0123456789abcdef", base_url="https://www.example.com"
    )
    return {**flows, "event": Flow.objects.create(source=site, destination=flows["customer"].destination, record_type="event")}


def records_of(who: dict[str, str], second: float = 0.0) -> list[Any]:
    """What a shop tells of somebody: the customer, an order, a guest's order, a checkout and an event."""
    place = Address(first_name=who["first"], last_name=who["last"], line1=who["street"], city="London", country="GB", phone=who["phone"])
    ref = CustomerRef(key=who["customer"], email=who["email"], phone=who["phone"], first_name=who["first"], last_name=who["last"])
    said = Consent(channel="email", state=ConsentState.GRANTED, stated_at=BEGAN, source="newsletter form", explicit=True)
    wish = {"note": f"for {who['first']} {who['last']}"}
    order = {"shipping_address": place, "ip_address": who["ip"], "attributes": wish, "second": second}
    return [
        CustomerFactory(key=who["customer"], email=who["email"], phone=who["phone"], first_name=who["first"], last_name=who["last"],
                        addresses=(place,), consents=(said,)),
        OrderFactory(key=f"5{who['customer'][1:]}", customer=ref, **order),
        OrderFactory(key=f"6{who['customer'][1:]}", customer=replace(ref, key=""), **order),
        Checkout(key=f"token-{who['customer']}", occurred_at=BEGAN, customer=replace(ref, key=""), url=f"https://example.com/{who['email']}"),
        Event(key=f"event-{who['customer']}", occurred_at=BEGAN, name="viewed", customer=ref, visitor=who["visitor"]),
    ]  # fmt: skip


def bring(flows: dict[str, Flow], who: dict[str, str], second: float = 0.0, cause: Cause = Cause.WEBHOOK) -> None:
    """What a shop and a site tell of somebody."""
    *told, event = records_of(who, second)
    with TestCase.captureOnCommitCallbacks(execute=True):  # what is noted for the search once records are stored
        enqueue(flows["customer"].source, told, cause=cause)
        enqueue(flows["event"].source, [event], cause=Cause.WEBHOOK)
        learn(flows["event"].source, [event])


def plant(flows: dict[str, Flow], who: dict[str, str]) -> None:
    """Somebody everywhere: what the engine stores, and what people write."""
    shop = Connection.objects.get(pk=flows["customer"].source_id)
    bring(flows, who)
    contact = KnownContact(
        contact_key=who["contact"], emails=(who["email"],), phones=(who["phone"],), customer_ids=(who["customer"],),
        first_name=who["first"], last_name=who["last"],
    )  # fmt: skip
    people.store(flows["customer"].destination_id, [contact], {who["customer"]: who["contact"]})
    Delivery.objects.filter(flow=flows["order"], parent_key=who["customer"]).update(
        state="delivered", sent_payload={"customer": {"email": who["email"]}}, sent_hash="h" * 64, destination_key=f"5{who['customer'][1:]}"
    )
    InboxEvent.objects.create(
        connection=shop, topic="orders/updated", dedup_key=f"m-{who['contact'][-4:]}", object_key=f"5{who['customer'][1:]}", state="done",
        body=f'{{"email": "{who["email"]}", "id": {who["customer"]}, "note": "{who["street"]}"}}',
    )  # fmt: skip
    written(flows, who)


def written(flows: dict[str, Flow], who: dict[str, str]) -> None:
    """What is written about somebody around their records."""
    held = Delivery.objects.get(flow=flows["customer"], record_key=who["customer"])
    by = make_person(username=f"staff-{who['contact'][-4:]}")
    Attempt.objects.create(delivery=held, number=1, outcome="refused", message=f"{who['first']} <{who['email']}> was turned down")
    Correction.objects.create(delivery=held, version=1, values={"firstname": who["first"]}, before={"street": who["street"]}, by=by)
    Delivery.objects.filter(pk=held.pk).update(state="blocked", issues=[{"message": who["phone"]}], last_message=f"{who['email']} is bad")
    asked = SyncException.objects.create(
        flow=flows["customer"], kind="ambiguous_contact", subject=who["customer"], title=f"Several contacts may fit {who['last']}",
        detail=f"{who['contact']}: {who['first']} {who['last']}, {who['email']}",
    )  # fmt: skip
    Hold.objects.create(exception=asked, delivery=held)
    ExceptionComment.objects.create(exception=asked, author=by, text=f"Called {who['first']} on 020 7946 0{who['phone'][-3:]}.")
    shared = SyncException.objects.create(flow=flows["order"], kind="unmapped_sku", subject=f"SKU-{who['phone'][-3:]}", title="Unknown SKU")
    ExceptionComment.objects.create(exception=shared, author=by, text=f"{who['first']} {who['last']} ordered it, {who['email'].upper()}")
    run = Reconciliation.objects.create(flow=flows["customer"], window_from=BEGAN, window_to=timezone.now())
    Drift.objects.create(flow=flows["customer"], run=run, aspect="customer", cause="missing", record_key=who["customer"],
                         title=f"{who['first']}", ours=who["street"], delivery=held)  # fmt: skip
    Duplicate.objects.create(connection=flows["customer"].destination, first=who["contact"], second="zzz", title=f"{who['email']} / z")
    segment = Segment.objects.create(connection=flows["customer"].destination, list_id=who["contact"][-4:], title="Buyers")
    back = ReadBack.objects.create(segment=segment, asked_at=BEGAN, due_at=BEGAN)
    ReadBackRow.objects.create(read_back=back, delivery=held, kind="contact", found=True, cause="same",
                               differences=[{"field": "firstname", "sent": who["first"], "there": "Mina"}])  # fmt: skip
    SkuCrosswalk.objects.create(source=flows["order"].source, destination=flows["order"].destination, source_sku=f"S-{who['phone'][-3:]}",
                                note=f"as {who['first']} {who['last']} ({who['email']}) wished")  # fmt: skip
    LogEntry.objects.create(user=by, content_type=ContentType.objects.get_for_model(Flow), object_id="1", object_repr=who["email"],
                            action_flag=CHANGE, change_message=f"Asked by {who['first']} {who['last']}")  # fmt: skip
    SavedView.objects.create(owner=by, name=f"of {who['last']}", query=f"q={who['email'].replace('@', '%40')}")
    DeskRun.objects.create(act="ignore", words=f"Ignored what waits for {who['email']}", query=f"q={who['customer']}")
    Audit.objects.create(by=by, by_name="staff", note=f"{who['email']} complained", findings=[{"seen": who["phone"]}])
    Task.objects.create(id=f"task{who['contact'][-4:]}", name="failed", func="f", started=BEGAN, stopped=timezone.now(), success=False,
                        result=f"ValueError: {who['email']}")  # fmt: skip
