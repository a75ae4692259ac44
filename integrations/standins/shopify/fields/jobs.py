"""Bulk operations and webhook subscriptions: what they look like and the mutations that make and end them."""

from collections.abc import Mapping
from typing import Any

from integrations.standins.shopify import bulk, imports
from integrations.standins.shopify.fields import changes, roots
from integrations.standins.shopify.ids import gid, number_of
from integrations.standins.shopify.paging import page_of
from integrations.standins.shopify.resolvers import FIELDS, Call, Refusal, attribute
from integrations.standins.shopify.schema import VERSIONS
from integrations.standins.shopify.topics import TOPICS, header_of
from integrations.standins.shopify.webhooks import Subscription

FIELDS["BulkOperation"] = {
    "id": lambda operation, arguments, call: gid("BulkOperation", operation.id),
    "status": attribute("status"),
    "type": attribute("type"),
    "query": attribute("query"),
    "errorCode": attribute("error_code"),
    "createdAt": attribute("created_at"),
    "completedAt": attribute("completed_at"),
    "objectCount": attribute("objects"),
    "rootObjectCount": attribute("roots"),
    "fileSize": lambda operation, arguments, call: operation.size if operation.status == "COMPLETED" and operation.objects else None,
    "url": lambda operation, arguments, call: bulk.url_of(operation, call.shop, call.base_url),
    "partialDataUrl": lambda operation, arguments, call: bulk.url_of(operation, call.shop, call.base_url, partial=True),
}


def _operation(source: Any, arguments: Any, call: Call) -> Any:
    return call.shop.bulk_operations.get(number_of(arguments["id"], "BulkOperation") or 0)


def _operations(source: Any, arguments: Any, call: Call) -> Any:
    rows = sorted(call.shop.bulk_operations.values(), key=lambda operation: operation.id, reverse=True)
    query = (arguments.get("query") or "").lower()
    for term in query.split():
        name, _, value = term.partition(":")
        attribute_name = {"status": "status", "operation_type": "type"}.get(name)
        if attribute_name is None:
            raise Refusal(f"The stand-in does not search bulk operations by {name}", "INVALID_FIELD_ARGUMENTS")
        rows = [row for row in rows if getattr(row, attribute_name).lower() == value.strip("'\"")]
    return page_of(rows, arguments, call)


def _current(source: Any, arguments: Any, call: Call) -> Any:
    kind = arguments.get("type") or "QUERY"
    rows = [row for row in call.shop.bulk_operations.values() if row.type == kind]
    return max(rows, key=lambda row: row.id, default=None)


def _run_query(source: Any, arguments: Any, call: Call) -> dict[str, Any]:
    operation, faults = bulk.start(call.shop, arguments["query"], call.version)
    return {"bulkOperation": operation, "userErrors": faults}


def _cancel(source: Any, arguments: Any, call: Call) -> dict[str, Any]:
    operation = _operation(source, arguments, call)
    if operation is None:
        return {"bulkOperation": None, "userErrors": [{"field": ["id"], "message": "Bulk operation does not exist"}]}
    if not operation.cancel():
        message = f"A bulk operation cannot be canceled when it is {operation.status.lower()}"
        return {"bulkOperation": operation, "userErrors": [{"field": ["id"], "message": message}]}
    return {"bulkOperation": operation, "userErrors": []}


def _stage(source: Any, arguments: Any, call: Call) -> dict[str, Any]:
    targets, faults = imports.stage(call.shop, arguments["input"], call.base_url)
    return {"stagedTargets": targets, "userErrors": faults}


def _run_mutation(source: Any, arguments: Any, call: Call) -> dict[str, Any]:
    operation, faults = imports.start(call.shop, arguments["mutation"], arguments["stagedUploadPath"], call.version)
    return {"bulkOperation": operation, "userErrors": faults}


FIELDS["WebhookSubscription"] = {
    "id": lambda subscription, arguments, call: gid("WebhookSubscription", subscription.id),
    "legacyResourceId": attribute("id"),
    "topic": attribute("topic"),
    "uri": attribute("uri"),
    "callbackUrl": attribute("uri"),
    "format": lambda subscription, arguments, call: "JSON",
    "filter": attribute("filter"),
    "name": attribute("name"),
    "includeFields": lambda subscription, arguments, call: list(subscription.include_fields),
    "metafieldNamespaces": lambda subscription, arguments, call: [],
    "apiVersion": lambda subscription, arguments, call: {"handle": VERSIONS[-1], "displayName": VERSIONS[-1], "supported": True},
    "createdAt": attribute("created_at"),
    "updatedAt": attribute("updated_at"),
}


