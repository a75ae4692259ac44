"""Subscriptions: whether they deliver, in plain words, and making one on a person's word.

Facts: at most 50 per project; making one, or changing where it sends, sends a test notification first and fails when that cannot be
delivered. A change notifies of whatever happened to a resource, but not of an order edit that was applied, so that is a message.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from integrations.platforms.base import Account, JsonObject
from integrations.platforms.commercetools.answers import NO_SCOPE
from integrations.platforms.commercetools.client import CommercetoolsClient, Query
from integrations.platforms.commercetools.doors.options import (
    EVENT_BRIDGE,
    EVENT_GRID,
    NOWHERE,
    PUBSUB,
    SHORTEST_KEY,
    SNS,
    door_keys,
    door_list,
    door_setting,
)
from integrations.platforms.commercetools.topics import CATEGORY, CUSTOMER, ORDER, PAYMENT, PRICE, PRODUCT
from integrations.platforms.errors import Misconfigured, Refused

PATH = "/subscriptions"
OWN_KEY = "switchyard"  # of the one that is made from here
HEALTHY, ABSENT = "Healthy", "absent"
CHANGES = (CUSTOMER, ORDER, PAYMENT, CATEGORY, PRICE)
MESSAGES: Sequence[JsonObject] = ({"resourceTypeId": PRODUCT, "types": []}, {"resourceTypeId": ORDER, "types": ["OrderEditApplied"]})
PRESS = "press Check webhooks on the connection's page"
STATES: Mapping[str, str] = {
    HEALTHY: "delivers",
    "TemporaryError": "its queue does not answer at the moment; commercetools goes on trying. Messages are read every minute meanwhile",
    "ConfigurationError": "its queue refuses what it sends, which is kept for a limited time only: let commercetools publish to it again, "
                          f"then {PRESS}",
    "ConfigurationErrorDeliveryStopped": "it has stopped, and what it would send is lost: let commercetools publish to its queue again, "
                                         f"then {PRESS}. Changes are found by polling meanwhile",
    "ManuallySuspended": "commercetools suspended it, and what it would send is lost: ask their support. Changes are found by polling "
                         "meanwhile",
    ABSENT: f"it is not there: {PRESS} to make it. Changes are found by polling meanwhile",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seen:
    """What the test call shows of the subscriptions, and what is wrong with them in whole sentences."""

    facts: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


class Unset(ValueError):
    """A setting that a destination needs is empty; the message says which."""


def watched(account: Account) -> tuple[str, ...]:
    """Keys of the subscriptions this connection relies on."""
    named = door_list(account, "subscription_keys")
    wanted = door_setting(account, "subscription_destination") != NOWHERE
    return named or ((OWN_KEY,) if wanted else ())


def ailing(client: CommercetoolsClient) -> tuple[str, ...]:
    """Keys of those that are not there or do not deliver; none where they may not be listed."""
    return tuple(key for key, state in _states(client).items() if state != HEALTHY)


def report(client: CommercetoolsClient, keys: Sequence[str]) -> tuple[str, ...]:
    """What is wrong with each, and what to do."""
    states = _states(client)
    return tuple(f"{key}: {_words(states[key])}." for key in keys if states.get(key, HEALTHY) != HEALTHY)


def mend(client: CommercetoolsClient, keys: Sequence[str]) -> tuple[str, ...]:
    """Make what is absent and start again what stopped, with the connection's own destination; the answer says what could not be done."""
    states = _states(client)
    answers = [_mend(client, key, states[key]) for key in keys if key in states]
    return tuple(said for said in answers if said)


def seen(client: CommercetoolsClient) -> Seen:
    """For the test call: each watched subscription with its state, and what keeps a door shut."""
    keys = watched(client.account)
    facts = {"Events": _ways(client.account)}
    if not keys:
        return Seen(facts, _shut(client.account))
    rows = _listed(client)
    if rows is None:
        said = "Missing scope manage_subscriptions: it is not seen when the subscription stops. Make an API client that has it."
        return Seen(facts, (said, *_shut(client.account)))
    states = _states(client, rows)
    facts |= {f"Subscription {key}": _words(state) for key, state in states.items()}
    wrong = (f"Subscription {key}: {_words(state)}." for key, state in states.items() if state != HEALTHY)
    return Seen(facts, (*wrong, *_shut(client.account)))


def destination(account: Account) -> JsonObject:
    """Where the connection's own subscription sends, as commercetools takes it; raises Unset."""
    kind = door_setting(account, "subscription_destination")
    if kind not in DESTINATIONS:
        raise Unset("choose where commercetools sends events")
    return {"type": kind, **DESTINATIONS[kind](account)}


