"""Subscriptions: where notifications go, whether they still do, and what happens to those that cannot."""

from collections.abc import Mapping
from typing import Any

from integrations.standins.commercetools import messages, notifications
from integrations.standins.commercetools.cloud import Cloud
from integrations.standins.commercetools.collection import Stored
from integrations.standins.commercetools.editing import Action, Doing, Edit, check_unique, choice, need
from integrations.standins.commercetools.errors import Refusal, invalid, wrong_field
from integrations.standins.commercetools.kinds import KINDS
from integrations.standins.commercetools.project import Project, Write

MOST = 50
STATUSES = ("Healthy", "ConfigurationError", "ConfigurationErrorDeliveryStopped", "ManuallySuspended", "TemporaryError")
LOST, KEPT = frozenset({"ConfigurationErrorDeliveryStopped", "ManuallySuspended"}), frozenset({"ConfigurationError", "TemporaryError"})
FIELDS: dict[str, tuple[str, ...]] = {
    "GoogleCloudPubSub": ("projectId", "topic"), "SNS": ("topicArn",), "EventBridge": ("region", "accountId"), "EventGrid": ("uri",),
    "SQS": ("queueUrl", "region"), "AzureServiceBus": ("connectionString",), "ConfluentCloud": ("bootstrapServer", "topic"),
}  # fmt: skip
SECRETS = ("accessKey", "accessSecret", "apiSecret", "connectionString")


class Notifier:
    """Tells the subscriptions of one project; ``cloud`` brings it further."""

    def __init__(self, project: Project, cloud: Cloud) -> None:
        self.project, self.cloud = project, cloud
        # what waits for a subscription to be healthy again, by its id
        self.waiting: dict[str, list[notifications.Payload]] = {}

    def written(self, write: Write) -> None:
        """A write was committed: its messages are kept, and everybody who asked is told."""
        told = messages.written(self.project, write)
        rows = [row.doc() for row in self.project["subscription"].rows.values()]
        if not rows or write.type_id == "subscription":
            return
        change = notifications.of_change(self.project, write)
        payloads = [notifications.of_message(self.project, message) for message in told] + ([change] if change else [])
        for payload in payloads:
            for subscription in rows:
                if notifications.wanted(subscription, payload):
                    self._tell(subscription, payload)

    def test(self, subscription: str, destination: Mapping[str, Any], key: str, kind: str) -> None:
        """The synchronous test notification; raises Refusal when the destination cannot be reached."""
        payload = notifications.of_test(self.project, subscription)
        try:
            self._publish(destination, key, notifications.rendered(payload, kind, self.project.settings.payload_bytes))
        except ConnectionError as error:
            raise invalid(
                "A test message could not be delivered to this destination. Please make sure it is correctly configured."
            ) from error

    def release(self, subscription: Mapping[str, Any]) -> int:
        """Send what was kept for a subscription that is healthy again; the number."""
        kept = self.waiting.pop(subscription["id"], [])
        for payload in kept:
            self._tell(subscription, payload)
        return len(kept)

    def _tell(self, subscription: Mapping[str, Any], payload: notifications.Payload) -> None:
        if subscription["status"] in LOST:
            return
        if subscription["status"] in KEPT:
            self.waiting.setdefault(subscription["id"], []).append(payload)
            return
        kind = subscription["format"]["type"]
        raw = notifications.rendered(payload, kind, self.project.settings.payload_bytes)
        try:
            self._publish(subscription["destination"], subscription.get("key", ""), raw)
        except ConnectionError:
            self.waiting.setdefault(subscription["id"], []).append(payload)
            set_status(self.project, subscription["id"], "ConfigurationError")

    def _publish(self, destination: Mapping[str, Any], key: str, raw: bytes) -> None:
        self.cloud.publish(topic_of(self.project, destination, key), raw)


