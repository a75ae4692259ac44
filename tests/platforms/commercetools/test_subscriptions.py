"""Subscriptions: what is said of their state, and that one is made only as the connection says."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from integrations.platforms.commercetools import subscriptions
from integrations.platforms.commercetools.webhooks import CommercetoolsWebhooks
from integrations.platforms.errors import Misconfigured, Refused
from tests.platforms.commercetools.clouds import DOOR_KEY, TOPIC, account

SNS = {"subscription_destination": "SNS", "sns_topic_arn": TOPIC}


@dataclass
class Project:
    """A client of a project with these subscriptions; what is written to it is kept."""

    account: Any
    rows: list[dict[str, Any]] = field(default_factory=list)
    refuses: Exception | None = None
    may_not: bool = False
    posted: list[tuple[str, Any]] = field(default_factory=list)

    def page(self, query: Any) -> Any:
        if self.may_not:
            raise Misconfigured("scope", code="insufficient_scope")
        return SimpleNamespace(rows=self.rows, full=False)

    def post(self, path: str, body: Any) -> Any:
        if self.refuses:
            raise self.refuses
        self.posted.append((path, body))
        self.rows = [*self.rows, {"key": body["key"], "status": "Healthy"}]
        return body

    def update(self, path: str, build: Any) -> Any:
        if self.refuses:
            raise self.refuses
        self.posted.append((path, build({})))
        return {}


def row(status: str, key: str = "switchyard") -> dict[str, Any]:
    return {"key": key, "status": status}


def test_a_project_without_a_queue_needs_no_subscription() -> None:
    client = Project(account(), [row("ConfigurationErrorDeliveryStopped", "of-somebody-else")])
    assert subscriptions.ailing(client) == ()
    assert subscriptions.seen(client).problems == ()


def test_a_subscription_that_delivers_is_well_and_others_are_not_watched() -> None:
    client = Project(account(**SNS), [row("Healthy"), row("ConfigurationError", "of-somebody-else")])
    assert subscriptions.ailing(client) == ()
    assert subscriptions.seen(client).facts["Subscription switchyard"] == "delivers"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "is not there"),
        ([row("TemporaryError")], "goes on trying"),
        ([row("ConfigurationError")], "limited time"),
        ([row("ConfigurationErrorDeliveryStopped")], "is lost"),
        ([row("ManuallySuspended")], "ask their support"),
        ([row("SomethingNew")], "commercetools says SomethingNew"),
    ],
)
def test_what_is_wrong_with_it_is_said_in_plain_words(rows: list[dict[str, Any]], said: str) -> None:
    client = Project(account(**SNS), rows)
    assert subscriptions.ailing(client) == ("switchyard",)
    (line,) = subscriptions.report(client, ["switchyard"])
    assert line.startswith("switchyard: ")
    assert said in line
    assert any(said in problem for problem in subscriptions.seen(client).problems)
    assert client.posted == []


def test_those_that_were_made_elsewhere_are_watched_by_their_keys_and_never_changed() -> None:
    stopped = row("ConfigurationErrorDeliveryStopped", "made-by-terraform")
    client = Project(account(subscription_keys=["made-by-terraform"], **SNS), [stopped])
    assert subscriptions.ailing(client) == ("made-by-terraform",)
    assert subscriptions.mend(client, ["made-by-terraform"])[0].startswith("made-by-terraform: ")
    assert client.posted == []


DESTINATIONS = {
    "SNS": (SNS, {}, {"type": "SNS", "topicArn": TOPIC, "authenticationMode": "IAM"}),
    "GoogleCloudPubSub": (
        {"subscription_destination": "GoogleCloudPubSub", "pubsub_topic": "projects/acme/topics/ct"}, {},
        {"type": "GoogleCloudPubSub", "projectId": "acme", "topic": "ct"},
    ),
    "EventBridge": (
        {"subscription_destination": "EventBridge", "eventbridge_account": "123456789012", "eventbridge_region": "eu-central-1"}, {},
        {"type": "EventBridge", "accountId": "123456789012", "region": "eu-central-1"},
    ),
    "EventGrid": (
        {"subscription_destination": "EventGrid", "event_grid_uri": "https://ct.example.com/api/events"},
        {"event_grid_access_key": "access"},
        {"type": "EventGrid", "uri": "https://ct.example.com/api/events", "accessKey": "access"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("settings", "secrets", "sends_to"), DESTINATIONS.values(), ids=DESTINATIONS)
def test_one_is_made_for_each_destination(settings: dict[str, str], secrets: dict[str, str], sends_to: dict[str, str]) -> None:
    client = Project(dataclasses.replace(account(**settings), secrets=secrets))
    assert subscriptions.mend(client, ["switchyard"]) == ()
    ((path, made),) = client.posted
    assert (path, made["key"], made["destination"]) == ("/subscriptions", "switchyard", sends_to)
    assert made["format"]["type"] == ("CloudEvents" if sends_to["type"] == "EventGrid" else "Platform")
    assert {row["resourceTypeId"] for row in made["changes"]} >= {"customer", "order", "payment"}
    assert subscriptions.ailing(client) == ()


def test_one_that_stopped_is_told_its_destination_again() -> None:
    client = Project(account(**SNS), [row("ConfigurationErrorDeliveryStopped")])
    assert subscriptions.mend(client, ["switchyard"]) == ()
    ((path, actions),) = client.posted
    assert path == "/subscriptions/key=switchyard"
    assert [(action["action"], action["destination"]["topicArn"]) for action in actions] == [("changeDestination", TOPIC)]


@pytest.mark.parametrize("kind", ["SNS", "GoogleCloudPubSub", "EventBridge", "EventGrid"])
def test_what_is_still_to_be_entered_is_named(kind: str) -> None:
    client = Project(account(subscription_destination=kind, sns_topic_arn=""))
    (said,) = subscriptions.mend(client, ["switchyard"])
    assert said.startswith("switchyard: enter the ")
    assert client.posted == []


def test_a_queue_that_takes_no_test_notification_is_said() -> None:
    client = Project(account(**SNS), refuses=Refused("InvalidInput: not authorised"))
    (said,) = subscriptions.mend(client, ["switchyard"])
    assert "test notification could not be delivered" in said
    assert "not authorised" in said


def test_without_the_scope_nothing_ails_and_the_test_call_says_what_is_not_seen() -> None:
    client = Project(account(**SNS), may_not=True)
    assert subscriptions.ailing(client) == ()
    assert "manage_subscriptions" in subscriptions.seen(client).problems[0]


def test_the_open_doors_are_listed_and_what_keeps_one_shut_is_said() -> None:
    opened = subscriptions.seen(Project(account())).facts["Events"]
    assert opened == "Google Pub/Sub, Amazon SNS, Event Grid and EventBridge, messages every minute"
    shut = dataclasses.replace(account(pubsub_email="", sns_topic_arn=""), secrets={"door_key": DOOR_KEY[:8]})
    seen = subscriptions.seen(Project(shut))
    assert seen.facts["Events"] == "messages every minute"
    assert len(seen.problems) == 2


def test_the_addresses_that_clouds_must_call_are_shown_for_the_ways_that_somebody_began_to_set_up() -> None:
    hooks, address = CommercetoolsWebhooks(), "https://console.example.com/hooks/commercetools/"
    plain = dataclasses.replace(account(pubsub_audience="", sns_topic_arn=""), secrets={})
    assert hooks.by_hand(plain, address) == {}
    assert hooks.by_hand(dataclasses.replace(plain, settings=SNS), address) == {
        "Amazon SNS: endpoint of the HTTPS subscription": f"{address}acme-demo/sns/"
    }
    assert DOOR_KEY not in str(hooks.by_hand(account(), address))