def _subscriptions(source: Any, arguments: Any, call: Call) -> Any:
    rows = call.shop.hooks.subscriptions()
    if arguments.get("topics"):
        rows = [row for row in rows if row.topic in arguments["topics"]]
    if arguments.get("uri"):
        rows = [row for row in rows if row.uri == arguments["uri"]]
    return page_of(rows, arguments, call)


def _subscribe(source: Any, arguments: Any, call: Call) -> dict[str, Any]:
    topic, wish = arguments["topic"], arguments["webhookSubscription"]
    fault = _subscription_fault(call, topic, wish)
    if fault is not None:
        return {"webhookSubscription": None, "userErrors": [fault]}
    now = call.shop.now()
    made = Subscription(
        id=call.shop.new_id("WebhookSubscription"),
        topic=topic,
        header=header_of(topic),
        uri=wish.get("uri") or wish["callbackUrl"],
        created_at=now,
        updated_at=now,
        include_fields=tuple(wish.get("includeFields") or ()),
        filter=wish.get("filter") or "",
        name=wish.get("name"),
    )
    call.shop.hooks.add(made)
    _note(call, made, "create")
    return {"webhookSubscription": made, "userErrors": []}


def _resubscribe(source: Any, arguments: Any, call: Call) -> dict[str, Any]:
    found, wish = _subscription(call, arguments["id"]), arguments["webhookSubscription"]
    if found is None:
        return {"webhookSubscription": None, "userErrors": [{"field": ["id"], "message": "Webhook subscription does not exist"}]}
    if "uri" in wish and wish["uri"] != found.uri:
        fault = _subscription_fault(call, found.topic, wish)
        if fault is not None:
            return {"webhookSubscription": None, "userErrors": [fault]}
        found.uri = wish["uri"]
    if "includeFields" in wish:
        found.include_fields = tuple(wish["includeFields"] or ())
    if "filter" in wish:
        found.filter = wish["filter"] or ""
    found.updated_at = call.shop.now()
    _note(call, found, "update")
    return {"webhookSubscription": found, "userErrors": []}


def _unsubscribe(source: Any, arguments: Any, call: Call) -> dict[str, Any]:
    found = _subscription(call, arguments["id"])
    if found is None:
        return {"deletedWebhookSubscriptionId": None, "userErrors": [{"field": ["id"], "message": "Webhook subscription does not exist"}]}
    call.shop.hooks.remove(found.id)
    _note(call, found, "delete")
    return {"deletedWebhookSubscriptionId": arguments["id"], "userErrors": []}


def _subscription(call: Call, value: str) -> Subscription | None:
    number = number_of(value, "WebhookSubscription")
    return next((row for row in call.shop.hooks.subscriptions() if row.id == number), None)


def _subscription_fault(call: Call, topic: str, wish: Mapping[str, Any]) -> dict[str, Any] | None:
    uri = wish.get("uri") or wish.get("callbackUrl") or ""
    scope = TOPICS[topic][1] if topic in TOPICS else ""
    if not call.allows(scope):
        return {"field": ["topic"], "message": "You cannot create a webhook subscription with the specified topic"}
    if not uri.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        return {"field": ["webhookSubscription", "uri"], "message": "Address protocol http:// is not supported"}
    if any((row.topic, row.uri) == (topic, uri) for row in call.shop.hooks.subscriptions()):
        return {"field": ["webhookSubscription", "uri"], "message": "Address for this topic has already been taken"}
    return None


def _note(call: Call, subscription: Subscription, action: str) -> None:
    payload = {"shop": call.shop.spec.domain, "action": action, "topic": subscription.topic, "uri": subscription.uri}
    call.shop.ledger.append("subscription", gid("WebhookSubscription", subscription.id), payload)


roots.FIELDS["QueryRoot"].update({
    "bulkOperation": _operation,
    "bulkOperations": _operations,
    "currentBulkOperation": _current,
    "webhookSubscriptions": _subscriptions,
    "webhookSubscription": lambda source, arguments, call: _subscription(call, arguments["id"]),
    "webhookSubscriptionsCount": lambda source, arguments, call: {"count": len(call.shop.hooks.subscriptions()), "precision": "EXACT"},
})  # fmt: skip
changes.FIELDS["Mutation"].update({
    "bulkOperationRunQuery": _run_query,
    "bulkOperationRunMutation": _run_mutation,
    "bulkOperationCancel": _cancel,
    "stagedUploadsCreate": _stage,
    "webhookSubscriptionCreate": _subscribe,
    "webhookSubscriptionUpdate": _resubscribe,
    "webhookSubscriptionDelete": _unsubscribe,
})  # fmt: skip