def topic_of(project: Project, destination: Mapping[str, Any], key: str = "") -> str:
    """What the cloud calls a destination: topic path, topic ARN, partner event source, uri."""
    names = {
        "GoogleCloudPubSub": "projects/{projectId}/topics/{topic}", "SNS": "{topicArn}", "EventGrid": "{uri}", "SQS": "{queueUrl}",
        "AzureServiceBus": "{connectionString}", "ConfluentCloud": "{bootstrapServer}/{topic}",
        "EventBridge": f"aws.partner/commercetools.com/{project.spec.key}/{key}",
    }  # fmt: skip
    return names[destination["type"]].format(**destination)


def create_subscription(project: Project, draft: Mapping[str, Any]) -> Stored:
    """Subscribe; the destination gets a test notification first. Raises Refusal."""
    if len(project["subscription"]) >= MOST:
        raise Refusal("MaxResourceLimitExceeded", f"A project can have at most {MOST} subscriptions.", exceededResource="subscription")
    destination, kind = _destination(draft), _format(draft)
    fields: dict[str, Any] = {
        "id": project.new_id(), "key": draft.get("key"), "destination": destination, "messages": _messages(draft), "format": kind,
        "changes": _changes(draft), "events": [], "status": "Healthy",
    }  # fmt: skip
    if not fields["messages"] and not fields["changes"]:
        raise invalid("Either messages, changes or events must be set.")
    check_unique(project, "subscription", fields)
    project.notifier.test(fields["id"], destination, draft.get("key", ""), kind["type"])
    return project.create("subscription", fields)


def _destination(draft: Mapping[str, Any]) -> dict[str, Any]:
    given = need(draft, "destination", dict)
    kind = choice(given, "type", tuple(FIELDS))
    for name in FIELDS[kind]:
        need(given, name)
    return {name: value for name, value in given.items() if name not in SECRETS or kind == "AzureServiceBus"}


def _format(draft: Mapping[str, Any]) -> dict[str, str]:
    given = draft.get("format") or {"type": "CloudEvents" if draft["destination"]["type"] == "EventGrid" else "Platform"}
    kind = choice(given, "type", ("Platform", "CloudEvents"))
    if draft["destination"]["type"] == "EventGrid" and kind != "CloudEvents":
        raise invalid("Azure Event Grid accepts the format CloudEvents only.")
    return {"type": "Platform"} if kind == "Platform" else {"type": kind, "cloudEventsVersion": "1.0"}


def _messages(draft: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"resourceTypeId": _resource(item), "types": list(item.get("types") or ())} for item in draft.get("messages") or ()]


def _changes(draft: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"resourceTypeId": _resource(item)} for item in draft.get("changes") or ()]


def _resource(item: Mapping[str, Any]) -> str:
    type_id = need(item, "resourceTypeId")
    if type_id not in KINDS:
        raise wrong_field("resourceTypeId", type_id)
    return str(type_id)


def set_status(project: Project, subscription: str, status: str) -> Stored:
    """What the platform thinks of a subscription's destination; healthy again, it sends what was kept. Raises ValueError."""
    if status not in STATUSES:
        raise ValueError(f"status is one of {STATUSES}.")
    row = project.get("subscription", subscription)
    after = project.replace("subscription", row, {**row.doc(), "status": status})
    if status == "Healthy":
        project.notifier.release(after.doc())
    return after


def _change_destination(edit: Edit, action: Action) -> None:
    """The one way to repair a subscription whose delivery was stopped."""
    destination = _destination(action)
    edit.project.notifier.test(edit.doc["id"], destination, edit.doc.get("key", ""), edit.doc["format"]["type"])
    edit.doc |= {"destination": destination, "status": "Healthy"}


def _set_messages(edit: Edit, action: Action) -> None:
    edit.doc["messages"] = _messages(action)


def _set_changes(edit: Edit, action: Action) -> None:
    edit.doc["changes"] = _changes(action)


ACTIONS: dict[str, Doing] = {
    "changeDestination": _change_destination, "setMessages": _set_messages, "setChanges": _set_changes,
}  # fmt: skip
