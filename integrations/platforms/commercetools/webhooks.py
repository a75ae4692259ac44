"""The door for commercetools' events: whose they are, whether they are genuine, what they hint at, and the subscriptions behind them.

commercetools has no webhooks of its own: a subscription sends to a queue in somebody's cloud, and that cloud calls here. So the address
names the project and the way (`/hooks/commercetools/<project key>/<way>/`), and each way has a check of its own (`doors/`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from integrations.platforms.base import Account, IncomingCall, IncomingEvent
from integrations.platforms.commercetools import subscriptions
from integrations.platforms.commercetools.client import CommercetoolsClient
from integrations.platforms.commercetools.doors.eventbridge import EventBridge
from integrations.platforms.commercetools.doors.eventgrid import EventGrid
from integrations.platforms.commercetools.doors.options import (
    DOOR_KEYS,
    EVENT_BRIDGE,
    EVENT_GRID,
    NOWHERE,
    PUBSUB,
    SNS,
    door_setting,
)
from integrations.platforms.commercetools.doors.pubsub import PubSub
from integrations.platforms.commercetools.doors.sns import Sns
from integrations.platforms.commercetools.doors.way import Way
from integrations.platforms.errors import Unverified

MAX_BODY = 1_500_000  # bytes: a queue carries 256 KB a notification, Event Grid 1 MB a batch
_PATH = re.compile(r"/hooks/commercetools/([a-z0-9_-]{1,256})/([a-z]{1,20})/?")


class CommercetoolsWebhooks:
    """commercetools' side of the `Webhooks` protocol; all it remembers are keys and certificates of the clouds."""

    max_body = MAX_BODY
    entered_at = "your cloud"
    named_in_path = True  # the address goes on below the platform's name
    signs_bodies = False  # two of the ways are opened by a key, so every event must be a hint

    def __init__(self, ways: Mapping[str, Way] | None = None) -> None:
        self._ways = {way.name: way for way in (PubSub(), Sns(), EventGrid(), EventBridge())} if ways is None else ways

    def external_id(self, call: IncomingCall) -> str:
        """The project key in the address, empty for an address that leads nowhere; raises Unverified when nothing proves the call."""
        named = _PATH.fullmatch(call.path)
        way = self._ways.get(named.group(2)) if named else None
        if named is None or way is None:
            return ""
        if not way.signed(call):
            raise Unverified("nothing proves where it comes from")
        return named.group(1)

    def verify(self, account: Account, call: IncomingCall) -> None:
        """The check of the way it came; raises Unverified, or TryLater when the cloud's keys cannot be had now."""
        self._way(call).check(account, call)

    def calls_out(self, account: Account, call: IncomingCall) -> bool:
        """Whether to verify or to cut it, another host must be called now; raises Unverified."""
        return self._way(call).calls_out(account, call)

    def handshake(self, account: Account, call: IncomingCall) -> Mapping[str, str]:
        """The answer to a cloud that asks by OPTIONS whether it may send; raises Unverified where that is not the way."""
        way = self._way(call)
        if not isinstance(way, EventGrid):
            raise Unverified("this way has no hand-shake")
        return way.handshake(account, call)

    def cut(self, account: Account, call: IncomingCall) -> Sequence[IncomingEvent]:
        """The events of a verified call, each one once."""
        return tuple({event.dedup_key: event for event in self._way(call).events(account, call)}.values())

    def by_hand(self, account: Account, address: str) -> Mapping[str, str]:
        """The addresses that the clouds must call, for each way that somebody began to set up."""
        chosen = door_setting(account, "subscription_destination")
        keyed = any(account.secrets.get(name) for name in DOOR_KEYS)
        begun = (
            ("pubsub", chosen == PUBSUB or door_setting(account, "pubsub_audience"), "Google Pub/Sub: endpoint of the push subscription"),
            ("sns", chosen == SNS or door_setting(account, "sns_topic_arn"), "Amazon SNS: endpoint of the HTTPS subscription"),
            ("eventgrid", chosen == EVENT_GRID or (keyed and chosen == NOWHERE), "Azure Event Grid: endpoint of the webhook"),
            ("eventbridge", chosen == EVENT_BRIDGE or (keyed and chosen == NOWHERE), "Amazon EventBridge: API destination"),
        )
        place = f"{address}{account.external_id}"
        proof = {"eventgrid": "?key=<key of the door>", "eventbridge": "\nX-Switchyard-Key: <key of the door>"}
        return {label: f"{place}/{way}/{proof.get(way, '')}" for way, shown, label in begun if shown}

    def missing(self, client: CommercetoolsClient, address: str) -> Sequence[str]:
        """Keys of subscriptions that are not there or do not deliver."""
        return subscriptions.ailing(client)

    def subscribe(self, client: CommercetoolsClient, address: str, topics: Sequence[str]) -> Sequence[str]:
        """Create the connection's subscription or start its delivery again, on a person's word; the answer lists what was refused."""
        return subscriptions.mend(client, topics)

    def report(self, client: CommercetoolsClient, address: str, topics: Sequence[str]) -> Sequence[str]:
        """What is wrong with each of them, in plain words, where no person asked to mend it."""
        return subscriptions.report(client, topics)

    def _way(self, call: IncomingCall) -> Way:
        named = _PATH.fullmatch(call.path)
        way = self._ways.get(named.group(2)) if named else None
        if way is None:
            raise Unverified("an address that leads nowhere")
        return way
