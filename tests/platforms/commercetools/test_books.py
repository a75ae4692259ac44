"""Whole lives lived at the stand-in, read through the room: every order keeps the project's own books."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from integrations.platforms.commercetools.parse import parse
from integrations.standins.commercetools.lives import Lives
from mapping.records import OrderStatus, RecordType
from tests.platforms.commercetools.conftest import last_days, pull_all

D = Decimal
REFUNDS = ("Refund", "Chargeback")


def test_orders_of_every_life_keep_the_stand_in_s_own_books(stand_in, connect):
    project = stand_in.project()
    Lives(project, seed=5).history(lives=160, days=25)
    client = connect(email_consent_field="emailOptIn", email_consent_time_field="emailOptInAt")
    raws = [*pull_all(client, "orders", last_days()), *pull_all(client, "payments", last_days())]
    orders = {record.key: record for raw in raws for record in parse(client.account, raw) if record.record_type is RecordType.ORDER}

    assert set(orders) == set(project["order"].rows)
    for key, row in project["order"].rows.items():
        doc, order = row.doc(), orders[key]
        given_back = sum(
            entry["amount"]["centAmount"]
            for paid in doc.get("paymentInfo", {}).get("payments", ())
            for entry in project.get("payment", paid["id"]).doc()["transactions"]
            if entry["type"] in REFUNDS and entry["state"] == "Success"
        )
        digits = doc["totalPrice"]["fractionDigits"]
        totals, gross = order.totals, (doc.get("taxedPrice") or {}).get("totalGross") or doc["totalPrice"]
        assert totals.total == D(gross["centAmount"]).scaleb(-digits)
        assert totals.subtotal - totals.discount + totals.shipping + totals.tax + totals.other == totals.total
        assert abs(totals.other) <= D(len(order.lines) + 1).scaleb(-digits)
        assert totals.net == totals.total - totals.refunded - totals.cancelled
        assert sum((line.refunded_amount for line in order.lines), totals.refund_other) == totals.refunded
        assert (order.status is OrderStatus.CANCELLED) == (doc["orderState"] == "Cancelled")
        if given_back:
            assert totals.refunded == D(given_back).scaleb(-digits)
        assert all(line.refunded_quantity + line.cancelled_quantity <= line.quantity for line in order.lines)
    assert {OrderStatus.CANCELLED, OrderStatus.REFUNDED, OrderStatus.PARTIALLY_REFUNDED, OrderStatus.SHIPPED} <= {
        order.status for order in orders.values()
    }


def test_people_and_checkouts_of_every_life_can_be_read(stand_in, connect):
    project = stand_in.project()
    Lives(project, seed=9).history(lives=120, days=25)
    client = connect(email_consent_field="emailOptIn", email_consent_time_field="emailOptInAt")
    people = [record for raw in pull_all(client, "customers", last_days()) for record in parse(client.account, raw)]
    checkouts = [record for raw in pull_all(client, "carts", last_days()) for record in parse(client.account, raw)]

    assert {record.key for record in people} == set(project["customer"].rows)
    assert all(said.explicit == (said.stated_at is not None) for record in people for said in record.consents)
    assert Counter(checkout.removed for checkout in checkouts)[False] > 0
    assert all(checkout.customer.email for checkout in checkouts)