def _states(client: CommercetoolsClient, rows: Sequence[JsonObject] | None = None) -> dict[str, str]:
    """The state of each watched one; empty where they may not be listed."""
    keys = watched(client.account)
    listed = (_listed(client) if rows is None else rows) if keys else None
    if listed is None:
        return {}
    found = {str(row.get("key") or row.get("id")): str(row.get("status") or HEALTHY) for row in listed}
    return {key: found.get(key, ABSENT) for key in keys}


def _listed(client: CommercetoolsClient) -> list[JsonObject] | None:
    """All of the project, None without the scope; raises what else keeps them from being listed."""
    try:
        return list(client.page(Query(path=PATH, limit=100)).rows)
    except Misconfigured as fault:
        if fault.code == NO_SCOPE:
            return None
        raise


def _mend(client: CommercetoolsClient, key: str, state: str) -> str:
    if key != OWN_KEY or state == "ManuallySuspended":
        return "" if state == HEALTHY else f"{key}: {_words(state)}."
    try:
        sends_to = destination(client.account)
        if state == ABSENT:
            client.post(PATH, draft(sends_to))
        elif state != HEALTHY:  # told its destination again, commercetools tests it and goes on
            client.update(f"{PATH}/key={key}", lambda held: [{"action": "changeDestination", "destination": sends_to}])
    except Unset as fault:
        return f"{key}: {fault}."
    except Refused as fault:
        return f"{key}: the test notification could not be delivered, so it was not set up ({fault})."
    except Misconfigured as fault:
        if fault.code != NO_SCOPE:
            raise
        return f"{key}: the API client lacks the scope manage_subscriptions."
    return ""


def draft(sends_to: JsonObject) -> JsonObject:
    """The subscription that is made from here; Event Grid takes CloudEvents only."""
    cloud = {"type": "CloudEvents", "cloudEventsVersion": "1.0"}
    return {
        "key": OWN_KEY,
        "destination": sends_to,
        "messages": list(MESSAGES),
        "changes": [{"resourceTypeId": type_id} for type_id in CHANGES],
        "format": cloud if sends_to["type"] == EVENT_GRID else {"type": "Platform"},
    }


def _pubsub(account: Account) -> JsonObject:
    parts = door_setting(account, "pubsub_topic").split("/")
    if len(parts) != 4 or parts[0] != "projects" or parts[2] != "topics" or not all(parts):
        raise Unset("enter the Pub/Sub topic as projects/<project>/topics/<topic>")
    return {"projectId": parts[1], "topic": parts[3]}


def _sns(account: Account) -> JsonObject:
    arn = door_setting(account, "sns_topic_arn")
    if not arn.startswith("arn:"):
        raise Unset("enter the ARN of the SNS topic")
    return {"topicArn": arn, "authenticationMode": "IAM"}


def _event_bridge(account: Account) -> JsonObject:
    number, region = door_setting(account, "eventbridge_account"), door_setting(account, "eventbridge_region")
    if not number or not region:
        raise Unset("enter the AWS account and region of EventBridge")
    return {"accountId": number, "region": region}


def _event_grid(account: Account) -> JsonObject:
    uri, key = door_setting(account, "event_grid_uri"), account.secrets.get("event_grid_access_key", "")
    if not uri or not key:
        raise Unset("enter the endpoint and the access key of the Event Grid topic")
    return {"uri": uri, "accessKey": key}


DESTINATIONS: Mapping[str, Callable[[Account], JsonObject]] = {
    PUBSUB: _pubsub, SNS: _sns, EVENT_BRIDGE: _event_bridge, EVENT_GRID: _event_grid,
}  # fmt: skip


def _words(state: str) -> str:
    return STATES.get(state) or f"commercetools says {state[:60]}"


def _ways(account: Account) -> str:
    """The doors that are open, in words."""
    opened = [
        label
        for label, is_open in (
            ("Google Pub/Sub", door_setting(account, "pubsub_audience") and door_setting(account, "pubsub_email")),
            ("Amazon SNS", door_setting(account, "sns_topic_arn")),
            ("Event Grid and EventBridge", door_keys(account)),
        )
        if is_open
    ]
    return ", ".join([*opened, "messages every minute"])


def _shut(account: Account) -> tuple[str, ...]:
    """What keeps a door shut that somebody began to open."""
    wrong = []
    if bool(door_setting(account, "pubsub_audience")) != bool(door_setting(account, "pubsub_email")):
        wrong.append("Pub/Sub's calls are refused: both the audience of its token and the account that pushes must be entered.")
    if account.secrets.get("door_key") and not door_keys(account):
        wrong.append(f"Event Grid's and EventBridge's calls are refused: the key of the door is shorter than {SHORTEST_KEY} characters.")
    return tuple(wrong)
