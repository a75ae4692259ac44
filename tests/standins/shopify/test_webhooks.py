"""Webhooks as they arrive: signature, headers, bodies, retries, removal, and every way they go wrong on order."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from integrations.standins.shopify import ShopifyStandIn
from integrations.standins.shopify.webhooks import signature
from tests.standins.shopify.conftest import SHOP, Caller, Inbox, gid

SECRET = "demo-shopify-secret"
ORDER_KEYS = {
    "id", "admin_graphql_api_id", "app_id", "name", "number", "order_number", "email", "contact_email", "phone", "created_at",
    "updated_at", "processed_at", "cancelled_at", "cancel_reason", "closed_at", "confirmed", "test", "currency",
    "presentment_currency", "customer_locale", "financial_status", "fulfillment_status", "source_name", "source_identifier",
    "source_url", "landing_site", "referring_site", "browser_ip", "client_details", "cart_token", "checkout_token", "token", "tags",
    "note", "note_attributes", "payment_gateway_names", "taxes_included", "total_price", "subtotal_price", "total_tax",
    "total_discounts", "total_line_items_price", "total_outstanding", "total_tip_received", "current_total_price",
    "current_subtotal_price", "current_total_tax", "current_total_discounts", "total_price_set", "subtotal_price_set",
    "total_tax_set", "total_discounts_set", "total_line_items_price_set", "current_total_price_set", "current_subtotal_price_set",
    "current_total_tax_set", "current_total_discounts_set", "total_shipping_price_set", "discount_codes", "discount_applications",
    "tax_lines", "customer", "billing_address", "shipping_address", "line_items", "line_item_groups", "shipping_lines",
    "fulfillments", "refunds", "returns",
}  # fmt: skip


def test_the_published_vectors_are_signed_as_they_say() -> None:
    first = b'{"id":820982911946154508,"name":"#1001","updated_at":"2026-11-20T10:00:00-05:00"}'
    second = (
        '{"id":706405506930370084,"first_name":"Zoë","note":"<b>caf\\u00e9</b>","url":"https:\\/\\/x.test\\/a","amount":"10.00"}\n'
    ).encode()

    assert (len(first), signature("hush", first)) == (81, "3lK+S6LEq36ETpoQPQnxcReHLgNr6D4y0Nui2LH2kZU=")
    assert signature("hush", first + b"\n") == "HTulnHvn+la/EIofZS7YUGFnvxH0Ih8s0n78Z3bTXWU="
    secret = "shpss_0123456789abcdef0123456789abcdef"
    assert (len(second), signature(secret, second)) == (117, "C20x5wDLb377P2LHD2bWj1flglE7qR+vQUrZ9177Fog=")


def test_an_order_arrives_signed_with_every_header(caller: Caller, inbox: Inbox, subscribe: Any, place: Any) -> None:
    subscribe("ORDERS_CREATE", name="orders")
    order = place(note="a/b <c> & d")
    assert caller.stand_in.wait_sent()

    headers, body = inbox.received[0]
    digest = base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()
    assert headers["x-shopify-hmac-sha256"] == digest
    assert (headers["x-shopify-topic"], headers["x-shopify-shop-domain"]) == ("orders/create", SHOP)
    assert (headers["x-shopify-api-version"], headers["x-shopify-name"]) == ("2026-10", "orders")
    assert {"x-shopify-webhook-id", "x-shopify-event-id", "x-shopify-triggered-at"} <= headers.keys()
    assert len(headers["x-shopify-triggered-at"].partition(".")[2]) == 10
    assert rb"a\/b \u003cc\u003e \u0026 d" in body
    assert json.loads(body)["note"] == order.note


def test_an_order_body_has_every_field_in_the_older_style(caller: Caller, inbox: Inbox, subscribe: Any, place: Any) -> None:
    subscribe("ORDERS_UPDATED")
    order = place(discounts=[{"title": "TEN", "value": 10, "percentage": True}], shipping="4.99")
    assert caller.stand_in.wait_sent()

    body = json.loads(inbox.received[-1][1])
    assert set(body) == ORDER_KEYS
    assert (body["id"], body["admin_graphql_api_id"]) == (order.id, gid("Order", order.id))
    assert body["id"] > 2**53
    assert (body["financial_status"], body["fulfillment_status"]) == ("paid", None)
    assert (body["total_price"], body["total_discounts"], body["tags"]) == ("40.99", "4.00", "")
    assert body["created_at"].endswith("-05:00")
    assert body["line_items"][0]["discount_allocations"][0]["amount"] == "4.00"
    assert body["customer"]["email"] == "zoe@example.com"
    assert not {"tags", "email_marketing_consent", "orders_count"} & body["customer"].keys()


def test_one_purchase_makes_a_burst(caller: Caller, inbox: Inbox, subscribe: Any, place: Any) -> None:
    topics = ["ORDERS_CREATE", "ORDERS_PAID", "ORDERS_UPDATED", "CUSTOMERS_UPDATE", "CUSTOMERS_PURCHASING_SUMMARY", "PRODUCTS_UPDATE"]
    subscribe(*topics, "INVENTORY_LEVELS_UPDATE")
    place()
    assert caller.stand_in.wait_sent()

    assert sorted(inbox.topics()) == [
        "customers/purchasing_summary",
        "customers/update",
        "customers/update",
        "inventory_levels/update",
        "orders/create",
        "orders/paid",
        "orders/updated",
        "products/update",
    ]


def test_what_happened_before_is_not_told(caller: Caller, inbox: Inbox, subscribe: Any, stand_in: ShopifyStandIn) -> None:
    subscribe("CUSTOMERS_CREATE")
    shop = stand_in.shop()
    with shop.past(shop.now()):
        stand_in.act("create_customer", email="old@example.com")

    assert (caller.stand_in.wait_sent(), inbox.received) == (True, [])


def test_the_life_of_an_order_is_told_topic_by_topic(caller: Caller, inbox: Inbox, subscribe: Any, place: Any) -> None:
    subscribe("ORDERS_EDITED", "FULFILLMENTS_CREATE", "ORDERS_PARTIALLY_FULFILLED", "ORDERS_FULFILLED", "FULFILLMENTS_UPDATE",
              "REFUNDS_CREATE", "ORDERS_CANCELLED", "ORDERS_DELETE")  # fmt: skip
    act, order, other = caller.stand_in.act, place(units=2), place(units=1)
    line = order.lines[0].id
    act("edit_order", order_id=order.id, quantities={line: 3})
    act("fulfil", order_id=order.id, lines={line: 1})
    parcel = act("fulfil", order_id=order.id)
    act("deliver", fulfillment_id=parcel.id)
    refund = act("refund", order_id=order.id, lines={line: 1})
    act("cancel_order", order_id=other.id)
    act("delete_order", order_id=other.id)
    assert caller.stand_in.wait_sent()

    assert sorted(topic for topic in inbox.topics() if topic != "refunds/create") == [
        "fulfillments/create", "fulfillments/create", "fulfillments/update", "orders/cancelled", "orders/delete", "orders/edited",
        "orders/fulfilled", "orders/partially_fulfilled",
    ]  # fmt: skip
    bodies = {headers["x-shopify-topic"]: json.loads(body) for headers, body in inbox.received}
    assert bodies["orders/edited"]["order_edit"]["order_id"] == order.id
    assert bodies["orders/edited"]["order_edit"]["line_items"] == {"additions": [{"id": line, "delta": 1}], "removals": []}
    assert bodies["orders/delete"] == {"id": other.id}
    assert (bodies["orders/cancelled"]["cancel_reason"], bodies["orders/cancelled"]["financial_status"]) == ("customer", "refunded")
    assert (bodies["fulfillments/update"]["shipment_status"], bodies["fulfillments/update"]["order_id"]) == ("delivered", order.id)
    refunds = [json.loads(body) for headers, body in inbox.received if headers["x-shopify-topic"] == "refunds/create"]
    mine = next(body for body in refunds if body["id"] == refund.id)
    assert (mine["order_id"], mine["refund_line_items"][0]["subtotal"]) == (order.id, 20.0)
    assert mine["transactions"][0]["amount"] == "20.00"


def test_customer_topics_carry_what_they_say(caller: Caller, inbox: Inbox, subscribe: Any, zoe: Any) -> None:
    subscribe("CUSTOMERS_EMAIL_MARKETING_CONSENT_UPDATE", "CUSTOMERS_MARKETING_CONSENT_UPDATE", "CUSTOMER_TAGS_ADDED",
              "CUSTOMER_TAGS_REMOVED", "CUSTOMERS_MERGE", "CUSTOMERS_DELETE")  # fmt: skip
    act = caller.stand_in.act
    act("set_email_consent", customer_id=zoe.id, state="UNSUBSCRIBED")
    act("set_sms_consent", customer_id=zoe.id, state="SUBSCRIBED")
    act("add_tags", customer_id=zoe.id, tags=["vip", "new"])
    act("remove_tags", customer_id=zoe.id, tags=["new"])
    twin = act("create_customer", email="twin@example.com")
    act("merge_customers", kept_id=zoe.id, gone_id=twin.id)
    lone = act("create_customer", email="lone@example.com")
    act("delete_customer", customer_id=lone.id)
    assert caller.stand_in.wait_sent()

    told = {headers["x-shopify-topic"]: json.loads(body) for headers, body in inbox.received}
    assert told["customers_email_marketing_consent/update"]["customer_id"] == zoe.id
    assert told["customers_email_marketing_consent/update"]["email_marketing_consent"]["state"] == "unsubscribed"
    assert told["customers_marketing_consent/update"]["id"] == zoe.id
    assert told["customers_marketing_consent/update"]["sms_marketing_consent"]["consent_collected_from"] == "shopify"
    assert (told["customer.tags_added"]["customerId"], told["customer.tags_added"]["tags"]) == (gid("Customer", zoe.id), ["new"])
    assert told["customer.tags_removed"]["tags"] == ["new"]
    merge = told["customers/merge"]
    assert (merge["admin_graphql_api_customer_deleted_id"], merge["status"]) == (gid("Customer", twin.id), "completed")
    assert told["customers/delete"] == {"id": lone.id, "tax_exemptions": [], "admin_graphql_api_id": gid("Customer", lone.id)}


def test_a_checkout_body_has_a_token_and_no_number(caller: Caller, inbox: Inbox, subscribe: Any, shoe: Any, zoe: Any) -> None:
    subscribe("CHECKOUTS_CREATE", "CHECKOUTS_UPDATE", "CHECKOUTS_DELETE")
    lines = [{"variant_id": shoe.variant_ids[0], "quantity": 2}]
    checkout = caller.stand_in.act("start_checkout", lines=lines, customer_id=zoe.id)
    caller.stand_in.act("update_checkout", checkout_id=checkout.id, accepts_marketing=True)
    caller.stand_in.act("delete_checkout", checkout_id=checkout.id)
    assert caller.stand_in.wait_sent()

    told = {headers["x-shopify-topic"]: json.loads(body) for headers, body in inbox.received}
    created = told["checkouts/create"]
    assert "id" not in created
    assert (created["token"], created["total_price"], created["email"]) == (checkout.token, "40.00", "zoe@example.com")
    assert told["checkouts/update"]["buyer_accepts_marketing"] is True
    assert told["checkouts/delete"] == {"token": checkout.token}


def test_a_product_beyond_a_hundred_variants_is_only_listed_by_id(caller: Caller, inbox: Inbox, subscribe: Any) -> None:
    subscribe("PRODUCTS_CREATE", "PRODUCTS_DELETE")
    variants = [{"sku": f"V{n}", "price": 1, "options": [("Size", str(n))]} for n in range(120)]
    product = caller.stand_in.act("create_product", handle="many", title="Many", variants=variants)
    caller.stand_in.act("delete_product", product_id=product.id)
    assert caller.stand_in.wait_sent()

    told = {headers["x-shopify-topic"]: json.loads(body) for headers, body in inbox.received}
    created = told["products/create"]
    assert (len(created["variants"]), len(created["variant_gids"])) == (100, 120)
    assert told["products/delete"] == {"id": product.id}


def test_a_payload_is_trimmed_to_the_fields_asked_for(caller: Caller, inbox: Inbox, subscribe: Any, place: Any) -> None:
    subscribe("ORDERS_CREATE", includeFields=["id", "line_items.sku"])
    order = place()
    assert caller.stand_in.wait_sent()

    assert json.loads(inbox.received[0][1]) == {"id": order.id, "line_items": [{"sku": "SHOE-41"}]}


def test_a_filter_lets_through_what_any_nested_element_matches(caller: Caller, inbox: Inbox, subscribe: Any, place: Any, shoe: Any) -> None:
    subscribe("ORDERS_CREATE", filter="line_items.sku:SHOE-42")
    place()
    wanted = place(lines=[{"variant_id": number, "quantity": 1} for number in shoe.variant_ids])
    assert caller.stand_in.wait_sent()

    assert [json.loads(body)["id"] for _, body in inbox.received] == [wanted.id]


def test_two_subscriptions_share_an_event_id_but_not_a_webhook_id(caller: Caller, inbox: Inbox, subscribe: Any, place: Any) -> None:
    subscribe("ORDERS_CREATE")
    subscribe("ORDERS_CREATE", uri=inbox.uri + "/second")
    place()
    assert caller.stand_in.wait_sent()

    first, second = (headers for headers, _ in inbox.received)
    assert first["x-shopify-event-id"] == second["x-shopify-event-id"]
    assert first["x-shopify-webhook-id"] != second["x-shopify-webhook-id"]


def test_a_refused_webhook_is_tried_again_with_the_same_ids_and_body(caller: Caller, inbox: Inbox, subscribe: Any, place: Any) -> None:
    inbox.status = 503
    subscribe("ORDERS_CREATE")
    place()
    assert caller.stand_in.wait_sent()

    assert len(inbox.received) == 9
    assert len({(headers["x-shopify-webhook-id"], headers["x-shopify-event-id"], body) for headers, body in inbox.received}) == 1
    record = caller.control("GET", "/webhooks")["webhooks"][0]
    assert (record["status"], record["tries"], record["answers"]) == ("given_up", 9, [503] * 9)
    assert caller.run("hooks")["webhookSubscriptions"]["nodes"] == []
    assert [effect["payload"]["action"] for effect in caller.control("GET", "/ledger?kind=subscription")] == [
        "create",
        "removed_after_failures",
    ]


def test_a_redirect_is_a_failure(caller: Caller, inbox: Inbox, subscribe: Any, place: Any) -> None:
    inbox.status = 302
    subscribe("ORDERS_CREATE")
    place()
    assert caller.stand_in.wait_sent()

    assert caller.control("GET", "/webhooks")["webhooks"][0]["status"] == "given_up"


def test_an_answer_that_takes_too_long_is_a_failure_and_then_success_ends_it(
    caller: Caller, inbox: Inbox, subscribe: Any, place: Any
) -> None:
    caller.stand_in.sender.timeout = (1.0, 0.1)
    inbox.delay = 0.4
    subscribe("ORDERS_CREATE")
    place()
    while not caller.control("GET", "/webhooks")["webhooks"][0]["answers"]:
        inbox.waiting.wait(0.01)
    inbox.delay = 0.0
    assert caller.stand_in.wait_sent()

    record = caller.control("GET", "/webhooks")["webhooks"][0]
    assert (record["status"], record["answers"][0], record["answers"][-1]) == ("sent", "ReadTimeout", 200)
    assert [effect["payload"]["topic"] for effect in caller.control("GET", "/ledger?kind=webhook_sent")] == ["orders/create"]


def test_every_webhook_twice(caller: Caller, inbox: Inbox, subscribe: Any, place: Any) -> None:
    caller.set(switches={"duplicate": 1})
    subscribe("ORDERS_CREATE")
    place()
    assert caller.stand_in.wait_sent()

    assert len(inbox.received) == 2
    assert len({(headers["x-shopify-webhook-id"], body) for headers, body in inbox.received}) == 1


def test_every_webhook_lost(caller: Caller, inbox: Inbox, subscribe: Any, place: Any) -> None:
    caller.set(switches={"drop": 1})
    subscribe("ORDERS_CREATE")
    place()

    assert (caller.stand_in.wait_sent(), inbox.received) == (True, [])
    assert [record["status"] for record in caller.control("GET", "/webhooks")["webhooks"]] == ["dropped"]


def test_every_signature_wrong(caller: Caller, inbox: Inbox, subscribe: Any, place: Any) -> None:
    caller.set(switches={"wrong_signature": 1})
    subscribe("ORDERS_CREATE")
    place()
    assert caller.stand_in.wait_sent()

    headers, body = inbox.received[0]
    assert headers["x-shopify-hmac-sha256"] != signature(SECRET, body)


def test_a_stale_body_is_the_one_before(caller: Caller, inbox: Inbox, subscribe: Any, place: Any) -> None:
    subscribe("ORDERS_UPDATED")
    order = place()
    caller.set(switches={"stale_body": 1})
    caller.stand_in.act("update_order", order_id=order.id, note="newer")
    assert caller.stand_in.wait_sent()

    assert [json.loads(body)["note"] for _, body in inbox.received] == [None, None]


def test_webhooks_arrive_out_of_order(caller: Caller, inbox: Inbox, subscribe: Any, place: Any) -> None:
    subscribe("ORDERS_UPDATED")
    order = place()
    assert caller.stand_in.wait_sent()
    inbox.received.clear()
    caller.set(switches={"reorder": 1, "reorder_seconds": 0.4})
    for number in range(12):
        caller.stand_in.act("update_order", order_id=order.id, note=str(number))
    assert caller.stand_in.wait_sent()

    notes = [int(json.loads(body)["note"]) for _, body in inbox.received]
    assert sorted(notes) == list(range(12))
    assert notes != sorted(notes)


def test_a_pause_holds_everything_until_it_is_flushed(caller: Caller, inbox: Inbox, subscribe: Any, place: Any) -> None:
    subscribe("ORDERS_CREATE")
    caller.set(switches={"paused": True})
    place()
    place()
    held = [record["status"] for record in caller.control("GET", "/webhooks")["webhooks"]]
    flushed = caller.control("POST", "/flush", {})
    assert caller.stand_in.wait_sent()

    assert (held, flushed, len(inbox.received)) == (["held", "held"], {"flushed": 2}, 2)


def test_switched_off_means_off(caller: Caller, inbox: Inbox, subscribe: Any, place: Any) -> None:
    subscribe("ORDERS_CREATE")
    caller.set(switches={"webhooks_off": True})
    place()

    assert caller.control("GET", "/webhooks") == {"waiting": 0, "webhooks": []}


def test_after_a_rotation_the_old_secret_may_still_sign(caller: Caller, inbox: Inbox, subscribe: Any, place: Any) -> None:
    subscribe("ORDERS_CREATE")
    caller.control("POST", "/rotate_secret", {"secret": "new-secret", "sign_with_old": True})
    place()
    caller.control("POST", "/rotate_secret", {"secret": "newer-secret"})
    place()
    assert caller.stand_in.wait_sent()

    keys = {headers["x-shopify-hmac-sha256"]: body for headers, body in inbox.received}
    assert sorted(keys) == sorted(signature(secret, body) for secret, body in zip((SECRET, "newer-secret"), _by_order(inbox), strict=True))


def _by_order(inbox: Inbox) -> list[bytes]:
    return [body for _, body in sorted((json.loads(body)["id"], body) for _, body in inbox.received)]


def test_a_webhook_can_be_rendered_without_being_sent(stand_in: ShopifyStandIn, place: Any) -> None:
    order = place()

    headers, body = stand_in.render_webhook("orders/updated", order.id)
    again = stand_in.resign_webhook("orders/updated", body)

    assert headers["X-Shopify-Hmac-Sha256"] == again["X-Shopify-Hmac-Sha256"] == signature(SECRET, body)
    assert headers["X-Shopify-Event-Id"] != again["X-Shopify-Event-Id"]
    assert json.loads(body)["id"] == order.id


def test_subscriptions_are_listed_changed_and_ended(caller: Caller, inbox: Inbox, subscribe: Any) -> None:
    (first,) = subscribe("ORDERS_PAID")
    created = caller.run("hooks", {"after": None})["webhookSubscriptions"]["nodes"]
    assert [(row["topic"], row["uri"], row["format"], row["includeFields"]) for row in created] == [("ORDERS_PAID", inbox.uri, "JSON", [])]

    moved = caller.run("hook_changes", {"id": first, "sub": {"uri": inbox.uri + "/new"}}, name="HookUpdate")["webhookSubscriptionUpdate"]
    gone = caller.run("hook_changes", {"id": first}, name="HookDelete")["webhookSubscriptionDelete"]

    assert moved == {"webhookSubscription": {"id": first, "uri": inbox.uri + "/new"}, "userErrors": []}
    assert gone == {"deletedWebhookSubscriptionId": first, "userErrors": []}
    assert caller.run("hooks")["webhookSubscriptions"]["nodes"] == []


@pytest.mark.parametrize(
    ("topic", "uri", "message"),
    [
        ("ORDERS_PAID", "{inbox}", "Address for this topic has already been taken"),
        ("ORDERS_CREATE", "http://console.example/hooks", "Address protocol http:// is not supported"),
        ("CUSTOMERS_MERGE", "{inbox}", "You cannot create a webhook subscription with the specified topic"),
    ],
)
def test_a_subscription_may_be_refused(caller: Caller, inbox: Inbox, subscribe: Any, topic: str, uri: str, message: str) -> None:
    subscribe("ORDERS_PAID")
    caller.set(scopes=["read_orders"])
    variables = {"topic": topic, "sub": {"uri": uri.format(inbox=inbox.uri)}}

    answer = caller.run("hook_changes", variables, name="HookCreate")["webhookSubscriptionCreate"]

    assert (answer["webhookSubscription"], answer["userErrors"][0]["message"]) == (None, message)


def test_an_account_that_is_enabled_is_told_as_such(caller: Caller, inbox: Inbox, subscribe: Any, zoe: Any) -> None:
    subscribe("CUSTOMERS_ENABLE", "CUSTOMERS_DISABLE")
    for state in ("ENABLED", "ENABLED", "DISABLED"):
        caller.stand_in.act("update_customer", customer_id=zoe.id, state=state)
    assert caller.stand_in.wait_sent()

    assert sorted(inbox.topics()) == ["customers/disable", "customers/enable"]
